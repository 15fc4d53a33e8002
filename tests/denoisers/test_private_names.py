"""What Keras and PyTorch do not promise to keep, and what breaks where they do not."""

import importlib

import keras
import numpy as np
import pytest
import tolerances
from networks import relative_difference, with_unit_gammas

from keras_gahr import UNet
from keras_gahr._backend import convolution
from keras_gahr._backend.steps import steps_of
from keras_gahr.errors import InputError


def test_keras_walks_through_functional_models():
    """Without it: no memory is counted, no image cut into tiles, nothing exported, no gate frozen."""
    denoiser = with_unit_gammas(UNet(num_blocks=1, num_kernels=2, seed=0))
    assert hasattr(denoiser, "_run_through_graph"), "see keras_gahr._backend.steps"
    noisy = np.random.default_rng(0).random((1, 4, 4, 1), np.float32)
    called = []

    def call(operation, *arguments, **options):
        called.append(operation)
        return operation(*arguments, **options)

    found = keras.ops.stop_gradient(steps_of(denoiser).run(noisy, call))
    expected = keras.ops.stop_gradient(denoiser(noisy))
    found, expected = map(keras.ops.convert_to_numpy, (found, expected))
    assert relative_difference(found, expected) < tolerances.OUTPUT
    convolutions = [layer for layer in denoiser.layers if "conv" in layer.name]
    assert convolutions and set(convolutions) <= set(called)


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="a question to PyTorch")
def test_pytorch_says_whether_it_multiplies_bfloat16():
    """Without it: networks in bfloat16 fail on a CPU."""
    pytorch = importlib.import_module(f"{convolution.__name__}.torch")
    assert pytorch._multiplies_bfloat16() in {True, False}


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="a question to PyTorch")
def test_pytorch_keeps_kernels_in_the_order_of_onednn():
    """Without it: one small image takes longer, and on some processors all images do."""
    packed = importlib.import_module(f"{convolution.__name__}.torch_packed")
    fast = packed.works() and packed.multiplies()
    assert fast or not packed.torch.backends.mkldnn.is_available()


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="a question to PyTorch")
def test_pytorch_says_what_is_a_view():
    """Without it: trainings fail."""
    pytorch = importlib.import_module(f"{convolution.__name__}.torch")
    images = pytorch.torch.ones(2, 3)
    assert images.mT._is_view() and not images._is_view()


def test_keras_keeps_the_moments_of_adam():
    """Without them: trainings fail."""
    variable = keras.Variable(np.ones(3, np.float32))
    places = []

    class Recording(keras.optimizers.Adam):
        def update_step(self, gradient, variable, learning_rate):
            places.append(self._get_variable_index(variable))

    optimizer = Recording()
    optimizer.apply([keras.ops.ones(3)], [variable])
    assert places == [0], "see keras_gahr.training.adam"
    assert [len(each) for each in (optimizer._momentums, optimizer._velocities)] == [1, 1]


def test_keras_finds_the_norms_inside_of_layers():
    """Without it: averages of weights are not tested, and fail."""

    class Block(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.norm = keras.layers.BatchNormalization()

    block = Block()
    assert block.norm in block._flatten_layers(), "see keras_gahr.training.running_values"


def test_keras_leaves_the_message_of_an_input_error_alone():
    """Without it: what is wrong with images or somebody's network is said in several lines."""

    class Refusing(keras.layers.Layer):
        def call(self, images):
            raise InputError("one line")

    layer = Refusing()
    with pytest.raises(InputError) as caught:
        layer(np.zeros((1, 4, 4, 1), np.float32))
    assert str(caught.value) == "one line", "see keras_gahr.errors"
