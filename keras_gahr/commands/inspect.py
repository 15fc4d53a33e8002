"""`gahr inspect`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.backend_choice import choose_backend
from keras_gahr.checkpoint_address import all_said
from keras_gahr.hub.address import is_hub_address

from .backend import BackendOption
from .convert import FirstLayer, NormOption, PredictsOption, WeightsOption
from .options import ModelArgument

_NOT_OPTIONS = {"name", "seed", "provenance", "low_band", "details"}


def inspect(
    model: ModelArgument,
    first_layer: Annotated[
        FirstLayer | None, typer.Option(help="For checkpoints, as for `gahr convert`.")
    ] = None,
    norm: NormOption = None,
    predicts: PredictsOption = None,
    weights: WeightsOption = None,
    backend: BackendOption = None,
):
    """Print what a denoiser is and what can be measured of it.

    The receptive field is measured, not computed from the layers: single lines of a zero image are
    set to random values, and the lines of the output that then differ from zero are counted. Where
    it depends on the place of the pixel, as in a UNet, the largest is printed. Baselines of images of
    one size, and networks of somebody else's, are not measured. A PyTorch checkpoint is converted and
    verified in memory; nothing is written.
    """
    choose_backend(backend)
    denoiser, lines = _open(
        model,
        {
            "first_layer": first_layer and first_layer.value,
            "weights": weights,
            "norm": norm and norm.value,
            "predicts": predicts and predicts.value,
        },
    )
    if denoiser.foreign:
        _show_foreign(denoiser)
    else:
        _show("architecture", _architecture(denoiser))
        _show("parameters", f"{denoiser.num_parameters:,}, trained")
    for part in _parts(denoiser):
        _show(part.name, f"{_architecture(part)}, {part.num_parameters:,} parameters")
    _show("input, output", _sides(denoiser))
    if not denoiser.foreign and None in denoiser.input_shape[1:3]:
        _show_measured(denoiser)
    for line in lines:
        _show(*line)
    for part in (denoiser, *_parts(denoiser)):
        label = "provenance" if part is denoiser else f"of {part.name}"
        known = [f"{name}: {_plain(v)}" for name, v in part.provenance.items() if v is not None]
        for line in known or ["not known"]:
            _show(label, line)
            label = ""


def _open(path, asked):
    """The denoiser in a file, and (label, text) of what was found on the way.

    Args:
        path: what was given.
        asked: arguments of `build_from_checkpoint` by name; None: nothing.
    """
    from keras_gahr.denoisers import load_denoiser
    from weights_convert.suffixes import is_checkpoint_name

    if isinstance(path, Path):
        bare, asked = all_said(path, asked)
        path = Path(bare)
    elsewhere = not isinstance(path, Path) or is_hub_address(path)
    is_run = not elsewhere and (path / "model.keras").is_file()
    if elsewhere or is_run or not (is_checkpoint_name(path) or path.is_dir()):
        return load_denoiser(path, **asked), []
    import weights_convert

    build = (
        weights_convert.build_from_folder
        if path.is_dir()
        else weights_convert.build_from_checkpoint
    )
    denoiser, conversion = build(path, **asked)
    difference = f"every layer agrees to {conversion.max_relative_difference:.1e}"
    return denoiser, [
        ("float64 reference", difference),
        *(("note", note) for note in conversion.notes),
        *(("assumed", assumption) for assumption in conversion.assumptions),
    ]


def _show_foreign(denoiser):
    """Prints how somebody's network was wrapped."""
    low, high = denoiser.limits
    _show("network", denoiser.recipe.address)
    _show("parameters", f"{denoiser.num_parameters:,}")
    _show("predicts", denoiser.predicts)
    _show("schedule", denoiser.schedule.name)
    _show("value range", "{:g} to {:g}".format(*denoiser.value_range))
    _show("noise levels", f"{low:.4g} to {high:.4g}" if denoiser.told else "not told: blind")
    for name, value in denoiser.network.condition.items():
        _show("condition", f"{name}={value}")


def _show_measured(denoiser):
    """Prints what is found of a network by trying it on images of several sizes."""
    from keras_gahr.denoisers import properties

    if properties.sees_whole_image(denoiser):
        _show("receptive field", "the whole image, by whose deviation its norms divide")
    else:
        height, width = properties.receptive_field(denoiser)
        _show("receptive field", f"{height}x{width} pixels, measured")
    factors = ", ".join(f"{scale:g}" for scale in properties.SCALES)
    error = properties.homogeneity_error(denoiser)
    _show("homogeneity", f"D(a y) = a D(y) to {error:.1e} of the largest value, a = {factors}")
    _show("norm", _norm(denoiser))


def _show(label, text):
    typer.echo(f"{label:<17} {text}")


def _architecture(denoiser):
    options = {k: v for k, v in denoiser.get_config().items() if k not in _NOT_OPTIONS}
    if _parts(denoiser):
        options["num_scales"] = denoiser.num_scales
    shown = ", ".join(f"{name}={value}" for name, value in options.items())
    return f"{type(denoiser).__name__}({shown})"


def _parts(denoiser):
    """The denoisers that a multi-scale denoiser is made of."""
    from keras_gahr.denoisers import MultiScaleDenoiser

    if isinstance(denoiser, MultiScaleDenoiser):
        return [denoiser.low_band, *denoiser.details]
    return []


def _sides(denoiser):
    channels = f"{denoiser.input_channels} and {denoiser.output_channels} channel(s)"
    height, width = denoiser.inputs[0].shape[1:3]
    if None not in (height, width):
        return f"{channels}, images of {height}x{width}"
    if denoiser.size_multiple == 1:
        return f"{channels}, images of any size"
    return f"{channels}, height and width multiples of {denoiser.size_multiple}"


def _norm(denoiser):
    from keras_gahr.denoisers import properties

    norms = list(properties.normalizations(denoiser))
    layers = len(norms)
    if not layers:
        return "none"
    if properties.sees_whole_image(denoiser):
        kind = "all channels together" if norms[0].across_channels else "each channel"
        return f"standard deviations of each image, of {kind}, {layers} layers"
    stored = {part.provenance.get("stored_norm") for part in (denoiser, *_parts(denoiser))} - {None}
    text = f"running standard deviations, {layers} layers"
    return f"{text}; stored as {', '.join(sorted(stored))}" if stored else text


def _plain(value):
    if isinstance(value, float):
        return f"{value:.2g}"
    return value if isinstance(value, str) else json.dumps(value)
