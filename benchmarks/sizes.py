"""Cost against size: `python -m benchmarks.sizes --backend B --out FOLDER`.

Time and peak memory of denoising and of a training step against the side of the images and the batch,
and of de-duplication, of the search for the closest training image and of the optimal denoiser against
the number of images. Writes numbers.json, with an exponent fitted to each curve, and sizes.png.
`--smoke` takes small sizes only, to see that it works.
"""

import argparse
import dataclasses
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

# What else is of the package is imported later: most rooms import Keras, whose backend is chosen first.
from keras_gahr.backend_choice import BACKENDS

from .peak import peak_memory
from .scale import CPU

SECONDS = 1.0
"""Measurements of one size go on for so long, but there are 3 to 15 of them."""


class CurveFailed(Exception):
    """The process that was to measure a curve failed."""


@dataclasses.dataclass(frozen=True)
class Scale:
    """The sizes.

    Args:
        kernels: of the first block of the UNet of 3 blocks.
        sides: of the images, with batches of `batch`.
        batches: with images of `side`.
        counts: of the images of a set.
        set_side: of these.
        samples: that are compared with the set, and noisy images that are denoised by it.
    """

    kernels: int = 64
    sides: tuple[int, ...] = (24, 40, 80, 120, 160)
    batch: int = 4
    batches: tuple[int, ...] = (1, 2, 4, 16, 64)
    side: int = 40
    counts: tuple[int, ...] = (1_000, 5_000, 20_000, 80_000, 200_000)
    set_side: int = 20
    samples: int = 16


FULL = Scale()
SMOKE = Scale(
    kernels=2, sides=(8, 16), batches=(1, 2, 4), side=8, counts=(20, 40), set_side=4, samples=2
)


@dataclasses.dataclass(frozen=True)
class Curve:
    """One cost against one size.

    Args:
        title: what is done.
        size: what the size is of.
        points: a function of a `Scale` that yields (size, function to time), ascending.
        start: the exponent is fitted to sizes from this one; what does not grow hides it below.
    """

    title: str
    size: str
    points: object
    start: int


def denoising(shapes, kernels):
    """Yields functions that denoise images `(batch, side, side, 1)` of these shapes."""
    from keras_gahr.denoisers import Inference

    inference = Inference(_unet(kernels), batch_size=max(shape[0] for shape in shapes))
    for shape in shapes:
        noisy = _noisy(shape)
        yield lambda noisy=noisy: inference.denoise(noisy)


def training(shapes, kernels):
    """Yields functions that take a training step on images of these shapes."""
    from keras_gahr.training import TrainingSettings
    from keras_gahr.training.blind_training import compiled_training

    model = compiled_training(_unet(kernels), TrainingSettings(), 1)
    for shape in shapes:
        clean = np.clip(_noisy(shape), 0, 1)
        # As a number, the loss is there only when the step is over.
        yield lambda clean=clean: float(model.train_on_batch(clean, return_dict=True)["loss"])


def deduplication(images, samples):
    from keras_gahr.datasets.duplicates import find_repeats

    return lambda: find_repeats(images)


def closest_image(images, samples):
    from keras_gahr.analysis.similarity import closest

    return lambda: closest(_noisy((samples, *images.shape[1:])), images)


def optimal_denoising(images, samples):
    from keras_gahr.baselines import EmpiricalBayes
    from keras_gahr.denoisers import Inference

    inference = Inference(EmpiricalBayes(images, sigma=0.1))
    noisy = _noisy((samples, *images.shape[1:]))
    return lambda: inference.denoise(noisy)


def _unet(kernels):
    from .networks import unet

    return unet(dataclasses.replace(CPU, kernels=kernels))


def _noisy(shape):
    return np.random.default_rng(0).normal(0.5, 0.3, shape).astype(np.float32)


def _by_side(make):
    def points(scale):
        shapes = [(scale.batch, side, side, 1) for side in scale.sides]
        yield from zip(scale.sides, make(shapes, scale.kernels), strict=True)

    return points


def _by_batch(make, least=1):
    def points(scale):
        batches = [batch for batch in scale.batches if batch >= least]
        shapes = [(batch, scale.side, scale.side, 1) for batch in batches]
        yield from zip(batches, make(shapes, scale.kernels), strict=True)

    return points


def _by_count(make):
    def points(scale):
        shape = (max(scale.counts), scale.set_side, scale.set_side, 1)
        images = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
        for count in scale.counts:
            yield count, make(images[:count], scale.samples)

    return points


