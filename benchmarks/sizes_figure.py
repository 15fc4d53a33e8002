"""The picture of `benchmarks.sizes`."""

from matplotlib.figure import Figure

from keras_gahr.report.figures import save_figure
from keras_gahr.report.psnr_figures import COLORS

KINDS = ("image side", "batch", "images")


def sizes_figure(title, curves, path):
    """Time above and peak memory below, against each kind of size, on logarithmic axes.

    Args:
        title: of the figure.
        curves: as `benchmarks.sizes.run` makes them.
        path: PNG file.
    """
    figure = Figure(figsize=(11.5, 6.4), layout="constrained")
    figure.suptitle(title)
    times, memories = figure.subplots(2, len(KINDS), sharex="col", sharey="row")
    for time, memory, kind in zip(times, memories, KINDS, strict=True):
        of_kind = [curve for curve in curves if curve["of"] == kind]
        for curve, color in zip(of_kind, COLORS, strict=False):
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
            if axes.get_legend_handles_labels()[0]:
                axes.legend(frameon=False, fontsize=8)
        ticks = sorted({point["size"] for curve in of_kind for point in curve["points"]})
        memory.set_xticks(ticks, [f"{tick:,}" for tick in ticks], fontsize=8)
        memory.minorticks_off()
        memory.set_xlabel(kind)
    times[0].set_ylabel("time (s)")
    memories[0].set_ylabel("peak memory (MB)")
    save_figure(figure, path)


def _exponent(fitted):
    if fitted["error"] is None:
        return f"{fitted['exponent']:.2f}"
    return rf"{fitted['exponent']:.2f} $\pm$ {fitted['error']:.2f}"
