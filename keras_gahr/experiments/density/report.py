"""The report of `density`."""

from keras_gahr.plot import densities_of_twins, figures_of, measured_over_images, png_bytes
from keras_gahr.report.claim import in_words
from keras_gahr.report.document import Picture, Section, Slider, Table

from .findings import mean_and_interval


def answer(results):
    shown = "; ".join(f"N = {r.count}: {r.agreement[0]:.2f}" for r in results)
    return f"Correlation of log p of the same new images under both networks: {shown}."


def agreement_section(results, images):
    ranking = dict(figures_of(results[-1].compared(images)))["ranking"]
    return Section(
        "Densities",
        [
            "log p(x) by errors of denoising (I-MMSE), in bits per dimension of values in [0, 1]. "
            f"Dequantization: noise of sigma = {results[0].first.dequantization:.3g}."
        ],
        [
            Picture(
                "agreement",
                png_bytes(_over_images(results)),
                "Correlation of log p of new images under both networks, with 95% intervals over images.",
                answer(results),
            ),
            Slider(
                "training images N",
                [str(result.count) for result in results],
                [_twins_page(result) for result in results],
                "Each new image under both networks.",
            ),
            Picture(
                "ranking",
                png_bytes(ranking),
                f"New images that network A of N = {results[-1].count} finds most and least probable.",
                "Two rows of images with their bits per dimension.",
            ),
            Table(
                (
                    "N",
                    "correlation",
                    "bits per dimension",
                    "|A - B|",
                    "training images more probable by",
                ),
                [
                    (
                        r.count,
                        in_words(*r.agreement),
                        mean_and_interval(r.first.bits_per_dimension),
                        mean_and_interval(r.disagreement),
                        in_words(r.advantage, r.advantage_interval),
                    )
                    for r in results
                ],
                "In bits per dimension, of network A where nothing else is said.",
            ),
        ],
    )


def _over_images(results):
    values, intervals = zip(*(result.agreement for result in results), strict=True)
    curve = ("A and B", [result.count for result in results], values, intervals)
    return measured_over_images(
        [curve], quantity="correlation of log p", title="Do two networks agree?"
    )


def _twins_page(result):
    value, interval = result.agreement
    figure = densities_of_twins(
        result.first.bits_per_dimension,
        result.second.bits_per_dimension,
        title=f"N = {result.count}: correlation {in_words(value, interval)}",
    )
    return Picture(
        f"twins-{result.count}",
        png_bytes(figure),
        "",
        f"Scatter of bits per dimension under networks A and B of N = {result.count}.",
    )


def numbers(results):
    return {
        f"N={r.count}": {
            "agreement": r.agreement[0],
            "agreement_95": list(r.agreement[1]),
            "advantage": r.advantage,
            "advantage_95": list(r.advantage_interval),
            "first": r.first.numbers(),
            "second": r.second.numbers(),
            "own": r.own.numbers(),
        }
        for r in results
    }
