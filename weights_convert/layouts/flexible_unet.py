"""`UNet_flex` of the lab's later code: the UNet whose blocks may differ.

`encoder.{b}`, `mid` and `decoder.{b}` are sequences in which convolutions, norms and ReLUs are counted
together; `upsample.{b}` are transposed convolutions, of which the outermost, b = 0, never has a bias.
All but two options are seen from names and shapes: layer and instance norm have the same arrays, and what
the network was trained to compute leaves no trace.
"""

import functools
import itertools
import re
from collections import Counter

import numpy as np

from keras_gahr.errors import InputError

from .. import reference
from .plan import (
    Assumption,
    Entry,
    Plan,
    kernel,
    most_common,
    number,
    predicts_assumption,
    transposed_kernel,
    vector,
)

# More blocks than an image has powers of two, and ten times the published convolutions, so that a name
# cannot ask for a giant table.
_MOST_BLOCKS = 12
_MOST_LAYERS = 200
_LAYOUT = "the published UNet_flex"
_OUTERMOST = ("upsample", 0)
_MIDDLE = re.compile(r"mid\.[0-9]+\.(weight|bias|gammas|running_sd)")


def matches(state):
    """Whether the middle is called as here; the paper's UNet has all other names in common."""
    return any(_MIDDLE.fullmatch(name) for name in state)


def plan(state, asked):
    """The `Plan` of a state dict with such names.

    Args:
        state: a state dict.
        asked: `Asked`; without a norm the plan of a network with layer or instance norm has a question.

    Raises:
        InputError: if a first layer was asked for, or a norm that cannot be.
    """
    asked.refuse(_LAYOUT, "first_layer")
    names = {name: _place(name) for name in state}
    kinds = _possible_norms(state)
    if asked.norm is not None and asked.norm not in kinds:
        raise InputError(
            f"norm {asked.norm!r} was asked for, but the checkpoint is {_LAYOUT} with the arrays of the "
            f"norm {' or '.join(kinds)}: leave the option out"
        )
    question = ""
    if asked.norm is None and len(kinds) > 1:
        question = (
            "layer and instance norm have the same arrays, so that the checkpoint cannot tell which it "
            "was trained with: pass --norm layer or --norm instance to `gahr convert` (norm= in Python)"
        )
    options = _options(state, names) | {"norm": asked.norm or kinds[0]}
    assumptions = [predicts_assumption(asked.predicts)]
    if len(kinds) > 1 and not question:
        (other,) = {*kinds} - {asked.norm}
        fact, reason = f"{asked.norm} norm", "it was trained with that"
        assumptions.append(Assumption("norm", asked.norm, fact, other, reason, asked=True))
    return Plan(
        _LAYOUT,
        "unet-flex",
        options,
        entries(**options),
        functools.partial(reference.flexible_unet, norm=options["norm"]),
        assumptions=tuple(assumptions),
        predicts=asked.predicts or "residual",
        question=question,
    )


def _possible_norms(state):
    ends = {name.rpartition(".")[2] for name in state}
    if "running_sd" in ends:
        return ("batch",)
    return ("layer", "instance") if "gammas" in ends else ("none",)


def _place(name):
    """("encoder", 2, 0) of "encoder.2.0.weight", ("mid", 0, 3) of "mid.3.gammas", None of others."""
    part, *rest = name.split(".")
    if part == "mid":
        rest = ["0", *rest]
    elif part == "upsample":
        rest = [*rest[:1], "0", *rest[1:]]
    elif part not in ("encoder", "decoder"):
        return None
    if len(rest) != 3:
        return None
    block = number(rest[0], below=_MOST_BLOCKS)
    index = number(rest[1], below=3 * _MOST_LAYERS)
    return None if block is None or index is None else (part, block, index)


