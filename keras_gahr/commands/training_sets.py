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


def warn_of_other_images(model, denoiser, path, images, part, half, option="--half"):
    """Prints a line if a network says that it was trained on other images than it is said to be.

    Whether it is right nobody knows: images may have been copied, or put into another order.

    Args:
        model: as the command was given it.
        denoiser: the network.
        path: of the dataset.
        images: the `Dataset`.
        part: of these, as `training_images` returns it.
        half: "A" or "B", of which that is.
        option: by which the half is given.
    """
    known = denoiser.provenance
    size = known.get("train_size")
    own = known.get("half") if known.get("half") in ("A", "B") else None
    says = f"warning: {model} says that it was trained on"
    otherwise = "or what follows is of other images than those"
    if _is_other(known, images):
        typer.echo(f"{says} another dataset than {path}: give that, {otherwise}", err=True)
        return
    if type(size) is not int:
        return
    # All images are no half.
    theirs, ours = (
        f"{count} images" + (f" of half {which}" if which and count < len(images) else "")
        for count, which in ((size, own), (len(part), half if own else None))
    )
    if theirs != ours:
        mend = f"--train-size {size}" + (f" {option} {own}" if own else "")
        typer.echo(f"{says} {theirs}, not on {ours}: give {mend}, {otherwise}", err=True)


def _is_other(known, images):
    """Whether a network was trained on another dataset, as far as its provenance tells."""
    size = known.get("train_size")
    if type(size) is int and size > len(images):
        return True
    names = (("sha256", "sha256"), ("trained_on", "recipe"))
    both = ((known.get(own), images.manifest.get(name)) for own, name in names)
    return next((theirs != ours for theirs, ours in both if theirs and ours), False)


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
