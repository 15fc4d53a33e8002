"""Run on one backend by the parity tests: writes models, and computes with models of all backends.

python backend_outputs.py FOLDER GOLDEN

It says "written" when others may read its models, and goes on when its input ends.
"""

import sys
from pathlib import Path

import keras
import numpy as np
from keras import ops

from keras_gahr import (
    BFCNN,
    DilatedUNet,
    MultiScaleDenoiser,
    ReceptiveFieldBFCNN,
    UNet,
    load_denoiser,
    save_denoiser,
)
from keras_gahr.sampling import AscentSchedule, sample
from keras_gahr.training import TrainingSettings, run_training
from weights_convert import convert

BACKEND = keras.backend.backend()


def write(folder, golden):
    convert(golden / "tiny_unet_trained.pt", folder / f"converted-{BACKEND}.keras")
    save_denoiser(UNet(num_blocks=1, num_kernels=8, seed=5), folder / f"fresh-{BACKEND}.keras")
    save_denoiser(DilatedUNet(num_kernels=4, seed=5), folder / f"dilated-{BACKEND}.keras")
    details = [
        ReceptiveFieldBFCNN(receptive_field=5, num_kernels=4, coarse=False, seed=5 + scale)
        for scale in range(2)
    ]
    multi_scale = MultiScaleDenoiser(BFCNN(num_layers=3, num_kernels=4, seed=5), details)
    save_denoiser(multi_scale, folder / f"multi_scale-{BACKEND}.keras")
    trained = UNet(num_blocks=1, num_kernels=8, seed=5)
    images = np.random.default_rng(0).random((32, 8, 8, 1), np.float32)
    settings = TrainingSettings(epochs=1, images_per_epoch=64, batch_size=8)
    run_training(trained, images, images[:0], settings, folder / f"run-{BACKEND}")
    (folder / f"run-{BACKEND}" / "model.keras").rename(folder / f"trained-{BACKEND}.keras")


def read(folder, golden):
    noisy = np.random.default_rng(1).normal(0.5, 0.3, (3, 16, 20, 1)).astype(np.float32)
    results = {}
    for path in sorted(folder.glob("*.keras")):
        denoiser = load_denoiser(path)
        results[f"residual/{path.stem}"] = denoiser.predict_on_batch(noisy)
    fresh = UNet(num_blocks=1, num_kernels=8, seed=5)
    for weight in fresh.weights:
        results[f"initial/{weight.path}"] = ops.convert_to_numpy(weight.value)
    denoiser = load_denoiser(folder / f"converted-{BACKEND}.keras")
    schedule = AscentSchedule(beta=0.1, sigma_end=0.02)
    samples = sample(denoiser, (24, 24, 1), count=6, seed=11, schedule=schedule)
    results["samples"], results["steps"] = samples.images, samples.steps
    np.savez(folder / f"results-{BACKEND}.npz", **results)


if __name__ == "__main__":
    folder, golden = map(Path, sys.argv[1:])
    write(folder, golden)
    print("written", flush=True)
    sys.stdin.read()
    read(folder, golden)
