"""The picture of `benchmarks.sizes`."""

from keras_gahr.plot import PALETTE, save
from keras_gahr.plot.style import grid, legend, new_figure

KINDS = ("image side", "batch", "images")


def sizes_figure(title, curves, path):
    """Time above and peak memory below, against each kind of size, on logarithmic axes.

    Args:
        title: of the figure.
        curves: as `benchmarks.sizes.run` makes them.
        path: PNG, PDF or SVG file.
    """
    figure = new_figure(11.5, 6.4, title)
    times, memories = figure.subplots(2, len(KINDS), sharex="col", sharey="row")
    for time, memory, kind in zip(times, memories, KINDS, strict=True):
        of_kind = [curve for curve in curves if curve["of"] == kind]
        for curve, color in zip(of_kind, PALETTE, strict=False):
            sizes = [point["size"] for point in curve["points"]]
            seconds = [point["seconds"] for point in curve["points"]]
            spread = [
                (point["seconds"] - point["spread"][0], point["spread"][1] - point["seconds"])
                for point in curve["points"]
            ]
            time.errorbar(
                sizes,
                seconds,
                list(zip(*spread, strict=True)),
                fmt="o-",
                color=color,
                capsize=2,
                label=f"{curve['title']}: {_exponent(curve['time'])}",
            )
            # What does not rise is not on a logarithmic axis.
            risen = [
                (point["size"], point["peak_bytes"] / 1e6)
                for point in curve["points"]
                if point["peak_bytes"] > 0
            ]
            if risen:
                memory.plot(*zip(*risen, strict=True), "o-", color=color, label=curve["title"])
        for axes in (time, memory):
            axes.set_xscale("log")
            axes.set_yscale("log")
            grid(axes)
            legend(axes)
        ticks = sorted({point["size"] for curve in of_kind for point in curve["points"]})
        memory.set_xticks(ticks, [f"{tick:,}" for tick in ticks], fontsize=8)
        memory.minorticks_off()
        memory.set_xlabel(kind)
    times[0].set_ylabel("time (s)")
    memories[0].set_ylabel("peak memory (MB)")
    save(figure, path, overwrite=True)


def _exponent(fitted):
    if fitted["error"] is None:
        return f"{fitted['exponent']:.2f}"
    return f"{fitted['exponent']:.2f} ± {fitted['error']:.2f}"
