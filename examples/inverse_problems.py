# %% [markdown]
# # Solve inverse problems
#
# A denoiser knows what images look like. So one and the same network, trained for nothing but
# noise, fills holes and enlarges: the sampler climbs the prior and keeps what was measured.

# %%
# Where the package is missing, as on Colab, this installs it; elsewhere it does nothing.
import importlib.util
import os
import subprocess
import sys

if importlib.util.find_spec("keras_gahr") is None:
    package = "keras-gahr[torch]"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", package], check=True)
    importlib.invalidate_caches()
    os.environ["KERAS_BACKEND"] = "torch"

# %%
import matplotlib.pyplot as plt
import numpy as np

import keras_gahr as kg

# %% tags=["parameters"]
MODEL = None  # a .keras denoiser of yours; None trains a small one on C^alpha images
PHOTO = None  # a picture for it; None draws one
SIZE = 24
TRAINING_IMAGES, EPOCHS, KERNELS = 4000, 10, 16
REPEAT = 8  # samples of each image, which are averaged
SIGMA_END = 0.02
MEASUREMENTS = (
    "inpainting:8x8",
    "random-pixels:0.3",
    "super-resolution:2",
    "spectral:0.3",
    "deblur:gaussian:1.0",
)

# %%
if MODEL:
    denoiser = kg.load_denoiser(MODEL)
else:
    images = kg.datasets.c_alpha_images(TRAINING_IMAGES + 64, SIZE, seed=0, alpha=3)
    result = kg.train(
        images[64:],
        images[:64],
        num_kernels=KERNELS,
        num_blocks=2,
        epochs=EPOCHS,
        images_per_epoch=TRAINING_IMAGES,
        batch_size=16,
        learning_rate=2e-3,
        halve_every=max(1, EPOCHS // 5),
    )
    denoiser = result.denoiser

if PHOTO:
    clean = kg.datasets.read_image(PHOTO, channels=denoiser.output_channels)[:SIZE, :SIZE]
else:
    clean = kg.datasets.c_alpha_images(1, SIZE, seed=1, alpha=3)[0]

# %% [markdown]
# ## Five measurements
#
# Each is a linear map with orthonormal rows. "Least norm" is what the measurement alone tells. One
# sample is an image that could have been; the mean of several mostly has the smaller error, and
# less detail. No result is better than the network is in little noise: a small one makes worse
# what a weak blur leaves.

# %%
schedule = kg.sampling.AscentSchedule(beta=0.5, sigma_end=SIGMA_END)
for text in MEASUREMENTS:
    measurement = kg.measurements.parse_measurement(text, clean.shape)
    found = kg.restore(
        denoiser,
        measurement(clean),
        measurement,
        clean=clean,
        repeat=REPEAT,
        schedule=schedule,
    )
    quality = found.quality()
    figure, places = plt.subplots(1, 5, figsize=(11, 2.6))
    pictures = {
        "clean": clean,
        **found.images,
        "deviation": found.deviation / max(found.deviation.max(), 1e-6),
    }
    for axes, (name, picture) in zip(places, pictures.items(), strict=True):
        axes.imshow(np.squeeze(np.clip(picture, 0, 1)), cmap="gray", vmin=0, vmax=1)
        decibels = quality.get(f"psnr_{name}")
        title = name.replace("minimum_norm", "least norm")
        axes.set_title(title if decibels is None else f"{title}, {decibels:.1f} dB", fontsize=9)
        axes.set_axis_off()
    figure.suptitle(f"{text} ({', '.join(sorted(set(found.status)))})", y=1.04)
    plt.show()
    plt.close(figure)

# %% [markdown]
# A measurement of your own needs two methods, `measure` and its adjoint `back_project`: see "Add a
# measurement" in the documentation.
