"""Regular images, and how fast networks' PSNR grows (arXiv 2310.02557, figures 4 and 16 to 18)."""

import dataclasses

from keras_gahr.reproduction.experiment import Experiment
from keras_gahr.reproduction.plan import DatasetTask

from ..bases import BasisSettings, measure_bases, measure_curve, measure_linear_curve
from ..networks import NetworkSettings, check_ascending
from ..scales import scales_of
from .findings import RegularityFindings, c_alpha_claims
from .report import answer, bases_section, numbers, slopes_section


@dataclasses.dataclass(frozen=True, kw_only=True)
class CAlphaSettings:
    """Settings of the experiment.

    Args:
        network, bases: what it has in common with others.
        alphas: regularities of the images, ascending.
        antialias: see `keras_gahr.datasets.c_alpha.CAlpha`.
    """

    network: NetworkSettings = NetworkSettings(images=100_000 + 512)
    bases: BasisSettings = BasisSettings(vectors=26)
    alphas: tuple[float, ...] = (1, 2, 3, 5)
    antialias: int = 1


class CAlphaRates(Experiment):
    """Figures 4 and 16 to 18."""

    name = "c_alpha"
    title = "C^alpha images: optimal slopes"
    question = "Does the PSNR of networks grow as fast as the regularity of the images allows?"
    figures = "Figs. 4, 16-18"
    scales = scales_of(name, CAlphaSettings)

    def trainings(self, settings, faces=None):
        network, bases, alphas = settings.network, settings.bases, settings.alphas
        bases.check(network.test_size)
        check_ascending("alphas", alphas, 2, "1,2,3")
        train_size = network.train_size()
        return [
            network.training(
                f"alpha={alpha:g}",
                DatasetTask(
                    "c_alpha",
                    {
                        "count": network.images,
                        "size": bases.size,
                        "seed": network.seed,
                        "alpha": alpha,
                        "blurred": True,
                        "antialias": settings.antialias,
                    },
                ),
                train_size,
                **bases.options(),
            )
            for alpha in alphas
        ]

    def analyse(self, settings, runs, progress):
        results, bases = [], []
        for place, (alpha, run) in enumerate(zip(settings.alphas, runs, strict=True)):
            progress(f"alpha = {alpha:g}", place / len(runs))
            curves = [
                measure(run, settings.bases, settings.network)
                for measure in (measure_curve, measure_linear_curve)
            ]
            results.append(RegularityFindings(alpha, *curves))
            bases.append(measure_bases(run, settings.bases, settings.network.seed))
        return self.document(
            answer(results),
            c_alpha_claims(results),
            sections=[slopes_section(results), bases_section(settings.alphas, bases)],
            numbers=numbers(results, bases),
        )
