"""Draws the pictures of the reference into docs/pictures/, from drawn images alone.

    python docs/site/pictures.py [RUN]

A small network is trained first, for about two minutes on a laptop, or that of the training run RUN is
taken.
"""

import contextlib
import csv
import sys
import tempfile
from pathlib import Path

import numpy as np
from keras import ops

import keras_gahr as kg
from weights_convert import read_checkpoint

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "pictures"
SIDE, ALPHA, SIGMA = 24, 3, 0.15
SCHEDULE = kg.sampling.AscentSchedule(beta=0.5, sigma_end=0.02)


def trained(run):
    """The network of a run, which is made unless it is there."""
    if not (run / "model.keras").exists():
        tests, images = training_images()
        network = {"num_kernels": 16, "num_blocks": 2, "seed": 0}
        steps = {"epochs": 10, "images_per_epoch": 4000, "batch_size": 16}
        rate = {"learning_rate": 2e-3, "halve_every": 2}
        kg.train(images, tests, out=run, **network, **steps, **rate)
    return kg.load_denoiser(run)


def training_images():
    """Test images, and those that the network is trained on."""
    images = kg.datasets.c_alpha_images(4064, SIDE, seed=0, alpha=ALPHA)
    return images[:64], images[64:]


def rows(path):
    """The lines of a table of numbers, where they are numbers."""

    def number(text):
        for kind in (int, float):
            with contextlib.suppress(ValueError):
                return kind(text)
        return text

    with path.open(newline="", encoding="utf-8") as file:
        return [{key: number(text) for key, text in row.items()} for row in csv.DictReader(file)]


def noisy(images, sigma):
    """An image or several, each with other noise."""
    several = images.reshape(-1, SIDE, SIDE, 1)
    noise = kg.noise.keyed_normal(0, range(len(several)), 0, several.shape[1:])
    return images + sigma * noise.reshape(images.shape)


def pattern(vector):
    """An image of a vector, grey being 0."""
    return 0.5 + vector / (2 * np.abs(vector).max())


