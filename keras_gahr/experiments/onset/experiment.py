"""When a training generalizes, and when it begins to memorize (arXiv 2505.17638).

Trainings on N data points first learn their law, at a time tau_gen that hardly depends on N, and later
the points themselves, at a time tau_mem that grows with N: a clock looks at them in between. Once on a
mixture of Gaussians, by a plain Keras loop, and once on images, by the trainings of this package.
"""

import dataclasses

from keras_gahr.errors import InputError
from keras_gahr.reproduction.experiment import Experiment
from keras_gahr.training.clock import read_clock

from ..faces import FaceSettings
from ..networks import NetworkSettings, check_set_sizes
from ..scales import scales_of
from .curve import Curve
from .findings import claims_of, find_onset
from .length import steps_of
from .mixture import MixtureSettings, train_on_mixture
from .report import answer, images_text, mixture_text, numbers, sections_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class OnsetSettings:
    """Settings of the experiment.

    Args:
        mixture: of the trainings on the mixture of Gaussians.
        network, faces: of the trainings on images, what they have in common with other experiments.
            The largest set has as many steps as the network's settings say, smaller ones fewer, see
            `steps_of`; batches are no larger than the set.
        size: height and width of the images.
        set_sizes: numbers of training images N, ascending.
        halves: which disjoint halves of the images have a run for each N: "A", "B" or "AB".
        num_blocks: of the U-Net.
        clock_looks: in a factor of ten of the steps.
        clock_samples: of each look.
    """

    mixture: MixtureSettings = MixtureSettings()
    network: NetworkSettings = NetworkSettings()
    faces: FaceSettings = FaceSettings()
    size: int = 32
    set_sizes: tuple[int, ...] = (64, 256, 1024, 4096, 16_384)
    halves: str = "AB"
    num_blocks: int = 3
    clock_looks: float = 8.0
    clock_samples: int = 256


class Onset(Experiment):
    """Figures 1 to 3 of Bonnaire et al."""

    name = "onset"
    title = "When does a training begin to memorize?"
    question = (
        "How do the times at which a training generalizes and at which it begins to memorize grow with "
        "the number of training images, and can the second be forecast?"
    )
    figures = "Figs. 1-3 of arXiv 2505.17638"
    uses_faces = True
    scales = scales_of(name, OnsetSettings)

    def trainings(self, settings, faces=None):
        check_set_sizes(settings.set_sizes)
        settings.mixture.check()
        if settings.halves not in {"A", "B", "AB"}:
            raise InputError(f"received halves {settings.halves!r:.20}, expected A, B or AB")
        network, most = settings.network, settings.set_sizes[-1]
        count = most + max(most if len(settings.halves) > 1 else 0, network.test_size)
        images = settings.faces.images(network, settings.size, count, faces)
        return [
            network.training(
                f"N={number} {half}",
                images,
                number,
                half,
                num_blocks=settings.num_blocks,
                batch_size=min(network.batch_size, number),
                images_per_epoch=_images_per_epoch(settings, number),
                schedule="constant",
                clock=True,
                clock_looks=settings.clock_looks,
                clock_samples=settings.clock_samples,
                # The looks are what this is about, and no burden of it.
                clock_budget=10.0,
            )
            for number in settings.set_sizes
            for half in settings.halves
        ]

    def analyse(self, settings, runs, progress):
        mixture = find_onset("mixture", _mixture_curves(settings.mixture, progress))
        progress("images", 0.9)
        curves = [
            # A bias-free network knows an image with all its multiples.
            Curve(
                run.task.options["train_size"],
                tuple(read_clock(run.folder / "clock.csv")),
                up_to_a_factor=True,
            )
            for run in runs
        ]
        images = find_onset("images", curves)
        results = [mixture, images]
        return self.document(
            answer(results),
            [claim for result in results for claim in claims_of(result)],
            sections=[
                *sections_of(mixture, mixture_text(settings.mixture)),
                *sections_of(images, images_text(images, runs[0].dataset)),
            ],
            numbers=numbers(results),
        )


def _images_per_epoch(settings, number):
    network = settings.network
    most = network.images_per_epoch / network.batch_size
    steps = steps_of(number, settings.set_sizes, most)
    return max(1, round(steps)) * min(network.batch_size, number)


def _mixture_curves(settings, progress):
    """Trained here, since the loop is no training of ours that the engine could run: minutes at most."""
    places = [(count, seed) for count in settings.mixture_sizes for seed in range(settings.runs)]
    lengths = [settings.length(count) for count, _ in places]
    curves = []
    for place, (count, seed) in enumerate(places):
        progress(f"mixture: N = {count}", 0.9 * sum(lengths[:place]) / sum(lengths))
        curves.append(train_on_mixture(count, seed, settings))
    return curves
