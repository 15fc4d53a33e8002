"""Synthetic CelebA: smooth random pictures of the two sizes, as JPEG bytes."""

import io

import numpy as np
import pytest
from PIL import Image

BIG, HALF = (178, 218), (89, 109)


def jpeg(seed, size):
    """The bytes of a smooth random picture of the given (width, height)."""
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 7, 3), np.uint8)
    picture = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=90)
    return file.getvalue()


@pytest.fixture(scope="session")
def half_picture():
    """A function from a seed to the bytes of a half-size picture."""
    return lambda seed: jpeg(seed, HALF)


@pytest.fixture(scope="session")
def half_files(half_picture):
    """Five half-size pictures, {name: bytes}, in sorted order."""
    return {f"celebA/{k:06d}.jpg": half_picture(k) for k in range(1, 6)}


@pytest.fixture(scope="session")
def big_files():
    """Three full-size pictures, {name: bytes}, in sorted order."""
    return {f"{k:06d}.jpg": jpeg(k, BIG) for k in range(1, 4)}


@pytest.fixture
def folder_of(tmp_path):
    """A function that writes {name: bytes} to a new folder and returns it."""

    def write(files, name="pictures"):
        for inner, data in files.items():
            path = tmp_path / name / inner
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return tmp_path / name

    return write
