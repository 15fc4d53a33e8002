"""Pictures that are made of arrays on disk when a page asks for one: steps, eigenvectors, images."""

import dataclasses
import io

import numpy as np
from PIL import Image

from keras_gahr.datasets import contact_sheet

from .curves import MOST_FRAMES, even_places
from .stored_array import StoredArray, member_names
from .viewed_folder import name_below

_MOST_IN_ROW, _MOST_IN_SHEET = 8, 64
_PIXELS_IN_SHEET = 2**19
_GAP = 2
_WIDE = 640
"""Pixels up to which small pictures are magnified."""

_BLUE, _RED = np.array([33, 82, 158]), np.array([178, 34, 52])
"""Of the smallest and the largest values; white is zero."""


@dataclasses.dataclass(frozen=True)
class Frames:
    """Pictures of one size, made one at a time.

    Args:
        places: the numbers by which they are asked for.
        values: what a slider shows for each.
        size: (width, height) in pixels, as they are shown.
        label: what a slider over them changes.
        caption: of all.
    """

    places: list
    values: list
    size: tuple
    label: str
    caption: str


class SamplerSteps:
    """The first images as they are at a step, above, and what the denoiser makes of them, below."""

    FILE = "trajectory.npz"

    def __init__(self, folder, name):
        file = name_below(name, self.FILE)
        self.y, self.denoised, self.sigma, self.t = (
            StoredArray(folder, file, member) for member in ("y", "denoised", "sigma", "t")
        )
        kept, count, *rest = self.y.shape
        shapes = {self.denoised.shape == self.y.shape, self.sigma.shape == (kept, count)}
        if len(rest) != 3 or shapes != {True} or self.t.shape != (kept,):
            raise ValueError(f"its arrays have shapes that do not fit, such as {self.y.shape}")
        self.columns = min(count, _MOST_IN_ROW)
        self.size = _sheet_size(2 * self.columns, self.columns, *rest[:2])

    def frames(self):
        """All `Frames`, of many some."""
        places = even_places(self.y.shape[0], MOST_FRAMES)
        t, sigma = self.levels()
        values = [f"{t[k]}, sigma {_middle(sigma[k])}" for k in places]
        caption = (
            "The first images as they are at a step, above, and what the denoiser makes of them, below; "
            f"sigma is their median.{_of_channels(self.y.shape[-1])}"
        )
        return Frames(places, values, _magnified(self.size), "step", caption)

    def levels(self):
        """The steps (kept,), and the noise levels (kept, count) of the first images."""
        return self.t.rows(), self.sigma.rows()[:, : self.columns]

    def png(self, k):
        """One of them."""
        first = k * self.y.shape[1]
        shown = [
            array.rows(first, first + self.columns, axes=2) for array in (self.y, self.denoised)
        ]
        return _sheet(np.concatenate(shown), self.columns)


class BasisVectors:
    """The image (noisy, if no clean one is known) and an eigenvector, or a pair of singular vectors."""

    FILE = "eigenbasis.npz"

    def __init__(self, folder, name):
        file = name_below(name, self.FILE)
        self.left, self.right, self.shrinkage = (
            StoredArray(folder, file, member) for member in ("left", "right", "shrinkage")
        )
        count, *rest = self.left.shape
        fits = self.right.shape == self.left.shape and self.shrinkage.shape == (count,)
        if len(rest) != 3 or not fits:
            raise ValueError(f"its arrays have shapes that do not fit, such as {self.left.shape}")
        self._image, self._begin = None, ""
        members = member_names(folder, file)
        shown = next((member for member in ("clean", "noisy") if member in members), None)
        if shown:
            image = StoredArray(folder, file, shown)
            if image.shape == self.left.shape[1:]:
                self._image, self._begin = image.rows(), f"The {shown} image, and "
        first = [array.rows(0, 1) for array in (self.right, self.left)]
        # Eigenvectors are both.
        self._vectors = [self.left] if np.array_equal(*first) else [self.right, self.left]
        self.size = _sheet_size(self._columns, self._columns, *rest[:2])

    @property
    def _columns(self):
        return len(self._vectors) + (self._image is not None)

    def frames(self):
        """All `Frames`, of many some."""
        places = even_places(self.left.shape[0], 4 * MOST_FRAMES)
        shrinkage = self.shrinkage.rows()
        values = [f"{k + 1}, shrinkage {shrinkage[k]:.4g}" for k in places]
        label, shown = "eigenvector", "an eigenvector"
        if len(self._vectors) > 1:
            label, shown = "singular vectors", "the right, then the left singular vector"
        channels = self.left.shape[-1]
        colours = "red is positive, blue negative"
        if channels == 3:
            colours = "grey is 0, and colours are the channels"
        caption = f"{self._begin}{shown}: {colours}.{_of_channels(channels)}"
        caption = caption[0].upper() + caption[1:]
        return Frames(places, values, _magnified(self.size), label, caption)

    def png(self, k):
        """One of them."""
        pictures = [_signed(array.rows(k, k + 1)[0]) for array in self._vectors]
        if self._image is not None:
            pictures.insert(0, _rgb(_bytes(_shown_channels(self._image))))
        return _sheet(np.stack(pictures), len(pictures))


