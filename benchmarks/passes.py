"""Quality against passes of the network: `python -m benchmarks.passes --backend B --out FOLDER`.

All samplers restore images from three measurements, draw from the prior in a small denoiser, and draw
from the best denoiser of a small training set. Writes numbers.json, table.md and passes.png. The small
denoiser comes along; restorations are of `--images`, a .npz file of grey images, by `--denoiser`, and are
left out without these. `--smoke` takes few and small images, to see that it works.
"""

import argparse
import dataclasses
import json
import os
import sys
import time
from pathlib import Path

import numpy as np

# What else is of the package is imported later: most rooms import Keras, whose backend is chosen first.
from keras_gahr.backend_choice import BACKENDS

SAMPLERS = (
    ("ascent", {"beta": 0.1}),
    ("ascent", {"beta": 0.1, "h0": 0.3}),
    ("ascent", {"beta": 0.5}),
    ("ascent", {"beta": 0.5, "h0": 0.3}),
    ("euler", {"steps": 20}),
    ("heun", {"steps": 10}),
    ("ancestral", {"steps": 20}),
    ("multistep", {"steps": 20, "beta": 0.5}),
    ("multistep", {"steps": 10}),
    ("multistep", {"steps": 15}),
    ("multistep", {"steps": 20}),
    ("multistep", {"steps": 30}),
    ("multistep", {"steps": 20, "beta": 0.01}),
    # The published code's, and last, since it takes longer than all others.
    ("ascent", {"beta": 0.01}),
)

REFERENCE = ("ascent", {"beta": 0.1})
"""Whose law of samples the others are compared with; drawn from another seed."""


@dataclasses.dataclass(frozen=True)
class Scale:
    """The sizes.

    Args:
        side: of the crops that are restored.
        images: how many of them.
        measurements: of them.
        samples: that are drawn from the small denoiser.
        training: images of the small training set, of `set_side`, of which `drawn` samples are drawn.
        samplers: how many of `SAMPLERS`, from the start.
    """

    side: int = 32
    images: int = 4
    measurements: tuple[str, ...] = ("inpainting:8x8", "super-resolution:4", "random-pixels:0.2")
    samples: int = 120
    training: int = 32
    set_side: int = 8
    drawn: int = 32
    samplers: int = len(SAMPLERS)


FULL = Scale()
SMOKE = Scale(
    side=16, images=2, measurements=("inpainting:4x4",), samples=20, training=4, drawn=4, samplers=2
)
SMALL, SMALL_END = "disks-24-unet", 0.05
"""The small denoiser, and where its samplers end: it does not see less noise."""


def restorations(denoiser, images, scale, name, options):
    """Yields {"psnr", "passes"}, lists over images, for each measurement."""
    from keras_gahr.psnr import psnr_of_any
    from keras_gahr.sampling import sample
    from keras_gahr.sampling.measurements import parse_measurement

    for text in scale.measurements:
        measurement = parse_measurement(text, images.shape[1:])
        found = sample(
            denoiser,
            images.shape[1:],
            count=len(images),
            measurement=measurement,
            measured=measurement(images),
            sampler=name,
            schedule=_schedule(name, options),
            progress=False,
        )
        quality = psnr_of_any(np.clip(found.images, 0, 1), images)
        yield {"psnr": quality.tolist(), "passes": found.passes.tolist()}


def prior(denoiser, side, count, seed, name, options):
    """`Samples` of the small denoiser."""
    from keras_gahr.sampling import sample

    return sample(
        denoiser,
        (side, side),
        count=count,
        seed=seed,
        batch_size=count,
        sampler=name,
        schedule=_ended(_schedule(name, {**options, "sigma_end": SMALL_END})),
        progress=False,
    )


def copies(training, scale, name, options):
    """The share of samples of the best denoiser of a training set that are copies of it."""
    from keras_gahr.analysis import memorization_report
    from keras_gahr.baselines import EmpiricalBayes

    denoiser = EmpiricalBayes(training)
    found = prior(denoiser, scale.set_side, scale.drawn, 2, name, options)
    return memorization_report(found.images, training).share_memorized


def _schedule(name, options):
    from keras_gahr.sampling import SAMPLERS as known

    return known[name].schedule(**options)


def _ended(schedule):
    """With twice as many steps as predicted at most: few images go on for long."""
    if hasattr(schedule, "predicted_steps"):
        schedule = dataclasses.replace(schedule, max_steps=2 * schedule.predicted_steps())
    return schedule


