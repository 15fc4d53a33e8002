"""Denoisers made of networks that somebody already has."""

from __future__ import annotations

import dataclasses
import numbers
import os
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_gahr._backend.foreign import product_type
from keras_gahr.datasets.arrays import bytes_of
from keras_gahr.errors import InputError
from keras_gahr.names import reason_of
from keras_gahr.noise import check_number, check_whole

from .description import deepinv_description
from .diffusers import diffusers_description
from .foreign_denoiser import ForeignDenoiser
from .network import network_of
from .opening import open_address
from .prediction import PREDICTIONS
from .recipe import with_state
from .schedule import schedule_of

_SIDE = 32
"""Of the images that a network is tried with, if it says nothing else."""

_SAME = 1e-4
"""Relative difference up to which two results of a network on the same images are equal: threads add in
other orders."""

_ROUNDINGS = {
    "float64": 2.0**-53,
    "float32": 2.0**-24,
    "tfloat32": 2.0**-11,
    "float16": 2.0**-11,
    "bfloat16": 2.0**-8,
}
"""Relative errors of numbers that are rounded to these types, at most. Others have fewer digits still."""

_COARSEST = 2.0**-4

_MANY_ROUNDINGS = 16
"""By which an image alone may differ from itself among others. Their kernels are not the same: they add in
other orders, and what each layer returns may be rounded the other way. Such errors know nothing of each
other, so that those of 256 layers are as large as 16. Small UNets of diffusers were seen to have 3.5 in
float16 and 4.4 in bfloat16, or none where some layout of memory has the same kernels for any number."""

_SEE = "see channels, size, size_multiple, layout, condition and schedule of kg.wrap"

_OWN_SCHEDULES = {"edm": "edm", "flow": "flow"}


