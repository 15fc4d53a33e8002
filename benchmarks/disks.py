"""Disks of 80x80, against drawing each with matplotlib and reading it back."""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Circle

from keras_gahr.datasets import disk_images

from .case import Target, Way

SIZE, COUNT, DRAWN = 80, 512, 10


def cases():
    """Yields (name, ways); a unit is an image."""
    plt.switch_backend("agg")
    yield (
        f"disks {SIZE}x{SIZE}",
        {
            "matplotlib": Way(lambda: draw(DRAWN, SIZE), DRAWN),
            "1 thread": Way(lambda: disk_images(COUNT, SIZE, 0), COUNT, Target(each=1 / 100)),
        },
    )


def draw(count, size):
    """The same family, one figure and one file for each image."""
    generator = np.random.default_rng(0)
    images = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "disk.png"
        for _ in range(count):
            foreground, background = generator.random(2)
            radius = size * generator.uniform(0.1, 0.3)
            centre = generator.uniform(radius, size - radius, 2)
            figure = plt.figure(
                figsize=(1, 1), dpi=size, facecolor=(background, background, background)
            )
            axes = figure.add_axes((0, 0, 1, 1))
            axes.set_xlim(0, size)
            axes.set_ylim(0, size)
            axes.axis("off")
            axes.add_patch(Circle(centre, radius, color=(foreground, foreground, foreground)))
            figure.savefig(path)
            plt.close(figure)
            images.append(plt.imread(path)[..., :3].mean(-1, keepdims=True))
    return np.stack(images)
