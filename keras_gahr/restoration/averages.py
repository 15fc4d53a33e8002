"""Restored images: of least norm, a sample, and the mean and spread of several."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from keras import ops

from keras_gahr.noise import check_whole, keyed_normal
from keras_gahr.psnr import psnr_of_any
from keras_gahr.result import Result
from keras_gahr.sampling import sample
from keras_gahr.sampling.measurements import Measurement
from keras_gahr.sampling.request import check_request
from keras_gahr.ssim import WINDOW, ssim_of_any

from .outputs import save_restorations

if TYPE_CHECKING:
    from keras_gahr.result import Figure


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Restoration(Result):
    """What was found of one image; every image float32 `(height, width, channels)`, not clipped.

    Attributes:
        name: of the image.
        clean: the image itself, or None if it is not known.
        observed: what was observed of it.
        minimum_norm: M^T m.
        samples: `(repeat, height, width, channels)`.
        status: for each sample "converged", "max_steps", "diverged" or "noise_unseen"; see
            `keras_gahr.sampling.Samples`.
        measurement: the `Measurement`, if it is known.
        settings: how the samples were drawn, as plain values.

    Examples:
        >>> import numpy as np
        >>> from keras_gahr.restoration import Restoration
        >>> samples, half = np.full((2, 8, 8, 1), 0.4), np.full((8, 8, 1), 0.5)
        >>> found = Restoration("face", half, half, half, samples, ("converged", "converged"))
        >>> found.mean.shape, round(found.quality()["psnr_mean"], 3)
        ((8, 8, 1), 20.0)
    """

    name: str
    clean: np.ndarray | None
    observed: np.ndarray
    minimum_norm: np.ndarray
    samples: np.ndarray
    status: tuple[str, ...]
    measurement: Measurement | None = dataclasses.field(default=None, repr=False)
    settings: dict[str, Any] = dataclasses.field(default_factory=dict, repr=False)

    @property
    def picture(self) -> np.ndarray | None:
        """What was observed, if it is a picture, else None."""
        shown = self.measurement is not None and self.measurement.gives_pictures
        return self.observed if shown else None

    @property
    def kept(self) -> np.ndarray:
        """The samples that did not diverge; if all did, one of NaN."""
        kept = self.samples[[status != "diverged" for status in self.status]]
        return kept if len(kept) else np.full_like(self.samples[:1], np.nan)

    @property
    def sample(self) -> np.ndarray:
        """The first sample that did not diverge."""
        return self.kept[0]

    @property
    def mean(self) -> np.ndarray:
        """The mean of the samples, which tends to the image of least mean squared error."""
        return self.kept.mean(axis=0, dtype=np.float64).astype(np.float32)

    @property
    def deviation(self) -> np.ndarray:
        """The standard deviation at each pixel, of the population estimated; 0 for one sample."""
        kept = self.kept.astype(np.float64)
        return kept.std(axis=0, ddof=min(1, len(kept) - 1)).astype(np.float32)

    @property
    def images(self) -> dict[str, np.ndarray]:
        """The restored images by name."""
        return {"minimum_norm": self.minimum_norm, "sample": self.sample, "mean": self.mean}

    def save(
        self, folder: str | Path, *, overwrite: bool = False, figures: str = "png", **facts: Any
    ) -> Path:
        """Writes what `gahr restore` does of one image: see `save_restorations`."""
        return save_restorations([self], folder, overwrite=overwrite, figures=figures, **facts)

    def plot(self, *, title: str = "") -> Figure:
        """A figure with what was observed, the restored images and their deviation in a row.

        Args:
            title: text after the image's name; default: none.
        """
        return self._figure(title=title)

    def quality(self) -> dict[str, float | None]:
        """PSNR (dB) and SSIM of each restored image, not clipped: a dictionary by `psnr_NAME`,
        `ssim_NAME`.

        None where the clean image is not known or the restored one is not finite; no SSIM of images
        smaller than its window.
        """
        found = {}
        for kind, measure, least in (("psnr", psnr_of_any, 1), ("ssim", ssim_of_any, WINDOW)):
            for name, image in self.images.items():
                value = None
                fits = np.isfinite(image).all() and min(image.shape[:2]) >= least
                if self.clean is not None and fits:
                    value = float(measure(image[None], self.clean[None])[0])
                found[f"{kind}_{name}"] = value
        return found


def restore_alike(
    denoiser,
    names,
    measurement,
    observed,
    clean=None,
    *,
    repeat=1,
    seed=0,
    schedule=None,
    sampler="ascent",
    batch_size=16,
    progress=None,
    memory=None,
    prepared=None,
):
    """Restores images with one measurement; see `keras_gahr.restore`.

    Args:
        denoiser, seed, schedule, sampler, batch_size, progress, memory, prepared: see `sample`.
        names: of the images.
        measurement: a `Measurement`.
        observed: float32 `(count, *measured_shape)`.
        clean: a list of the images themselves, or of None where they are not known.
        repeat: samples of each image.

    Returns:
        A list of `Restoration`.

    Raises:
        InputError: for what `sample` refuses.
    """
    repeat = check_whole(repeat, "repeat", 1)
    shape, count = check_request(denoiser, measurement.shape, len(names) * repeat)
    m = measurement.measured_from(ops.convert_to_tensor(observed))
    minimum_norm = ops.convert_to_numpy(measurement.back_project(m))

    def noise(images, t):
        repeats, places = np.unique([image % repeat for image in images], return_inverse=True)
        return keyed_normal(seed, repeats.tolist(), t, shape)[places]

    found = sample(
        denoiser,
        shape,
        count=count,
        seed=seed,
        noise=noise,
        schedule=schedule,
        sampler=sampler,
        measurement=measurement,
        measured=observed.repeat(repeat, axis=0),
        batch_size=batch_size,
        progress=progress,
        memory=memory,
        prepared=prepared,
    )
    settings = {
        "repeat": repeat,
        "seed": seed,
        "sampler": sampler,
        "schedule": found.schedule and dataclasses.asdict(found.schedule),
    }
    return [
        Restoration(
            name,
            None if clean is None else clean[k],
            observed[k],
            minimum_norm[k],
            found.images[k * repeat : (k + 1) * repeat],
            found.status[k * repeat : (k + 1) * repeat],
            measurement,
            settings,
        )
        for k, name in enumerate(names)
    ]
