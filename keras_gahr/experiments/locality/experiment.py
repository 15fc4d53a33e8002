"""Do optima that see a square of pixels draw what trained networks draw (arXiv 2412.20292)?

Kamb and Ganguli hold their local optima against convolutional networks: both start from the same noise, and
what they draw is nearly the same. Here a network without and one with a coarser scale are trained, on images
such as Fashion-MNIST and on disks, and rivals that must lose take part.
"""

import dataclasses

from keras_gahr.analysis import calibrate
from keras_gahr.analysis.explanation.rivals import spread_out
from keras_gahr.reproduction.experiment import Experiment
from keras_gahr.reproduction.plan import DatasetTask

from ..drawing import draw, first_noise, levels_for
from ..faces import FaceSettings
from ..networks import NetworkSettings, check_halves, check_least
from ..scales import scales_of
from .findings import LocalityResult, claims_of
from .machines import machines
from .report import answer, images_section, numbers, samples_section, sides_section

SIDES = (3, 5, 7, 9, 11, 13, 15, 17)
"""Of squares that are tried, in pixels; the published ones are among them."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class LocalitySettings:
    """Settings of the experiment.

    Args:
        network, faces: what it has in common with others.
        size: height and width of the images.
        train_images: to train on.
        known_images: training images that the local optima know: all, if it is as many. Their time grows
            with this number.
        num_layers: of the network without coarser scales.
        num_blocks: of the UNet.
        samples: of each network and each rival, from the same noise.
        steps: of the sampler.
        calibrated: of these samples, those by which the squares are chosen.
    """

    network: NetworkSettings = NetworkSettings(
        images=60_000, num_kernels=64, epochs=50, images_per_epoch=60_000, batch_size=128
    )
    faces: FaceSettings = FaceSettings()
    size: int = 28
    train_images: int = 59_000
    known_images: int = 59_000
    num_layers: int = 9
    num_blocks: int = 2
    samples: int = 100
    steps: int = 20
    calibrated: int = 16

    def check(self):
        """Raises `InputError` for what cannot be run."""
        check_least(self, samples=2, steps=1, calibrated=1, known_images=2)
        check_halves(self, "size")


class Locality(Experiment):
    """Table 1 and figures 3 to 5 of Kamb and Ganguli."""

    name = "locality"
    title = "Is the network a local machine?"
    question = (
        "From the same noise, how much of what a trained network draws does an optimum draw that sees a "
        "square of pixels?"
    )
    figures = "Table 1 of arXiv 2412.20292"
    uses_faces = True
    scales = scales_of(name, LocalitySettings)

    def trainings(self, settings, faces=None):
        settings.check()
        network = settings.network
        count = settings.train_images + network.test_size
        disks = {"count": count, "size": settings.size, "seed": network.seed}
        families = {
            "images": settings.faces.images(network, settings.size, count, faces),
            "disks": DatasetTask("disks", disks),
        }
        networks = {
            "CNN": {"architecture": "bf-cnn", "num_layers": settings.num_layers},
            "UNet": {"architecture": "unet", "num_blocks": settings.num_blocks},
        }
        return [
            network.training(f"{name}, {family}", images, settings.train_images, **options)
            for family, images in families.items()
            for name, options in networks.items()
        ]

    def analyse(self, settings, runs, progress):
        results = []
        for place, run in enumerate(runs):

            def tell(text, part, place=place, label=run.task.label):
                progress(f"{label}: {text}", (place + part) / len(runs))

            results.append(_measure(run, settings, tell))
        return self.document(
            answer(results),
            claims_of(results),
            sections=[
                images_section(runs, results),
                samples_section(results),
                sides_section(results),
            ],
            numbers=numbers(results),
        )


def _measure(run, settings, progress):
    """The `LocalityResult` of a `FinishedRun`."""
    progress("samples", 0.0)
    network, train = run.denoiser(), run.split()[0].images
    sigmas = levels_for(network, settings.steps)
    seed = settings.network.seed
    noise = first_noise(settings.samples, train.shape[1:], sigmas[0], seed)
    drawing = draw(network, noise, sigmas)
    known = spread_out(train, settings.known_images)
    calibration = calibrate(
        network,
        known,
        {sigma: y[: settings.calibrated] for sigma, y in drawing.noisy.items()},
        sides=[side for side in SIDES if side < settings.size] or [1],
        # Denoised images are nearly alike at small noise, whatever was compared.
        compared="residual",
        progress=lambda done, all_: progress("squares", 0.1 + 0.4 * done / all_),
    )
    rivals = machines(train, known, calibration.sides, seed)
    drawn = {}
    for place, (name, rival) in enumerate(rivals.items()):
        progress(name, 0.5 + 0.5 * place / len(rivals))
        drawn[name] = draw(rival, noise, sigmas).images
    return LocalityResult(run.task.label, calibration, drawing.images, drawn, len(known))
