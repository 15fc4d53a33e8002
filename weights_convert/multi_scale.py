"""From a folder of published checkpoints to one multi-scale denoiser."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from keras_gahr import __version__
from keras_gahr.denoisers import MultiScaleDenoiser, save_denoiser
from keras_gahr.errors import InputError
from keras_gahr.quoting import quoted

from .conversion import build_from_checkpoint, check_keras_output
from .verify import VerificationError

_PARTS = re.compile(r".*(?:_|^)(?:(?P<low>low)|scale_(?P<scale>\d{1,3}))")


@dataclass(frozen=True)
class MultiScaleConversion:
    """What the conversion of a folder found and made.

    Args:
        parts: a dictionary of a `Conversion` for each part: "low_band", "detail_0" (the finest), ...
    """

    parts: dict

    architecture = "multi-scale"

    @property
    def options(self):
        return {"num_scales": len(self.parts) - 1}

    @property
    def parameters(self):
        return sum(part.parameters for part in self.parts.values())

    @property
    def max_relative_difference(self):
        return max(part.max_relative_difference for part in self.parts.values())

    @property
    def assumptions(self):
        return self._lines("assumptions")

    @property
    def notes(self):
        return self._lines("notes")

    @property
    def unsaid(self):
        """As of one `Conversion`. What is said of a folder is of its low band, but for the weights."""
        return tuple(
            replace(
                each,
                fact=f"{name}: {each.fact}",
                other=each.other if name == "low_band" or each.argument == "weights" else "",
            )
            for name, part in self.parts.items()
            for each in part.unsaid
        )

    def _lines(self, kind):
        return tuple(
            f"{name}: {line}" for name, part in self.parts.items() for line in getattr(part, kind)
        )


def convert_multi_scale(
    folder, dst, *, first_layer=None, weights=None, norm=None, predicts=None, overwrite=False
):
    """Makes one `.keras` denoiser of a folder with a low-band and several detail checkpoints.

    Each part is read and verified as `convert` does.

    Args:
        folder: see `build_from_folder`.
        dst: the `.keras` file to write.
        first_layer, norm, predicts: of the low-band network, see `build_from_checkpoint`.
        weights: which ones of each file, see `build_from_checkpoint`.
        overwrite: whether an existing `dst` may be replaced.

    Returns:
        A `MultiScaleConversion`.

    Raises:
        InputError: if a part is missing or does not fit, or if `dst` may not be written. A
            `VerificationError` if a network disagrees with its reference.
    """
    dst = check_keras_output(dst, overwrite)
    denoiser, conversion = build_from_folder(folder, first_layer, weights, norm, predicts)
    save_denoiser(denoiser, dst)
    return conversion


def build_from_folder(folder, first_layer=None, weights=None, norm=None, predicts=None):
    """Makes a `MultiScaleDenoiser` of a folder, in memory, and verifies its parts.

    Args:
        folder: holds the published folders, each with a model.pt: one whose name ends in `_low`, and
            `_scale_0` (the finest), `_scale_1` and so on.
        first_layer, norm, predicts: of the low-band network, see `build_from_checkpoint`.
        weights: which ones of each file, see `build_from_checkpoint`.

    Returns:
        The denoiser, whose parts keep a provenance each, and a `MultiScaleConversion`.

    Raises:
        InputError: if a part is missing, there twice or of the wrong kind, or cannot be converted.
    """
    folder = Path(folder)
    low_path, detail_paths = _find_parts(folder)
    low_band, low_conversion = _build_part(low_path, first_layer, weights, norm, predicts)
    details, conversions = [], {"low_band": low_conversion}
    for scale, path in enumerate(detail_paths):
        detail, conversions[f"detail_{scale}"] = _build_part(path, None, weights)
        details.append(detail)
    conversion = MultiScaleConversion(conversions)
    provenance = {
        "source": folder.resolve().name,
        "max_relative_difference": conversion.max_relative_difference,
        "keras_gahr": __version__,
    }
    try:
        denoiser = MultiScaleDenoiser(low_band, details, provenance)
    except InputError as error:
        raise InputError(f"{folder} cannot be converted: {error}") from error
    return denoiser, conversion


def _build_part(path, *asked):
    try:
        part, conversion = build_from_checkpoint(path, *asked)
    except VerificationError as error:
        raise VerificationError(f"{path}: {error}") from error
    # All published files have the same name, their folders say which they are.
    part.provenance["source"] = f"{path.parent.name}/{path.name}"
    return part, conversion


def _find_parts(folder):
    """The checkpoint of the low band, and those of the details, the finest first."""
    low, scales = [], {}
    for path in sorted(folder.glob("*/model.pt")):
        name = _PARTS.fullmatch(path.parent.name)
        if name is None:
            raise InputError(
                f"{folder} holds {quoted(path.parent.name)}, expected only folders that end in _low "
                "or _scale_NUMBER: move it elsewhere"
            )
        parts = low if name["low"] else scales.setdefault(int(name["scale"]), [])
        parts.append(path)
    if not low and not scales:
        raise InputError(
            f"{folder} holds neither the model.keras of a run nor checkpoints of bands: expected folders in "
            "it that end in _low or _scale_NUMBER and hold model.pt"
        )
    if not low:
        raise InputError(
            f"{folder} has no low band: expected a folder in it that ends in _low and holds model.pt"
        )
    for what, paths in (("the low band", low), *((f"scale {j}", p) for j, p in scales.items())):
        if len(paths) > 1:
            names = " and ".join(quoted(path.parent.name) for path in paths[:2])
            raise InputError(f"{folder} has {names} for {what}: leave one of them")
    for scale in range(max(scales, default=0) + 1):
        if scale not in scales:
            raise InputError(
                f"{folder} has no details of scale {scale}: expected a folder in it that ends in "
                f"_scale_{scale} and holds model.pt"
            )
    return low[0], [scales[scale][0] for scale in sorted(scales)]