CURVES = {
    "denoising by side": Curve("denoising", "image side", _by_side(denoising), 40),
    "training by side": Curve("training step", "image side", _by_side(training), 40),
    "denoising by batch": Curve("denoising", "batch", _by_batch(denoising), 4),
    # Keras on PyTorch cannot train on a single small image.
    "training by batch": Curve("training step", "batch", _by_batch(training, least=2), 4),
    "de-duplication": Curve("de-duplication", "images", _by_count(deduplication), 5_000),
    "closest image": Curve("closest image", "images", _by_count(closest_image), 5_000),
    "empirical Bayes": Curve("empirical Bayes", "images", _by_count(optimal_denoising), 5_000),
}


def measure(points, seconds=SECONDS):
    """Yields {"size", "seconds", "spread", "peak_bytes"} for each point.

    The spread is that of the middle half of the measurements: in one of them PyTorch may export what
    has been called often.

    The peak is by how much this process's has risen since the first size was prepared. Sizes ascend,
    so it is the last one's.
    """
    before = None
    for size, function in points:
        before = peak_memory() if before is None else before
        taken = [_seconds(function)]
        # A long first call is a measurement, although something may have been compiled in it.
        if taken[0] < 30 * seconds:
            taken = [_seconds(function)]
            while len(taken) < 3 or (len(taken) < 15 and sum(taken) < seconds):
                taken.append(_seconds(function))
        low, middle, high = np.quantile(taken, (0.25, 0.5, 0.75)).tolist()
        yield {
            "size": size,
            "seconds": middle,
            "spread": [low, high],
            "peak_bytes": peak_memory() - before,
        }


def _seconds(function):
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def exponent(sizes, costs, start):
    """The slope of log cost against log size, by least squares.

    Args:
        sizes, costs: positive numbers.
        start: smaller sizes are left out, unless fewer than two are left.

    Returns:
        {"exponent", "error", "from", "to"}: the error is the standard one, None with two points.
    """
    used = [(size, cost) for size, cost in zip(sizes, costs, strict=True) if size >= start]
    used = used if len(used) > 1 else list(zip(sizes, costs, strict=True))
    x, y = np.log(np.array(used, float)).T
    x, y = x - x.mean(), y - y.mean()
    slope = (x @ y) / (x @ x)
    error = None
    if len(used) > 2:
        error = float(np.sqrt(np.sum((y - slope * x) ** 2) / (len(used) - 2) / (x @ x)))
    return {"exponent": float(slope), "error": error, "from": used[0][0], "to": used[-1][0]}


def measure_apart(name, smoke):
    """The points of a curve, measured in a process of its own, so that no other's memory counts."""
    command = [sys.executable, "-m", "benchmarks.sizes", "--curve", name]
    done = subprocess.run(
        [*command, "--smoke"] if smoke else command, stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        raise CurveFailed(f"{name} failed: see above")
    return json.loads(done.stdout.splitlines()[-1])


def run(out, smoke):
    """Measures all curves and writes what is found; see the module."""
    import keras

    from keras_gahr.files import replacing

    from .sizes_figure import sizes_figure

    out.mkdir(parents=True, exist_ok=True)
    curves = []
    for name, curve in CURVES.items():
        points = measure_apart(name, smoke)
        sizes, seconds = ([point[key] for point in points] for key in ("size", "seconds"))
        fitted = exponent(sizes, seconds, curve.start)
        curves.append({"title": curve.title, "of": curve.size, "points": points, "time": fitted})
        error = "" if fitted["error"] is None else f" +- {fitted['error']:.2f}"
        print(
            f"{curve.title:16} against {curve.size:10} exponent {fitted['exponent']:.2f}{error} "
            f"from {fitted['from']} to {fitted['to']}, {seconds[-1]:.3g} s at most",
            flush=True,
        )
    numbers = {
        "backend": keras.backend.backend(),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "scale": dataclasses.asdict(SMOKE if smoke else FULL),
        "curves": curves,
    }
    with replacing(out / "numbers.json") as temporary:
        temporary.write_text(json.dumps(numbers, indent=1) + "\n")
    sizes_figure(f"Cost against size, {numbers['backend']}", curves, out / "sizes.png")


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sizes", description=__doc__)
    parser.add_argument("--backend", choices=BACKENDS, help="of Keras; default: KERAS_BACKEND")
    parser.add_argument("--out", type=Path, help="folder for numbers.json and sizes.png")
    parser.add_argument("--smoke", action="store_true", help="small sizes")
    parser.add_argument("--curve", choices=CURVES, help="measure this one and print its points")
    options = parser.parse_args(arguments)
    if (options.out is None) == (options.curve is None):
        parser.error("expected --out FOLDER, or --curve")
    if options.backend:
        os.environ["KERAS_BACKEND"] = options.backend
    if options.curve:
        points = CURVES[options.curve].points(SMOKE if options.smoke else FULL)
        print(json.dumps(list(measure(points, 0 if options.smoke else SECONDS))))
        return 0
    try:
        run(options.out, options.smoke)
    except CurveFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
