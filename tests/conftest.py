"""What several tests use."""

import json
import os
import signal
from pathlib import Path

import chromium
import hypothesis
import numpy as np
import pytest

TESTS = Path(__file__).resolve().parent
GOLDEN = TESTS / "golden"
# By the clock on the wall, which says nothing on a loaded machine.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")

# Only tests of that measure what is the fastest: else rounding would depend on how busy a machine is.
os.environ["KERAS_GAHR_CHOICES"] = "usual"

# Processes that tests send signals to would inherit what `nohup` and shells' background jobs ignore.
for name in ("SIGINT", "SIGHUP", "SIGTERM"):
    number = getattr(signal, name, None)  # Windows has no SIGHUP.
    if number is not None and signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL)

SHARED = TESTS.parents[1] / "shared"

ONE_BACKEND = {"datasets", "experiments", "plot", "report", "reproduction", "view"}
"""Rooms whose tests compute nothing on a backend, or only by what is tested on each."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Marks what is in such rooms, before pytest selects by marks."""
    for item in items:
        if item.path.parent.name in ONE_BACKEND:
            item.add_marker(pytest.mark.one_backend)


@pytest.fixture(scope="session")
def golden():
    """The folder of outputs of the published code."""
    return GOLDEN


@pytest.fixture(scope="session")
def shared():
    """The folder of published checkpoints and photographs, which are no part of this project."""
    if not SHARED.is_dir():
        pytest.skip(f"{SHARED} is not there: it holds published weights and photographs")
    return SHARED


@pytest.fixture(scope="module")
def browser():
    """Chromium."""
    with chromium.running() as browser:
        yield browser


@pytest.fixture
def opened(browser):
    """A function that opens an address; the page gets `complaints` and `requests`."""
    with chromium.opening(browser) as open_page:
        yield open_page


@pytest.fixture(scope="session")
def golden_index(golden):
    """Settings of the golden networks and samplers."""
    parts = [json.loads((golden / name).read_text()) for name in ("index.json", "index_flex.json")]
    return {**parts[0], **parts[1]}


@pytest.fixture(scope="session")
def tiny_denoiser(golden):
    """A trained UNet of 2 blocks and 8 kernels."""
    from networks import from_state

    from weights_convert import read_checkpoint

    return from_state(read_checkpoint(golden / "tiny_unet_trained.pt"))


@pytest.fixture(scope="session")
def tiny_model(tiny_denoiser, tmp_path_factory):
    """The same in a `.keras` file."""
    from keras_gahr.denoisers import save_denoiser

    path = tmp_path_factory.mktemp("models") / "tiny.keras"
    save_denoiser(tiny_denoiser, path)
    return path


@pytest.fixture(scope="session")
def smooth_images():
    """A function (count, height, width, channels=1) -> smooth synthetic images on [0, 1]."""

    def make(count, height, width, channels=1):
        rows, columns = np.ogrid[:height, :width]
        images = [
            0.5 + 0.4 * np.sin(rows / (4 + k % 5) + k + c) * np.cos(columns / (3 + k % 4) - c)
            for k in range(count)
            for c in range(channels)
        ]
        stacked = np.stack(images).reshape(count, channels, height, width)
        return np.moveaxis(stacked, 1, -1).astype(np.float32)

    return make
