"""A ray: one image times a random intensity (arXiv 2310.02557, figure 19).

The best denoiser of this 1-dimensional linear family projects on the image: one shrinkage factor is 1, all
others are 0, and the mean squared error is sigma^2 / d. How far a network is from that shows what it
does by itself, since nothing in the images asks for more than one direction.
"""

import dataclasses
import hashlib
from pathlib import Path

import numpy as np

from keras_gahr.analysis.eigenbasis import eigenbasis
from keras_gahr.analysis.jacobian import Linearizer
from keras_gahr.analysis.psnr_curves import psnr_curve
from keras_gahr.analysis.slopes import fit_slope
from keras_gahr.analysis.tangent import principal_angles
from keras_gahr.datasets import ray_tangent
from keras_gahr.denoisers.inference import Inference
from keras_gahr.errors import InputError
from keras_gahr.psnr import add_noise, psnr
from keras_gahr.report.document import Claim, Document, Picture, Section, Table

from .experiment import Experiment
from .plan import DatasetFolder, DatasetTask, TrainingTask

_EXACT = 1024
"""Dimension up to which the whole Jacobian is computed."""

_SIGMAS = tuple(float(sigma) for sigma in np.logspace(-2, -0.5, 7))
"""Noise levels of the PSNR curve, from 0.01 to 0.32."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class RaySettings:
    """Settings of the experiment.

    Args:
        image: a picture in a file, or None for a synthetic one.
        size, alpha: of the synthetic image: its height and width, and its regularity.
        train_size, test_size: images of the ray.
        num_kernels, num_blocks: of the U-Net.
        epochs, images_per_epoch, batch_size, learning_rate, halve_every: see `TrainingSettings`.
        sigma: noise level at which the shrinkage is analysed.
        points: noisy test images at which it is.
        vectors: factors that are computed at each.
        curve_images: test images whose PSNR is measured.
        seed: of images, weights and noise.
    """

    image: str | None = None
    size: int = 80
    alpha: float = 2.0
    train_size: int = 100_000
    test_size: int = 512
    num_kernels: int = 64
    num_blocks: int = 3
    epochs: int = 1000
    images_per_epoch: int = 250_000
    batch_size: int = 512
    learning_rate: float = 1e-3
    halve_every: int | None = 100
    sigma: float = 0.08
    points: int = 16
    vectors: int = 32
    curve_images: int = 256
    seed: int = 0


class Ray(Experiment):
    """Figure 19."""

    name = "ray"
    title = "A ray: one image at all intensities"
    question = "Does a network trained on multiples of one image project on that image?"
    figures = "Fig. 19"
    scales = {
        "smoke": RaySettings(
            size=16,
            train_size=1024,
            test_size=64,
            num_kernels=16,
            num_blocks=1,
            epochs=4,
            images_per_epoch=2048,
            batch_size=16,
            learning_rate=4e-3,
            halve_every=1,
            points=4,
            vectors=16,
            curve_images=64,
        ),
        "laptop": RaySettings(
            size=32,
            train_size=10_000,
            test_size=256,
            num_kernels=32,
            num_blocks=2,
            epochs=20,
            images_per_epoch=10_000,
            batch_size=16,
            halve_every=3,
            points=8,
            curve_images=128,
        ),
        "paper": RaySettings(),
    }

    def trainings(self, settings, faces=None):
        if min(settings.points, settings.curve_images) > settings.test_size:
            raise InputError(
                f"received {settings.points} points and {settings.curve_images} images of the curve, "
                f"expected at most the {settings.test_size} test images"
            )
        if settings.image is None:
            parameters = {"count": 1, "size": settings.size, "seed": settings.seed}
            image = DatasetTask("c_alpha", parameters | {"alpha": settings.alpha})
        else:
            image = _picture(settings.image)
        count = settings.train_size + settings.test_size
        images = DatasetTask("ray", {"image": image, "count": count, "seed": settings.seed})
        names = ("train_size", "test_size", "num_kernels", "num_blocks", "epochs", "batch_size")
        names += ("images_per_epoch", "learning_rate", "halve_every", "seed")
        options = {name: getattr(settings, name) for name in names}
        return [TrainingTask("ray", images, {"architecture": "unet", **options})]

    def analyse(self, settings, runs, progress):
        (run,) = runs
        denoiser, (_, test) = run.denoiser(), run.split()
        images = test.as_float(slice(settings.curve_images))
        # The brightest one has the direction of all of them with the least rounding.
        tangent = ray_tangent(images[np.argmax(images.mean(axis=(1, 2, 3)))])[0]
        bases = _bases(denoiser, images[: settings.points], settings, progress)
        curve = psnr_curve(Inference(denoiser), images, _SIGMAS, seed=settings.seed)
        optimum = _projection_psnr(images, tangent[0], settings.seed)
        found = _Found(
            factors=np.stack([basis.shrinkage for basis in bases]),
            angles=np.array([_angle(basis.left[:1], tangent) for basis in bases]),
            traces=np.array([basis.statistics.trace for basis in bases]),
            input_psnr=curve.input_psnr,
            network_psnr=curve.mean,
            optimum_psnr=optimum,
            slope=fit_slope(curve),
        )
        return Document(
            self.name,
            self.title,
            self.question,
            found.answer(),
            claims=found.claims(),
            sections=[
                _images_section(run, images, settings),
                _shrinkage_section(found, bases[0], images[0], settings),
                _psnr_section(found),
            ],
            numbers=found.numbers(),
        )


@dataclasses.dataclass(frozen=True, eq=False)
class _Found:
    """What was measured: angles in degrees (points,), PSNR in dB (levels,)."""

    factors: np.ndarray
    angles: np.ndarray
    traces: np.ndarray
    input_psnr: np.ndarray
    network_psnr: np.ndarray
    optimum_psnr: np.ndarray
    slope: object

    @property
    def first(self):
        return float(self.factors[:, 0].mean())

    @property
    def second(self):
        return float(self.factors[:, 1].mean())

    def answer(self):
        return (
            f"The largest shrinkage factor is {self.first:.2f}, and its eigenvector is "
            f"{self.angles.mean():.0f} degrees from the image; the next factor is {self.second:.2f}, "
            f"and all together keep {self.traces.mean():.1f} dimensions where one would do."
        )

    def claims(self):
        below = float((self.optimum_psnr - self.network_psnr).min())
        low, high = self.slope.interval
        return [
            Claim(
                "One direction is kept as it is: the largest shrinkage factor is 1.",
                bool(abs(self.first - 1) <= 0.1),
                f"{self.first:.3f}, mean of {len(self.factors)} images",
                "1 within 0.1",
                "Fig. 19",
            ),
            Claim(
                "That direction is the image.",
                bool(self.angles.mean() <= 20),
                f"{self.angles.mean():.1f} degrees between them on average, at most "
                f"{self.angles.max():.1f}",
                "at most 20 degrees on average, of 90",
                "Fig. 19",
            ),
            Claim(
                "All other directions are shrunk.",
                bool(self.second <= 0.75 * self.first),
                f"the second factor is {self.second:.3f}",
                f"at most three quarters of the first, {0.75 * self.first:.3f}",
                "Fig. 19",
            ),
            Claim(
                "The factors decay more slowly than those of the best denoiser, which are 0 but for one.",
                bool(self.traces.mean() > 1.5),
                f"the sum of all factors is {self.traces.mean():.2f}",
                "above 1.5, where the best denoiser has 1",
                "Fig. 19",
            ),
            Claim(
                "The network is worse than the projection on the image at every noise level.",
                bool(below > 0),
                f"at least {below:.1f} dB worse; PSNR grows by {self.slope.slope:.2f} dB per dB of the "
                f"noisy image (95%: {low:.2f} to {high:.2f}), that of the projection by 1",
                "above 0 dB",
                "Fig. 19",
            ),
        ]

    def numbers(self):
        return {
            "shrinkage": self.factors.tolist(),
            "angles_degrees": self.angles.tolist(),
            "traces": self.traces.tolist(),
            "sigmas": list(_SIGMAS),
            "psnr": {
                "noisy": self.input_psnr.tolist(),
                "network": self.network_psnr.tolist(),
                "projection": self.optimum_psnr.tolist(),
            },
            "slope": dataclasses.asdict(self.slope),
        }


def _picture(path):
    """The file of a picture, known by its content."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}; give a picture") from error
    return DatasetFolder(str(Path(path).resolve()), hashlib.sha256(content).hexdigest())


