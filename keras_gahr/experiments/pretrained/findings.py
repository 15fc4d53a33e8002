"""What is claimed of pretrained denoisers, and what was measured of each."""

import dataclasses

from keras_gahr.analysis import Slope
from keras_gahr.report.claim import Claim, is_above

from ..c_alpha.findings import RegularityFindings, slope_claim


@dataclasses.dataclass(frozen=True, eq=False)
class PretrainedFindings(RegularityFindings):
    """What was measured of a network, of images with a regularity or, where alpha is None, without.

    Attributes:
        name: of the network.
    """

    name: str

    @property
    def slope(self) -> Slope | None:
        return None if self.alpha is None else super().slope

    @property
    def optimum(self):
        return None if self.alpha is None else super().optimum


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
            claim = slope_claim(found)
            claims.append(dataclasses.replace(claim, statement=f"{found.name}: {claim.statement}"))
    return claims
