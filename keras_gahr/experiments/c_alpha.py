"""Regular images, and how fast networks' PSNR grows (arXiv 2310.02557, figures 4 and 16 to 18)."""

import dataclasses

from keras_gahr.baselines import Wiener
from keras_gahr.errors import InputError
from keras_gahr.report.document import Document, Section, Slider, Table

from .basis_report import bases_text, curve_picture, vectors_page
from .c_alpha_claims import PAPER, RegularityFindings, c_alpha_claims
from .experiment import Experiment
from .image_bases import BasisSettings, measure_bases, measure_curve
from .image_networks import NetworkSettings
from .plan import DatasetTask


@dataclasses.dataclass(frozen=True, kw_only=True)
class CAlphaSettings(BasisSettings, NetworkSettings):
    """Settings of the experiment; see `BasisSettings` and `NetworkSettings` for the others.

    Args:
        alphas: regularities of the images, ascending.
        antialias: see `keras_gahr.datasets.c_alpha.CAlpha`.
    """

    images: int = 100_000 + 512
    alphas: tuple[float, ...] = (1, 2, 3, 5)
    vectors: int = 26
    antialias: int = 1


class CAlphaRates(Experiment):
    """Figures 4 and 16 to 18."""

    name = "c_alpha"
    title = "C^alpha images: optimal slopes"
    question = "Does the PSNR of networks grow as fast as the regularity of the images allows?"
    figures = "Figs. 4, 16-18"
    scales = {
        "smoke": CAlphaSettings(
            images=2048 + 64,
            alphas=(1, 3),
            size=16,
            test_size=64,
            num_blocks=1,
            num_kernels=16,
            sigma_max=0.5,
            epochs=4,
            images_per_epoch=2048,
            batch_size=16,
            learning_rate=4e-3,
            halve_every=1,
            curve_images=64,
            basis_images=4,
            vectors=13,
            slope_low=0.09,
        ),
        "laptop": CAlphaSettings(
            images=10_000 + 512,
            size=32,
            num_blocks=2,
            num_kernels=16,
            sigma_max=0.5,
            # So few pixels show that contours are rounded to whole ones, which no regularity has.
            antialias=4,
            epochs=20,
            images_per_epoch=8000,
            batch_size=16,
            halve_every=4,
            learning_rate=3e-3,
            basis_images=4,
            # Below, networks trained so briefly leave an error of their own, whatever the images: there
            # slopes still grow with the number of epochs.
            slope_low=0.12,
        ),
        "paper": CAlphaSettings(),
    }

    def trainings(self, settings, faces=None):
        settings.check_bases()
        alphas = settings.alphas
        if len(alphas) < 2 or list(alphas) != sorted(set(alphas)):
            raise InputError(
                f"received alphas {', '.join(f'{a:g}' for a in alphas)}, expected at least two, "
                "ascending, such as 1,2,3"
            )
        train_size = settings.train_size()
        return [
            settings.training(
                f"alpha={alpha:g}",
                DatasetTask(
                    "c_alpha",
                    {
                        "count": settings.images,
                        "size": settings.size,
                        "seed": settings.seed,
                        "alpha": alpha,
                        "blurred": True,
                        "antialias": settings.antialias,
                    },
                ),
                train_size,
                **settings.network(),
            )
            for alpha in alphas
        ]

    def analyse(self, settings, runs, progress):
        results, bases = [], []
        for place, (alpha, run) in enumerate(zip(settings.alphas, runs, strict=True)):
            progress(f"alpha = {alpha:g}", place / len(runs))
            linear = Wiener.from_images(run.split()[0].images)
            results.append(
                RegularityFindings(
                    alpha,
                    measure_curve(run, settings),
                    measure_curve(run, settings, linear),
                )
            )
            bases.append(measure_bases(run, settings))
        return Document(
            self.name,
            self.title,
            self.question,
            _answer(results),
            claims=c_alpha_claims(results),
            sections=[_slopes_section(results), _bases_section(settings.alphas, bases)],
            numbers={
                f"alpha={found.alpha:g}": {
                    "slope": dataclasses.asdict(found.slope),
                    "sigmas": found.curve.sigmas.tolist(),
                    "psnr": found.curve.mean.tolist(),
                    "linear_psnr": found.linear.mean.tolist(),
                    "bases": [each.numbers() for each in each_bases],
                }
                for found, each_bases in zip(results, bases, strict=True)
            },
        )


def _answer(results):
    shown = ", ".join(
        f"{found.slope.slope:.2f} for alpha = {found.alpha:g} (optimum {found.optimum:.2f})"
        for found in results
    )
    return f"The PSNR grows with slope {shown}."


def _slopes_section(results):
    curves = [
        (f"alpha = {found.alpha:g}", found.curve, found.slope, found.optimum) for found in results
    ]
    rows = [
        (
            found.alpha,
            round(found.optimum, 3),
            PAPER.get(found.alpha),
            round(found.slope.slope, 3),
            *(round(end, 3) for end in found.slope.interval),
            round(float(found.margins.mean()), 2),
        )
        for found in results
    ]
    low, high = results[0].curve.sigmas[[0, -1]]
    return Section(
        "Slopes",
        items=[
            curve_picture(
                "C^alpha test images",
                curves,
                "PSNR of denoised test images; dotted the optimal slope of each regularity, through "
                "the lowest noise level. The paper's Fig. 4.",
            ),
            Table(
                (
                    "alpha",
                    "optimal slope",
                    "the paper's",
                    "here",
                    "from",
                    "to",
                    "better than linear (dB)",
                ),
                rows,
                f"Slopes in dB per dB between sigma = {low:.3g} and {high:.3g}, with their 95% "
                "interval over images; the margin over the best linear denoiser is a mean "
                "over these levels.",
            ),
        ],
    )


def _bases_section(alphas, bases):
    pages = [
        vectors_page(f"vectors-alpha-{alpha:g}", each[0])
        for alpha, each in zip(alphas, bases, strict=True)
    ]
    return Section(
        "Bases",
        [
            f"alpha = {alpha:g}. {bases_text(each)}"
            for alpha, each in zip(alphas, bases, strict=True)
        ],
        [
            Slider(
                "regularity alpha",
                [f"{alpha:g}" for alpha in alphas],
                pages,
                "A test image and the first eigenvectors of the network there, with their factors: "
                "they oscillate along the contour and in the regions. The paper's Figs. 16 to 18.",
            )
        ],
    )
