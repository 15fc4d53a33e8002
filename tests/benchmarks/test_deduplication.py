"""De-duplication and its rival drop the same images."""

import numpy as np
import pytest

from benchmarks.deduplication import SIDE, THRESHOLD, image_file, ours


def test_both_ways_drop_the_repeats():
    pytest.importorskip("torch")
    from benchmarks.published.duplicates import dropped

    with image_file(300) as path:
        assert ours(path).tolist() == dropped(path, SIDE, THRESHOLD) == [297, 298, 299]


def test_images_that_repeat_nothing_are_kept():
    """Negative control."""
    with image_file(300) as path:
        np.save(path, np.load(path)[:297])
        assert ours(path).tolist() == []
