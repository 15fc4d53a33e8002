"""One image from a file or a dataset, for an analysis of a single image."""

import warnings
from pathlib import Path

from keras_gahr.datasets import load, read_image
from keras_gahr.datasets.channels import one_channel, with_channels
from keras_gahr.datasets.cropping import cropped
from keras_gahr.errors import InputError

from .tangent import tangent_space


def read_one(path, index=None, crop=None, channels=None, layout=None, channel=None):
    """An image, and the tangent space of its family where that is known.

    Args:
        path: a picture, a `.npy` array of one image, or a dataset (folder, `.npy` or `.npz`).
        index: of the image in a dataset; by default 0 for a folder and `.npz`.
        crop: see `cropped`.
        channels: 1 for grey, 3 for colour, None for what the file has.
        layout: of an array, such as "CHW"; by default see `find_layout`.
        channel: which of a colour image, from 0, as a grey one; None for all.

    Returns:
        float32 (height, width, channels) in [0, 1], and the basis that `tangent_space` gives, or None.

    Warns:
        UserWarning: if the image is made grey, or repeated.

    Raises:
        InputError: if there is no such image, or it does not fit.
    """
    path = Path(path)
    if index is None and not path.is_dir() and path.suffix.lower() != ".npz":
        image = _converted(one_channel(read_image(path, layout=layout), channel), channels, path)
        return cropped(image, crop, path), None
    dataset = load(path, layout=layout)
    index = 0 if index is None else index
    if not 0 <= index < len(dataset):
        raise InputError(f"{path} has {len(dataset)} images: expected an index from 0, not {index}")
    image = _converted(one_channel(dataset.as_float(index), channel), channels, path)
    tangent = tangent_space(dataset, index)
    if crop is not None or (tangent is not None and tangent.shape[1:] != image.shape):
        tangent = None
    return cropped(image, crop, path), tangent


def _converted(image, channels, path):
    """The image with so many channels, of which is warned if they are others than it has."""
    converted = with_channels(image, channels)
    if converted is not image:
        how = "grey, and was repeated" if image.shape[-1] == 1 else "in colour, and was made grey"
        warnings.warn(f"{path} is {how} for this denoiser", UserWarning, stacklevel=3)
    return converted
