"""What is claimed of pretrained denoisers, and what was measured of each."""

import dataclasses

from keras_gahr.analysis import PSNRCurve, Slope, fit_slope, optimal_slope
from keras_gahr.report.claim import Claim, is_above

from ..c_alpha.findings import RegularityFindings, slope_claim


@dataclasses.dataclass(frozen=True, eq=False)
class PretrainedFindings:
    """What was measured of a network.

    Attributes:
        name: of the network.
        alpha: of its C^alpha images, or None.
        curve: `PSNRCurve` of test images.
        linear: that of the best linear denoiser.
    """

    name: str
    alpha: float | None
    curve: PSNRCurve
    linear: PSNRCurve

    @property
    def slope(self) -> Slope | None:
        return None if self.alpha is None else fit_slope(self.curve)

    @property
    def optimum(self):
        return None if self.alpha is None else optimal_slope(self.alpha)

    @property
    def margins(self):
        """How much better than the best linear denoiser, mean over noise levels, dB, (images,)."""
        return (self.curve.after - self.linear.after).mean(axis=(0, 1))


def alpha_of(dataset):
    """The regularity of the images of a `DatasetTask`, or None if they have none."""
    return dataset.parameters.get("alpha")


def pretrained_claims(results):
    """The `Claim`s on some `PretrainedFindings`."""
    claims = [
        Claim.about_mean(
            found.margins,
            is_above,
            0,
            statement=f"{found.name} denoises better than the best linear denoiser of its images.",
            expected="more than 0 dB better, mean over noise levels",
            source="section 3.2",
            unit=" dB",
        )
        for found in results
    ]
    for found in results:
        if found.alpha is not None:
            claim = slope_claim(RegularityFindings(found.alpha, found.curve, found.linear))
            claims.append(dataclasses.replace(claim, statement=f"{found.name}: {claim.statement}"))
    return claims
