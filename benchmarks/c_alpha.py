"""C^alpha images of 80x80, against the published way: PyTorch, one image and column at a time."""

from keras_gahr.datasets import c_alpha_images

from .case import RIVAL, Target, Way
from .rival import Rival

SIZE, COUNT, LOOPED = 80, 1024, 100
TARGET = Target(each=1 / 15)


def cases():
    """Yields (name, ways); a unit is an image."""
    with Rival() as rival:
        for alpha, blurred in ((2, False), (2, True), (3, True)):
            family = {"alpha": alpha, "blurred": blurred}
            yield (
                f"C^alpha {SIZE}x{SIZE}, alpha {alpha}{', blurred' if blurred else ''}",
                {
                    RIVAL: rival.way("c_alpha_images", LOOPED, size=SIZE, **family),
                    "1 thread": Way(lambda f=family: ours(workers=1, **f), COUNT),
                    # As datasets are made; the rival's Fourier transforms may use all cores, too.
                    "all cores": Way(lambda f=family: ours(**f), COUNT, TARGET),
                },
            )


def ours(**options):
    c_alpha_images(COUNT, SIZE, 0, **options)