def _bases(denoiser, images, settings, progress):
    """The `Eigenbasis` at each noisy image."""
    linearizer, found = Linearizer(denoiser), []
    noisy = add_noise(images, settings.sigma, settings.seed)
    method = "exact" if images[0].size <= _EXACT else "randomized"
    for place, image in enumerate(noisy):
        progress(f"shrinkage at image {place + 1} of {len(noisy)}", place / len(noisy))
        found.append(eigenbasis(linearizer, image, min(settings.vectors, image.size), method))
    return found


def _angle(vector, tangent):
    return float(np.degrees(principal_angles(vector, tangent)[0]))


def _projection_psnr(images, direction, seed):
    """Mean PSNR of the noisy images, projected on the direction, at each of `_SIGMAS`."""
    flat = direction.ravel()
    values = []
    for sigma in _SIGMAS:
        noisy = add_noise(images, sigma, seed).reshape(len(images), -1)
        values.append(psnr(np.outer(noisy @ flat, flat), images.reshape(len(images), -1)).mean())
    return np.array(values)


def _images_section(run, images, settings):
    height, width, channels = images.shape[1:]
    kind = "a given picture" if settings.image else "a synthetic C^alpha image"
    return Section(
        "What was run",
        [
            f"A U-Net was trained on {run.task.options['train_size']} multiples of {kind} of "
            f"{height}x{width} pixels and {channels} channel(s), the factors being uniform on [0, 1]."
        ],
    )


