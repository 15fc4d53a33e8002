"""Keras' own settings while a training runs."""

import contextlib
from collections.abc import Iterator

import keras


@contextlib.contextmanager
def keras_in_float32() -> Iterator[None]:
    """Sets Keras' number type to float32, and its order of axes to channels-last, for a while.

    The networks of this package do not ask for them, but what Keras itself makes for a training does: the
    mean of the losses, learning rates. Afterwards they are again what the program or keras.json says.
    """
    config = keras.config
    before = config.floatx(), config.dtype_policy(), config.image_data_format()
    try:
        _set("float32", "float32", "channels_last")
        yield
    finally:
        _set(*before)


def _set(floatx, policy, data_format):
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)
    keras.config.set_image_data_format(data_format)
