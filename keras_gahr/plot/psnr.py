"""PSNR of denoised images against that of noisy ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .style import NOISY, OPTIMUM, grid, legend, line_style, new_figure, plain

if TYPE_CHECKING:
    from keras_gahr.analysis import PSNRCurve, Slope


@dataclasses.dataclass(frozen=True, eq=False)
class PSNRLine:
    """One line of `psnr_lines`.

    Args:
        name: in the legend.
        noisy: PSNR of the noisy images in dB, (S,).
        denoised: that of the denoised ones, (S,).
        errors: their standard errors in dB, (S,), drawn as bars; default None.
        slope: the `Slope` fitted to the line, drawn dashed; default None.
        optimum: the best possible slope in dB per dB, drawn dotted through the middle of the fitted
            line, or without one through the lowest noise level; default None.
        color: of the line; default: the next of `PALETTE`, with other marks after its last.
        panel: title of the axes that the line is drawn in; lines with different ones stand side by
            side. Default: all in one.
        dashed: whether the line is; default False.
        faint: whether it stands behind the others, without marks; default False.

    Examples:
        >>> from keras_gahr import plot
        >>> plot.PSNRLine("network", [10, 20], [22, 27]).name
        'network'
    """

    name: str
    noisy: Sequence[float] | np.ndarray
    denoised: Sequence[float] | np.ndarray
    errors: Sequence[float] | np.ndarray | None = None
    slope: Slope | None = None
    optimum: float | None = None
    color: str | tuple | None = None
    panel: str = ""
    dashed: bool = False
    faint: bool = False

    @classmethod
    def of_curve(cls, name: str, curve: PSNRCurve, **options: Any) -> PSNRLine:
        """The mean of a `PSNRCurve`, with its standard error over images (over draws, if it has one
        image).

        Args:
            name: in the legend.
            curve: what `keras_gahr.analysis.psnr_curve` returns.
            **options: other arguments of `PSNRLine`.

        Returns:
            A `PSNRLine`.
        """
        errors = curve.error_over_images
        if np.isnan(errors).all():
            errors = curve.error_over_draws
        return cls(name, curve.input_psnr, curve.mean, **{"errors": errors, **options})


def psnr_lines(
    lines: Sequence[PSNRLine],
    *,
    title: str = "",
    offset: float | None = None,
    room: Sequence[PSNRLine] = (),
) -> Figure:
    """PSNR of denoised images against that of noisy ones: training and test images, several networks,
    fitted slopes, optima (arXiv 2310.02557, figures 1 and 4).

    Args:
        lines: at least one.
        title: of the figure; default: none.
        offset: dB above the noisy images at which a dotted line is drawn, the optimum of a known
            dimension; default: none.
        room: lines that are not drawn, but for which the axes leave room, so that several figures
            have the same axes.

    Returns:
        A figure with axes for each panel.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr import plot
        >>> noisy = np.linspace(0, 40, 9)
        >>> few = plot.PSNRLine("10 images", noisy, 0.9 * noisy + 9, panel="test images")
        >>> many = plot.PSNRLine("1000 images", noisy, 0.5 * noisy + 22, panel="test images")
        >>> len(plot.psnr_lines([few, many], title="Denoising").axes)
        1
    """
    panels = list(dict.fromkeys(line.panel for line in lines))
    figure = new_figure(5.2 * len(panels) if panels[1:] else 6.4, 4.8, title)
    places = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, panel in zip(places, panels, strict=True):
        if panel:
            axes.set_title(plain(panel), fontsize=10, parse_math=False)
        draw_lines(axes, [line for line in lines if line.panel == panel], offset)
        for line in room:
            axes.plot(line.noisy, line.denoised, "none")
    places[0].set_ylabel("PSNR of the denoised image (dB)")
    legend(places[0])
    return figure


def draw_lines(axes: Axes, lines: Sequence[PSNRLine], offset: float | None = None) -> None:
    """Draws `PSNRLine`s, the PSNR of the noisy images and what `psnr_lines` says of an offset."""
    for place, line in enumerate(lines):
        style = line_style(place)
        if line.color is not None:
            style = {"color": line.color, "marker": "o"}
        if line.faint:
            style["marker"] = ""
        color = style["color"]
        axes.plot(
            line.noisy,
            line.denoised,
            linestyle="--" if line.dashed else "-",
            markersize=4,
            alpha=0.35 if line.faint else 1,
            label=plain(line.name + _slope_text(line.slope)),
            **style,
        )
        if line.errors is not None:
            errors = np.nan_to_num(line.errors)
            axes.errorbar(line.noisy, line.denoised, errors, fmt="none", ecolor=color, capsize=2)
        ends = np.array([np.min(line.noisy), np.max(line.noisy)])
        through = line.noisy[0], line.denoised[0]
        if line.slope is not None:
            fitted = -20 * np.log10([line.slope.high, line.slope.low])
            drawn = line.slope.intercept + line.slope.slope * fitted
            axes.plot(fitted, drawn, "--", color=color, linewidth=1)
            through = fitted.mean(), drawn.mean()
        if line.optimum is not None:
            # Only the slope of the optimum is known, not its height.
            best = through[1] + line.optimum * (ends - through[0])
            style = {"color": OPTIMUM if len(lines) == 1 else color, "linewidth": 1.4}
            label = f"{line.name}: optimal slope {line.optimum:.3f}"
            axes.plot(ends, best, ":", label=plain(label), **style)
    ends = np.array(
        [pick([pick(line.noisy) for line in lines]) for pick in (np.min, np.max)], float
    )
    if offset is not None:
        label = f"optimum, noisy + {offset:.1f} dB"
        axes.plot(ends, ends + offset, ":", color=OPTIMUM, label=label)
    axes.plot(ends, ends, color=NOISY, linewidth=1, label="noisy")
    axes.set_xlabel("PSNR of the noisy image (dB)")
    grid(axes)


def _slope_text(slope):
    if slope is None:
        return ""
    low, high = slope.interval
    interval = f" ({low:.3f} to {high:.3f})" if np.isfinite(low) else ""
    return f": slope {slope.slope:.3f}{interval}"
