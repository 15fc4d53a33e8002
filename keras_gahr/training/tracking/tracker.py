"""What follows a training."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


@dataclasses.dataclass(frozen=True)
class TrackedRun:
    """What a tracker is told at the start.

    Args:
        name: of the run, for people.
        config: settings of the training, of the network (`network.num_kernels`) and facts on the images
            (`data.sha256`): numbers, text, true or false.

    Examples:
        >>> from keras_gahr.training import TrackedRun
        >>> TrackedRun("faces", {"learning_rate": 1e-3, "network.num_kernels": 64}).name
        'faces'
    """

    name: str
    config: Mapping[str, Any]


class Tracker:
    """Follows a training: a base class for your own, which `kg.train(..., trackers=[...])` takes.

    Its functions are called one after the other in a thread of their own, so that the training never waits.
    What they raise becomes one line of warning, and they are called again with the next numbers.

    Attributes:
        address: what it is called, such as `wandb:faces`; of two with the same name a run takes one.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> class Kept(kg.training.Tracker):
        ...     address = "kept"
        ...     def log(self, step, numbers):
        ...         print(step, int(numbers["epoch"]), "psnr/train" in numbers)
        >>> images = np.random.default_rng(0).integers(0, 256, (5, 8, 8), np.uint8)
        >>> network = {"architecture": "bf-cnn", "num_layers": 2, "num_kernels": 2}
        >>> options = {"epochs": 1, "images_per_epoch": 4, "batch_size": 4, "progress": False}
        >>> result = kg.train(images, trackers=[Kept()], **network, **options)
        1 1 True
    """

    address = "tracker"

    def start(self, run: TrackedRun, known: str | None) -> str:
        """Begins to follow a run, or goes on.

        Args:
            run: the `TrackedRun`.
            known: what this returned when the run began, if it goes on; else None.

        Returns:
            By what the run is known, to be kept in its folder.
        """
        return known or run.name

    def log(self, step: int, numbers: Mapping[str, float]) -> None:
        """Takes finite numbers by name.

        Args:
            step: how many steps of the optimizer are done. Each comes once, and later ones later; where an
                epoch ends with a look of the clock, the numbers of both come together.
            numbers: as in TensorBoard: `loss/train`, `psnr/test`, `psnr_test/sigma_012.9`; and `epoch`.
        """

    def finish(self, state: str) -> None:
        """Ends.

        Args:
            state: "finished", "stopped", "early stop", "diverged" or "failed" (by an error).
        """
