"""What explains several networks, such as those of ever more training images, on one page."""

import dataclasses

from keras_gahr.analysis import explain
from keras_gahr.analysis.explanation.report import EXPLAINED, LEVELS
from keras_gahr.baselines.sides import Sides
from keras_gahr.noise import check_whole
from keras_gahr.plot import explained_by_rivals, png_bytes, unexplained_over_images
from keras_gahr.report.claim import in_words
from keras_gahr.report.document import Picture, Section, Slider, Table

from .explanation import (
    CHANGES,
    SAME_NOISE,
    SAMPLES,
    explanation_pictures,
    images_text,
    in_255ths,
    in_cell,
    rivals_text,
    rule_text,
)

MIDDLE = len(LEVELS) // 2
"""The place, among the noise levels, of the one that numbers of networks are compared at."""

_LEAST_IMAGES = 2
"""Images of which `explain` can say anything."""

_SETS = {"train": "training images", "test": "test images"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExplanationSettings:
    """How the networks of an experiment are held against their rivals; see `explain`.

    Args:
        explain_images: of the training and of the test images each.
        explain_samples: samples of each denoiser.
        explain_steps: steps of sampling.
        explain_patch: side of the squares that local rivals see; None: what explains the network best.
        most_local: training images that the "local" rival knows; None: fewer, the larger they are.
    """

    explain_images: int = 16
    explain_samples: int = 8
    explain_steps: int = 20
    explain_patch: int | None = None
    most_local: int | None = None

    def check(self):
        """Raises `InputError` for settings that `explain` would refuse after all trainings."""
        check_whole(self.explain_images, "explain_images", 2)
        check_whole(self.explain_samples, "explain_samples", 1)
        check_whole(self.explain_steps, "explain_steps", 1)
        if self.most_local is not None:
            check_whole(self.most_local, "most_local", 2)
        if self.explain_patch is not None:
            Sides(self.explain_patch)

    def explain(self, pair, seed):
        """The `Explanation` of the first of a pair of `FinishedRun`s, with the other one as its twin.

        The test images of the first are training images of the other one: what twins agree on is asked of
        images between the two training sets. Where none are left there is no twin.
        """
        train, test = pair[0].split()
        images, twin = _between(pair[0].dataset.images, len(train), self.explain_images), {}
        if len(images) < _LEAST_IMAGES:
            images = test.images
        else:
            twin = {"twin": pair[1].denoiser(), "twin_images": pair[1].split()[0].images}
        return explain(
            pair[0].denoiser(),
            train.images,
            images,
            sigmas=LEVELS,
            patch=self.explain_patch,
            **twin,
            images=self.explain_images,
            samples=self.explain_samples,
            steps=self.explain_steps,
            most_local=self.most_local,
            seed=seed,
            progress=False,
        )


def _between(images, count, most):
    """Up to so many images from the middle of a set, of which both ends of `count` images are trained on.

    Smaller and larger training sets of the same images leave the same ones, as far as they leave as many.
    """
    most = max(0, min(most, len(images) - 2 * count))
    first = (len(images) - most) // 2
    return images[first : first + most]


def unexplained_by_copying(found):
    """What copying leaves unexplained of a network on noisy training images, at the `MIDDLE` level, (N,)."""
    return found.unexplained["train"][MIDDLE, found.rivals.index("copy")]


def explanations_section(found):
    """The `Section` of several networks.

    Args:
        found: number of training images -> `Explanation`, ascending; with twins where images are left that
            neither was trained on.
    """
    first = next(iter(found.values()))
    pictures = [
        explanation_pictures(each, f"{count}", f"N = {count}") for count, each in found.items()
    ]
    values = [f"{count}" for count in found]
    label = "training images N"
    return Section(
        "What explains the network",
        [
            "Network A is held against denoisers in closed form that know its training images. "
            + rivals_text(first.rivals),
            rule_text(),
            "Of a single training image all rivals but the local one and the oracle are that image. Noisy "
            "training images tell whether a network gives back what it was trained on, which all rivals do "
            "that know these images and where a pixel lies, if the noise is low. " + SAME_NOISE,
            _test_images_text(found),
        ],
        [
            _verdicts_picture(found),
            _unexplained_picture(found),
            Slider(
                label,
                values,
                [
                    dataclasses.replace(
                        changes,
                        caption=f"{images_text(each)} On test images explained by: {each.verdict}.",
                    )
                    for (changes, _), each in zip(pictures, found.values(), strict=True)
                ],
                CHANGES,
            ),
            Slider(
                label,
                values,
                [dataclasses.replace(samples, caption="") for _, samples in pictures],
                SAMPLES,
            ),
            _twins_table(found),
        ],
    )


def _test_images_text(found):
    """Which images the test images are."""
    text = (
        "Test images are from the middle of the set, between the training images of A and of B, so that "
        "neither was trained on them."
    )
    without = ", ".join(f"{count}" for count, each in found.items() if each.twins is None)
    if without:
        text += (
            f" For N = {without} none are left there: test images are of B's training images, and what A and "
            "B agree on is not asked."
        )
    return text


def _verdicts_picture(found):
    first = next(iter(found.values()))
    panels = [
        (words, [list(each.explained_on(name).values()) for each in found.values()])
        for name, words in _SETS.items()
    ]
    verdicts = ". ".join(f"N = {count}: {each.verdict}" for count, each in found.items())
    return Picture(
        "explained-by",
        png_bytes(
            explained_by_rivals(
                list(found),
                first.sigmas,
                first.rivals,
                panels,
                title="Who explains network A, the best first",
            )
        ),
        "Who explains network A by this rule, by the number of training images and the noise level; cells "
        "have the colour of the best, and are empty where nobody does.",
        f"Two maps of names over noise levels and numbers of training images. On test images: {verdicts}.",
    )


def _unexplained_picture(found):
    first = next(iter(found.values()))
    sigma = in_255ths(first.sigmas[MIDDLE])
    panels = [
        (words, [each.unexplained[name][MIDDLE] for each in found.values()])
        for name, words in _SETS.items()
    ]
    copying = "; ".join(
        f"N = {count}: {unexplained_by_copying(each).mean():.2g}" for count, each in found.items()
    )
    return Picture(
        "unexplained",
        png_bytes(
            unexplained_over_images(
                list(found),
                first.rivals,
                panels,
                bound=EXPLAINED,
                title=f"What is left unexplained at sigma = {sigma}",
            )
        ),
        f"What each rival leaves unexplained of |D(y) - y|^2 at sigma = {sigma}, with 95% intervals over "
        f"images; below the dotted line ({EXPLAINED:.0%}) it explains the network, if none does so better.",
        f"Two charts against the number of training images. Copying, on training images: {copying}.",
    )


def _twins_table(found):
    return Table(
        ("N", "agreement", "Gaussian share", "beyond"),
        [(count, *_agreed(each.twins)) for count, each in found.items()],
        f"What A and B agree on at sigma = {in_255ths(LEVELS[MIDDLE])}: correlation of their denoised test "
        "images (less the mean image), which neither was trained on; the share of their product that is left "
        "out if each is taken less the Gaussian model of its own training images; and how alike they are "
        "without what Gaussian models of as many images have in common (arXiv 2602.02908): 0 for these.",
    )


def _agreed(twins):
    """The cells of a row of what twins agree on."""
    if twins is None:
        return "no image is left that neither was trained on", None, None
    return (
        in_cell(twins.agreement[MIDDLE]),
        in_words(twins.gaussian[MIDDLE], twins.gaussian_interval[MIDDLE]),
        in_cell(twins.beyond[MIDDLE]),
    )
