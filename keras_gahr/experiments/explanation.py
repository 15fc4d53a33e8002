"""What a page says of an `Explanation`: which theory explains a network, where, and how one knows."""

import numpy as np

from keras_gahr.analysis.explanation.report import RULE
from keras_gahr.analysis.explanation.rivals import MEANING
from keras_gahr.analysis.intervals import mean_interval
from keras_gahr.plot import figures_of, png_bytes
from keras_gahr.report.claim import in_words
from keras_gahr.report.document import Document, Picture, Section, Table

_QUESTION = (
    "Is it a copy of its training images, a Gaussian model, a local machine, or none of these?"
)

CHANGES = (
    "Of the squared change |D(y) - y|^2 that the network makes, the share that is not what the rival does, "
    "with the half width of its 95% interval over images; at the right, at the images on the way of the "
    "network's samples."
)
SAMPLES = (
    "Samples from the same noise; numbers: mean distance |x - x'| / sqrt(d) from the network's."
)
SHELL = (
    "A noisy image lies in the shell of a training image if it is no farther away than 99% of the noisy "
    "versions of that image are. Where shells of training images are left, a copy has nothing to say; a "
    "network that copies does so within them."
)
SAME_NOISE = (
    "The rivals and the network start from the same noise and take the same steps (Euler's). A rival "
    "estimates the noise level of each image where it is not told it."
)


def explanation_document(found, settings, seconds=None):
    """The page of one network.

    Args:
        found: `Explanation`.
        settings: what was asked for, as JSON has it.
        seconds: the time that it took, or None if not known.

    Returns:
        `Document`.
    """
    return Document(
        name="explanation",
        title="What explains the network?",
        question=_QUESTION,
        answer=f"Explained by: {found.verdict}.",
        sections=explanation_sections(found),
        numbers=found.numbers(),
        settings=settings,
        seconds=seconds,
    )


def explanation_sections(found):
    """The sections of a network on a page of its own.

    Args:
        found: `Explanation`.
    """
    changes, samples = explanation_pictures(found)
    twins = [] if found.twins is None else [_twins_section(found)]
    return [
        Section(
            "What each rival leaves unexplained",
            [rivals_text(found.rivals), images_text(found), rule_text()],
            [changes, _unexplained_table(found)],
        ),
        Section("Near training images, and far from them", [SHELL], [_shell_table(found)]),
        _samples_section(found, samples),
        *twins,
    ]


def explanation_pictures(found, name="", title=""):
    """Two `Picture`s of a network: what each rival leaves unexplained, and samples from the same noise.

    Args:
        found: `Explanation`.
        name: of the network, if there are several: a word for names of pictures.
        title: of the first one; default: the verdict.
    """
    stem = f"-{name}" if name else ""
    (_, changes), (_, samples) = figures_of(found, title=title)
    return (
        Picture(
            f"explanation{stem}",
            png_bytes(changes),
            CHANGES,
            f"Two heat maps over noise levels and rivals, and curves. Explained by: {found.verdict}.",
        ),
        Picture(
            f"samples{stem}",
            png_bytes(samples),
            SAMPLES,
            "Rows of samples: the network's, and those of the rivals.",
        ),
    )


def rivals_text(rivals):
    """A sentence on what rivals of these names are."""
    known = [(name, MEANING[name]) for name in rivals if name in MEANING]
    return "Rivals: " + "; ".join(f"{name}, {meaning}" for name, meaning in known) + "."


def rule_text():
    """The `RULE`, as a sentence."""
    return RULE[0].upper() + RULE[1:] + "."


def images_text(found):
    """A sentence on the images that the rivals are made from, and how far the local ones see."""
    sides = {side for _, side in found.sides}
    lowest, highest = found.sides[0], found.sides[-1]
    seen = (
        f"squares of {lowest[1]} pixels"
        if len(sides) == 1
        else f"squares of {lowest[1]} pixels at sigma {in_255ths(lowest[0])} and of {highest[1]} at "
        f"{in_255ths(highest[0])}"
    )
    return (
        f"They are made from {found.num_training} training images (local: {found.num_local}); the local ones "
        f"see {seen}."
    )


def _unexplained_table(found):
    rows = []
    levels = zip(found.explained_by.items(), found.unexplained["test"], strict=True)
    for (sigma, best), values in levels:
        rows.append((in_255ths(sigma), *map(in_cell, values), ", ".join(best) or "none"))
    return Table(
        ("sigma", *found.rivals, "explained by"),
        rows,
        "Unexplained share on test images: mean and 95% interval over "
        f"{found.unexplained['test'].shape[2]} images.",
    )


def _shell_table(found):
    rows = []
    for name, values in found.unexplained.items():
        for s, sigma in enumerate(found.sigmas):
            inside = found.inside[name][s]
            rows.append(
                (
                    name,
                    in_255ths(sigma),
                    f"{inside.mean():.0%}",
                    *(
                        in_cell(values[s, found.rivals.index("copy"), chosen])
                        for chosen in (inside, ~inside)
                    ),
                )
            )
    return Table(
        ("images", "sigma", "inside", "copy, inside", "copy, outside"),
        rows,
        "What copying leaves unexplained, by where the noisy images lie.",
    )


def _samples_section(found, picture):
    text, items = [SAME_NOISE], [picture]
    if found.diverged:
        text.append(
            f"{found.diverged} of {found.samples.shape[1]} samples of the network diverged: what is said of "
            "sampling is said without them."
        )
    if np.isfinite(found.sample_distance).any():
        items.append(_samples_table(found))
    return Section("Samples", text, items)


def _samples_table(found):
    rows = [
        (name, in_cell(distance[np.isfinite(distance)]))
        for name, distance in zip(found.rivals, found.sample_distance, strict=True)
        if np.isfinite(distance).any()
    ]
    return Table(("rival", "distance"), rows, "From the network's samples: mean and 95% interval.")


def _twins_section(found):
    twins = found.twins
    intervals = twins.gaussian_interval
    rows = [
        (
            in_255ths(sigma),
            in_cell(twins.agreement[s]),
            in_words(twins.gaussian[s], intervals[s]),
            in_cell(twins.beyond[s]),
        )
        for s, sigma in enumerate(found.sigmas)
    ]
    return Section(
        "What twins agree on",
        [
            "Two Gaussian models of as many images agree with each other, too, and with that of the law when "
            "sigma^2 is replaced by kappa (arXiv 2602.02908). What the twins agree on beyond that is not "
            "Gaussian. The law's covariance is that of both training sets together."
        ],
        [
            Table(
                ("sigma", "agreement", "Gaussian share", "beyond"),
                rows,
                "Correlation of the twins' denoised test images (less the mean image); the share of their "
                "product that is left out if each is taken less the Gaussian of its own training images; and "
                "how alike they are without what Gaussians have in common: 0 for these.",
            )
        ],
    )


def in_255ths(sigma):
    """A noise level in words: "24.5/255"."""
    return f"{255 * sigma:.3g}/255"


def in_cell(values):
    """The mean with its interval; a dash without values."""
    if not len(values):
        return None
    low, high = mean_interval(values)
    mean = f"{np.mean(values):.3g}"
    return mean if np.isnan(low) else f"{mean} ({low:.3g} to {high:.3g})"
