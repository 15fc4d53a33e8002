"""The report of `density`."""

from keras_gahr.analysis.intervals import mean_interval
from keras_gahr.plot import densities_of_twins, figures_of, measured_over_images, png_bytes
from keras_gahr.report.claim import in_words
from keras_gahr.report.document import Picture, Section, Slider, Table
from keras_gahr.report.wording import difference_text

from ..students import LAW
from .findings import likeness, mean_and_interval


def answer(results, teacher, students):
    gaps = "; ".join(
        f"N = {r.count}: {difference_text(-teacher.gap(r.first).mean(), 'above', 'below', decimals=2)}"
        for r in students
    )
    return (
        f"{_agreements(results)} Where log p of points of a known law lies from the true one, in bits per "
        f"dimension: {gaps}."
    )


def _agreements(results):
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
                png_bytes(_over_images("Do two networks agree?", _agreement_curve(results))),
                "Correlation of log p of new images under both networks, with 95% intervals over images.",
                _agreements(results),
            ),
            Slider(
                "training images N",
                [str(result.count) for result in results],
                [
                    _scatter(
                        f"twins-{r.count}", r.count, r.agreement, r.first, r.second, ("A", "B")
                    )
                    for r in results
                ],
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


def _agreement_curve(results):
    return _curve("A and B", results, [result.agreement for result in results])


def _curve(name, results, found):
    """As `measured_over_images` takes it, of values and their intervals."""
    return name, [result.count for result in results], *zip(*found, strict=True)


def _over_images(title, *curves):
    return measured_over_images(curves, quantity="correlation of log p", title=title)


def _scatter(name, count, found, first, second, names):
    """A `Picture` of the same images under two of the `names`."""
    figure = densities_of_twins(
        first.bits_per_dimension,
        second.bits_per_dimension,
        names=names,
        title=f"N = {count}: correlation {in_words(*found)}",
    )
    return Picture(
        name,
        png_bytes(figure),
        "",
        f"Scatter of bits per dimension, {' and '.join(names)}, N = {count}.",
    )


def teacher_section(teacher, students, settings):
    kinds = f"{len(LAW.weights)} Gaussians of dimension {LAW.ranks[0]} in {LAW.bases.shape[1]} dimensions"
    networks = settings.student
    control = in_words(*likeness(teacher.control, teacher.truth))
    found = [likeness(result.first, teacher.truth) for result in students]
    gaps = [teacher.gap(result.first) for result in students]
    rows = [
        (r.count, in_words(*r.agreement), in_words(*like), mean_and_interval(gap))
        for r, like, gap in zip(students, found, gaps, strict=True)
    ]
    for name, other in (("best Gaussian", teacher.gaussian), ("best denoiser", teacher.control)):
        like = in_words(*likeness(other, teacher.truth))
        rows.append((name, None, like, mean_and_interval(teacher.gap(other))))
    return Section(
        "A law that is known",
        [
            f"Points of a mixture of {kinds} (that of molrg), in noise of a fifth of their deviation along a "
            "direction, without which they have no density; with it the density is known in closed form. For "
            f"each N two networks of width {networks.width} were trained on disjoint points for "
            f"{networks.steps} steps of {networks.batch}; they are told the noise level. Densities are of "
            f"{len(teacher.truth.log_density)} other points.",
            "What this way of measuring a density misses is seen of the best denoiser, whose density is the "
            f"true one: its correlation with that is {control}.",
        ],
        [
            Picture(
                "known-law",
                png_bytes(
                    _over_images(
                        "Do two networks agree, and with the truth?",
                        _agreement_curve(students),
                        _curve("A and the true one", students, found),
                    )
                ),
                "Correlation of log p of new points under both networks, and under A with the true one, with "
                "95% intervals over points.",
                _agreements(students),
            ),
            Picture(
                "divergence",
                png_bytes(
                    measured_over_images(
                        [
                            _curve(
                                "network A",
                                students,
                                [(gap.mean(), mean_interval(gap)) for gap in gaps],
                            )
                        ],
                        quantity="bits per dimension",
                        title="By how much log p is below the true one",
                    )
                ),
                "The divergence of A's density from the true one: how much lower it is on average over "
                "points, with 95% intervals.",
                "; ".join(
                    f"N = {r.count}: {mean_and_interval(gap)}"
                    for r, gap in zip(students, gaps, strict=True)
                ),
            ),
            Slider(
                "training points N",
                [str(result.count) for result in students],
                [
                    _scatter(
                        f"known-law-{r.count}", r.count, like, r.first, teacher.truth, ("A", "true")
                    )
                    for r, like in zip(students, found, strict=True)
                ],
                "Each new point: under network A, and as it is.",
            ),
            Table(
                ("N", "A and B", "A and the true one", "below the true one by"),
                rows,
                "Correlations of log p, and bits per dimension by which it is too low on average. The best "
                "Gaussian has the mean and the covariance of the law.",
            ),
        ],
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


def teacher_numbers(teacher, students):
    def of(found):
        like, gap = likeness(found, teacher.truth), teacher.gap(found)
        return {
            "correlation": like[0],
            "correlation_95": list(like[1]),
            "below": float(gap.mean()),
            "below_95": list(mean_interval(gap)),
        }

    return {
        "bits_per_dimension": float(teacher.truth.bits_per_dimension.mean()),
        "best Gaussian": of(teacher.gaussian),
        "best denoiser": of(teacher.control),
        **{
            f"N={r.count}": {
                "agreement": r.agreement[0],
                "agreement_95": list(r.agreement[1]),
                "first": of(r.first),
                "second": of(r.second),
            }
            for r in students
        },
    }