def wrap(
    network: Any,
    predicts: str | None = None,
    schedule: Any = None,
    *,
    value_range: Sequence[float] | None = None,
    channels: int | None = None,
    size_multiple: int | None = None,
    size: int | Sequence[int] | None = None,
    layout: str | None = None,
    condition: dict[str, Any] | None = None,
    provenance: dict[str, Any] | None = None,
    factory_options: dict[str, Any] | None = None,
    weights: str | os.PathLike[str] | None = None,
) -> ForeignDenoiser:
    """A denoiser of a network that you already have: every function and command takes it.

    The network is called as it is, in evaluation mode, and is not changed; if its weights change, so does
    the denoiser, but for the pair, which is copied. One that is told the noise level is called as
    `network(x, sigma)` with sigma of shape (batch,), or with what its schedule has in that place; a blind
    one as `network(x)`. It is tried once with a small image.

    Args:
        network: on PyTorch a `torch.nn.Module`, or a function of tensors, both with channels first; on
            any backend a `keras.Model` or a function of the backend's tensors, or of NumPy arrays, which
            has no derivatives; on JAX a pair (params, apply), called as `apply(params, x, ...)`. Of a
            pipeline of diffusers or a denoiser of deepinv all else is known, but for conditions. If its
            images are latents, of 4 channels or in a pipeline with an autoencoder, these are taken as they
            are. Or where it is, as text: `torch:package.module:factory`, which is imported and called, and
            returns one of these or what this function does; `jax:package.module:function`; `keras:FILE`;
            `diffusers:FOLDER`. Such a denoiser can be saved as a recipe, see `save_denoiser`.
        predicts: what it returns: "image", "residual" (the noise as it is in its input, as DnCNN and
            this package's networks do), "noise" (of unit variance), "score", "velocity", "edm" (a raw
            network within EDM's preconditioning) or "flow" (noise less image). Default: what a scheduler
            of diffusers says; "image" for a denoiser of deepinv.
        schedule: how it is told the noise level: None (blind); "sigma", in its own units, or "sigma:50" if
            it knows levels up to 50 (without, on [0, 1] none above 4); a table of alpha-bar (a
            variance-preserving diffusion in discrete time); "edm" or "flow", which are the defaults for
            these predictions; an `AlphaBars`, `EDM` or `FlowTime`; or a scheduler of diffusers, whatever the
            network is.
        value_range: what black and white are for the network: (-1, 1) for most diffusion models, and by
            default where there is a scheduler of diffusers; else (0, 1).
        channels: of its images; default: what its first convolution or its input says.
        size_multiple: what the height and width of images must be multiples of; default 1, or what a
            denoiser of this package says.
        size: the height and width if it takes no other images; default: any, or what its input says.
        layout: "NCHW" or "NHWC"; default: see above.
        condition: named arguments that it is given besides, such as {"class_labels": 3}. A number becomes
            one for each image, an array with a first axis of 1 is repeated for each; NumPy's become tensors.
        provenance: plain values that say where it is from; default: none.
        factory_options: named arguments of the factory of an address.
        weights: of an address of code, a .safetensors file or a state dict in a .pt file, whose names and
            shapes must be the network's own. A function of JAX is called as `function(params, x, ...)`,
            with nested dictionaries for the dots in the names.

    Returns:
        A `ForeignDenoiser`. Its residual, image and noise levels are in the units of [0, 1], whatever the
        network's are.

    Raises:
        InputError: for a network that cannot be called like this, that returns something else than
            images as large as it was given, or something else each time or beside other images.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> def shrink(y, sigma):
        ...     return y / (1 + sigma[:, None, None, None] ** 2)
        >>> denoiser = kg.wrap(shrink, "image", "sigma", channels=1, layout="NHWC")
        >>> kg.denoise(denoiser, np.ones((8, 8)), sigma=1.0).mean()
        np.float32(0.5)
    """
    recipe = None
    if isinstance(network, str | os.PathLike):
        network, recipe = open_address(network, factory_options, weights)
        if isinstance(network, ForeignDenoiser):
            how = (predicts, schedule, value_range, channels, size_multiple, size, layout)
            if any(option is not None for option in (*how, condition, provenance)):
                raise InputError(f"{recipe.address} returns a wrapped denoiser: pass nothing more")
            return _with_recipe(network, dataclasses.replace(recipe, wrapped=True))
    elif factory_options is not None or weights is not None:
        raise InputError("received factory_options or weights without an address of a network")
    if not isinstance(condition, Mapping | None):
        raise InputError(
            f"received condition {condition!r:.60}, expected a dictionary of named arguments"
        )
    said = _description(network, predicts, schedule, condition)
    network, schedule = said.network, said.schedule
    predicts = said.predicts if predicts is None else predicts
    if predicts is None:
        raise InputError(f"received no predicts, expected one of {', '.join(PREDICTIONS)}")
    if schedule is None:
        schedule = _OWN_SCHEDULES.get(predicts)
    schedule = schedule_of(schedule)
    found = network_of(network, layout, condition)
    denoiser = ForeignDenoiser(
        found,
        predicts,
        schedule,
        _range(_first(value_range, said.value_range)),
        _channels(_first(channels, said.channels, found.channels)),
        check_whole(_first(size_multiple, said.size_multiple, found.multiple), "size_multiple", 1),
        _size(_first(size, said.size, found.size)),
        provenance=provenance,
    )
    _try(denoiser, of_file=recipe is not None and recipe.address.kind == "keras")
    return denoiser if recipe is None else _with_recipe(denoiser, recipe)


def _with_recipe(denoiser, recipe):
    """The denoiser, which knows how it is made again."""
    denoiser.recipe = with_state(recipe, denoiser.network)
    return denoiser


def _first(*values):
    """The first of some values that is said."""
    return next((value for value in values if value is not None), None)


def _description(network, predicts, schedule, condition):
    """What is known of a network, with the schedule that was given before its own."""
    said = diffusers_description(network, schedule)
    if said is None:
        said = deepinv_description(network)
        given = _first(schedule, said.schedule if predicts is None else None)
        return dataclasses.replace(said, schedule=given)
    name = type(said.network).__name__
    if said.schedule is None and predicts not in _OWN_SCHEDULES:
        raise InputError(
            f"a {name} does not say how it was trained: pass schedule=scheduler, with the scheduler of its "
            "training"
        )
    for need, example in said.needs.items():
        if need not in (condition or {}):
            raise InputError(
                f"a {name} is told {need}, too: pass condition={{{need!r}: {example}}}"
            )
    return said


