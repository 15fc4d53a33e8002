"""The memory that the equivariant local optimum takes, whatever it compares."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
import re, sys, numpy as np
import keras_gahr as kg

def peak(known, noisy):
    images = np.random.default_rng(0).integers(256, size=(known, 28, 28, 1), dtype=np.uint8)
    optimum = kg.baselines.LocalBayes(images, 15, "equivariant", sigma=0.1)
    kg.denoise(optimum, np.resize(images, (noisy, 28, 28, 1)))
    # Not ru_maxrss, which a process inherits from the one that started it.
    return int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024

# What is the highest so far: a later one that takes no more is no higher.
print(peak(40, 1), peak(160, 1), peak(40, 4))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
def test_it_does_not_grow_with_images():
    """A thousand images and 16 noisy ones must take less than 1 GB, of which libraries take a good half."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, cwd=ROOT
    )
    few, known, noisy = map(int, done.stdout.split())
    # The distances of all patches would take 0.1 GB of the few, and 0.4 GB of the others. The images
    # themselves take a tenth of a megabyte more, blocks of distances some of 4 MB each.
    assert known - few < 128e6
    assert noisy - few < 128e6
    assert few + 128e6 < 1e9
