"""What `shuffled` measures, and whether the paper's claims are seen in it (arXiv 2310.02557, figure 21)."""

import dataclasses
import functools

from keras_gahr.analysis import PSNRCurve, Slope, fit_slope
from keras_gahr.analysis.slopes import image_slopes
from keras_gahr.report.claim import Claim, is_above

LOWER = 1.0
"""dB that the PSNR on shuffled images must be lower on average: "much lower" in the paper."""


@dataclasses.dataclass(frozen=True, eq=False)
class ShuffledFindings:
    """What was measured, of the same test images before and after shuffling.

    Attributes:
        plain, shuffled: `PSNRCurve`s of the network of each kind of image.
        linear: that of the best linear denoiser, which is the same for both kinds.
    """

    plain: PSNRCurve
    shuffled: PSNRCurve
    linear: PSNRCurve

    @property
    def slopes(self) -> dict[str, Slope]:
        """Of both networks."""
        return {"plain": fit_slope(self.plain), "shuffled": fit_slope(self.shuffled)}

    @property
    def losses(self):
        """How much lower the PSNR is on shuffled images, mean over noise levels, dB, (images,)."""
        return (self.plain.after - self.shuffled.after).mean(axis=(0, 1))

    @property
    def flattening(self):
        """How much smaller the slope is on shuffled images, dB per dB, (images,)."""
        return image_slopes(self.plain) - image_slopes(self.shuffled)

    @property
    def lead(self):
        """How much better than the best linear one the network of plain images is, dB, (images,)."""
        return (self.plain.after - self.linear.after).mean(axis=(0, 1))


def shuffled_claims(found):
    """The `Claim`s on `ShuffledFindings`."""
    about = functools.partial(Claim.about_mean, decide=is_above, source="Fig. 21")
    return [
        about(
            found.losses,
            bound=LOWER,
            statement="The network denoises shuffled images much worse than the same images unshuffled.",
            expected=f"more than {LOWER:g} dB lower, mean over noise levels",
            unit=" dB",
        ),
        about(
            found.flattening,
            bound=0,
            statement="The PSNR on shuffled images grows with a smaller slope.",
            expected="smaller by more than 0",
            unit=" dB per dB",
        ),
    ]
