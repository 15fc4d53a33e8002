"""How many steps an epoch has in a training that goes on."""

from .state import damaged


def steps_per_epoch_of(path, record, batches):
    """What the training began with: its learning rate and its count of steps depend on that.

    States of earlier versions do not say it, but that of the epochs that are done.

    Args:
        path: of the state.
        record: of it, as `read_state` returns it.
        batches: `TiledBatches`, with as many steps as they have in a new training.

    Raises:
        InputError: if there is no telling, or the number cannot be.
    """
    try:
        if "steps_per_epoch" in record:
            steps = record["steps_per_epoch"]
        else:
            rows = record["parts"]["history"]["rows"]
            steps = rows[-1]["steps"] if rows else _of_earlier(batches)
    except (LookupError, TypeError) as error:
        raise damaged(path, f"its record has a wrong entry: {error}") from error
    now = batches.steps_per_epoch
    # Batches were never larger but for what was left over.
    if type(steps) is not int or not max(1, now - 1) <= steps <= now:
        raise damaged(path, f"epochs of {steps!r:.20} steps, expected {now}")
    return steps


def _of_earlier(batches):
    """Steps when all batches but the last were full, and a single image left over joined that."""
    full, rest = divmod(batches.images_per_epoch, batches.batch_size)
    return full + (rest >= 2 * batches.shares or not full)
