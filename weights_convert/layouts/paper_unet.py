"""The UNet of the paper's published code (arXiv 2310.02557).

`encoder.{b}`, `mid_block` and `decoder.{b}` are sequences in which convolutions, norms and ReLUs
are counted together; `upsample.{b}` are transposed convolutions.
"""

import itertools
from collections import Counter

from .. import reference
from .plan import (
    Plan,
    kernel,
    most_common,
    norm,
    number,
    predicts_assumption,
    transposed_kernel,
)

# More blocks than an image has powers of two, so that a name cannot ask for a giant table.
_MOST_BLOCKS = 12


def matches(state):
    return any(name.startswith(("encoder.", "mid_block.", "decoder.")) for name in state)


def plan(state, asked):
    """The `Plan` of a state dict with such names.

    Raises:
        InputError: if a first layer was asked for, which is a question of BF-CNN only: here a ReLU
            always follows the first convolution. If a norm was.
    """
    asked.refuse("a UNet", "first_layer", "norm")
    options = _options(state)
    return Plan(
        "the published UNet",
        "unet",
        options,
        entries(**options),
        reference.unet,
        assumptions=(predicts_assumption(asked.predicts),),
        predicts=asked.predicts or "residual",
    )


def _options(state):
    """Arguments of our UNet, from what most of the arrays say."""
    parts = {name: _part(name) for name in state}
    num_blocks = max((block + 1 for part, block in parts.values() if part), default=1)

    widths = []
    weights, norms = Counter(), Counter()
    for name, (part, block) in parts.items():
        shape = state[name].shape
        if part and len(shape) == 4:
            is_kernel = name.endswith(".weight")
            channels = shape[0] if is_kernel and part != "upsample" else shape[1]
            widths.append(channels // 2 ** (num_blocks if part == "mid_block" else block))
        weights[part, block] += name.endswith(".weight")
        norms[part, block] += name.endswith(".gammas")

    def convolutions(part):
        # One convolution of the outermost blocks has no norm.
        counts = [
            max(weights[key], norms[key] + (key in {("encoder", 0), ("decoder", 0)}))
            for key in weights
            if key[0] == part
        ]
        return max(counts, default=1)

    return {
        "num_channels": _image_channels(state),
        "num_blocks": num_blocks,
        "num_kernels": most_common(widths),
        "num_enc_conv": convolutions("encoder"),
        "num_mid_conv": convolutions("mid_block"),
        "num_dec_conv": convolutions("decoder"),
    }


def _part(name):
    """("encoder", 2) of "encoder.2.0.weight", ("mid_block", 0) of "mid_block.3.gammas"."""
    part, *rest = name.split(".")
    if part == "mid_block":
        return part, 0
    if part in ("encoder", "decoder", "upsample") and rest:
        block = number(rest[0], below=_MOST_BLOCKS)
        if block is not None:
            return part, block
    return None, 0


def _image_channels(state):
    first = state.get("encoder.0.0.weight")
    return max(first.shape[1], 1) if first is not None and first.ndim == 4 else 1


def entries(num_channels, num_blocks, num_kernels, num_enc_conv, num_mid_conv, num_dec_conv):
    entries = {}

    def sequence(published, ours, widths, bare=None):
        """Convolutions between these widths; the one numbered `bare` has no norm."""
        index = 0
        for i, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
            entries[f"{published}.{index}.weight"] = kernel(f"{ours}_conv_{i}", outputs, inputs, 3)
            index += 1
            if i != bare:
                entries.update(norm(f"{published}.{index}", f"{ours}_norm_{i}", outputs))
                index += 1
            index += 1  # the ReLU

    width = [num_kernels * 2**b for b in range(num_blocks + 1)]
    for b in range(num_blocks):
        inputs = width[b - 1] if b else num_channels
        widths = [inputs, *[width[b]] * num_enc_conv]
        sequence(f"encoder.{b}", f"encoder_{b}", widths, bare=None if b else 0)
    middle = [width[-2], *[width[-1]] * num_mid_conv]
    sequence("mid_block", "middle", middle)
    for b in reversed(range(num_blocks)):
        entries[f"upsample.{b}.weight"] = transposed_kernel(
            f"upsample_{b}", width[b + 1], width[b], 2
        )
        widths = [2 * width[b], *[width[b]] * num_dec_conv]
        if b == 0:
            widths[-1] = num_channels
        sequence(f"decoder.{b}", f"decoder_{b}", widths, bare=None if b else num_dec_conv - 1)
    return entries
