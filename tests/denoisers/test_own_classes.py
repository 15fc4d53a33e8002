"""Classes of denoisers that a program declares: whether their files can be read again is known before."""

import keras
import numpy as np
import pytest

import keras_gahr as kg
from keras_gahr.training import TrainingSettings, run_training

pytestmark = pytest.mark.one_backend

IMAGES = np.random.default_rng(0).random((6, 8, 8, 1), np.float32)
SETTINGS = {"epochs": 1, "images_per_epoch": 4, "batch_size": 4}


def two_layers(num_kernels):
    inputs = keras.Input((None, None, 1))
    options = {"padding": "same", "use_bias": False}
    hidden = keras.layers.Conv2D(num_kernels, 3, activation="relu", **options)(inputs)
    return inputs, keras.layers.Conv2D(1, 3, **options)(hidden)


class Bare(kg.Denoiser):
    """With nothing but what a class of Keras needs."""

    def __init__(self, num_kernels=2, seed=None, provenance=None, name="own"):
        super().__init__(*two_layers(num_kernels), seed, provenance, name)
        self.num_kernels = num_kernels

    def get_config(self):
        return {**super().get_config(), "num_kernels": self.num_kernels}


class Shaped(Bare):
    @staticmethod
    def weight_shapes(num_kernels):
        yield 3, 3, 1, num_kernels
        yield 3, 3, num_kernels, 1


class Misshaped(Bare):
    @staticmethod
    def weight_shapes(num_kernels):
        yield 3, 3, 1, num_kernels


class Forgetful(Shaped):
    def get_config(self):
        return {**super().get_config(), "num_filters": 2}


class Raising(Bare):
    @staticmethod
    def weight_shapes(num_filters):
        yield 3, 3, 1, num_filters


def registered(kind, package="keras_gahr"):
    """A class like this, registered in a package under another name."""
    own = type(f"{kind.__name__}Registered", (kind,), {})
    return keras.saving.register_keras_serializable(package)(own)


REGISTER = r'@keras.saving.register_keras_serializable\("keras_gahr"\) above its class'
UNREADABLE = {
    "not registered, without shapes": (Bare, f"add {REGISTER} and its weight_shapes$"),
    "not registered": (Shaped, f"add {REGISTER}$"),
    "registered elsewhere": (registered(Shaped, "lab"), f"add {REGISTER}$"),
    "without shapes": (registered(Bare), "add its weight_shapes$"),
    "with other shapes": (
        registered(Misshaped),
        "shapes that it says are not those of its weights",
    ),
    "with an option that it does not take": (registered(Forgetful), "the option 'num_filters'"),
    "with a raising method": (registered(Raising), "num_filters"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_could_not_be_read_is_neither_trained_nor_written(name, tmp_path):
    kind, expected = UNREADABLE[name]
    denoiser = kind()
    before = denoiser.get_weights(), denoiser.provenance
    for call in (
        lambda: kg.train(IMAGES, denoiser=denoiser, out=tmp_path / "run", **SETTINGS),
        lambda: run_training(
            denoiser, IMAGES[:4], IMAGES[4:], TrainingSettings(**SETTINGS), tmp_path / "run"
        ),
        lambda: kg.save_denoiser(denoiser, tmp_path / "own.keras"),
    ):
        with pytest.raises(kg.InputError, match=expected) as caught:
            call()
        assert kind.__name__ in str(caught.value) and "\n" not in str(caught.value)
    assert not [*tmp_path.iterdir()]
    np.testing.assert_equal((denoiser.get_weights(), denoiser.provenance), before)


def test_a_class_that_says_all_is_trained_and_read(tmp_path):
    kind = registered(Shaped)
    result = kg.train(IMAGES, denoiser=kind(3), out=tmp_path / "run", progress=False, **SETTINGS)
    again = kg.load_denoiser(tmp_path / "run")
    assert type(again) is kind and result.state == "finished"
    np.testing.assert_equal(again.get_weights(), result.denoiser.get_weights())


def test_what_has_nothing_to_train(tmp_path):
    wiener = kg.baselines.Wiener.from_images(IMAGES)
    with pytest.raises(kg.InputError, match="received a Wiener, which has nothing to train"):
        kg.train(IMAGES, denoiser=wiener, out=tmp_path / "run", **SETTINGS)
    assert not [*tmp_path.iterdir()]
