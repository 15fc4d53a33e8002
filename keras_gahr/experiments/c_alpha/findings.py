"""What is claimed of networks trained on C^alpha images (arXiv 2310.02557, figure 4)."""

import dataclasses
import itertools

from keras_gahr.analysis import PSNRCurve, Slope, fit_slope, optimal_slope
from keras_gahr.analysis.intervals import difference_interval
from keras_gahr.analysis.slopes import image_slopes
from keras_gahr.report.claim import Claim, all_of, in_words, is_above, is_below

PAPER = {1: 0.46, 2: 0.61, 3: 0.75, 5: 0.83}
"""The slopes that the paper measured, by alpha."""

CLOSE = 0.1
"""How far a slope may be from the optimal one; the paper's are up to 0.06 below."""


@dataclasses.dataclass(frozen=True, eq=False)
class RegularityFindings:
    """What was measured for one regularity.

    Attributes:
        alpha: of the images.
        curve: `PSNRCurve` of test images.
        linear: that of the best linear denoiser.
    """

    alpha: float
    curve: PSNRCurve
    linear: PSNRCurve

    @property
    def optimum(self):
        return optimal_slope(self.alpha)

    @property
    def slope(self) -> Slope:
        return fit_slope(self.curve)

    @property
    def margins(self):
        """How much better than the best linear denoiser, mean over noise levels, dB, (images,)."""
        return (self.curve.after - self.linear.after).mean(axis=(0, 1))


def c_alpha_claims(results):
    """The `Claim`s on `RegularityFindings` of ascending alpha."""
    claims = [slope_claim(found) for found in results]
    steps = [
        difference_interval(image_slopes(after.curve), image_slopes(before.curve))
        for before, after in itertools.pairwise(results)
    ]
    shown = ", ".join(f"{found.slope.slope:.3f} (alpha {found.alpha:g})" for found in results)
    claims.append(
        Claim(
            "The slope grows with the regularity of the images.",
            all_of(*(is_above(step, 0) for step in steps)),
            f"slopes {shown}",
            "each slope above the one before, by more than its 95% interval",
            "Fig. 4",
        )
    )
    return claims + [
        Claim.about_mean(
            found.margins,
            is_above,
            0,
            statement=f"For alpha = {found.alpha:g} the network denoises better than the best linear "
            "denoiser, which does not adapt to the image.",
            expected="more than 0 dB better, mean over noise levels",
            source="Fig. 4",
            unit=" dB",
        )
        for found in results
    ]


def slope_claim(found):
    """The `Claim` that the slope of a `RegularityFindings` is nearly optimal."""
    slope, optimum = found.slope, found.optimum
    return Claim(
        f"For alpha = {found.alpha:g} the PSNR grows nearly with the optimal slope alpha / "
        f"(alpha + 1) = {optimum:.2f}.",
        all_of(
            is_above(slope.interval, optimum - CLOSE), is_below(slope.interval, optimum + CLOSE)
        ),
        in_words(slope.slope, slope.interval, " dB per dB"),
        f"within {CLOSE:g} of {optimum:.2f}",
        "Fig. 4",
    )