def _range(given):
    try:
        low, high = (check_number(value, "a value of value_range") for value in given)
    except (TypeError, ValueError):
        low, high = 0.0, 0.0
    if not low < high:
        raise InputError(
            f"received value_range {given!r:.60}, expected (black, white) such as (-1, 1)"
        )
    return low, high


def _channels(given):
    if given is None:
        raise InputError(
            "the network does not say how many channels it takes: pass channels=1 or 3"
        )
    return check_whole(given, "channels", 1)


def _size(given):
    if given is None:
        return None
    try:
        sides = (given, given) if isinstance(given, numbers.Integral) else tuple(given)
    except TypeError:
        sides = ()
    if len(sides) != 2:
        raise InputError(f"received size {given!r:.40}, expected one number or (height, width)")
    return tuple(check_whole(side, "a side", 1) for side in sides)


def _try(denoiser, of_file):
    """Raises `InputError` unless the network works, twice alike, and for an image alone as among others.

    Nothing is computed before it is known how much, if it is a Keras model of a file.
    """
    network, multiple = denoiser.network, denoiser.size_multiple
    sides = denoiser.size or (multiple * -(-_SIDE // multiple),) * 2
    generator = np.random.default_rng(0)
    images = generator.random((2, *sides, denoiser.input_channels)).astype(np.float32)
    low, high = denoiser.limits
    level = min(max(0.3, low), high)
    levels = np.full(2, level, np.float32)
    told = None
    if denoiser.told:
        low, high = denoiser.value_range
        told = denoiser.schedule.argument((high - low) * ops.convert_to_tensor(levels))
    if of_file:
        try:
            network.check_work(images.shape, told)
        except Exception as error:  # Whatever a layer raises that does not take such shapes.
            raise InputError(
                f"the network is not called with images of {'x'.join(map(str, images.shape[1:]))}: "
                f"{reason_of(error)}; {_SEE}"
            ) from error
    network.try_on(images.shape, told)
    saved, unsaved = (_checksums(arrays) for arrays in (network.saved(), network.unsaved()))
    tensors = network.unsaved_tensors()
    other = np.concatenate([generator.random(images[:1].shape).astype(np.float32), images[1:]])
    results, kept = [], []
    for some in (images, images, other, images[1:]):
        try:
            results.append(denoiser.denoise(some, level if denoiser.told else None))
        except InputError as error:
            raise InputError(f"{error}; {_SEE}") from error
        kept.append(_checksums(network.unsaved()))
    first, second, beside, alone = results
    # What is kept of the last call is the same after the same one, and what a call leaves is no constant.
    changed = _changed(saved, _checksums(network.saved())) or _changed(kept[0], kept[1])
    made = {
        name for name, each in network.unsaved_tensors().items() if each is not tensors.get(name)
    }
    network.passing = made.union(*(_changed(unsaved, each) for each in kept))
    largest = max(np.abs(first).max(), 1e-6)
    rounding = max(_SAME, _MANY_ROUNDINGS * _rounding(network))
    if changed or np.abs(first - second).max() > _SAME * largest:
        raise InputError(
            "the network gives something else when it is called again: it keeps a state"
            + (f" ({changed[0]})" if changed else " or draws random numbers")
            + "; a denoiser is a function of its arguments alone"
        )
    # As many images are computed by the same kernels, which round an image alike whatever is beside it.
    for found, tolerance in ((beside[1], _SAME), (alone[0], rounding)):
        if np.abs(first[1] - found).max() > tolerance * largest:
            raise InputError(
                "what the network makes of an image depends on the others of its batch: put it in "
                "evaluation mode, and let it treat each image alone"
            )
    if not np.isfinite(first).all():
        raise InputError("the network returns NaN or infinity for ordinary images: it is damaged")


def _rounding(network):
    """The largest relative error of a number that a network computes, as far as one knows."""
    types = network.number_types or {"float32"}
    if "float32" in types:
        types = types | {product_type()}
    return max(_ROUNDINGS.get(name, _COARSEST) for name in types)


def _changed(before, after):
    """The names of checksums that are other ones, or new."""
    return [name for name in after if before.get(name) != after[name]]


def _checksums(arrays):
    """Of each array of a network, which may be large and changes in place."""
    return {name: zlib.crc32(bytes_of(value)) for name, value in arrays.items()}
