"""The switch that turns all tricks of this room off."""

import os

VARIABLE = "KERAS_GAHR_PLAIN_CONVOLUTIONS"
"""Environment variable: unless it is empty or 0, convolutions are those of Keras and the backend."""


def plain_convolutions():
    """Whether to use the plain operations of Keras and the backend, and on PyTorch no exported programs.

    It is read at each call. What was folded, traced or compiled before stays as it was made.
    """
    return os.environ.get(VARIABLE, "") not in {"", "0"}
