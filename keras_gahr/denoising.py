"""Denoising of images in memory and in files."""

import contextlib
import dataclasses
import functools
import math
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import ArrayLike

import keras_gahr
from keras_gahr.datasets.arrays import CLEAN, NOISY, blocks
from keras_gahr.datasets.channels import with_channels
from keras_gahr.datasets.image_arrays import as_images, is_array
from keras_gahr.datasets.image_files import WRITABLE, find_images, read_images, write_image
from keras_gahr.datasets.layout import from_images
from keras_gahr.datasets.store import is_dataset
from keras_gahr.datasets.wavelet_level import wavelet_level
from keras_gahr.denoisers import DenoiserLike, Inference, as_denoiser, as_inference
from keras_gahr.errors import InputError
from keras_gahr.files import check_output_file, check_output_folder, replacing, replacing_folder
from keras_gahr.json_file import write_json
from keras_gahr.names import printable
from keras_gahr.noise import check_levels, check_seed, keyed_normal
from keras_gahr.progress import Progress, share, shows_progress
from keras_gahr.psnr import psnr_of_any
from keras_gahr.result import Result

APART, REPEATED, GREY = "each denoised alone", "repeated", "made grey"
"""What is done with the channels of images that have others than the network; see `DenoisedFile`."""


@overload
def denoise(
    denoiser: DenoiserLike,
    noisy: list | tuple,
    *,
    sigma: ArrayLike | None = None,
    layout: str | None = None,
    memory: int | None = None,
    progress: Progress = None,
) -> list[np.ndarray]: ...


@overload
def denoise(
    denoiser: DenoiserLike,
    noisy: ArrayLike,
    *,
    sigma: ArrayLike | None = None,
    layout: str | None = None,
    memory: int | None = None,
    progress: Progress = None,
) -> np.ndarray: ...


@shows_progress("denoising")
def denoise(
    denoiser: DenoiserLike,
    noisy: ArrayLike | list | tuple,
    *,
    sigma: ArrayLike | None = None,
    layout: str | None = None,
    memory: int | None = None,
    progress: Progress = None,
) -> np.ndarray | list[np.ndarray]:
    """The denoised images; the noise level need not be known, unless the network is told it.

    A network of grey images denoises each channel of a colour image, and one of colour images takes a
    grey one as `in_colour` makes it. Large images are computed in tiles, and images whose sides the
    network cannot take are continued by reflection and cut to their size again; see `Inference`.

    Args:
        denoiser: see `as_denoiser`. An `Inference` keeps its own settings, and what it has compiled.
        noisy: y, an array (H, W), (H, W, C), (N, H, W) or (N, H, W, C): uint8 in 0..255, or floats in
            the units of [0, 1], which noise may leave; or a list of such arrays, whose images may have
            different sizes. Nested lists of numbers are an array.
        sigma: the noise level, of a denoiser that is told it: one, or one for each image of an array, in
            units of [0, 1]. A blind one ignores it, but for grey images where it takes those in colour.
        layout: of the array, such as "NCHW", where its shape does not say it; see `find_layout`.
        memory: bytes that a pass of the network may take; by default a quarter of what is free.
        progress: called with how many passes of the network are done, of how many. By default a bar
            is shown in terminals and notebooks, by False none.

    Returns:
        float32, a NumPy array of the same axes in the units of [0, 1]; not clipped. Of a list a list.

    Raises:
        InputError: for something else than images, or images that do not fit the denoiser.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> denoiser = kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=4, num_layers=3)
        >>> kg.denoise(denoiser, np.zeros((20, 30), np.uint8)).shape
        (20, 30)
    """
    assert callable(progress)  # As the decorator makes it.
    inference = as_inference(denoiser, memory=memory, pad=True)
    if isinstance(noisy, list | tuple) and not _is_of_numbers(noisy):
        return [
            denoise(
                inference,
                each,
                sigma=sigma,
                layout=layout,
                progress=share(progress, place, len(noisy)),
            )
            for place, each in enumerate(noisy)
        ]
    if sigma is not None:
        sigma = inference.denoiser.given_levels(sigma)
    channels = inference.denoiser.input_channels
    images, layout = as_images(noisy, channels, layout, NOISY)
    denoised, _ = _denoise(inference, images, progress, sigma)
    return np.ascontiguousarray(from_images(denoised, layout))