class DatasetSheets:
    """The images of the dataset in their order, counted from 0."""

    FILE = "images.npy"

    def __init__(self, folder, name):
        self.images = StoredArray(folder, name_below(name, self.FILE))
        if len(self.images.shape) not in (3, 4):
            raise ValueError(f"it has shape {self.images.shape}, expected images")
        self.count, height, width = self.images.shape[:3]
        self.together = max(
            1, min(_MOST_IN_SHEET, _PIXELS_IN_SHEET // (height * width), self.count)
        )
        self.columns = min(self.together, _MOST_IN_ROW)
        self.size = _sheet_size(self.together, self.columns, height, width)

    def frames(self):
        """All `Frames`, of many some."""
        places = even_places(-(-self.count // self.together), MOST_FRAMES)
        starts = [k * self.together for k in places]
        values = [f"{k:,} to {min(k + self.together, self.count) - 1:,}" for k in starts]
        channels = self.images.shape[-1] if len(self.images.shape) == 4 else 1
        caption = (
            f"The images of the dataset in their order, counted from 0.{_of_channels(channels)}"
        )
        return Frames(starts, values, _magnified(self.size), "images", caption)

    def png(self, k):
        """Those from number k on."""
        images = self.images.rows(k, k + self.together)
        images = images[..., None] if images.ndim == 3 else images
        if missing := self.together - len(images):
            blank = np.full((missing, *images.shape[1:]), 255 if images.dtype == np.uint8 else 1)
            images = np.concatenate([images, blank.astype(images.dtype)])
        return _sheet(images, self.columns)


KINDS = {"trajectory": SamplerSteps, "eigenvectors": BasisVectors, "images": DatasetSheets}
"""By the names in addresses."""


def _sheet_size(count, columns, height, width):
    """Width and height of a sheet."""
    rows = -(-count // columns)
    return columns * (width + _GAP) + _GAP, rows * (height + _GAP) + _GAP


def _magnified(size):
    factor = max(1, min(8, _WIDE // size[0]))
    return size[0] * factor, size[1] * factor


def _sheet(images, columns):
    """Images (N, H, W, C) side by side, as the bytes of a PNG file."""
    shown = contact_sheet(_bytes(_shown_channels(images)), columns, _GAP)
    data = io.BytesIO()
    Image.fromarray(shown[..., 0] if shown.shape[-1] == 1 else shown).save(
        data, "PNG", compress_level=1
    )
    return data.getvalue()


def _bytes(images):
    """In 0..255: floats are on [0, 1], and what is not finite or lies outside is the nearest of these."""
    if images.dtype == np.uint8:
        return images
    images = np.nan_to_num(images.astype(np.float32), nan=0, posinf=1, neginf=0)
    return np.rint(255 * np.clip(images, 0, 1)).astype(np.uint8)


@np.errstate(over="ignore", invalid="ignore")
def _shown_channels(images):
    """Grey or three colours; of other numbers of channels, which have no colours, the mean."""
    if images.shape[-1] in (1, 3):
        return images
    mean = images.mean(axis=-1, keepdims=True, dtype=np.float32)
    return np.rint(mean).astype(np.uint8) if images.dtype == np.uint8 else mean


def _of_channels(count):
    """What a caption says of that, in a sentence after others."""
    return "" if count in (1, 3) else f" Of {count} channels the mean is shown."


def _middle(values):
    """The median in words, which images that diverged leave as it is."""
    known = values[np.isfinite(values)]
    return f"{np.median(known):.3g}" if known.size else "not finite"


def _rgb(image):
    return np.broadcast_to(image, (*image.shape[:2], 3))


def _signed(vector):
    """A vector (H, W, C) as a picture (H, W, 3) of its sign and size; that of three colours around grey."""
    vector = np.nan_to_num(_shown_channels(vector).astype(np.float32), posinf=0, neginf=0)
    largest = np.abs(vector).max()
    vector = vector / largest if largest > 0 else vector
    if vector.shape[-1] == 3:
        return _bytes(0.5 + 0.5 * vector)
    end = np.where(vector > 0, _RED, _BLUE)
    return np.rint(255 + np.abs(vector) * (end - 255.0)).astype(np.uint8)