def _options(state, names):
    """Arguments of our network but the norm, from what most of the arrays say."""
    kernels, biases = {}, Counter()
    for name, place in names.items():
        if place and name.endswith(".weight") and state[name].ndim == 4:
            kernels[place] = state[name].shape
        if place and name.endswith(".bias") and place[:2] != _OUTERMOST:
            biases[place[0] == "upsample"] += 1
    places = [place for place in names.values() if place]
    num_blocks = max((block + 1 for part, block, _ in places if part != "mid"), default=1)
    normed = any(name.endswith(".gammas") for name in state)

    def convolutions(part, block):
        """Of a block, in which they, their norms and their ReLUs are counted together."""
        last = max((index for *where, index in places if where == [part, block]), default=0)
        if not normed:
            return last // 2 + 1
        if (part, block) == ("encoder", 0):
            return (last + 1) // 3 + 1
        # The very last one has no norm, but each norm one more after it.
        return last // 3 + 1 + ((part, block) == ("decoder", 0) and last % 3 == 1)

    widths = [_width(kernels, block, num_blocks) for block in range(num_blocks + 1)]
    skips = [
        shape[1] >= 2 * widths[block]
        for (part, block, index), shape in kernels.items()
        if (part, index) == ("decoder", 0)
    ]
    upsampled = [place for place in kernels if place[0] == "upsample"]
    first = state.get("encoder.0.0.weight")
    return {
        "num_channels": max(first.shape[1], 1) if first is not None and first.ndim == 4 else 1,
        "num_kernels": widths,
        "num_enc_conv": [convolutions("encoder", block) for block in range(num_blocks)],
        "num_mid_conv": convolutions("mid", 0),
        "num_dec_conv": [convolutions("decoder", block) for block in range(num_blocks)],
        "bias": biases[False] > (len(kernels) - len(upsampled)) / 2,
        "upsample_bias": biases[True] > sum(place[:2] != _OUTERMOST for place in upsampled) / 2,
        "inter_skip": sum(skips) > len(skips) / 2,
    }


def _width(kernels, block, num_blocks):
    """The kernels of a block, or of the middle after all of them."""
    found = []
    for (part, number_of, _), (first, second, *_) in kernels.items():
        if part == "upsample":
            # From the block below to this one.
            found += [second] * (number_of == block) + [first] * (number_of + 1 == block)
        elif part == "mid":
            found += [first] * (block == num_blocks)
        # The very last convolution makes images.
        elif number_of == block and (part, block) != ("decoder", 0):
            found.append(first)
    return most_common(found)


def entries(
    num_channels,
    num_kernels,
    num_enc_conv,
    num_mid_conv,
    num_dec_conv,
    norm,
    bias,
    upsample_bias,
    inter_skip,
):
    """The table of a network with these options: published name -> `Entry`."""
    entries = {}

    def offset(name, layer, channels):
        entries[f"{name}.bias"] = Entry((channels,), layer, "bias", np.ravel)

    def sequence(published, ours, widths, bare=None):
        """Convolutions between these widths; the one numbered `bare` has no norm."""
        index = 0
        for i, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
            name = f"{published}.{index}"
            entries[f"{name}.weight"] = kernel(f"{ours}_conv_{i}", outputs, inputs, 3)
            if bias:
                offset(name, f"{ours}_conv_{i}", outputs)
            index += 1
            if norm != "none" and i != bare:
                name, layer = f"{published}.{index}", f"{ours}_norm_{i}"
                entries[f"{name}.gammas"] = vector(layer, "gamma", outputs)
                if norm == "batch":
                    entries[f"{name}.running_sd"] = vector(layer, "running_sd", outputs)
                index += 1
            index += 1  # the ReLU

    *width, middle = num_kernels
    inputs = num_channels
    for b, outputs in enumerate(width):
        widths = [inputs, *[outputs] * num_enc_conv[b]]
        sequence(f"encoder.{b}", f"encoder_{b}", widths, bare=None if b else 0)
        inputs = outputs
    sequence("mid", "middle", [inputs, *[middle] * num_mid_conv])
    inputs = middle
    for b in reversed(range(len(width))):
        name, outputs = f"upsample.{b}", width[b]
        entries[f"{name}.weight"] = transposed_kernel(f"upsample_{b}", inputs, outputs, 2)
        if upsample_bias and b:
            offset(name, f"upsample_{b}", outputs)
        widths = [outputs * (2 if inter_skip else 1), *[outputs] * num_dec_conv[b]]
        if b == 0:
            widths[-1] = num_channels
        sequence(f"decoder.{b}", f"decoder_{b}", widths, bare=None if b else num_dec_conv[0] - 1)
        inputs = outputs
    return entries