def _is_of_numbers(values):
    """Whether nested lists hold numbers, and so are one array."""
    while isinstance(values, list | tuple) and values:
        values = values[0]
    return np.isscalar(values)


def _denoise(inference, noisy, progress, sigma):
    """The denoised images, in the channels of the noisy ones, and what was done for that."""
    count, *sides, channels = noisy.shape
    denoiser = inference.denoiser
    if denoiser.input_channels != denoiser.output_channels:
        raise InputError(
            "received a conditional denoiser, which needs the low band of an image: use the "
            "multi-scale denoiser it belongs to"
        )
    expected = denoiser.input_channels
    if channels == expected:
        return inference.denoise(noisy, progress, sigma), None
    if channels == 1:
        denoiser.check_levels(sigma, count)
        coloured, levels = in_colour(noisy, expected, sigma)
        denoised = inference.denoise(coloured, progress, levels if denoiser.told else None)
        return with_channels(denoised, 1), REPEATED
    if expected > 1:
        raise InputError(
            f"received images with {channels} channels for a denoiser of {expected}: convert them"
        )
    apart = np.moveaxis(noisy, -1, 1).reshape(-1, *sides, 1)
    levels = np.repeat(sigma, channels) if np.ndim(sigma) else sigma
    apart = inference.denoise(apart, progress, levels).reshape(count, channels, *sides)
    return np.moveaxis(apart, 1, -1), APART


_COLOURING = 2**33 - 3
"""A step that no sampler reaches, so that the noise is none that was added."""


def in_colour(noisy, channels, sigma=None):
    """Grey noisy images as noisy images in colour, whose channels have independent noise.

    Where a channel has the noise of all others, a network of colour images takes it for a part of the
    image. So to y as each channel is added what sqrt(C) sigma n_c differs from its mean over channels, n_c
    standard normal: then the noise of each has the level sqrt(C) sigma and is that of no other, and the
    mean over channels is y as before.

    Args:
        noisy: y, (N, H, W, 1), floats.
        channels: C.
        sigma: the noise level of all, or of each; by default `wavelet_level` of each.

    Returns:
        float32 (N, H, W, C), and the noise level of each.

    Raises:
        InputError: for levels that are none, or neither one nor one for each image.
    """
    if sigma is None:
        found = wavelet_level(noisy)
    else:
        found = check_levels(np.ravel(sigma), or_none=True)
        if len(found) not in (1, len(noisy)):
            raise InputError(
                f"received {len(found)} noise levels for {len(noisy)} images: give as many"
            )
    levels = math.sqrt(channels) * np.broadcast_to(found, len(noisy))
    # The same for each image, which so is denoised as it is alone.
    noise = keyed_normal(0, [0], _COLOURING, (*noisy.shape[1:3], channels))
    noise -= noise.mean(axis=-1, keepdims=True)
    return noisy + levels.astype(np.float32)[:, None, None, None] * noise, levels


@dataclasses.dataclass(frozen=True)
class DenoisedFile:
    """What was done to one file.

    Args:
        name: of the input file, within a folder relative to it.
        before, after: mean PSNR of its images in dB, or None where the clean ones are not known.
        channels: `APART` if a network of grey images denoised each channel of a colour image,
            `REPEATED` if a grey one was repeated for a network of colour images, with noise that makes that
            of the channels independent (`in_colour`), and the mean taken,
            `GREY` if colour was given up, None if the channels are the network's.
        padded: the height and width to which the images were continued by reflection, since the network
            needs multiples of a number; None if they were not.
        residual: |r(y)| / sqrt(d) over its images, in units of [0, 1]: the noise level, but for the error
            that is left, by which it is too low; see `keras_gahr.analysis.noise_level`.
        noise: what `estimate` of `denoise_files` returned, such as the noise level corrected for that error;
            None if it was not asked.
    """

    name: str
    before: float | None
    after: float | None
    channels: str | None
    padded: tuple[int, int] | None
    residual: float
    noise: float | None = None


@dataclasses.dataclass(frozen=True, repr=False)
class DenoisedFiles(Result):
    """What was done to one file, or to those of a folder.

    Attributes:
        files: a `DenoisedFile` for each.
        left_out: from the names of all else in the folder to the reasons.
    """

    files: list[DenoisedFile]
    left_out: dict[str, str]


