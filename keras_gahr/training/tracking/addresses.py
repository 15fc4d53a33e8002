"""What `--track` says: `wandb:PROJECT`, `mlflow:EXPERIMENT`, `trackio:PROJECT`, several with commas."""

import re

from keras_gahr.errors import InputError

from .libraries import TRACKERS

NOBODY = "none"
"""What stands for no tracker, where a run goes on without the one that it had."""

_NAME = re.compile(r"[^\s,:][^,:\n]{0,127}")


def parse_trackers(text):
    """(tracker, project) for each tracker that a text names; nothing is imported.

    Args:
        text: or None.

    Raises:
        InputError: for anything else.
    """
    if text is None or text == NOBODY:
        return []
    found = []
    for part in text.split(","):
        kind, colon, name = part.strip().partition(":")
        if not colon or kind not in TRACKERS or not _NAME.fullmatch(name):
            expected = ", ".join(f"{each}:NAME" for each in TRACKERS)
            raise InputError(
                f"received the tracker {part!r:.80}, expected one of {expected}, or several with commas"
            )
        if (kind, name) not in found:
            found.append((kind, name))
    return found


def open_trackers(text):
    """The `Tracker`s that a text names.

    Raises:
        InputError: for anything else, if a library is missing, or if a tracker does not know the user.
    """
    found = parse_trackers(text)
    if not found:
        return []
    from .mlflow import MlflowTracker
    from .trackio import TrackioTracker
    from .wandb import WandbTracker

    kinds = {"wandb": WandbTracker, "mlflow": MlflowTracker, "trackio": TrackioTracker}
    return [kinds[kind](name) for kind, name in found]
