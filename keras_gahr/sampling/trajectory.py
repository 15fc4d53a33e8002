"""How images come out of the noise."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from keras import ops
from PIL import Image

from keras_gahr.datasets.image_files import contact_sheet, write_image
from keras_gahr.noise import check_whole

TRAJECTORY_FILES = ("trajectory.npz", "trajectory.png", "trajectory.gif")
_MOST_FRAMES_IN_SHEET = 12
_MOST_IMAGES_SHOWN = 16
_FRAME_MILLISECONDS = 80
_LAST_MILLISECONDS = 1500


class Trajectory:
    """Every n-th step of a sampler: the images, what the denoiser makes of them, and their noise levels.

    The denoised images are those of the pass of the network that the step takes anyway. A step is kept as
    it was before the update, and the end is kept too. An image that is finished stays as it is. Each call of
    `sample` that it is given to starts it anew; what the call before kept is still in its `Samples`.

    Args:
        every: how many steps from one that is kept to the next.

    Attributes, once the sampler is done, with one leading axis for what is kept:
        t: the steps `(kept,)`; the last is one after the last step of all.
        y, denoised: float32 `(kept, count, height, width, channels)`.
        sigma: `(kept, count)`.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> denoiser = kg.baselines.Wiener.from_images(np.random.default_rng(0).random((8, 8, 8)))
        >>> trajectory = kg.sampling.Trajectory(every=2)
        >>> schedule = kg.sampling.AscentSchedule(beta=0.5, max_steps=3)
        >>> found = kg.sample(denoiser, (8, 8), schedule=schedule, trajectory=trajectory)
        >>> trajectory.t, trajectory.y.shape
        (array([1, 3, 4]), (3, 1, 8, 8, 1))
    """

    def __init__(self, every: int) -> None:
        self.every = check_whole(every, "every", 1)
        self.begin()

    def begin(self) -> None:
        """Starts anew: nothing is kept."""
        # Lists of its own, as copies of it share the old ones.
        self._batches = []
        self._kept = []

    def record(self, t: int, y: Any, denoised: Any, sigma: Any) -> None:
        """Takes a step; tensors `(batch, height, width, channels)` and `(batch,)`."""
        if (t - 1) % self.every == 0:
            arrays = (ops.convert_to_numpy(tensor) for tensor in (y, denoised, sigma))
            # A copy, since a backend may hand out its own memory.
            self._kept.append((t, *(np.array(array) for array in arrays)))

    def finish(self, t: int, y: Any, denoised: Any, sigma: Any) -> None:
        """Takes the end of a batch, before step t that there was not; arrays as for `record`."""
        self._batches.append([*self._kept, (t, y, denoised, sigma)])
        self._kept = []

    @property
    def t(self) -> np.ndarray:
        longest = max(self._batches, key=len)
        last = max(batch[-1][0] for batch in self._batches)
        return np.array([*(frame[0] for frame in longest[:-1]), last])

    @property
    def y(self) -> np.ndarray:
        return self._stack(1)

    @property
    def denoised(self) -> np.ndarray:
        return self._stack(2)

    @property
    def sigma(self) -> np.ndarray:
        return self._stack(3)

    def _stack(self, entry):
        longest = max(map(len, self._batches))
        parts = []
        for batch in self._batches:
            frames = [frame[entry] for frame in batch]
            # Where other batches went on, this one had ended.
            parts.append(np.stack(frames + frames[-1:] * (longest - len(frames))))
        return np.concatenate(parts, axis=1)

    def save(self, folder: Path) -> None:
        """Writes `TRAJECTORY_FILES` into a folder: arrays, a sheet and an animation.

        The sheet has two rows for each image, y and the denoised y, from the first step to the last; the
        animation shows the first images, y above and denoised y below.
        """
        y, denoised = (np.clip(np.nan_to_num(images), 0, 1) for images in (self.y, self.denoised))
        np.savez_compressed(
            folder / TRAJECTORY_FILES[0],
            t=self.t,
            y=self.y,
            denoised=self.denoised,
            sigma=self.sigma,
        )
        shown = np.unique(np.linspace(0, len(y) - 1, _MOST_FRAMES_IN_SHEET).round().astype(int))
        rows = [
            images[shown, k]
            for k in range(min(y.shape[1], _MOST_IMAGES_SHOWN))
            for images in (y, denoised)
        ]
        sheet = contact_sheet(np.concatenate(rows), columns=len(shown))
        write_image(folder / TRAJECTORY_FILES[1], sheet)
        (folder / TRAJECTORY_FILES[2]).write_bytes(_animation(y, denoised))


def _animation(y, denoised):
    """The bytes of a GIF."""
    columns = min(y.shape[1], _MOST_IMAGES_SHOWN)
    frames = []
    for pair in zip(y, denoised, strict=True):
        shown = np.concatenate([images[:columns] for images in pair])
        pixels = np.rint(255 * contact_sheet(shown, columns)).astype(np.uint8)
        frames.append(Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels))
    durations = [_FRAME_MILLISECONDS] * (len(frames) - 1) + [_LAST_MILLISECONDS]
    data = io.BytesIO()
    frames[0].save(data, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0)
    return data.getvalue()