def denoise_files(
    denoiser,
    source,
    out,
    sigma=None,
    clean=None,
    seed=0,
    *,
    level=None,
    gray=False,
    layout=None,
    memory=None,
    overwrite=False,
    estimate=lambda noisy: None,
    progress=lambda done, total: None,
):
    """Denoises a file of images, or every one in a folder and its subfolders.

    An array, `.npy` or `.npz`, may be (H, W), (H, W, C), (N, H, W) or (N, H, W, C), uint8, bool or
    floats, and gives a `.npy` array of the same shape, float32, not clipped. A network of grey images
    denoises each channel of a colour image, and one of colour images takes a grey one as `in_colour`
    makes it; added noise is that of the image as it is. Large images are computed in tiles, and images
    whose sides the network cannot take are continued by reflection and cut to their size again; see
    `Inference`.

    Args:
        denoiser: see `as_denoiser`.
        source: the file or folder.
        out: the file (.png, .jpg or .npy) or folder to write, whole or not at all. A folder gets .png
            for pictures, .npy for arrays, in the same subfolders, and denoising.json with what this
            function returns.
        sigma: if given, `source` is clean, this noise is added first, and the noisy images are
            written beside the denoised ones with `.noisy` before the suffix.
        clean: if given, the file or folder of clean images that `source` is compared with.
        seed: of the added noise; an image's noise depends on it and on the image's place.
        level: the noise level, of a denoiser that is told it, in the images as it gets them, grey ones with
            `gray`; by default that of the added noise, which is added to these.
        gray: whether to make colour images grey first.
        layout: of arrays, such as "NCHW"; by default see `find_layout`.
        memory: bytes that a pass of the network may take, by default a quarter of what is free; see
            `Inference`.
        overwrite: whether to replace what is there.
        estimate: called with the noisy images of a file, float32 (N, H, W, C), for `DenoisedFile.noise`.
        progress: called with (files done, files in all), fractions too.

    Returns:
        `DenoisedFiles`.

    Raises:
        InputError: if a file cannot be used or written; nothing is written then.
    """
    source, out, clean = Path(source), Path(out), clean and Path(clean)
    seed = check_seed(seed)
    if sigma is not None and clean is not None:
        raise InputError("received both added noise and a clean image: give one of them")
    if not source.exists():
        raise InputError(f"{source} does not exist: give an image, an array or a folder of them")
    denoiser, level = as_denoiser(denoiser), sigma if level is None else level
    denoiser.check_levels(level, 1)
    for each in (sigma, level):
        if each is not None:
            denoiser.check_units(each)
    inference = Inference(denoiser, memory=memory, pad=True)
    job = _Job(inference, sigma, level, seed, gray, layout, estimate)
    if not source.is_dir():
        return DenoisedFiles([_denoise_file(job, source, out, clean, overwrite, progress)], {})

    if is_dataset(source):
        raise InputError(f"{source} is a dataset: give {source / 'images.npy'}")
    if clean is not None and not clean.is_dir():
        raise InputError(f"{clean} is not a folder: {source} is one, and so must the clean one be")
    if source.resolve() in out.resolve().parents:
        raise InputError(f"{out} lies inside {source}: put it somewhere else")
    paths, left_out = find_images(source)
    names = [path.relative_to(source) for path in paths]
    targets = [name.with_suffix(".npy" if is_array(name) else ".png") for name in names]
    contents = [
        "denoising.json",
        *(str(name) for target in targets for name in job.outputs(target)),
    ]
    if len(contents) != len(set(contents)):
        twice = next(name for name in contents if contents.count(name) > 1)
        raise InputError(f"two images of {source} would both become {twice}: rename one")
    check_output_folder(out, overwrite, known_by="denoising.json", contents=contents)
    results = []
    with replacing_folder(out, overwrite) as folder:
        for index, (path, name, target) in enumerate(zip(paths, names, targets, strict=True)):
            (folder / target).parent.mkdir(parents=True, exist_ok=True)
            part = functools.partial(_report, progress, index, len(paths))
            clean_path = clean and clean / name
            results.append(job.run(path, name, folder / target, clean_path, index, part))
            progress(index + 1, len(paths))
        left_out = {printable(name): printable(reason) for name, reason in left_out.items()}
        report = {
            "package": f"keras-gahr {keras_gahr.__version__}",
            "files": [dataclasses.asdict(result) for result in results],
            "left_out": [{"name": name, "reason": reason} for name, reason in left_out.items()],
        }
        write_json(folder / "denoising.json", report)
    return DenoisedFiles(results, left_out)


