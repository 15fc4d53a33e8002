"""The published chains of convolutions: BF_CNN, BF_CNN_RF and the bias-free DnCNN."""

import numpy as np

from . import operations


def bf_cnn(state, noisy, first_layer_linear):
    """BF_CNN and BF_CNN_RF of arXiv 2310.02557.

    Args:
        state: a dictionary published name -> array.
        noisy: images, `(batch, channels, height, width)`.
        first_layer_linear: no ReLU after the first convolution.
    """

    def norm(x, i):
        name = f"BN_layers.{i - 1}"
        return operations.scale(x, state[f"{name}.gammas"], state[f"{name}.running_sd"])

    return _chain(_numbered_kernels(state), norm, noisy, first_layer_linear)


def universal_bf_cnn(state, noisy):
    """BF_CNN of arXiv 2007.13640; arguments as in `bf_cnn`."""

    def norm(x, i):
        return operations.scale(x, state[f"gammas.{i - 1}"], state[f"running_sd.{i - 1}"])

    return _chain(_numbered_kernels(state), norm, noisy, first_layer_linear=False)


def dncnn(state, noisy):
    """The bias-free DnCNN of arXiv 1906.05478; arguments as in `bf_cnn`.

    The published network subtracts the result from `noisy`: the result is the residual. Its norm has no
    biases; where there are some, they are taken as of the same norm with biases.
    """
    hidden = len(operations.numbers(state, "hidden_layer_list."))
    names = ["first_layer", *(f"hidden_layer_list.{i}" for i in range(hidden)), "last_layer"]

    def norm(x, i):
        name = f"bn_layer_list.{i - 1}"
        # There the constant is added to the deviation, not to the variance.
        deviations = np.sqrt(state[f"{name}.running_var"].astype(np.float64)) + 1e-5
        x = operations.scale(
            x - offset(f"{name}.running_mean"), state[f"{name}.weight"], deviations
        )
        return x + offset(f"{name}.bias")

    def offset(name):
        values = state.get(name, np.zeros(1))
        return values.astype(np.float64)[:, None, None] if np.any(values) else 0.0

    kernels = [state[f"{name}.weight"] for name in names]
    return _chain(kernels, norm, noisy, first_layer_linear=False)


def _numbered_kernels(state):
    return [
        state[f"conv_layers.{i}.weight"] for i in sorted(operations.numbers(state, "conv_layers."))
    ]


def _chain(kernels, norm, noisy, first_layer_linear):
    last = len(kernels) - 1
    x = noisy.astype(np.float64)
    for i, kernel in enumerate(kernels):
        x = operations.convolution(x, kernel)
        yield f"conv_{i}", x
        if 0 < i < last:
            x = norm(x, i)
            yield f"norm_{i}", x
        if 0 < i < last or (i == 0 and not first_layer_linear):
            x = operations.relu(x)
            yield f"relu_{i}", x
