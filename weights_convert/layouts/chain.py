"""What the layouts of chains of convolutions have in common."""

from keras_gahr.errors import InputError

from .plan import Plan, kernel, most_common, number

# Ten times the published networks, so that a name cannot ask for a giant table.
_MOST_LAYERS = 200


def count(state, prefix):
    """One more than the largest number after the prefix."""
    texts = [name.removeprefix(prefix).split(".")[0] for name in state if name.startswith(prefix)]
    numbers = [number(text, below=_MOST_LAYERS) for text in texts]
    return max((n + 1 for n in numbers if n is not None), default=0)


def kernels_of(state, names):
    """The convolutions with these names, None for each that is missing or is none."""
    kernels = [state.get(name) for name in names]
    return [k if k is not None and k.ndim == 4 else None for k in kernels]


def num_kernels_of(kernels):
    """Inputs of most of the convolutions after the first."""
    return most_common([k.shape[1] for k in kernels[1:] if k is not None])


def image_channels(kernels):
    """Channels of the input and of the output, as far as the first and last convolution tell."""
    first, last = kernels[0], kernels[-1]
    return (
        first.shape[1] if first is not None else None,
        last.shape[0] if last is not None else None,
    )


def kernel_entries(names, sizes, num_kernels, inputs, outputs):
    """The entries of the convolutions of a chain.

    Args:
        names: as published, in order.
        sizes: the side of each.
        num_kernels: channels between them.
        inputs, outputs: channels of the images.
    """
    last = len(sizes) - 1
    return {
        name: kernel(
            f"conv_{i}", outputs if i == last else num_kernels, num_kernels if i else inputs, size
        )
        for i, (name, size) in enumerate(zip(names, sizes, strict=True))
    }


def plan_with_relu(
    layout, state, names, norm_entries, run_reference, asked, assumptions=(), ignored=(), zeros=()
):
    """The `Plan` of a chain of 3x3 convolutions that is known to have a ReLU after the first.

    Args:
        layout: its name.
        state: a state dict.
        names: of the convolutions, as published, in order.
        norm_entries: a function (number of our norm, channels) -> its entries.
        run_reference: as in `Plan`.
        asked: `Asked`.
        assumptions, ignored, zeros: as in `Plan`.

    Raises:
        InputError: if a linear first layer was asked for, or a norm.
    """
    asked.refuse(layout, "norm")
    if asked.first_layer == "linear":
        raise InputError(
            f"first layer 'linear' was asked for, but the checkpoint is {layout}, which has a ReLU "
            "after its first layer: leave the option out"
        )
    kernels = kernels_of(state, names)
    num_kernels = num_kernels_of(kernels)
    inputs, outputs = image_channels(kernels)
    channels = inputs or outputs or 1
    entries = kernel_entries(names, [3] * len(names), num_kernels, channels, channels)
    for i in range(1, len(names) - 1):
        entries.update(norm_entries(i, num_kernels))
    options = {
        "num_channels": channels,
        "num_kernels": num_kernels,
        "num_layers": len(names),
        "first_layer_linear": False,
    }
    return Plan(
        layout,
        "bf-cnn",
        options,
        entries,
        run_reference,
        "relu",
        assumptions,
        ignored,
        zeros,
        asked.predicts or "residual",
    )
