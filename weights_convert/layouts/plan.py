"""What a layout says about one state dict."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from keras_gahr.errors import InputError
from keras_gahr.quoting import listed, quoted


@dataclass(frozen=True)
class Asked:
    """What is said of a checkpoint that its arrays cannot tell; None: nothing.

    Args:
        first_layer: "linear" or "relu": whether a ReLU follows the first convolution of BF_CNN.
        norm: "layer", "instance", "batch" or "none": the norm of UNet_flex.
        predicts: "residual" or "image": what the network computes.
    """

    first_layer: str | None = None
    norm: str | None = None
    predicts: str | None = None

    def refuse(self, layout, *names):
        """Raises `InputError` if one of these was asked for, which a layout has no choice of."""
        for name in names:
            value = getattr(self, name)
            if value is not None:
                raise InputError(
                    f"{name.replace('_', ' ')} {value!r} was asked for, but the checkpoint is {layout}, "
                    "where the choice does not exist: leave the option out"
                )


@dataclass(frozen=True)
class Assumption:
    """One thing that a checkpoint cannot tell of its network; as a text, the line on it.

    Args:
        argument: of `convert`, by which it is said: "first_layer".
        value: what is taken: "linear".
        fact: the same in words: "first layer linear".
        other: the other value, "relu"; empty where it cannot be said.
        reason: when that is right: "it was trained with a ReLU there".
        asked: whether what is taken was asked for.
        mend: the verb before the option.
    """

    argument: str
    value: str
    fact: str
    other: str
    reason: str
    asked: bool = False
    mend: str = "pass"

    def __str__(self):
        if self.asked:
            return f"{self.fact}, as asked for: the checkpoint cannot tell"
        return (
            f"{self.fact}: the checkpoint cannot tell; {self.mend} --{self.argument.replace('_', '-')} "
            f"{self.other} ({self.argument}={self.other!r} in Python) if {self.reason}"
        )


@dataclass(frozen=True)
class Entry:
    """One published array.

    Args:
        shape: as published.
        layer: name of our layer.
        weight: attribute of that layer.
        transform: from the published array to ours.
    """

    shape: tuple
    layer: str
    weight: str
    transform: Callable


@dataclass(frozen=True)
class Plan:
    """How to make one of our networks of a state dict.

    Args:
        layout: name of the layout.
        architecture, options: arguments of `build_denoiser`.
        entries: a dictionary published name -> `Entry`, one for each weight of our network.
        reference: a function (state, noisy NCHW image) that yields (our layer's name, its output).
        first_layer: "linear" or "relu" where the layouts of this network differ in it, else None.
        assumptions: an `Assumption` for each thing that the checkpoint cannot tell.
        ignored: published names that the published network does not use.
        zeros: those of them that must be zero, as the network that uses them is another one.
        predicts: "residual" or "image": what our network's output is taken for; an image makes a
            `DirectDenoiser` of it.
        question: what has to be asked for before the network can be made, in one line; "" for nothing.
    """

    layout: str
    architecture: str
    options: dict
    entries: dict
    reference: Callable
    first_layer: str | None = None
    assumptions: tuple = ()
    ignored: tuple = ()
    zeros: tuple = ()
    predicts: str = "residual"
    question: str = ""

    def check(self, state):
        """Compares names, shapes and values with what this plan expects.

        Raises:
            InputError: one line with every array that is missing, unused or impossible, or the question.
        """
        faults = self.faults(state) | self._value_faults(state)
        if faults:
            found = [f"{fault}: {listed(names)}" for fault, names in faults.items()]
            raise InputError(f"as {self.layout} its arrays do not fit: {'; '.join(found)}")
        if self.question:
            raise InputError(self.question)

    def faults(self, state):
        """A dictionary fault -> names of the arrays that have it, of names, shapes and types.

        Args:
            state: a dictionary name -> array, or anything with `shape` and `dtype`.
        """
        known = {*self.entries, *self.ignored}
        return _without_empty(
            {
                "missing": [quoted(name) for name in self.entries if name not in state],
                "unused": [quoted(name) for name in state if name not in known],
                "of another shape": [
                    f"{name} {array.shape}, expected {entry.shape}"
                    for name, array, entry in self._present(state)
                    if array.shape != entry.shape
                ],
                "not floating point": [
                    f"{name} ({array.dtype})"
                    for name, array, _ in self._present(state)
                    if array.dtype.kind != "f"
                ],
            }
        )

    def _value_faults(self, state):
        return _without_empty(
            {
                "not finite": [
                    name
                    for name, array, _ in self._present(state)
                    if not np.all(np.isfinite(array))
                ],
                "not positive": [
                    name
                    for name, array, entry in self._present(state)
                    if entry.weight == "running_sd" and not _positive(array, entry)
                ],
                "not zero, so that it is another network": [
                    quoted(name) for name in self.zeros if np.any(state[name])
                ],
            }
        )

    def _present(self, state):
        return [
            (quoted(name), state[name], entry)
            for name, entry in self.entries.items()
            if name in state
        ]


def predicts_assumption(asked, usual="residual", mend="pass"):
    """The `Assumption` on what a network computes, which leaves no trace in its weights.

    Args:
        asked: "residual", "image" or None; see `Asked`.
        usual: which one is assumed where nothing was asked for.
        mend: the verb before the option.
    """
    value = asked or usual
    other, how = {"residual": ("image", "without"), "image": ("residual", "with")}[value]
    return Assumption(
        "predicts",
        value,
        f"it computes the {value}",
        other,
        f"it was trained {how} a skip connection from its input",
        asked is not None,
        mend,
    )


def _without_empty(faults):
    return {fault: names for fault, names in faults.items() if names}


def kernel(layer, outputs, inputs, side):
    """The entry of a convolution, published as (outputs, inputs, side, side)."""
    return Entry((outputs, inputs, side, side), layer, "kernel", _channels_last)


def transposed_kernel(layer, inputs, outputs, side):
    """The entry of a transposed convolution, published as (inputs, outputs, side, side)."""
    # Keras has (side, side, outputs, inputs) here: the same permutation as for a convolution.
    return Entry((inputs, outputs, side, side), layer, "kernel", _channels_last)


def vector(layer, weight, channels):
    """The entry of one number per channel, published as (1, channels, 1, 1)."""
    return Entry((1, channels, 1, 1), layer, weight, np.ravel)


def norm(name, layer, channels):
    """The two entries of a bias-free normalization with the published name `name`."""
    return {
        f"{name}.gammas": vector(layer, "gamma", channels),
        f"{name}.running_sd": vector(layer, "running_sd", channels),
    }


def most_common(widths):
    """The width that occurs most: a few misshapen arrays do not hide what the others say."""
    counts = Counter(width for width in widths if width > 0).most_common(1)
    return counts[0][0] if counts else 1


def number(text, below):
    """The number that a part of a name is, or None if it is none or too large to be meant."""
    if text.isdecimal() and len(text) < 10 and int(text) < below:
        return int(text)
    return None


def _positive(array, entry):
    # The square root of a negative variance is NaN, which fails too; other arrays are other faults.
    with np.errstate(invalid="ignore"):
        return array.dtype.kind != "f" or bool(np.all(entry.transform(array) > 0))


def _channels_last(array):
    return np.transpose(array, (2, 3, 1, 0))