def figures(run):
    """Yields each picture's name and its figure."""
    denoiser = trained(run)
    tests = kg.datasets.c_alpha_images(32, SIDE, seed=1, alpha=ALPHA)
    clean = tests[2]
    seen = noisy(clean, SIGMA)

    residual = seen - kg.denoise(denoiser, seen)
    row = [("y", seen), ("residual r(y)", pattern(residual)), ("y - r(y)", seen - residual)]
    yield "load", kg.plot.image_row(row)

    denoised = []
    for sigma in (0.1, 0.3, 0.6):
        given = noisy(tests[2:6], sigma)
        denoised.append((sigma, tests[2:6], given, kg.denoise(denoiser, given)))
    yield "denoise", kg.plot.denoised_images(denoised)

    trajectory = kg.sampling.Trajectory(1)
    kg.sample(denoiser, (SIDE, SIDE), first_image=1, schedule=SCHEDULE, trajectory=trajectory)
    steps = np.unique(np.linspace(0, len(trajectory.t) - 1, 6).astype(int))
    shown = [(f"sigma {trajectory.sigma[k, 0]:.2f}", trajectory.y[k, 0]) for k in steps]
    yield "sample", kg.plot.image_row(shown)

    measurement = kg.measurements.parse_measurement("super-resolution:2", clean.shape)
    observed = measurement(clean)
    found = kg.restore(denoiser, observed, measurement, clean=clean, repeat=8, schedule=SCHEDULE)
    title = "means of 2x2 pixels"
    yield "restore", kg.plot.restored_images(found, measurement=title, observed=observed)

    basis = kg.eigenbasis(denoiser, seen, count=64)
    images = [("noisy", np.clip(seen, 0, 1))]
    yield "eigenbasis", kg.plot.eigenvectors(basis.left[:15], basis.shrinkage[:15], images=images)
    bases = kg.analysis.eigenbases(denoiser, clean, [0.05, 0.15, 0.45], count=64)
    lines = [(sigma, each.shrinkage) for sigma, each in zip((0.05, 0.15, 0.45), bases, strict=True)]
    yield "analysis", kg.plot.shrinkage_over_noise(lines)

    wiener = kg.baselines.Wiener.from_images(
        kg.datasets.c_alpha_images(2000, SIDE, seed=0, alpha=ALPHA)
    )
    curves = {
        "UNet": kg.psnr_curve(denoiser, tests),
        "Wiener": kg.psnr_curve(wiener, tests, told=True),
    }
    lines = [kg.plot.PSNRLine.of_curve(name, curve) for name, curve in curves.items()]
    yield "psnr", kg.plot.psnr_lines(lines)

    oracle = kg.baselines.OracleThresholding(clean.shape, clean=clean)
    few = kg.baselines.EmpiricalBayes(tests[8:])
    row = [("clean", clean), ("noisy", seen)]
    for name, each in (("Wiener", wiener), ("oracle", oracle), ("of 24 images", few)):
        row.append((name, kg.denoise(each, seen)))
    yield "baselines", kg.plot.image_row(row)

    options = {"sigmas": [0.05, 0.15, 0.45], "patch": 9, "samples": 2, "most_local": 50}
    yield "explanation", kg.explain(denoiser, training_images()[1], tests, **options).plot()

    found = kg.log_density(denoiser, tests, evaluations=100)
    yield "density", list(kg.plot.figures_of(kg.analysis.DensityComparison.of(found, tests)))[1][1]

    tiny = kg.load_denoiser(ROOT / "tests" / "golden" / "tiny_unet_trained.pt")
    sigmas = [0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1]
    yield "noise_level", kg.analysis.noise_calibration(tiny, tests[:16], sigmas).plot()

    row = [
        ("C^alpha", tests[5]),
        ("disk", max(kg.datasets.disk_images(8, SIDE, 0), key=np.std)),
        ("sine", kg.datasets.sine_images(1, SIDE, 0)[0]),
        ("ray", kg.datasets.ray_images(1, tests[5], 0)[0]),
        ("shuffled", kg.datasets.shuffle(tests[5], kg.datasets.permutation(SIDE, SIDE, 0))),
    ]
    yield "datasets", kg.plot.image_row(row)

    row = [(f"sigma {level:.2f}", noisy(clean, level)) for level in (0.05, 0.15, 0.45, 1)]
    yield "noise", kg.plot.image_row(row)

    row, tensor = [("x", clean)], ops.convert_to_tensor(clean[None])
    for text in ("inpainting:8x8", "random-pixels:0.3", "super-resolution:4", "spectral:0.3"):
        seen_by = kg.measurements.parse_measurement(text, clean.shape)
        row.append((text, ops.convert_to_numpy(seen_by.project(tensor))[0]))
    yield "measurements", kg.plot.image_row(row)

    yield "training", kg.plot.training_history(rows(run / "history.csv"))
    yield "runs", kg.plot.training_levels(rows(run / "levels.csv"))

    samples = kg.sample(denoiser, (SIDE, SIDE), count=16, schedule=SCHEDULE).images
    curve = curves["UNet"]
    table = list(zip(curve.sigmas, curve.input_psnr, curve.mean, strict=True))
    yield "plot", kg.plot.denoising_summary(denoised, table, samples)

    kernels = read_checkpoint(ROOT / "tests" / "golden" / "tiny_unet_trained.pt")
    first = next(array for array in kernels.values() if np.ndim(array) == 4)
    row = [(f"{k + 1}", pattern(kernel[0])) for k, kernel in enumerate(first[:8])]
    yield "weights_convert", kg.plot.image_row(row)


def main():
    with tempfile.TemporaryDirectory() as folder:
        run = Path(sys.argv[1] if len(sys.argv) > 1 else f"{folder}/run")
        for name, figure in figures(run):
            kg.plot.save(figure, PICTURES / f"{name}.png", overwrite=True)
            print(name)


if __name__ == "__main__":
    main()