def _shrinkage_section(found, basis, clean, settings):
    from keras_gahr.report.family_figures import factors_figure, vectors_figure

    pictures = [
        ("clean", clean),
        ("noisy", basis.noisy),
        ("denoised", basis.denoised),
    ]
    return Section(
        "Shrinkage",
        [
            f"Eigenvalues of the symmetrized Jacobian at {len(found.factors)} noisy test images, "
            f"sigma = {settings.sigma:g}. The best denoiser has one factor 1, and 0 else."
        ],
        [
            Picture(
                "factors",
                factors_figure(found.factors, 1),
                "Shrinkage factors in descending order, as in Fig. 19 of the paper.",
                f"The curve starts at {found.first:.2f} and falls to {found.second:.2f} at the second.",
            ),
            Picture(
                "vectors",
                vectors_figure(pictures, basis.left[:7], basis.shrinkage),
                "One image, and the first eigenvectors there with their factors.",
                f"The first eigenvector is {found.angles[0]:.0f} degrees from the image.",
            ),
        ],
    )


def _psnr_section(found):
    from keras_gahr.report.family_figures import psnr_figure

    rows = zip(_SIGMAS, found.input_psnr, found.network_psnr, found.optimum_psnr, strict=True)
    return Section(
        "PSNR",
        ["The projection on the image removes all noise but that in one direction."],
        [
            Picture(
                "psnr",
                psnr_figure(found.input_psnr, found.network_psnr, found.optimum_psnr),
                "PSNR of denoised against noisy images.",
                f"Both rise; the network's slope is {found.slope.slope:.2f}, the projection's is 1.",
            ),
            Table(
                ("sigma", "noisy", "network", "projection"),
                [tuple(map(float, row)) for row in rows],
                "Mean PSNR of test images in dB.",
            ),
        ],
    )