def measure(denoiser, images, scale):
    """Yields what is found of each sampler: a row of numbers.json."""
    from keras_gahr.analysis import kernel_distance
    from keras_gahr.denoisers import load_denoiser

    small = load_denoiser(SMALL)
    side = 24
    drawn = np.random.default_rng(0)
    training = drawn.random((scale.training, scale.set_side, scale.set_side, 1), np.float32)
    training = (training > 0.5).astype(np.float32)
    reference = np.clip(prior(small, side, scale.samples, 0, *REFERENCE).images, 0, 1)
    for name, options in SAMPLERS[: scale.samplers]:
        started = time.perf_counter()
        row = {"sampler": name, "options": options, "restored": []}
        if denoiser is not None:
            row["restored"] = list(restorations(denoiser, images, scale, name, options))
        found = prior(small, side, scale.samples, 1, name, options)
        distance, error = kernel_distance(np.clip(found.images, 0, 1), reference)
        row["drawn"] = {
            "passes": float(found.passes.mean()),
            "distance": distance,
            "error": error,
            "converged": found.status.count("converged") / len(found.status),
        }
        row["copies"] = copies(training, scale, name, options)
        row["seconds"] = time.perf_counter() - started
        yield row


def crops(path, scale):
    """Middles of grey images at half their size: `(images, side, side, 1)`."""
    with np.load(path) as stored:
        found = []
        for name in sorted(stored)[: scale.images]:
            image = stored[name].astype(np.float32) / 255
            height, width = (side // 2 for side in image.shape)
            half = image[: 2 * height, : 2 * width].reshape(height, 2, width, 2).mean((1, 3))
            top, left = (height - scale.side) // 2, (width - scale.side) // 2
            found.append(half[top : top + scale.side, left : left + scale.side, None])
    return np.stack(found)


def label(row):
    """A sampler and its options in words."""
    return " ".join(
        [row["sampler"], *(f"{name} {value}" for name, value in row["options"].items())]
    )


def table(rows, scale):
    """The rows as Markdown."""
    shown = scale.measurements if rows[0]["restored"] else ()
    header = ["sampler", *shown, "passes", "distance", "copies"]
    lines = [header, ["---"] * len(header)]
    for row in rows:
        cells = [label(row)]
        for found in row["restored"]:
            cells.append(f"{np.mean(found['psnr']):.2f} ({np.mean(found['passes']):.0f})")
        drawn = row["drawn"]
        cells.append(f"{drawn['passes']:.0f}")
        cells.append(f"{1e3 * drawn['distance']:.1f} ± {1e3 * drawn['error']:.1f}")
        cells.append(f"{row['copies']:.2f}")
        lines.append(cells)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def run(out, smoke, denoiser, images):
    """Measures all samplers and writes what is found; see the module."""
    import keras

    from keras_gahr.denoisers import load_denoiser
    from keras_gahr.files import replacing

    from .passes_figure import passes_figure

    scale = SMOKE if smoke else FULL
    out.mkdir(parents=True, exist_ok=True)
    given = (None, None)
    if denoiser is not None:
        given = load_denoiser(denoiser), crops(images, scale)
    rows = []
    for row in measure(*given, scale):
        rows.append(row)
        print(f"{label(row)}: {row['seconds']:.0f} s", flush=True)
        numbers = {
            "backend": keras.backend.backend(),
            "scale": dataclasses.asdict(scale),
            "rows": rows,
        }
        with replacing(out / "numbers.json") as temporary:
            temporary.write_text(json.dumps(numbers, indent=1) + "\n")
    text = table(rows, scale)
    with replacing(out / "table.md") as temporary:
        temporary.write_text(text)
    print(text)
    passes_figure(rows, scale.measurements, out / "passes.png")


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.passes", description=__doc__)
    parser.add_argument("--backend", choices=BACKENDS, help="of Keras; default: KERAS_BACKEND")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for numbers.json, table.md, passes.png"
    )
    parser.add_argument("--denoiser", type=Path, help="file or name of a grey denoiser")
    parser.add_argument("--images", type=Path, help=".npz of grey images, uint8")
    parser.add_argument("--smoke", action="store_true", help="few and small images")
    options = parser.parse_args(arguments)
    if (options.denoiser is None) != (options.images is None):
        parser.error("expected both --denoiser and --images, or none")
    if options.backend:
        os.environ["KERAS_BACKEND"] = options.backend
    run(options.out, options.smoke, options.denoiser, options.images)
    return 0


if __name__ == "__main__":
    sys.exit(main())
