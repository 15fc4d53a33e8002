# %% [markdown]
# # Bring your own denoiser
#
# A UNet of diffusers is trained in its own loop, as its documentation has it, and a UNet of this
# package on the same images. One is told the noise level, has biases, group norms and attention, and
# lives on [-1, 1]; the other is blind and bias-free. What do both have learned, and in what basis do
# they denoise?
#
# It needs PyTorch and `pip install "keras-gahr[diffusers]"`.

# %%
# Where the package is missing, as on Colab, this installs it; elsewhere it does nothing.
import importlib.util
import os
import subprocess
import sys

if importlib.util.find_spec("keras_gahr") is None:
    package = "keras-gahr[torch,diffusers]"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", package], check=True)
    importlib.invalidate_caches()
    os.environ["KERAS_BACKEND"] = "torch"

# %%
import time

import diffusers
import matplotlib.pyplot as plt
import numpy as np
import torch

import keras_gahr as kg
from keras_gahr.psnr import psnr

# %% tags=["parameters"]
SIZE = 16  # of the images, in pixels
IMAGES = 400  # to train on
SECONDS = 120  # of training for the UNet of diffusers
CHANNELS = (16, 32)  # of its levels
KERNELS, BLOCKS = 16, 2  # of ours
EPOCHS, IMAGES_PER_EPOCH = 8, 4000
BATCH_SIZE = 16
SIGMA = 0.2  # noise level on [0, 1]
SAMPLES = 6
STEPS = 40
VECTORS = 12

# %% [markdown]
# ## The images
#
# Two textures on both sides of a contour, of known regularity.

# %%
images = kg.datasets.c_alpha_images(IMAGES + 64, SIZE, seed=0, alpha=3)
images, others = images[:IMAGES], images[IMAGES:]
print(images.shape, images.dtype)

# %% [markdown]
# ## Training the network of diffusers
#
# Nothing here is of this package.

# %%
torch.manual_seed(0)
unet = diffusers.UNet2DModel(
    sample_size=SIZE,
    in_channels=1,
    out_channels=1,
    layers_per_block=1,
    norm_num_groups=8,
    attention_head_dim=8,
    block_out_channels=CHANNELS,
    down_block_types=("DownBlock2D", "AttnDownBlock2D"),
    up_block_types=("AttnUpBlock2D", "UpBlock2D"),
)
scheduler = diffusers.DDPMScheduler()
optimizer = torch.optim.Adam(unet.parameters(), lr=1e-3)
clean = torch.from_numpy(2 * images - 1).movedim(-1, 1)
losses, end = [], time.monotonic() + SECONDS
while time.monotonic() < end or not losses:
    x = clean[torch.randint(len(clean), (BATCH_SIZE,))]
    noise, t = torch.randn_like(x), torch.randint(1000, (BATCH_SIZE,))
    loss = torch.nn.functional.mse_loss(unet(scheduler.add_noise(x, noise, t), t).sample, noise)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
print(f"{len(losses)} steps, loss {np.mean(losses[-50:]):.3f}")

# %% [markdown]
# ## Wrapping it
#
# One line. What the network predicts, its noise levels and its range are the scheduler's.

# %%
theirs = kg.wrap(unet, schedule=scheduler)
low, high = theirs.limits
print(
    f"it knows noise levels from {low:.4f} to {high:.1f}; nearest {SIGMA}: {theirs.nearest(SIGMA):.4f}"
)

# %% [markdown]
# ## Ours, on the same images

# %%
options = {"num_kernels": KERNELS, "num_blocks": BLOCKS, "batch_size": BATCH_SIZE, "seed": 0}
options |= {"epochs": EPOCHS, "images_per_epoch": IMAGES_PER_EPOCH, "learning_rate": 2e-3}
ours = kg.train(images, others, **options, halve_every=max(1, EPOCHS // 5)).denoiser

# %% [markdown]
# ## How well they denoise
#
# The network that is told the level gets it from `kg.psnr_curve`.

# %%
networks = {"diffusers": theirs, "keras-gahr": ours}
levels = np.geomspace(0.02, 1, 8)
figure, axes = plt.subplots(figsize=(5, 3.4))
for name, denoiser in networks.items():
    curve = kg.psnr_curve(denoiser, others, levels, progress=False)
    axes.plot(curve.input_psnr, curve.mean, "o-", label=name)
axes.plot(curve.input_psnr, curve.input_psnr, ":", color="gray")
axes.set_xlabel("PSNR of the noisy image (dB)")
axes.set_ylabel("PSNR of the denoised image (dB)")
axes.legend(frameon=False)
plt.show()
plt.close(figure)

# %% [markdown]
# ## The basis in which they denoise
#
# The Jacobian's eigenvectors, at the same noisy image. A bias-free network *is* its Jacobian,
# D(y) = J y. The other one is J y + b: how large b is, how far D bends around y, and how far J is
# from symmetric are printed beside it.

# %%
noisy = others[0] + SIGMA * kg.noise.keyed_normal(0, [0], 0, others[0].shape)[0]
bases = {
    name: kg.eigenbasis(denoiser.at(SIGMA), noisy, SIZE * SIZE, "exact", progress=False)
    for name, denoiser in networks.items()
}
figure, axes = plt.subplots(figsize=(5, 3.4))
for name, basis in bases.items():
    axes.plot(np.arange(1, len(basis.shrinkage) + 1), basis.shrinkage, label=name)
    decibels = psnr(basis.denoised[None], others[0])[0]
    print(
        f"{name}: {decibels:.1f} dB, effective dimension {basis.statistics.effective_dimension:.1f}, "
        f"b {100 * basis.affine_part:.2g} %, curvature {basis.curvature:.2g}, "
        f"asymmetry {basis.statistics.asymmetry:.2f}"
    )
axes.axhline(0, color="gray", linewidth=0.5)
axes.set_xlabel("number")
axes.set_ylabel("eigenvalue")
axes.legend(frameon=False)
plt.show()
plt.close(figure)

# %%
figure, places = plt.subplots(2, VECTORS, figsize=(VECTORS, 2.4))
for row, (name, basis) in zip(places, bases.items(), strict=True):
    for axes, vector in zip(row, basis.left, strict=False):
        axes.imshow(vector[..., 0], cmap="gray")
        axes.set_xticks([])
        axes.set_yticks([])
    row[0].set_title(name, fontsize=9, loc="left")
plt.show()
plt.close(figure)

# %% [markdown]
# ## Memorized or generalized
#
# Samples of both from the same noise by Heun's steps, and how close they come to the training images.
# Below each sample is the training image that is closest to it.

# %%
schedule = kg.sampling.NoiseLevels(steps=STEPS)
for name, denoiser in networks.items():
    found = kg.sample(
        denoiser, (SIZE, SIZE), count=SAMPLES, sampler="heun", schedule=schedule, progress=False
    )
    report = kg.memorization_report(found.images, images, progress=False)
    nearest = images[report.closest["correlation"].index[:, 0]]
    sheet = np.concatenate([np.concatenate(list(row), axis=1) for row in (found.images, nearest)])
    figure, axes = plt.subplots(figsize=(1.2 * SAMPLES, 2.6))
    axes.imshow(np.squeeze(np.clip(sheet, 0, 1)), cmap="gray", vmin=0, vmax=1)
    axes.set_axis_off()
    closest = report.closest["correlation"].value[:, 0].mean()
    axes.set_title(
        f"{name}: {report.share_memorized:.0%} memorized, correlation with the closest {closest:.2f}",
        fontsize=9,
    )
    plt.show()
    plt.close(figure)
