"""Images beside each other."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from keras_gahr.datasets.arrays import check_type, to_float
from keras_gahr.datasets.image_arrays import array_of
from keras_gahr.datasets.image_files import check_picture_shape, contact_sheet
from keras_gahr.errors import InputError

from .style import SMALL, caption, new_figure, plain

_PAIRS_IN_A_ROW = 6


def show_image(axes: Axes, image: np.ndarray) -> None:
    """Shows an image without ticks, what is not finite in black.

    Args:
        axes: to draw in.
        image: (height, width, channels) or (height, width), on [0, 1]; grey with one channel, and the
            mean of channels other than three, which have no colours.

    Examples:
        >>> import numpy as np
        >>> from matplotlib.figure import Figure
        >>> from keras_gahr import plot
        >>> plot.show_image(Figure().subplots(), np.full((8, 8, 1), 0.5))
    """
    image = np.clip(np.nan_to_num(as_shown(_values(image))), 0, 1)
    check_picture_shape(image.shape, "the image")
    if image.shape[-1] == 1 and image.ndim == 3:
        image = image[..., 0]
    axes.imshow(image, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])


@np.errstate(over="ignore", invalid="ignore")
def as_shown(image: np.ndarray) -> np.ndarray:
    """An image (height, width, channels) that is grey or red, green and blue; of other channels, which
    have no colours, the mean."""
    known = image.ndim != 3 or image.shape[-1] in {0, 1, 3}
    return image if known else image.mean(axis=-1, keepdims=True)


def show_sheet(axes: Axes, images: np.ndarray) -> None:
    """Shows images (N, height, width, channels) on [0, 1] as a nearly square sheet."""
    images = _values(images)
    show_image(axes, contact_sheet(images, columns=int(np.ceil(np.sqrt(len(images))))))


def _values(images):
    """Of uint8 images the floats; others as they are, since what diverged is shown too."""
    images = array_of(images)
    check_type(images, "the image")
    return to_float(images) if images.dtype == np.uint8 else images


def image_row(pictures: Sequence[tuple[str, np.ndarray]], *, title: str = "") -> Figure:
    """Images side by side.

    Args:
        pictures: a list of (caption, image (height, width, channels) on [0, 1]).
        title: of the figure; default: none.

    Returns:
        A figure.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> figure = plot.image_row([("clean", np.ones((8, 8, 1))), ("noisy", np.ones((8, 8, 1)))])
        >>> [axes.get_title() for axes in figure.axes]
        ['clean', 'noisy']
    """
    if not pictures:
        raise InputError("received no pictures, expected at least one")
    figure = new_figure(3 * len(pictures), 3.3, title)
    grid = figure.subplots(1, len(pictures), squeeze=False)[0]
    for axes, (name, image) in zip(grid, pictures, strict=True):
        show_image(axes, image)
        caption(axes, name, size=10)
    return figure


def image_pairs(pairs: Sequence[tuple[np.ndarray, np.ndarray, str]], *, title: str = "") -> Figure:
    """Pairs of images side by side, six pairs in a row.

    Args:
        pairs: a list of (left, right, caption), images (height, width, channels) on [0, 1], which need
            not have one size.
        title: of the figure; default: none.

    Returns:
        A figure.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> image = np.ones((8, 8, 1))
        >>> len(plot.image_pairs([(image, image, "0.99")], title="Repeats").axes)
        2
    """
    rows = max(1, -(-len(pairs) // _PAIRS_IN_A_ROW))
    figure = new_figure(2.1 * _PAIRS_IN_A_ROW, 0.7 + 1.35 * rows, title)
    cells = figure.subfigures(rows, _PAIRS_IN_A_ROW, squeeze=False).ravel()
    for cell, (left, right, text) in zip(cells, pairs, strict=False):
        cell.suptitle(plain(text), fontsize=SMALL, parse_math=False)
        for axes, image in zip(cell.subplots(1, 2), (left, right), strict=True):
            show_image(axes, image)
    return figure


def denoised_images(
    rows: Sequence[tuple[float, np.ndarray, np.ndarray, np.ndarray]], *, title: str = ""
) -> Figure:
    """Clean, noisy and denoised images, a row for each noise level.

    Args:
        rows: a list of (sigma on [0, 1], clean, noisy, denoised), images (N, height, width, channels)
            on [0, 1].
        title: of the figure; default: none.

    Returns:
        A figure.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> images = np.ones((4, 8, 8, 1))
        >>> figure = plot.denoised_images([(0.1, images, images, images)])
        >>> [axes.get_title() for axes in figure.axes]
        ['clean', 'noisy', 'denoised']
    """
    figure = new_figure(5.4, 0.4 + 1.75 * len(rows), title)
    draw_denoised(figure, rows)
    return figure


def draw_denoised(figure: Figure | SubFigure, rows: Sequence[tuple]) -> None:
    """What `denoised_images` shows, in a figure or a part of one."""
    grid = figure.subplots(len(rows), 3, squeeze=False)
    for axes, (sigma, *pictures) in zip(grid, rows, strict=True):
        for place, images in zip(axes, pictures, strict=True):
            show_sheet(place, images)
        axes[0].set_ylabel(f"sigma = {255 * sigma:.3g}/255")
    for axes, name in zip(grid[0], ("clean", "noisy", "denoised"), strict=True):
        caption(axes, name, size=10)
