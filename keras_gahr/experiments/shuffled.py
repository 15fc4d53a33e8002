"""Faces whose pixels are shuffled, all in the same way (arXiv 2310.02557, figure 21).

The images hold as much as before, and the best denoiser is as good; but the bases that networks prefer
no longer suit them.
"""

import dataclasses

from keras_gahr.analysis import PSNRCurve, fit_slope
from keras_gahr.analysis.intervals import mean_interval
from keras_gahr.analysis.slopes import image_slopes
from keras_gahr.baselines import Wiener
from keras_gahr.report.document import Claim, Document, Section

from .basis_report import bases_text, curve_picture, factor_picture, factor_table, vectors_slider
from .decisions import in_words, is_above
from .eigenbasis import FaceEigenbasis
from .experiment import Experiment
from .image_bases import measure_bases, measure_curve
from .image_networks import describe_images, images_of
from .plan import DatasetTask

PAPER = {5: 1.182, 17: 1.07, 29: 0.974, 41: 0.91, 53: 0.87}
"""The factors in the paper, by their number."""

LOWER = 1.0
"""dB that the PSNR on shuffled images must be lower on average: "much lower" in the paper."""

LOW = 0.1
"""The lowest noise level at which slopes are compared.

Towards smaller noise every good denoiser returns what it gets, and has slope 1: the sooner, the less it
knows of the images.
"""


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
    losses, flattening = (
        (float(values.mean()), mean_interval(values)) for values in (found.losses, found.flattening)
    )
    return [
        Claim(
            "The network denoises shuffled images much worse than the same images unshuffled.",
            is_above(losses[1], LOWER),
            in_words(*losses, " dB"),
            f"more than {LOWER:g} dB lower, mean over noise levels",
            "Fig. 21",
        ),
        Claim(
            "The PSNR on shuffled images grows with a smaller slope.",
            is_above(flattening[1], 0),
            in_words(*flattening, " dB per dB"),
            "smaller by more than 0",
            "Fig. 21",
        ),
    ]


class Shuffled(Experiment):
    """Figure 21."""

    name = "shuffled"
    title = "Shuffled faces"
    question = "How well does a network denoise images that are neither local nor regular?"
    figures = "Fig. 21"
    uses_faces = True
    # The network on unshuffled faces is that of the other experiment.
    scales = {
        "smoke": dataclasses.replace(
            FaceEigenbasis.scales["smoke"],
            sigma=0.3,
            vectors=60,
            basis_images=4,
            curve_images=64,
            slope_low=LOW,
            slope_high=0.5,
        ),
        **{
            scale: dataclasses.replace(
                FaceEigenbasis.scales[scale], sigma=0.3, vectors=60, slope_low=LOW, slope_high=1.0
            )
            for scale in ("laptop", "paper")
        },
    }

    def trainings(self, settings, faces=None):
        settings.check_bases()
        count = settings.train_images + settings.test_size
        plain = images_of(settings, settings.size, count, faces)
        shuffled = DatasetTask("shuffled", {"dataset": plain, "seed": settings.seed})
        return [
            settings.training(label, images, settings.train_images, **settings.network())
            for label, images in (("unshuffled", plain), ("shuffled", shuffled))
        ]

    def analyse(self, settings, runs, progress):
        plain, shuffled = runs
        progress("PSNR curves", 0.0)
        linear = Wiener.from_images(plain.split()[0].images)
        found = ShuffledFindings(
            measure_curve(plain, settings),
            measure_curve(shuffled, settings),
            measure_curve(plain, settings, linear),
        )
        bases = measure_bases(
            shuffled, settings, lambda done, all_: progress("bases", 0.5 + 0.5 * done / all_)
        )
        slopes = {name: fit_slope(getattr(found, name)) for name in ("plain", "shuffled")}
        return Document(
            self.name,
            self.title,
            self.question,
            f"By {found.losses.mean():.1f} dB worse on average than the same images unshuffled; the "
            f"PSNR grows with slope {slopes['shuffled'].slope:.2f} instead of "
            f"{slopes['plain'].slope:.2f}.",
            claims=shuffled_claims(found),
            sections=[
                Section("Images", [describe_images(plain.dataset)]),
                Section(
                    "Denoising",
                    [
                        "The best linear denoiser does not see the shuffling: it is as good on both. "
                        f"The network of unshuffled images is {found.lead.mean():.1f} dB better."
                    ],
                    [
                        curve_picture(
                            "Test images",
                            [
                                ("unshuffled", found.plain, slopes["plain"], None),
                                ("shuffled", found.shuffled, slopes["shuffled"], None),
                                ("best linear denoiser, both", found.linear, None, None),
                            ],
                            "PSNR of denoised test images; bars are standard errors. The paper's "
                            "Fig. 21.",
                        )
                    ],
                ),
                Section(
                    "Bases of shuffled images",
                    [bases_text(bases)],
                    [
                        vectors_slider(
                            bases[0], "Eigenvectors at a shuffled image with their factors."
                        ),
                        factor_picture(bases, self.figures, PAPER),
                        factor_table(bases, PAPER),
                    ],
                ),
            ],
            numbers={
                "loss_db": found.losses.tolist(),
                "slopes": {name: dataclasses.asdict(slope) for name, slope in slopes.items()},
                "sigmas": found.plain.sigmas.tolist(),
                "psnr": {
                    "unshuffled": found.plain.mean.tolist(),
                    "shuffled": found.shuffled.mean.tolist(),
                    "linear": found.linear.mean.tolist(),
                },
                "bases": [each.numbers() for each in bases],
            },
        )
