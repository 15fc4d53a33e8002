"""A program that a type checker reads, as users write it; the lint environment does. It is never run."""

from pathlib import Path
from typing import Any, assert_type

import numpy as np

import keras_gahr as kg

assert_type(kg.__version__, str)

denoiser = kg.load_denoiser("denoiser.keras")
assert_type(denoiser, kg.Denoiser)
noisy = np.zeros((40, 40))
many = np.zeros((8, 40, 40))

assert_type(kg.as_denoiser("denoiser.keras"), kg.Denoiser)
built = kg.build_denoiser("unet", num_kernels=16)
assert_type(built, kg.Denoiser)
kg.save_denoiser(built, Path("denoiser.keras"))
followed = kg.train(many, track="mlflow:faces", trackers=[kg.training.Tracker()])
assert_type(followed, kg.training.TrainingResult)
pushed = kg.push_to_hub(built, "lab/faces", licence="mit", datasets=["lab/pictures"])
assert_type(kg.load_denoiser(pushed.address), kg.Denoiser)
assert_type(pushed.url, str)
wrapped = kg.wrap(built, predicts="residual", value_range=(0, 1))
assert_type(wrapped.at(0.1), kg.Denoiser)
assert_type(kg.UNet(num_channels=1).num_blocks, int)
networks: list[kg.Denoiser] = [
    kg.BFCNN(num_layers=3),
    kg.DilatedUNet(num_kernels=4),
    kg.FlexibleUNet(num_kernels=[4, 8]),
    kg.ReceptiveFieldBFCNN(receptive_field=9),
    kg.MultiScaleDenoiser(denoiser, [denoiser]),
]
kg.BiasFreeNorm(momentum=0.1)
try:
    kg.denoise("no-such.keras", noisy)
except kg.InputError as error:
    assert_type(str(error), str)

faces = kg.datasets.load("faces80")
assert_type(faces, kg.datasets.Dataset)
assert_type(faces.as_float(slice(8)), np.ndarray)
assert_type(faces.split(train=100, test=10), tuple[kg.datasets.Dataset, kg.datasets.Dataset])
assert_type(faces.subset(100).value_range, tuple[float, float])
assert_type(kg.datasets.shuffle(many, np.arange(1600)), np.ndarray)
assert_type(kg.datasets.intensities(many), kg.datasets.Intensities)
assert_type(kg.datasets.find_overlap(many, many), kg.datasets.Overlap)

features = kg.analysis.as_features(lambda images: images.mean(axis=(1, 2)))
assert_type(features, kg.analysis.Features)
assert_type(features.of(many), np.ndarray)
kg.analysis.as_features(Path("sscd.onnx"))
near = kg.analysis.closest_features(features.of(many), features.of(many))
assert_type(near, dict[str, kg.analysis.Closest])
copying = kg.analysis.copying_report(many, many, features=features, threshold=0.6)
assert_type(copying, kg.analysis.CopyingReport)
assert_type(copying.measures["f_mem"].found.interval, tuple[float, float])
assert_type(copying.share_memorized, float)
explanation = kg.explain(denoiser, many, many, sigmas=[0.1], patch=5, rivals={"law": denoiser})
assert_type(explanation, kg.analysis.Explanation)
dimension = kg.analysis.local_dimension(denoiser, many, [0.01, 0.1])
assert_type(dimension.value, np.ndarray)
spectrum = kg.analysis.spectral_density(denoiser, many, probes=8, steps=16)
assert_type(spectrum, kg.analysis.SpectralDensity)
assert_type(spectrum.count_above(0.5), kg.analysis.CountAbove)
assert_type(spectrum.count_above().mean, tuple[float, tuple[float, float]])
by_dimension = kg.analysis.copies_by_dimension(dimension.value, many, many)
assert_type(by_dimension.told_apart, tuple[float, tuple[float, float]] | None)
probable = kg.log_density(denoiser, many, seed=1, error=0.01)
assert_type(probable, kg.analysis.LogDensity)
assert_type(probable.bits_per_dimension, np.ndarray)
assert_type(explanation.explained_by, dict[float, list[str]])

trained = kg.train(many, out="run", epochs=2)
assert_type(trained, kg.training.TrainingResult)
assert_type(trained.test_psnr, float | None)
kg.train(faces, kg.datasets.load("others"), denoiser=built)

