"""Colours that readers with any two of the three kinds of cones tell apart."""

import itertools

import numpy as np
import pytest

from keras_gahr.plot import PALETTE, shades
from keras_gahr.plot.style import BLACK, GREY

VISION = {
    "all cones": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
"""What a linear RGB colour looks like without one kind of cones: Machado, Oliveira and Fernandes (2009),
severity 1."""

LEAST = 20
"""Distance in CIELAB, where about 2 is just seen on large patches side by side. Ten times that tells thin
lines apart, and is above what common palettes of six reach (9 for the published one of Okabe and Ito)."""

XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
"""Of linear sRGB."""


def linear(color):
    """Linear RGB of `#rrggbb`, or of (red, green, blue) on [0, 1]."""
    if isinstance(color, str):
        color = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    values = np.array(color)
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIELAB (D65) of linear RGB."""
    xyz = XYZ @ np.clip(rgb, 0, 1) / XYZ.sum(axis=1)
    x, y, z = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def least_distance(colors, vision):
    seen = [lab(np.array(VISION[vision]) @ linear(color)) for color in colors]
    return min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2))


@pytest.mark.parametrize("vision", VISION)
def test_colours_stay_apart(vision):
    assert least_distance((*PALETTE, GREY, BLACK), vision) > LEAST


def test_the_test_sees_red_and_green_of_one_lightness():
    """Negative control: apart for most readers, not without the second kind of cones."""
    pair = ("#d1495b", "#2f8f5b")
    assert least_distance(pair, "all cones") > 3 * LEAST
    assert least_distance(pair, "deuteranopia") < LEAST / 2


def test_distances_are_those_of_cielab():
    white, black = lab(linear("#ffffff")), lab(linear("#000000"))
    assert white == pytest.approx([100, 0, 0], abs=1e-2)
    assert black == pytest.approx([0, 0, 0], abs=1e-9)
    # The published values of the red of sRGB under D65.
    assert lab(linear("#ff0000")) == pytest.approx([53.24, 80.09, 67.20], abs=0.02)


def test_shades_rise_in_lightness():
    lightness = [lab(linear(rgb))[0] for *rgb, _ in shades(6)]
    assert np.all(np.diff(lightness) > 8)
