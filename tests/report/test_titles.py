"""Titles with names of files in them."""

import os

import numpy as np

from keras_gahr.report.dataset_figures import pair_page


def test_names_are_no_mathematics(tmp_path):
    """Of `$_$` matplotlib would make a formula, and fail; a name may be no UTF-8."""
    image = np.zeros((4, 4, 1), np.float32)
    for name in ("a$_$b.npy", os.fsdecode(b"caf\xe9"), "$\\frac"):
        pair_page(name, [(image, image, "0.99")], tmp_path / "page.png")
        assert (tmp_path / "page.png").stat().st_size
