"""The images of a dataset that a network was trained on, for every command that needs them."""

from typing import Annotated

import typer

HalfOption = Annotated[str, typer.Option(help="A: trained on the first images. B: the last.")]


def check_half(half, train_size, option="--half"):
    """Raises `InputError` for a half that there is not, or that is given without its size."""
    from keras_gahr.errors import InputError

    if half not in {"A", "B"}:
        raise InputError(f"half is {half!r}: expected A or B")
    if half == "B" and train_size is None:
        raise InputError(f"received {option} B without --train-size: give both, or none")


def training_images(images, train_size, half):
    """The part of a dataset that `gahr train` takes with the same options, as a Dataset.

    Args:
        images: a `Dataset`.
        train_size: how many training images; None for all.
        half: "A" for the first ones, "B" for the last.

    Raises:
        InputError: for another half, one without its size, or fewer images than asked for.
    """
    from keras_gahr.errors import InputError

    check_half(half, train_size)
    if train_size is None or train_size == len(images):
        return images
    if not 1 <= train_size < len(images):
        raise InputError(
            f"{train_size} training images asked for: expected no more than the dataset's "
            f"{len(images)}"
        )
    return images.split(train_size, len(images) - train_size, half)[0]
