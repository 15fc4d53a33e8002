"""The picture of `benchmarks.passes`."""

import numpy as np

from keras_gahr.plot import PALETTE, save
from keras_gahr.plot.style import grid, legend, new_figure

MARKERS = "osv^D"
TICKS = (10, 20, 50, 100, 200, 500)


def passes_figure(rows, measurements, path):
    """PSNR of restorations, and the distance from the reference's law, against passes.

    Args:
        rows, measurements: as in numbers.json of `benchmarks.passes`.
        path: PNG, PDF or SVG file.
    """
    shown = measurements if rows[0]["restored"] else ()
    figure = new_figure(3.6 * (len(shown) + 1), 3.6, "Quality against passes of the network")
    panels = figure.subplots(1, len(shown) + 1, squeeze=False)[0]
    names = list(dict.fromkeys(row["sampler"] for row in rows))
    for name, color, marker in zip(names, (*PALETTE, "black"), MARKERS, strict=False):
        of_name = [row for row in rows if row["sampler"] == name]
        for place, axes in enumerate(panels[:-1]):
            found = [row["restored"][place] for row in of_name]
            passes = [np.mean(of["passes"]) for of in found]
            quality = [np.mean(of["psnr"]) for of in found]
            axes.plot(passes, quality, marker, color=color, label=name)
        drawn = [row["drawn"] for row in of_name]
        panels[-1].errorbar(
            [of["passes"] for of in drawn],
            [1e3 * of["distance"] for of in drawn],
            [1e3 * of["error"] for of in drawn],
            fmt=marker,
            color=color,
            capsize=2,
            label=name,
        )
    for axes, text in zip(panels, shown, strict=False):
        axes.set_title(text, fontsize=9)
        axes.set_ylabel("PSNR (dB)")
    panels[-1].set_title("draws from the prior", fontsize=9)
    panels[-1].set_ylabel("distance from the ascent (1/1000)")
    panels[-1].axhline(0, color="grey", linewidth=0.8)
    most = max(np.mean(of["passes"]) for row in rows for of in [*row["restored"], row["drawn"]])
    for axes in panels:
        axes.set_xscale("log")
        axes.set_xticks(TICKS, [f"{tick}" for tick in TICKS])
        axes.minorticks_off()
        axes.set_xlim(9, 1.2 * most)
        axes.set_xlabel("passes")
        grid(axes)
    legend(panels[0])
    save(figure, path, overwrite=True)
