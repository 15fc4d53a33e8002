"""What is asked of the sampler: how many images, of which shape."""

import math

from keras_gahr.errors import InputError
from keras_gahr.noise import check_whole

_MOST_BYTES = 2**40
"""Of all images of one call, which are held in memory."""


def check_request(denoiser, shape, count):
    """The shape `(height, width, channels)` of the images and their number, if they can be asked for.

    Args:
        denoiser: a `Denoiser`, whose channels are taken for a shape of `(height, width)`.
        shape: of one image.
        count: how many images.

    Raises:
        InputError: for a shape or a count that is none, or for more than a tebibyte of images.
    """
    count = check_whole(count, "a count of images", 1)
    try:
        sides = tuple(shape)
    except TypeError:
        sides = ()
    if len(sides) == 2:
        sides = (*sides, denoiser.output_channels)
    if len(sides) != 3:
        received = " ".join(f"{shape!r:.80}".split())
        raise InputError(
            f"received shape {received}, expected (height, width) or (height, width, channels)"
        )
    sides = tuple(check_whole(side, "a side or channels of an image", 1) for side in sides)
    if 4 * count * math.prod(sides) > _MOST_BYTES:
        raise InputError(
            f"{count} images of {'x'.join(map(str, sides))} would take more than {_MOST_BYTES >> 40} TiB "
            "of memory: ask for fewer or smaller ones"
        )
    return sides, count
