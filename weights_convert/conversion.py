"""From a published checkpoint to a `.keras` file."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import keras

from keras_gahr import __version__
from keras_gahr.denoisers import DirectDenoiser, build_denoiser, save_denoiser
from keras_gahr.denoisers.flexible_unet import NORMS
from keras_gahr.errors import InputError
from keras_gahr.files import check_output_file
from keras_gahr.quoting import listed, quoted

from .catalogue import published_file
from .layouts import find_networks, recognize
from .layouts.plan import Assumption
from .read import WHOLE, open_checkpoint
from .verify import verify


@dataclass(frozen=True)
class Conversion:
    """What a conversion found and made.

    Args:
        architecture, options: arguments of `build_denoiser`.
        parameters: how many numbers are trained (running deviations are not counted).
        max_relative_difference: between our float32 network and the float64 reference, the largest
            of all stages.
        sha256: of the checkpoint.
        assumptions: lines on what the checkpoint cannot tell, neither itself nor as one that was published.
        notes: lines on what of the checkpoint was used and what was left, and which published one it is.
        unsaid: an `Assumption` for each choice that nobody made: of `assumptions` those that were not asked
            for, and which of several networks was taken.
    """

    architecture: str
    options: dict
    parameters: int
    max_relative_difference: float
    sha256: str
    assumptions: tuple
    notes: tuple
    unsaid: tuple = ()


def convert(src, dst, *, first_layer=None, weights=None, norm=None, predicts=None, overwrite=False):
    """Makes a `.keras` denoiser of a published PyTorch checkpoint.

    PyTorch is not needed and nothing in the checkpoint is executed. The file is written only after
    every layer of the new network agreed with a float64 reference on a noisy image.

    Args:
        src: a `.pt` file that holds a state dict.
        dst: the `.keras` file to write.
        first_layer, weights, norm, predicts: see `build_from_checkpoint`.
        overwrite: whether an existing `dst` may be replaced.

    Returns:
        A `Conversion`.

    Raises:
        InputError: if the checkpoint cannot be read, is of no known layout or does not fit it, or
            if `dst` may not be written. A `VerificationError` if the networks disagree.
    """
    dst = check_keras_output(dst, overwrite)
    denoiser, conversion = build_from_checkpoint(src, first_layer, weights, norm, predicts)
    save_denoiser(denoiser, dst)
    return conversion


def build_from_checkpoint(src, first_layer=None, weights=None, norm=None, predicts=None):
    """Makes a denoiser of a published PyTorch checkpoint, in memory, and verifies it.

    Args:
        src: a `.pt` file that holds a state dict, alone or where `open_checkpoint` finds it.
        first_layer: "linear" or "relu": whether BF_CNN was trained with a ReLU after its first
            convolution, which its weights cannot tell; None for what is known of the layout or of the
            published file, or linear where nothing is.
        weights: which ones of a file that holds those of several networks, as in "params_ema"; None
            for the first that are no average, which the notes of the conversion name.
        norm: "layer" or "instance": which UNet_flex was trained with, where its weights cannot tell.
        predicts: "residual" or "image": what the network was trained to compute, which its weights cannot
            tell either; None for the image of the bias-free UNet, and the residual of all others. What is
            not as usual becomes a `DirectDenoiser`.

    Returns:
        The denoiser and a `Conversion`.

    Raises:
        InputError: if the checkpoint cannot be read, is of no known layout or does not fit it. A
            `VerificationError` if the networks disagree.
    """
    src = Path(src)
    if first_layer not in (None, "linear", "relu"):
        raise InputError(f"received first layer {first_layer!r}, expected 'linear' or 'relu'")
    if norm not in (None, *NORMS):
        raise InputError(f"received norm {norm!r:.40}, expected one of {', '.join(NORMS)}")
    if predicts not in (None, "residual", "image"):
        raise InputError(f"received predicts {predicts!r:.40}, expected 'residual' or 'image'")
    checkpoint = open_checkpoint(src, weights, find_networks)
    with src.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    published = published_file(src)
    asked = {"first_layer": first_layer, "norm": norm, "predicts": predicts}
    if first_layer is None and published is not None:
        first_layer = published.first_layer
    try:
        plan, state = recognize(checkpoint.state, first_layer, norm, predicts)
    except InputError as error:
        raise InputError(f"{src} cannot be converted: {error}") from error

    # A graphics processor may round convolutions to TF32, a thousand times more than float32 does.
    with keras.device("cpu"):
        denoiser = build_denoiser(plan.architecture, seed=0, **plan.options)
        for name, entry in plan.entries.items():
            weight = getattr(denoiser.get_layer(entry.layer), entry.weight)
            weight.assign(entry.transform(state[name]))
        verification = verify(denoiser, plan, state)
        if plan.predicts == "image":
            denoiser = DirectDenoiser(denoiser)

    untold = [each for each in plan.assumptions if asked[each.argument] is None]
    notes = checkpoint.notes + _ignored(plan)
    if published is None:
        unsaid = (*untold, *_choice(checkpoint, weights))
        assumptions = plan.assumptions
    else:
        unsaid, assumptions = (), [each for each in plan.assumptions if each not in untold]
        facts = ", ".join([f"it is the published {published.name}", *(e.fact for e in untold)])
        notes = (facts, *notes)
    values = {each.argument: each.value for each in plan.assumptions}
    denoiser.provenance = {
        "source": src.name,
        "sha256": sha256,
        "layout": plan.layout,
        "weights": None if checkpoint.place == WHOLE else checkpoint.place,
        "first_layer": plan.first_layer,
        "predicts": values.get("predicts", plan.predicts),
        "assumed": [each.fact for each in unsaid] or None,
        "notes": [*notes] or None,
        "stored_norm": _stored_norm(plan),
        "max_relative_difference": verification.maximum,
        "keras_gahr": __version__,
    }
    conversion = Conversion(
        architecture=plan.architecture,
        options=plan.options,
        parameters=denoiser.num_parameters,
        max_relative_difference=verification.maximum,
        sha256=sha256,
        assumptions=tuple(map(str, assumptions)),
        notes=notes,
        unsaid=unsaid,
    )
    return denoiser, conversion


def _choice(checkpoint, weights):
    """What was taken of a file with several networks, if nobody said it."""
    if weights is not None or not checkpoint.others:
        return ()
    fact = f"the weights under {quoted(checkpoint.place)}"
    other = checkpoint.others[0]
    return (Assumption("weights", checkpoint.place, fact, other, "those are meant"),)


def _stored_norm(plan):
    """What the checkpoint calls its running deviations ("running_sd", "running_var"); None if none."""
    for name, entry in plan.entries.items():
        if entry.weight == "running_sd":
            return next(part for part in reversed(name.split(".")) if not part.isdecimal())
    return None


def check_keras_output(dst, overwrite):
    """The path, if a `.keras` file may be written there.

    Raises:
        InputError: if its name does not end in .keras, or if it may not be written.
    """
    dst = Path(dst)
    if dst.suffix != ".keras":
        raise InputError(f"received the output {dst}, expected a name that ends in .keras")
    return check_output_file(dst, overwrite)


def _ignored(plan):
    if not plan.ignored:
        return ()
    return (f"the published network does not use {listed(map(quoted, plan.ignored), most=3)}",)
