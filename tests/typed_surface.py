"""A program that a type checker reads, as users write it; the lint environment does. It is never run."""

from pathlib import Path
from typing import assert_type

import numpy as np

import keras_gahr as kg

denoiser = kg.load_denoiser("denoiser.keras")
assert_type(denoiser, kg.Denoiser)
noisy = np.zeros((40, 40))

trained = kg.train(np.zeros((8, 40, 40)), out="run", epochs=2)
assert_type(trained, kg.training.TrainingResult)
assert_type(trained.test_psnr, float | None)

assert_type(kg.denoise(denoiser, noisy), np.ndarray)
assert_type(kg.denoise("denoiser.keras", [noisy, noisy]), list[np.ndarray])
assert_type(kg.Inference(denoiser).denoise(noisy[None, ..., None]), np.ndarray)

samples = kg.sample(denoiser, (40, 40), count=4, schedule=kg.sampling.AscentSchedule(beta=0.1))
assert_type(samples, kg.sampling.Samples)
assert_type(samples.images, np.ndarray)
assert_type(samples.save("samples", overwrite=True), Path)
samples.plot(title="Samples")

hole = kg.measurements.inpainting(noisy == 0)
mean = kg.restore(denoiser, noisy, hole).mean
assert_type(kg.restore(denoiser, [noisy], hole), list[kg.restoration.Restoration])
assert_type(kg.restore(denoiser, [noisy], hole)[0].mean, np.ndarray)

basis = kg.eigenbasis(denoiser, noisy, 16, progress=False)
assert_type(basis, kg.analysis.Eigenbasis)
basis.save(Path("basis"), clean=noisy, sigma=0.1)

curve = kg.psnr_curve(denoiser, noisy, sigmas=[0.1, 0.5], progress=print)
assert_type(curve.mean, np.ndarray)

report = kg.memorization_report(samples.images, np.zeros((8, 40, 40)))
assert_type(report.verdict, str)
both = kg.compare([denoiser, "other.keras"], [np.zeros((8, 40, 40))] * 2, count=4)
assert_type(both, kg.analysis.Comparison)
