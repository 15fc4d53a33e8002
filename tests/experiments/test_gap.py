import json

import numpy as np
import pytest
from findings import SIGMAS, curve, gap

from keras_gahr.experiments.gap import Gap


def test_a_gap_is_the_difference_of_two_curves():
    found = Gap(curve(0.8, 20), curve(0.5, 19))
    np.testing.assert_allclose(found.difference, 1 - 0.3 * 20 * np.log10(SIGMAS))
    assert found.largest == pytest.approx(13)
    assert found.worst == 0
    assert found.mean == pytest.approx(7)
    assert found.largest_interval[0] < 13 < found.largest_interval[1]


def test_the_interval_is_wider_where_images_differ_more():
    widths = [np.ptp(gap(1, spread).mean_interval) for spread in (0.1, 1)]
    assert widths[1] == pytest.approx(10 * widths[0])


def test_of_one_image_only_the_noise_varies():
    low, high = gap(2, images=1).mean_interval
    assert low == high == pytest.approx(2)


def test_numbers_are_json():
    numbers = json.loads(json.dumps(gap(2).numbers(), allow_nan=False))
    assert numbers["largest_gap"] == pytest.approx(2)
    assert numbers["largest_gap_sigma"] in SIGMAS
