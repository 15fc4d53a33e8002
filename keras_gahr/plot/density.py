"""How probable images are."""

import numpy as np
from matplotlib.figure import Figure

from .images import show_image
from .style import BLUE, GREY, RED, caption, grid, histogram, legend, new_figure

_BINS = 30


def densities_in_order(bits: np.ndarray, reach: np.ndarray, *, title: str = "") -> Figure:
    """Bits per dimension of images, the most probable first, with their intervals.

    Args:
        bits: (N,), of each image.
        reach: (N,), half of its interval.
        title: of the figure; default: none.

    Returns:
        A figure with one pair of axes.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> figure = plot.densities_in_order(np.array([-2.0, -3.0]), np.array([0.1, 0.1]))
        >>> figure.axes[0].get_ylabel()
        'bits per dimension'
    """
    figure = new_figure(6.4, 3.8, title)
    axes = figure.subplots()
    order = np.argsort(bits, kind="stable")
    axes.errorbar(
        np.arange(1, len(bits) + 1), bits[order], reach[order], fmt=".", ms=4, lw=0.8, color=BLUE
    )
    axes.axhline(np.mean(bits), color=GREY, linestyle="--", label=f"mean {np.mean(bits):.3g}")
    axes.set_xlabel("image, the most probable first")
    axes.set_ylabel("bits per dimension")
    grid(axes)
    legend(axes)
    return figure


def most_and_least_probable(images: np.ndarray, bits: np.ndarray, *, title: str = "") -> Figure:
    """Images from both ends of a ranking.

    Args:
        images: (K, H, W, C), those that are most probable first.
        bits: (K,), per dimension, of each.
        title: of the figure; default: none.

    Returns:
        A figure with two rows.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> figure = plot.most_and_least_probable(np.zeros((4, 8, 8, 1)), np.array([-3, -2, -1, 0]))
        >>> figure.axes[0].get_title()
        '-3.00'
    """
    columns = -(-len(images) // 2)
    figure = new_figure(1.2 + 1.1 * columns, 3.2, title)
    panels = figure.subplots(2, columns, squeeze=False)
    for axes in panels.ravel():
        axes.set_axis_off()
    # The second row ends with the least probable one.
    places = [*range(columns), *range(2 * columns - len(images) + columns, 2 * columns)]
    for place, image, value in zip(places, images, bits, strict=True):
        axes = panels.ravel()[place]
        axes.set_axis_on()
        show_image(axes, np.clip(image, 0, 1))
        caption(axes, f"{value:.2f}")
    for axes, text in zip(panels[:, 0], ("most probable", "least probable"), strict=True):
        axes.set_ylabel(text)
    return figure


def densities_of_sets(bits: np.ndarray, others: np.ndarray, *, title: str = "") -> Figure:
    """Histograms of the bits per dimension of two sets of images.

    Args:
        bits: (N,), of one set.
        others: (M,), of the other one.
        title: of the figure; default: none.

    Returns:
        A figure with one pair of axes.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> plot.densities_of_sets(np.array([-3.0, -2.9]), np.array([-1.0])).axes[0].get_xlabel()
        'bits per dimension'
    """
    figure = new_figure(6.4, 3.8, title)
    axes = figure.subplots()
    both = np.concatenate([bits, others])
    edges = np.histogram_bin_edges(both, _BINS)
    histogram(axes, bits, edges, BLUE, f"these images ({len(bits)})")
    histogram(axes, others, edges, RED, f"others ({len(others)})")
    axes.set_xlabel("bits per dimension")
    axes.set_ylabel("images")
    grid(axes)
    legend(axes)
    return figure


def densities_of_twins(
    first: np.ndarray,
    second: np.ndarray,
    *,
    names: tuple[str, str] = ("this denoiser", "the other one"),
    title: str = "",
) -> Figure:
    """The bits per dimension of the same images under two denoisers.

    Args:
        first: (N,), under one of them.
        second: (N,), under the other one.
        names: of both; default: this denoiser, and the other one.
        title: of the figure; default: none.

    Returns:
        A figure with one pair of axes.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> plot.densities_of_twins(np.array([-3.0, -2]), np.array([-3.1, -2])).axes[0].get_xlabel()
        'bits per dimension, this denoiser'
    """
    figure = new_figure(4.8, 4.6, title)
    axes = figure.subplots()
    ends = [min(first.min(), second.min()), max(first.max(), second.max())]
    axes.plot(ends, ends, color=GREY, linestyle="--", linewidth=1, label="equal")
    axes.plot(first, second, ".", color=BLUE)
    # Side by side, numbers of three digits would touch.
    axes.locator_params(axis="x", nbins=5)
    axes.set_xlabel(f"bits per dimension, {names[0]}")
    axes.set_ylabel(f"bits per dimension, {names[1]}")
    grid(axes)
    legend(axes)
    return figure
