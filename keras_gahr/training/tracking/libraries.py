"""The libraries of trackers, which are extras."""

import importlib

from keras_gahr.errors import InputError

TRACKERS = ("wandb", "mlflow", "trackio")
"""What they are called, and the extras that bring them."""


def library(name):
    """The module of this name, one of `TRACKERS`.

    Raises:
        InputError: if it is not installed.
    """
    missing = InputError(f'{name} is not installed: run `pip install "keras-gahr[{name}]"`')
    try:
        # Each by itself: whoever follows a run with one needs no other.
        module = _IMPORTED[name]()
    except ImportError as error:
        raise missing from error
    if getattr(module, "__file__", None) is None:
        # Python takes any folder of this name for a package, such as the one in which W&B keeps runs.
        raise missing
    return module


_IMPORTED = {
    "wandb": lambda: importlib.import_module("wandb"),
    "mlflow": lambda: importlib.import_module("mlflow"),
    "trackio": lambda: importlib.import_module("trackio"),
}
