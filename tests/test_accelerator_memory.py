"""What a backend says of the memory of an accelerator, of which there is none here."""

import types

import keras
import pytest

from keras_gahr import _backend
from keras_gahr.baselines.posterior_means import BLOCK_VALUES, block_values

BACKEND = keras.backend.backend()


@pytest.fixture
def accelerator(monkeypatch):
    """A function that puts an accelerator in the place of the processor, with what it says of its memory."""

    def of_torch(free, kept=0, used=0):
        import torch

        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (free, 10 * free))
        monkeypatch.setattr(torch.cuda, "memory_reserved", lambda: kept)
        monkeypatch.setattr(torch.cuda, "memory_allocated", lambda: used)

    def of_jax(**statistics):
        import jax

        device = types.SimpleNamespace(platform="gpu", memory_stats=lambda: statistics or None)
        monkeypatch.setattr(jax, "local_devices", lambda: [device])

    def of_tensorflow():
        import tensorflow as tf

        monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind=None: ["a GPU"])

    return {"torch": of_torch, "jax": of_jax, "tensorflow": of_tensorflow}[BACKEND]


def test_a_processor_computes_in_main_memory():
    names = " ".join(_backend.devices()).lower()
    assert _backend.in_main_memory() is not ("gpu" in names or "cuda" in names)


@pytest.mark.skipif(BACKEND != "torch", reason="PyTorch keeps what it has freed")
def test_what_pytorch_keeps_for_later_is_free(accelerator):
    accelerator(free=100)
    assert _backend.memory_available() == _backend.memory_free() == 100
    accelerator(free=100, kept=70, used=30)
    assert _backend.memory_available() == _backend.memory_free() == 140
    assert not _backend.in_main_memory()


@pytest.mark.skipif(BACKEND != "jax", reason="JAX takes a part of the memory ahead")
@pytest.mark.parametrize(
    ("statistics", "free"),
    [
        ({"bytes_limit": 100, "bytes_in_use": 30}, 70),
        ({"bytes_limit": 100}, 100),
        ({"bytes_limit": 100, "bytes_in_use": -1}, 100),
        ({"bytes_limit": -1, "bytes_in_use": 30}, None),
        ({"bytes_in_use": 30}, None),
        ({}, None),
    ],
)
def test_what_is_left_of_what_jax_has_taken_is_free(accelerator, statistics, free):
    accelerator(**statistics)
    assert _backend.memory_available() == free
    assert not _backend.in_main_memory()


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow does not say how much there is")
def test_an_accelerator_that_says_nothing_is_one(accelerator):
    accelerator()
    assert _backend.memory_available() is None
    assert not _backend.in_main_memory()
    assert block_values() > BLOCK_VALUES
