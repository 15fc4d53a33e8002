"""Denoising of image files."""

import contextlib
import dataclasses
import json
from pathlib import Path

import numpy as np

import keras_gahr
from keras_gahr.datasets.arrays import read_array, to_float
from keras_gahr.datasets.image_files import WRITABLE, list_images, read_image, write_image
from keras_gahr.datasets.store import is_dataset
from keras_gahr.denoisers import Inference
from keras_gahr.errors import InputError
from keras_gahr.files import check_output_file, check_output_folder, replacing, replacing_folder
from keras_gahr.noise import check_seed, keyed_normal
from keras_gahr.psnr import psnr

_LARGEST = 1e6


@dataclasses.dataclass(frozen=True)
class DenoisedFile:
    """What was done to one file.

    Args:
        name: of the input file.
        before, after: mean PSNR of its images in dB, or None where the clean ones are not known.
    """

    name: str
    before: float | None
    after: float | None


def denoise_files(
    denoiser,
    source,
    out,
    sigma=None,
    clean=None,
    seed=0,
    *,
    overwrite=False,
    progress=lambda done, total: None,
):
    """Denoises a file of images, or every one in a folder.

    Pictures and arrays are taken as they are; a `.npy` array may be (H, W), (H, W, C), (N, H, W) or
    (N, H, W, C), uint8 or finite floats, and gives an array of the same shape, float32, not clipped.

    Args:
        denoiser: a `Denoiser`.
        source: the file or folder.
        out: the file (.png, .jpg or .npy) or folder to write, whole or not at all. A folder gets .png
            for pictures, .npy for arrays, and denoising.json with what this function returns.
        sigma: if given, `source` is clean, this noise is added first, and the noisy images are
            written beside the denoised ones with `.noisy` before the suffix.
        clean: if given, the file or folder of clean images that `source` is compared with.
        seed: of the added noise; an image's noise depends on it and on the image's place.
        overwrite: whether to replace what is there.
        progress: called with (files done, files in all).

    Returns:
        A list of `DenoisedFile`.

    Raises:
        InputError: if a file cannot be used or written; nothing is written then.
    """
    source, out, clean = Path(source), Path(out), clean and Path(clean)
    check_seed(seed)
    if sigma is not None and clean is not None:
        raise InputError("received both added noise and a clean image: give one of them")
    if not source.exists():
        raise InputError(f"{source} does not exist: give an image, an array or a folder of them")
    if denoiser.input_channels != denoiser.output_channels:
        raise InputError(
            "received a conditional denoiser, which needs the low band of an image: use the "
            "multi-scale denoiser it belongs to"
        )
    job = _Job(Inference(denoiser), sigma, seed)
    if not source.is_dir():
        return [_denoise_file(job, source, out, clean, overwrite, progress)]

    if is_dataset(source):
        raise InputError(f"{source} is a dataset: give {source / 'images.npy'}")
    if clean is not None and not clean.is_dir():
        raise InputError(f"{clean} is not a folder: {source} is one, and so must the clean one be")
    paths = list_images(source)
    targets = [Path(f"{path.stem}{'.npy' if path.suffix == '.npy' else '.png'}") for path in paths]
    names = ["denoising.json", *(name.name for target in targets for name in job.outputs(target))]
    if len(names) != len(set(names)):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"two images of {source} would both become {twice}: rename one")
    check_output_folder(out, overwrite, known_by="denoising.json", contents=names)
    results = []
    with replacing_folder(out, overwrite) as folder:
        for index, (path, target) in enumerate(zip(paths, targets, strict=True)):
            results.append(job.run(path, folder / target, clean and clean / path.name, index))
            progress(index + 1, len(paths))
        report = {
            "package": f"keras-gahr {keras_gahr.__version__}",
            "files": [dataclasses.asdict(result) for result in results],
        }
        (folder / "denoising.json").write_text(json.dumps(report, indent=1) + "\n")
    return results


