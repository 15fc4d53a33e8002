"""Hundreds of steps take no more memory than a few."""

import os
from pathlib import Path

import pytest

from keras_gahr.sampling import AscentSchedule, sample

MEBIBYTE = 2**20


def resident():
    """Bytes of this process that are in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux' /proc")
def test_memory_does_not_grow_with_the_steps(tiny_denoiser):
    schedule = AscentSchedule(beta=0.01, sigma_end=1e-6, fixed_h=True, max_steps=600)
    seen = []

    def watch(images, t, y, sigma):
        if t in {100, 600}:
            seen.append(resident())

    samples = sample(tiny_denoiser, (16, 16, 1), count=10, schedule=schedule, callback=watch)
    assert samples.steps.tolist() == [600] * 10
    # 5,000 images kept by mistake would be 5 MiB, graphs of them a hundred times that.
    assert seen[1] - seen[0] < 3 * MEBIBYTE