assert_type(kg.denoise(denoiser, noisy), np.ndarray)
assert_type(kg.denoise("denoiser.keras", [noisy, noisy]), list[np.ndarray])
assert_type(kg.Inference(denoiser).denoise(noisy[None, ..., None]), np.ndarray)
assert_type(kg.noise.keyed_normal(0, [0], 0, (40, 40, 1)), np.ndarray)
wiener = kg.baselines.Wiener.from_images(many)
assert_type(kg.denoise(wiener, noisy), np.ndarray)
law = kg.datasets.law_of(faces)
assert_type(law, kg.datasets.MixtureOfGaussians)
assert_type(kg.datasets.mixture_images(9, seed=0, rank=3), np.ndarray)
assert_type(kg.baselines.GaussianMixture(law, sigma=0.1).jacobian(noisy), np.ndarray)
local = kg.baselines.LocalBayes(many, [(0.1, 3), (1.0, 15)], rule="equivariant")
assert_type(kg.denoise(local, noisy), np.ndarray)
calibration = kg.analysis.calibrate(denoiser, many, noisy, sigmas=[0.1, 1.0], sides=(3, 15))
kg.baselines.LocalBayes(many, patch=calibration.sides)
kg.baselines.LocalBayes(many, patch=kg.analysis.read_sides(calibration.save("calibration")))
assert_type(kg.baselines.MaskedBayes(many).mask(0.1), np.ndarray)
assert_type(kg.denoisers.as_inference(wiener), kg.Inference)

samples = kg.sample(denoiser, (40, 40), count=4, schedule=kg.sampling.AscentSchedule(beta=0.1))
assert_type(samples, kg.sampling.Samples)
assert_type(samples.images, np.ndarray)
assert_type(samples.save("samples", overwrite=True), Path)
samples.plot(title="Samples")

hole = kg.measurements.inpainting(noisy == 0)
assert_type(hole(noisy), np.ndarray)
mean = kg.restore(denoiser, noisy, hole).mean
assert_type(kg.restore(denoiser, [noisy], hole), list[kg.restoration.Restoration])
assert_type(kg.restore(denoiser, [noisy], hole)[0].mean, np.ndarray)

basis = kg.eigenbasis(denoiser, noisy, 16, progress=False)
assert_type(basis, kg.analysis.Eigenbasis)
basis.save(Path("basis"), clean=noisy, sigma=0.1)

traces = kg.analysis.trace(denoiser, many, sigma=[0.1] * 8, error=0.5, progress=False)
assert_type(traces, kg.analysis.Traces)
assert_type(traces.interval, np.ndarray)
risk = kg.analysis.sure(denoiser, [noisy, noisy], 0.1, probes=8)
assert_type(risk, kg.analysis.Risk)
assert_type(risk.interval, np.ndarray)
levels = kg.analysis.noise_level(denoiser, many, corrected=False)
assert_type(levels.scikit_image, np.ndarray | None)
noise_curve = kg.analysis.noise_calibration(denoiser, many, [0.1, 0.2], error=1.0)
assert_type(noise_curve, kg.analysis.NoiseCalibration)
assert_type(noise_curve.ratios, dict[str, np.ndarray])
assert_type(noise_curve.save("noise", note="mine"), Path)
for _, jacobians in kg.analysis.Linearizer(denoiser, memory="2GB").blocks(many):
    assert_type(jacobians, kg.analysis.Jacobians)

curve = kg.psnr_curve(denoiser, noisy, sigmas=[0.1, 0.5], progress=print)
assert_type(curve.mean, np.ndarray)
assert_type(curve.save("curve", title="PSNR", figures="svg", note="mine"), Path)

report = kg.memorization_report(samples.images, many)
assert_type(report.verdict, str)
assert_type(report.save("report"), Path)
clock = kg.MemorizationClock(many, faces, samples=16, features=lambda images: images)
assert_type(clock.due(100), bool)
assert_type(clock.look(100, denoiser), kg.training.Look)
assert_type(clock.report().tau_mem, int | None)
kg.training.ClockCallback(clock, denoiser, stop=True)
both = kg.compare([denoiser, "other.keras"], [many] * 2, count=4)
assert_type(both, kg.analysis.Comparison)
assert_type(both.numbers(), dict[str, Any])

assert_type(kg.plot.save(kg.plot.image_row([("noisy", noisy)]), "picture.png"), Path)
assert_type(kg.runs.find_runs("runs"), list[kg.runs.Run])
assert_type(kg.experiments.find_experiment("capacity").name, str)
rooms = kg.report, kg.reproduction
