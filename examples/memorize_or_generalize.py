# %% [markdown]
# # Faces: memorize or generalize?
#
# Two equal networks are trained on disjoint halves of a set of images, then both make images from
# the same noise. If each has memorized its own training images, the two results differ. If both
# have learned what the images have in common, the results are nearly the same, and unlike any
# training image.
#
# With faces and a GPU this is figure 2 of the paper. Without a dataset of faces, the images here
# are two smooth textures on both sides of a smooth contour, drawn at random, and the networks are
# small.

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
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import keras_gahr as kg

# %% tags=["parameters"]
FACES = None  # a dataset folder, made by `gahr data faces img_align_celeba.zip faces`
SIZE = 24  # of the images that are drawn if there is none
FEW, MANY = 1, 2000  # training images of each network
KERNELS, BLOCKS = 16, 2
EPOCHS, IMAGES_PER_EPOCH, BATCH_SIZE = 5, 2000, 16
PAIRS = 6
SIGMA_END = 0.05

# %%
folder = Path(tempfile.mkdtemp(prefix="memorize-or-generalize-"))
if not FACES:
    kg.datasets.make_c_alpha(folder / "images", 2 * MANY + 64, SIZE, seed=0, alpha=3)
dataset = kg.datasets.load(FACES or folder / "images")
print(f"{len(dataset)} images of {dataset.images.shape[1:]}")

# %% [markdown]
# ## Training
#
# Few images are repeated, each time with other noise, until a network has taken as many steps as
# with many. All networks start from the same weights.

# %%
options = {
    "num_kernels": KERNELS,
    "num_blocks": BLOCKS,
    "seed": 0,
    "epochs": EPOCHS,
    "images_per_epoch": IMAGES_PER_EPOCH,
    "batch_size": BATCH_SIZE,
    "learning_rate": 2e-3,
    "halve_every": max(1, EPOCHS // 5),
}


def trained(count, half):
    """The network trained on so many images of a half, its history and its training images."""
    images, tests = dataset.split(count, 64, half)
    result = kg.train(images, tests, **options)
    return result.denoiser, result.history, images.images


networks = {count: [trained(count, half) for half in "AB"] for count in (FEW, MANY)}

# %% [markdown]
# PSNR of training images (blue) and of others (red): far apart with few images, together with
# many.

# %%
figure, places = plt.subplots(1, 2, figsize=(8, 2.8), sharey=True)
for axes, (count, pair) in zip(places, networks.items(), strict=True):
    for name, color in (("train_psnr", "#3b6fb6"), ("test_psnr", "#d1495b")):
        axes.plot([float(row[name]) for row in pair[0][1]], "o-", color=color)
    axes.set_title(f"{count} training images")
    axes.set_xlabel("epoch")
places[0].set_ylabel("PSNR (dB)")
plt.show()
plt.close(figure)

# %% [markdown]
# ## Twins
#
# Each column is one noise. Rows: what A and B make of it, then the closest training image of each.

# %%
schedule = kg.sampling.AscentSchedule(beta=1.0, sigma_end=SIGMA_END)
for count, pair in networks.items():
    denoisers, _, sets = zip(*pair, strict=True)
    found = kg.compare(denoisers, sets, count=PAIRS, schedule=schedule)
    arrays = found.arrays()
    rows = [arrays[f"samples_{side}"][found.pairs] for side in "ab"]
    rows += [arrays[f"closest_{side}"] for side in "ab"]
    sheet = np.concatenate([np.concatenate(list(row), axis=1) for row in rows])
    figure, axes = plt.subplots(figsize=(1.3 * len(found.pairs), 5.2))
    axes.imshow(np.squeeze(np.clip(sheet, 0, 1)), cmap="gray", vmin=0, vmax=1)
    axes.set_axis_off()
    axes.set_title(f"{count} images: {found.verdict}")
    plt.show()
    plt.close(figure)
    twins = arrays["correlation_twins"].mean()
    closest = np.mean([arrays[f"correlation_{side}"][:, 0] for side in "ab"])
    print(f"{count} images: correlation of twins {twins:.2f}, with the closest image {closest:.2f}")
