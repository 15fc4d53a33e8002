"""Files of Keras whose layers keep other arrays than they have weights."""

import json
import zipfile

import keras
import numpy as np
import pytest

import keras_gahr as kg
from keras_gahr import InputError

pytestmark = pytest.mark.one_backend


def network(*layers):
    x = inputs = keras.Input((None, None, 1))
    for layer in layers:
        x = layer(x)
    return keras.Model(inputs, conv(1)(x))


def conv(filters, **options):
    return keras.layers.Conv2D(filters, 3, padding="same", **options)


def with_lora(layer, rank):
    model = network(conv(3), layer)
    layer.enable_lora(rank)
    layer.weights[-1].assign(np.random.default_rng(0).random(layer.weights[-1].shape))
    return model


MODELS = {
    "spectral": lambda: network(keras.layers.SpectralNormalization(conv(4))),
    "spectral, twice": lambda: network(
        *(keras.layers.SpectralNormalization(conv(4, use_bias=bias)) for bias in (True, False))
    ),
    "lora": lambda: with_lora(conv(4), 1),
    "lora of a dense layer": lambda: with_lora(keras.layers.Dense(5), 2),
    "both, in a model": lambda: network(
        with_lora(conv(4), 2), keras.layers.SpectralNormalization(conv(4))
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_what_keras_loads_exactly_is_loaded(tmp_path, name):
    model, path = MODELS[name](), tmp_path / "x.keras"
    noisy = np.random.default_rng(0).random((2, 8, 12, 1), np.float32)
    expected = model.predict_on_batch(noisy)
    model.save(path)
    assert np.max(np.abs(kg.wrap(f"keras:{path}", "image").denoise(noisy) - expected)) < 1e-5


def changed(path, change):
    """The same file with another config.json."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    (layer,) = change(config)
    assert layer
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (parts | {"config.json": json.dumps(config)}).items():
            archive.writestr(name, content)


def refused(path):
    with pytest.raises(InputError) as caught:
        kg.wrap(f"keras:{path}", "image")
    assert str(caught.value).isprintable()
    return str(caught.value)


def layers(config, kind):
    return [layer for layer in config["config"]["layers"] if layer["class_name"] == kind]


def test_a_copy_that_no_layer_asks_for_is_refused(tmp_path):
    network(keras.layers.SpectralNormalization(conv(4))).save(tmp_path / "x.keras")

    def without_it(config):
        found = layers(config, "SpectralNormalization")
        for layer in found:
            inner = layer["config"]["layer"]
            layer.update(
                {key: inner[key] for key in ("class_name", "module", "registered_name", "config")}
            )
        return found

    changed(tmp_path / "x.keras", without_it)
    assert "its weights are not those of the network" in refused(tmp_path / "x.keras")


def test_weights_of_low_rank_that_are_large_are_refused(tmp_path):
    """A few bytes must not ask for any amount of memory."""
    layer = conv(4)
    model = network(layer)
    layer.enable_lora(1)
    model.save(tmp_path / "x.keras")

    def larger(config):
        found = layers(config, "Conv2D")[:1]
        found[0]["config"]["lora_rank"] = 10**7
        return found

    changed(tmp_path / "x.keras", larger)
    assert "(LoRA) would be larger than its weights file" in refused(tmp_path / "x.keras")
