# %% [markdown]
# # C^alpha images: optimal rates and the adaptive basis
#
# Images with a contour and regions of alpha derivatives can be denoised with a mean squared error
# that falls as sigma^(2 alpha / (alpha + 1)), and no faster. On axes of PSNR this is a line of
# slope alpha / (alpha + 1). Fixed bases (cosines, wavelets) do not reach it; a basis that follows
# the contour of each image does. Do networks find one?
#
# The paper's networks take hours on a GPU. The small one here shows the same in its direction: a
# slope below the optimum but not far, at noise levels that it was trained enough for, and
# eigenvectors that bend along a contour.

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
from keras_gahr.psnr import psnr

# %% tags=["parameters"]
ALPHA = 3.0
SIZE = 24
ANTIALIAS = 4  # so few pixels would show contours that are rounded to whole ones
TRAINING_IMAGES, TEST_IMAGES = 4000, 64
KERNELS, BLOCKS = 16, 2
EPOCHS, BATCH_SIZE = 10, 16
SIGMA = 0.15  # noise level at which the basis is looked at
VECTORS = 24

# %%
images = kg.datasets.c_alpha_images(TRAINING_IMAGES, SIZE, seed=0, alpha=ALPHA, antialias=ANTIALIAS)
tests = kg.datasets.c_alpha_images(TEST_IMAGES, SIZE, seed=1, alpha=ALPHA, antialias=ANTIALIAS)


def show(pictures, titles):
    figure, places = plt.subplots(1, len(pictures), figsize=(2.1 * len(pictures), 2.4))
    for axes, picture, title in zip(places, pictures, titles, strict=True):
        axes.imshow(np.squeeze(picture), cmap="gray", vmin=0, vmax=1)
        axes.set_title(title, fontsize=9)
        axes.set_axis_off()
    plt.show()
    plt.close(figure)


show(images[:5], [""] * 5)

# %%
result = kg.train(
    images,
    tests,
    num_kernels=KERNELS,
    num_blocks=BLOCKS,
    epochs=EPOCHS,
    images_per_epoch=TRAINING_IMAGES,
    batch_size=BATCH_SIZE,
    learning_rate=3e-3,
    halve_every=max(1, EPOCHS // 5),
    sigma_max=0.5,
)
denoiser = result.denoiser

# %% [markdown]
# ## The rate
#
# The slope is fitted where the network is good enough: below a sigma of 0.1 it would have to be
# trained for much longer, and its own error hides the law.

# %%
curve = kg.psnr_curve(denoiser, tests, np.geomspace(0.1, 0.3, 8))
slope = kg.analysis.fit_slope(curve)
low, high = slope.interval
print(
    f"slope {slope.slope:.2f} (95%: {low:.2f} to {high:.2f}), optimum {kg.analysis.optimal_slope(ALPHA):.2f}"
)

figure, axes = plt.subplots(figsize=(4.5, 3.5))
axes.errorbar(curve.input_psnr, curve.mean, curve.error_over_images, fmt="o-", label="network")
middle = curve.input_psnr.mean()
line = curve.mean.mean() + kg.analysis.optimal_slope(ALPHA) * (curve.input_psnr - middle)
axes.plot(curve.input_psnr, line, "k:", label="optimal slope")
axes.plot(curve.input_psnr, curve.input_psnr, color="gray", label="noisy")
axes.set_xlabel("PSNR of the noisy image (dB)")
axes.set_ylabel("PSNR (dB)")
axes.legend()
plt.show()
plt.close(figure)

# %% [markdown]
# ## The basis
#
# Eigenvectors of the Jacobian at one noisy image. Grey is zero.

# %%
clean = tests[0]
noisy = clean + SIGMA * kg.noise.keyed_normal(0, [0], 0, clean.shape)[0]
basis = kg.eigenbasis(denoiser, noisy, count=VECTORS)
chosen = np.unique(np.linspace(0, VECTORS - 1, 5).astype(int))
patterns = [0.5 + v / (2 * np.abs(v).max()) for v in basis.left[chosen]]
titles = [f"{k + 1}: {basis.shrinkage[k]:.2f}" for k in chosen]
show([clean, np.clip(noisy, 0, 1), *patterns], ["clean", "noisy", *titles])

# %% [markdown]
# ## Against fixed bases
#
# An oracle that knows which coefficients of the clean image exceed the noise keeps just those. The
# network has no oracle.

# %%
after = psnr(kg.denoise(denoiser, noisy)[None], clean)[0]
print(f"network: {after:.2f} dB, effective dimension {basis.statistics.effective_dimension:.1f}")
bases = {
    "cosines": kg.analysis.dct_coefficients,
    "wavelets": kg.analysis.wavelet_coefficients,
}
for name, transform in bases.items():
    best, kept = kg.analysis.oracle_psnr(clean, noisy, SIGMA, transform)
    print(f"oracle with {name}: {best:.2f} dB, {kept} coefficients kept")
