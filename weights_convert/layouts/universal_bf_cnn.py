"""BF_CNN of the code published with arXiv 2007.13640 (universal inverse problems).

`conv_layers.{l}` are all convolutions; `running_sd.{l}` and `gammas.{l}` are flat lists of the norm
after convolution l + 1. A ReLU follows the first convolution.
"""

from .. import reference
from .chain import count, plan_with_relu
from .plan import predicts_assumption, vector


def matches(state):
    return any(name.startswith(("running_sd.", "gammas.")) for name in state)


def plan(state, asked):
    """The `Plan` of a state dict with such names.

    Raises:
        InputError: if a linear first layer was asked for, or a norm.
    """
    norms = max(count(state, "running_sd."), count(state, "gammas."))
    num_layers = max(count(state, "conv_layers."), norms + 2)
    return plan_with_relu(
        "the published BF_CNN of universal inverse problems",
        state,
        [f"conv_layers.{i}.weight" for i in range(num_layers)],
        _norm,
        reference.universal_bf_cnn,
        asked,
        assumptions=(predicts_assumption(asked.predicts),),
    )


def _norm(i, channels):
    return {
        f"gammas.{i - 1}": vector(f"norm_{i}", "gamma", channels),
        f"running_sd.{i - 1}": vector(f"norm_{i}", "running_sd", channels),
    }
