"""Curves from the numbers of reports, which are found by their form."""

import re

from .curves import MOST_FRAMES, Curves, Line
from .result_curves import SIGMA, calibrated, explained, finite

_DEEPEST, _MOST_CURVES = 4, 40

_OWN_PARTS = ("explanation", "calibration")
"""Names that say no more than the title of what is drawn."""

_ENDS = ("_95", "_wilson_95")
"""What the names of intervals end with, after that of their number."""


def report_curves(numbers):
    """`Curves` over noise levels and over numbers of training images, as far as there are any.

    Args:
        numbers: of the report, which may be anybody's: dictionaries in dictionaries. One with "sigmas"
            has PSNR at these; "N=10", "N=100" and so on are sets of training images, of whose numbers
            those with intervals are drawn; explanations and calibrations are drawn as on their own pages.

    Raises:
        Exception: of any kind, where it is not what it should be.
    """
    found = {}
    for path, part in _parts(numbers):
        for make in (_over_noise, _over_images, _explained, _calibrated):
            for curves in make(part):
                name = ", ".join(name for name in path if name not in _OWN_PARTS) or "the whole"
                found.setdefault(curves.title, []).append((name, curves))
    for same in [*found.values()][:_MOST_CURVES]:
        yield _together(same[-MOST_FRAMES:])


def _parts(numbers, path=()):
    """All dictionaries in one, with the names that lead to them."""
    if not isinstance(numbers, dict):
        return
    yield path, numbers
    if len(path) < _DEEPEST:
        for name, part in numbers.items():
            yield from _parts(part, (*path, str(name)))


def _together(same):
    """One `Curves` with a slider over the places where it was found."""
    names, each = zip(*same, strict=True)
    first = each[0]
    if len(each) == 1:
        return first
    return Curves(
        first.title,
        first.x,
        first.y,
        [frame for curves in each for frame in curves.frames],
        first.caption,
        "part",
        names,
        first.log_x,
        first.log_y,
    )


def _over_noise(part):
    sigmas = part.get("sigmas")
    if not _is_numbers(sigmas) or len(sigmas) < 3:
        return
    named = {}
    for key, values in part.items():
        if key.endswith("psnr"):
            inner = values.items() if isinstance(values, dict) else [(key, values)]
            named |= {_said(name): line for name, line in inner}
    lines = [
        Line(name, [*map(finite, sigmas)], [*map(finite, values)])
        for name, values in named.items()
        if _is_numbers(values) and len(values) == len(sigmas)
    ]
    if lines:
        caption = "Means over images."
        yield Curves("PSNR over noise levels", SIGMA, "PSNR in dB", [lines], caption, log_x=True)


def _over_images(part):
    groups = {int(name[2:]): group for name, group in part.items() if _is_size(name)}
    if len(groups) < 2:
        return
    quantities = {}
    for size in sorted(groups):
        for path, value in _with_intervals(groups[size]):
            *of, quantity = map(_said, path)
            lines = quantities.setdefault(quantity, {})
            lines.setdefault(", ".join(of) or quantity, []).append((float(size), *value))
    for quantity, named in quantities.items():
        lines = [Line(name, *zip(*points, strict=True)) for name, points in named.items()]
        yield Curves(
            f"{quantity} over set sizes".capitalize(),
            "training images N",
            quantity,
            [_once(lines)],
            "With 95% intervals; the report says in which units.",
            log_x=True,
        )


def _once(lines):
    """Each curve once, by all of its names: what twins have in common stands with both of them."""
    same = {}
    for line in lines:
        values = tuple(map(tuple, (line.x, line.y, line.low, line.high)))
        same.setdefault(values, []).append(line.name)
    return [Line("; ".join(names), *values) for values, names in same.items()]


def _with_intervals(group, path=()):
    """Paths and (number, low, high) of what has an interval in a group; not in groups of its own."""
    if not isinstance(group, dict) or len(path) > _DEEPEST:
        return
    if {"mean", "mean_bootstrap_95"} <= group.keys():
        yield path, (finite(group["mean"]), *map(finite, group["mean_bootstrap_95"]))
        return
    for name, value in group.items():
        ends = next((group[name + end] for end in _ENDS if name + end in group), None)
        if ends is not None and value is not None:
            yield (*path, name), (finite(value), *map(finite, ends))
        elif not _is_size(name):
            yield from _with_intervals(value, (*path, name))


def _explained(part):
    levels = part.get("test")
    if isinstance(levels, list) and levels and "rivals" in levels[0]:
        yield from explained(part)


def _calibrated(part):
    if {"rule", "boundary", "sides", "levels"} <= part.keys():
        yield from calibrated(part)


def _is_size(name):
    return re.fullmatch(r"N=[0-9]{1,12}", name) is not None


def _is_numbers(values):
    return isinstance(values, list) and all(
        value is None or type(value) in (int, float) for value in values
    )


def _said(name):
    """A name of ours in words."""
    return name.removesuffix("_summary").replace("_", " ").replace("psnr", "PSNR")
