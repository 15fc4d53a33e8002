# %% [markdown]
# # Use a published denoiser
#
# The networks of the paper are published as PyTorch checkpoints. Here one of them becomes a Keras
# model, on whichever backend is installed, without PyTorch. It then removes noise, makes images,
# and shows the basis in which it does so.

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
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import keras_gahr as kg
from keras_gahr.psnr import psnr
from weights_convert import build_from_checkpoint
from weights_convert.catalogue import fetch, find_published

# %% tags=["parameters"]
NAME = "unet-celeba-80-n99325"  # of the list that `gahr weights list` shows
CHECKPOINT = None  # the path of a checkpoint of your own, in place of a download
PHOTO = None  # a picture to denoise; None draws one
SIZE = 80  # pixels
SIGMA = 0.2  # noise level on [0, 1]
SAMPLES = 4
SIGMA_END = 0.01
VECTORS = 16


# %%
def show(images, titles):
    figure, places = plt.subplots(1, len(images), figsize=(2.4 * len(images), 2.7), squeeze=False)
    for axes, image, title in zip(places[0], images, titles, strict=True):
        axes.imshow(np.squeeze(np.clip(image, 0, 1)), cmap="gray", vmin=0, vmax=1)
        axes.set_title(title, fontsize=9)
        axes.set_axis_off()
    plt.show()
    plt.close(figure)


# %% [markdown]
# ## From the checkpoint to a Keras model
#
# The file is downloaded once and checked by its hash. Nothing in it is executed. Every layer is
# compared with an independent float64 implementation of the published network; the largest
# relative difference is printed. (`kg.load_denoiser(NAME)` does all this in one line.)
#
# Without a network connection, a small UNet takes its place that was trained on synthetic images
# for the tests of this repository. It removes noise, but makes no faces.

# %%
published = None if CHECKPOINT else find_published(NAME)
try:
    path = CHECKPOINT or fetch(published)
except kg.InputError as error:
    print(f"{error}\nTaking a small network of this repository instead.")
    folders = (Path.cwd(), *Path.cwd().parents)
    found = (folder / "tests" / "golden" / "tiny_unet_trained.pt" for folder in folders)
    path = next(path for path in found if path.exists())
denoiser, conversion = build_from_checkpoint(path, published and published.first_layer)
print(f"{conversion.architecture}, {conversion.parameters:,} parameters")
print(f"largest difference from the published network: {conversion.max_relative_difference:.1e}")

# %% [markdown]
# ## Denoise
#
# The network is not told the noise level: it sees it. |r(y)| / sqrt(d) is its estimate.

# %%
if PHOTO:
    clean = kg.datasets.read_image(PHOTO, channels=denoiser.output_channels)
    top, left = (max(0, side - SIZE) // 2 for side in clean.shape[:2])
    clean = clean[top : top + SIZE, left : left + SIZE]
else:
    clean = kg.datasets.c_alpha_images(1, SIZE, seed=0, alpha=2, blurred=True)[0]
noisy = clean + SIGMA * kg.noise.keyed_normal(0, [0], 0, clean.shape)[0]
denoised = kg.denoise(denoiser, noisy)
before, after = psnr(np.stack([noisy, denoised]), clean)
estimate = np.sqrt(np.mean((noisy - denoised) ** 2))
print(f"{before:.2f} dB before, {after:.2f} dB after; sigma {SIGMA}, estimated {estimate:.3f}")
show([clean, noisy, denoised], ["clean", f"noisy, {before:.1f} dB", f"denoised, {after:.1f} dB"])

# %% [markdown]
# ## Make images
#
# The residual points away from likely images. Stepping against it, and adding a little noise at
# each step, the sampler finds some.

# %%
samples = kg.sample(
    denoiser,
    clean.shape,
    count=SAMPLES,
    seed=0,
    schedule=kg.sampling.AscentSchedule(beta=0.1, sigma_end=SIGMA_END),
)
show(samples.images, samples.status)

# %% [markdown]
# ## The basis
#
# The network has no additive constants, so that the denoised image is a matrix, the Jacobian at y,
# times y. Its eigenvectors are the patterns, its eigenvalues the factors they are kept with.

# %%
basis = kg.eigenbasis(denoiser, noisy, count=VECTORS)
chosen = np.unique(np.linspace(0, VECTORS - 1, 6).astype(int))
patterns = [0.5 + v / (2 * np.abs(v).max()) for v in basis.left[chosen]]
show(patterns, [f"{k + 1}: {basis.shrinkage[k]:.2f}" for k in chosen])
print(f"effective dimension {basis.statistics.effective_dimension:.1f} of {clean.size}")
print(f"|D(y) - J y| / |D(y)| = {basis.linearity_error:.1e}")
