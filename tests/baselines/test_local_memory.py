"""The memory that the equivariant local optimum takes, whatever it compares."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
import re, sys, numpy as np
import keras_gahr as kg
known, noisy = map(int, sys.argv[1:])
images = np.random.default_rng(0).integers(256, size=(known, 28, 28, 1), dtype=np.uint8)
optimum = kg.baselines.LocalBayes(images, 15, "equivariant", sigma=0.1)
kg.denoise(optimum, np.resize(images, (noisy, 28, 28, 1)))
# Not ru_maxrss, which a process inherits from the one that started it.
print(int(re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]) * 1024)
"""


def peak(*arguments):
    command = [sys.executable, "-c", SCRIPT, *map(str, arguments)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts memory as Linux does")
def test_it_does_not_grow_with_images():
    """A thousand images and 16 noisy ones must take less than 1 GB, of which libraries take a good half."""
    few = peak(150, 1)
    # The images themselves take half a megabyte more, blocks of distances some of 4 MB each.
    assert peak(600, 1) - few < 128e6
    assert peak(150, 4) - few < 128e6
    assert few + 128e6 < 1e9
