"""The bias-free DnCNN of the code published with arXiv 1906.05478.

`first_layer`, `hidden_layer_list.{i}` and `last_layer` are convolutions, `bn_layer_list.{i}` is the
norm after hidden layer i. A ReLU follows each convolution but the last, the first too. The published
network subtracts what the chain computes from the image, so that is known to be the residual, as ours.

The norm keeps running variances and divides by `sqrt(running_var) + 1e-5`. In evaluation mode that is
our norm with another running deviation; only training differs, where it takes the unbiased variance. It
neither adds nor subtracts anything, but the class that it is derived from does, whose arrays it keeps: where
those are not zero, the norm was that class, or this one with biases.
"""

import numpy as np

from .. import reference
from .chain import count, plan_with_relu
from .plan import Entry

_LAYOUT = "the published bias-free DnCNN"
_EPSILON = 1e-5
_ZEROS = ("bias", "running_mean")
_COUNTER = "num_batches_tracked"


def matches(state):
    return any(name.startswith(("hidden_layer_list.", "bn_layer_list.")) for name in state)


def plan(state, asked):
    """The `Plan` of a state dict with such names.

    Raises:
        InputError: if a linear first layer was asked for, a norm, or what it predicts.
    """
    asked.refuse(_LAYOUT, "predicts")
    hidden = max(count(state, "hidden_layer_list."), count(state, "bn_layer_list."))
    norms = [f"bn_layer_list.{i}." for i in range(hidden)]
    zeros = [norm + name for norm in norms for name in _ZEROS if norm + name in state]
    counters = [norm + _COUNTER for norm in norms if norm + _COUNTER in state]
    return plan_with_relu(
        _LAYOUT,
        state,
        [
            "first_layer.weight",
            *(f"hidden_layer_list.{i}.weight" for i in range(hidden)),
            "last_layer.weight",
        ],
        _norm,
        reference.dncnn,
        asked,
        ignored=(*zeros, *counters),
        zeros=tuple(zeros),
    )


def _norm(i, channels):
    name = f"bn_layer_list.{i - 1}"
    return {
        f"{name}.weight": Entry((channels,), f"norm_{i}", "gamma", np.ravel),
        f"{name}.running_var": Entry((channels,), f"norm_{i}", "running_sd", _deviation),
    }


def _deviation(variance):
    return np.sqrt(variance, dtype=np.float64) + _EPSILON