def _denoise_file(job, source, out, clean, overwrite, progress):
    suffixes = {*WRITABLE, ".npy"}
    if out.suffix.lower() not in suffixes:
        raise InputError(f"{out} cannot be written: end its name in {', '.join(sorted(suffixes))}")
    for path in job.outputs(out):
        check_output_file(path, overwrite)
    progress(0, 1)
    return job.run(source, out, clean, 0)


class _Job:
    """What is done to each file."""

    def __init__(self, inference, sigma, seed):
        self.inference = inference
        self.sigma = sigma
        self.seed = seed

    def outputs(self, target):
        """The paths written for one file: the denoised images, and the noisy ones if noise is added."""
        if self.sigma is None:
            return [target]
        return [target, target.with_name(f"{target.stem}.noisy{target.suffix}")]

    def run(self, path, target, clean_path, index):
        images, shape = _read(path)
        if len(images) > 1 and target.suffix.lower() != ".npy":
            raise InputError(f"{target} cannot hold {len(images)} images: end its name in .npy")
        try:
            self.inference.denoiser.check_shape(images.shape)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
        noisy, clean = images, None
        if self.sigma is not None:
            # Each file has its own range of image indices.
            indices = range(index << 32, (index << 32) + len(images))
            noise = keyed_normal(self.seed, indices, 0, images.shape[1:])
            noisy, clean = images + np.float32(self.sigma) * noise, images
        elif clean_path is not None:
            clean, _ = _read(clean_path)
            if clean.shape != images.shape:
                raise InputError(
                    f"{clean_path} holds {_describe(clean)} and {path} {_describe(images)}: give the "
                    "clean version of the same image"
                )
        denoised = self.inference.denoise(noisy)
        if not np.isfinite(denoised).all():
            raise InputError(f"{path}: the denoised image is not finite: the denoiser is damaged")
        with contextlib.ExitStack() as stack:
            for output, images in zip(self.outputs(target), (denoised, noisy), strict=False):
                _write(stack.enter_context(replacing(output)), images, shape)
        if clean is None:
            return DenoisedFile(path.name, None, None)
        before, after = (float(psnr(x, clean).mean()) for x in (noisy, denoised))
        return DenoisedFile(path.name, before, after)


def _describe(images):
    count, *shape = images.shape
    return f"{count} image(s) of {'x'.join(map(str, shape))}"


def _read(path):
    """The images of a file as float32 `(count, height, width, channels)`, and the file's shape."""
    if path.suffix.lower() != ".npy":
        image = read_image(path)
        return image[None], image.shape
    array = read_array(path)
    shape = array.shape
    # Noisy arrays leave [0, 1] rightly, so that only their type and finiteness are checked.
    if array.dtype.kind not in "fu" or (array.dtype.kind == "u" and array.dtype != np.uint8):
        raise InputError(f"{path} has type {array.dtype}: expected uint8 or floats")
    if array.size == 0:
        raise InputError(f"{path} is empty (shape {shape}): expected at least one image")
    # Compared with a bound that float32 can hold; NaN fails every comparison.
    if array.dtype.kind == "f" and not np.all(np.abs(array) < _LARGEST):
        raise InputError(f"{path} holds NaN or numbers beyond {_LARGEST:.0e}: expected images")
    if array.ndim == 3 and shape[-1] in {1, 3}:
        array = array[None]
    elif array.ndim in {2, 3}:
        array = array.reshape(-1, *shape[-2:], 1)
    elif array.ndim != 4:
        raise InputError(
            f"{path} has shape {shape}: expected (H, W), (H, W, C), (N, H, W) or (N, H, W, C)"
        )
    if array.dtype == np.uint8:
        return to_float(array), shape
    return np.asarray(array, dtype=np.float32), shape


def _write(path, images, shape):
    if path.suffix.lower() == ".npy":
        np.save(path, images.reshape(shape))
    else:
        write_image(path, images[0])