def _denoise_file(job, source, out, clean, overwrite, progress):
    suffixes = {*WRITABLE, ".npy"}
    if out.suffix.lower() not in suffixes:
        raise InputError(f"{out} cannot be written: end its name in {', '.join(sorted(suffixes))}")
    for path in job.outputs(out):
        check_output_file(path, overwrite)
    progress(0, 1)
    part = functools.partial(_report, progress, 0, 1)
    return job.run(source, source.name, out, clean, 0, part)


def _report(progress, files, in_all, done, total):
    """Tells `progress` of a file of which `done` of `total` passes of the network are done."""
    progress(files + done / total, in_all)


class _Job:
    """What is done to each file."""

    def __init__(self, inference, sigma, level, seed, gray, layout, estimate):
        self.inference = inference
        self.channels = inference.denoiser.input_channels
        self.sigma = sigma
        self.level = level
        self.seed = seed
        self.gray = gray
        self.layout = layout
        self.estimate = estimate

    def outputs(self, target):
        """The paths written for one file: the denoised images, and the noisy ones if noise is added."""
        if self.sigma is None:
            return [target]
        return [target, target.with_name(f"{target.stem}.noisy{target.suffix}")]

    def run(self, path, name, target, clean_path, index, progress):
        images, layout, made_grey = self._read(path, CLEAN if self.sigma is not None else NOISY)
        if len(images) > 1 and target.suffix.lower() != ".npy":
            raise InputError(f"{target} cannot hold {len(images)} images: end its name in .npy")
        noisy, clean = images, None
        if self.sigma is not None:
            # Each file has its own range of image indices.
            indices = range(index << 32, (index << 32) + len(images))
            noise = keyed_normal(self.seed, indices, 0, images.shape[1:])
            noisy, clean = images + np.float32(self.sigma) * noise, images
        elif clean_path is not None:
            clean, *_ = self._read(clean_path, CLEAN)
            if clean.shape != images.shape:
                raise InputError(
                    f"{clean_path} holds {_describe(clean)} and {path} {_describe(images)}: give the "
                    "clean version of the same image"
                )
        try:
            denoised, channels = _denoise(self.inference, noisy, progress, self.level)
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
        if not np.isfinite(denoised).all():
            raise InputError(f"{path}: the denoised image is not finite: the denoiser is damaged")
        with contextlib.ExitStack() as stack:
            for output, images in zip(self.outputs(target), (denoised, noisy), strict=False):
                _write(stack.enter_context(replacing(output)), images, layout)
        before = after = None
        if clean is not None:
            before, after = (float(psnr_of_any(x, clean).mean()) for x in (noisy, denoised))
        sides = tuple(noisy.shape[1:3])
        padded = self.inference.padded(sides)
        return DenoisedFile(
            printable(name),
            before,
            after,
            GREY if made_grey else channels,
            None if padded == sides else padded,
            _taken_away(noisy, denoised),
            self.estimate(noisy),
        )

    def _read(self, path, limits):
        """Images of a file as float32, the file's layout, and whether colour was given up."""
        images, layout = read_images(path, self.channels, self.layout, limits)
        made_grey = self.gray and images.shape[-1] == 3
        return with_channels(images, 1) if made_grey else images, layout, made_grey


def _taken_away(noisy, denoised):
    """|y - D(y)| / sqrt(d) over all images, in parts: of a large image each array counts."""
    powers = [
        np.sum(np.square(y - x, dtype=np.float64))
        for pair in zip(noisy, denoised, strict=True)
        for y, x in zip(*map(blocks, pair), strict=True)
    ]
    return float(np.sqrt(sum(powers) / noisy.size))


def _describe(images):
    count, *shape = images.shape
    return f"{count} image(s) of {'x'.join(map(str, shape))}"


def _write(path, images, layout):
    if path.suffix.lower() == ".npy":
        # NumPy adds the suffix to a name that has it in capitals, but not to a file.
        with path.open("wb") as file:
            np.save(file, from_images(images, layout))
    else:
        write_image(path, images[0])
