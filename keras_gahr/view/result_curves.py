"""Curves and tables from the JSON files that results are saved in."""

import itertools

from keras_gahr.report.document import Table

from .curves import MOST_FRAMES, Curves, Line, even_places

SIGMA = "sigma, in units of [0, 1]"

_MOST_LINES, _MOST_ROWS = 8, 100

_LEAST_COUNT = 0.1
"""Of eigenvalues, as in spectrum.png: bounds beyond all of them are rounding, such as 1e-31."""


def result_curves(stem, found):
    """The `Curves` of the result in STEM.json; none of a kind that has none.

    Args:
        stem: as above.
        found: the object in that file, which may be anybody's.

    Raises:
        Exception: of any kind, where it is not what it should be.
    """
    return _MAKERS.get(stem, lambda _: ())(found)


def result_tables(stem, found):
    """The `Table`s of the result in STEM.json, likewise."""
    return _TABLES.get(stem, lambda _: ())(found)


def finite(value):
    """A number as a float, or None: NaN and infinities are nothing."""
    if value is None:
        return None
    value = float(value)
    return value if value - value == 0 else None


def explained(found):
    """The share of the network that each rival leaves unexplained, over noise levels."""
    for part in ("test", "train"):
        levels = found.get(part)
        if not levels:
            continue
        names = list(dict.fromkeys(name for level in levels for name in level["rivals"]))
        lines = []
        for name in names[:_MOST_LINES]:
            each = [level["rivals"].get(name, {}).get("unexplained", {}) for level in levels]
            numbers = (_column(each, key) for key in ("mean", "low", "high"))
            lines.append(Line(str(name), _column(levels, "sigma"), *numbers))
        yield Curves(
            f"Unexplained share, {part} images",
            SIGMA,
            "share of |D(y) - y|^2",
            [lines],
            "What each explanation leaves of the network, with 95% intervals: 0 is all explained.",
            log_x=True,
            log_y=True,
        )


def calibrated(found):
    """How well local machines of each size explain a network, over noise levels."""
    levels = found["levels"]
    keys = [key for key in levels[0] if key.startswith("side_")][:_MOST_LINES]
    lines = [
        Line(f"{key[5:]}x{key[5:]} pixels", _column(levels, "sigma"), _column(levels, key))
        for key in keys
    ]
    yield Curves(
        "Explained by squares of each size",
        SIGMA,
        "median r^2",
        [lines],
        "Medians over images of the squared correlation of the network with the local machine.",
        log_x=True,
    )


def _densities(found):
    order = _ascending(found["bits_per_dimension"])
    lines = [_densities_in(found, "these images", order)]
    said = "With a standard error over the noise that was drawn."
    if twin := found.get("twin"):
        lines.append(_densities_in(twin, "the same under the other denoiser", order))
        said += " Under the other denoiser they stand in the same order."
    if others := found.get("others"):
        ranks = _ascending(others["bits_per_dimension"])
        lines.append(_densities_in(others, "other images", ranks))
    yield Curves(
        "Bits per dimension",
        "image, the most probable first",
        "bits per dimension",
        [lines],
        said,
    )
    named = {"these images": found, "the same by the other denoiser": twin, "other images": others}
    # Earlier versions did not keep them.
    rows = {name: each.get("errors_of_denoising", []) for name, each in named.items() if each}
    if sigmas := _column(rows["these images"], "sigma"):
        known = [
            Line(name, *(_column(each, key) for key in ("sigma", "error", "low", "high")))
            for name, each in rows.items()
        ]
        unit = Line("unit variance", sigmas, [1 / (1 + sigma**2) for sigma in sigmas])
        yield Curves(
            "Errors of denoising over noise levels",
            SIGMA,
            "tr J / d" if found["method"] == "flow" else "|x - D(y)|^2 / (d sigma^2)",
            [[*known, unit]],
            "Means over images, with 95% intervals. How far a line is below that of unit variance, summed "
            "over log sigma of all levels, is log p(x) / d + log(2 pi e) / 2.",
            log_x=True,
        )


def _densities_in(found, name, order):
    bits, errors = (
        [values[k] for k in order]
        for values in (_numbers(found["bits_per_dimension"]), _numbers(found["bits_error"]))
    )
    return Line(name, _places(bits), bits, *_around(bits, errors))


def _dimensions(found):
    levels = found["levels"]
    sigmas = _column(levels, "sigma")
    named = {"trace": "tr J", "error": "E |x - D(y)|^2 / sigma^2", "flipd": "FLIPD"}
    lines = [Line(said, sigmas, _column(levels, key)) for key, said in named.items()]
    yield Curves(
        "Dimension over noise levels",
        SIGMA,
        "dimension, mean over images",
        [[line for line in lines if not line.is_empty]],
        "What the first two agree on is the dimension.",
        log_x=True,
        log_y=True,
    )
    order = _ascending(found["dimension"])
    values, errors = (
        [_numbers(found[key])[k] for k in order] for key in ("dimension", "standard_error")
    )
    yield Curves(
        "Dimension of each image",
        "image, the least dimension first",
        "dimension",
        [[Line("dimension", _places(values), values, *_around(values, errors))]],
        "With a standard error over the noise and the probes.",
    )
    named = [(255 * float(level["sigma"]), level.get("spectrum")) for level in levels]
    named = [(f"{sigma:.3g}/255", spectrum) for sigma, spectrum in named if spectrum]
    if named:
        yield from _spectra(named)
    if copies := found.get("copies"):
        yield from _told_by_dimension(copies)


def _count(number):
    return 0.0 if number < _LEAST_COUNT else number


def _spectra(named):
    """Of pairs (noise level in words, numbers of a spectrum)."""
    kept = [named[k] for k in even_places(len(named), MOST_FRAMES)]
    values = [value for value, _ in kept]
    label = "noise level" if len(kept) > 1 else ""
    densities, counts = [], []
    for _, found in kept:
        grid = _numbers(found["grid"])
        densities.append([Line("density", grid, _numbers(found["density"]))])
        # Counted at every fourth place of the grid.
        bounds = [[_count(bound) for bound in _numbers(pair)] for pair in found["counts_above"]]
        low, high = zip(*bounds, strict=True)
        middle = [(least + most) / 2 for least, most in zip(low, high, strict=True)]
        counts.append([Line("eigenvalues above", grid[::4], middle, low, high)])
    for title, y, frames, caption in (
        ("Density of eigenvalues", "eigenvalues per unit of length", densities, "Smoothed."),
        ("Eigenvalues above each value", "eigenvalues above it", counts, "With bounds."),
    ):
        yield Curves(
            title,
            "eigenvalue of (J + J^T) / 2",
            y,
            frames,
            f"{caption} Means over images.",
            label,
            values,
            log_y=True,
        )


def _told_by_dimension(found):
    """The receiver operating characteristic of copies by a low dimension."""
    copies = [bool(copy) for copy in found["copies"]]
    dimension = _numbers(found["dimension"])
    wanted, others = sum(copies), len(copies) - sum(copies)
    if not wanted or not others:
        return
    ranked = sorted(zip(dimension, copies, strict=True))
    x, y = [0.0], [0.0]
    hits = misses = 0
    for _, equal in itertools.groupby(ranked, key=lambda pair: pair[0]):
        for _, copy in equal:
            hits, misses = hits + copy, misses + (not copy)
        x.append(misses / others)
        y.append(hits / wanted)
    yield Curves(
        "Copies told by a low dimension",
        "share of other samples below a threshold",
        "share of copies below it",
        [[Line("by dimension", x, y), Line("by chance", [0.0, 1.0], [0.0, 1.0])]],
        "The receiver operating characteristic over all thresholds.",
    )


def _compared(found):
    networks = {f"{side} and closest of its set": found[f"network_{side.lower()}"] for side in "AB"}
    return _alike("A and B from the same noise", found["network_a"].get("twins"), networks)


def _memorized(found):
    return _alike(
        "other network, same noise", found.get("twins"), {"closest training image": found}
    )


def _alike(name, twins, networks):
    """Similarities of twins, and of samples and the closest training images of some networks."""
    frames, values = [], ("cosine", "correlation")
    for measure in values:
        lines = [_sorted_line(name, twins[measure])] if twins else []
        for said, network in networks.items():
            closest = [best[0] for best in network["closest"][measure]["value"]]
            lines.append(_sorted_line(said, closest))
        frames.append(lines)
    yield Curves(
        "Similarity",
        "share of the samples",
        "similarity at most",
        frames,
        "Each curve ascends on its own: at 0.5 is the median. Twins above the closest training images "
        "speak for generalization, closest training images near 1 for copies.",
        "measure",
        values,
    )


def _sorted_line(name, values):
    values = sorted(value for value in _numbers(values) if value is not None)
    return Line(name, [(k + 0.5) / len(values) for k in range(len(values))], values)


def _closest(found):
    columns = zip(*found["value"], strict=True)
    lines = [
        _sorted_line(name, column)
        for name, column in zip(("closest", "second closest"), columns, strict=False)
    ]
    yield Curves("Closest images", "share of the samples", "measure at most", [lines], "")


def _patch_sources(found):
    line = _sorted_line("patches", itertools.chain.from_iterable(found["correlation"]))
    yield Curves(
        "Patches and closest patches",
        "share of the patches",
        "correlation at most",
        [[line]],
        "Of each of four patches of a sample with the closest one of the training images.",
    )


def _overlap(found):
    points = sorted((float(share), finite(value)) for share, value in found["quantiles"].items())
    shares, values = zip(*points, strict=True)
    yield Curves(
        "Closest images of the other dataset",
        "share of the images",
        "correlation at most",
        [[Line("correlation", shares, values)]],
        "",
    )


def _noise_levels(found):
    levels = found["levels"]
    names = [key for key in levels[0] if key not in ("sigma", "standard_error")]
    lines = []
    for name in names[:_MOST_LINES]:
        each = [level[name] for level in levels]
        ends = zip(*(map(finite, one["interval"]) for one in each), strict=True)
        lines.append(
            Line(name.replace("_", "-"), _column(levels, "sigma"), _column(each, "ratio"), *ends)
        )
    yield Curves(
        "Estimated noise level over the known one",
        SIGMA,
        "estimated level / sigma",
        [lines],
        "Means with 95% intervals over images: 1 is right.",
        log_x=True,
        log_y=True,
    )


def _posterior(found):
    shares = _numbers(found["shares"])
    yield Curves(
        "Variance along the components",
        "number",
        "share of the variance",
        [[Line("share", _places(shares), shares)]],
        "",
        log_y=True,
    )


def _measures(found):
    """Measures of copying and their nulls."""
    rows = []
    for name, measure in [*found["measures"].items()][:20]:
        null = measure["null"]
        rows.append(
            [
                str(name),
                finite(measure["value"]),
                _interval_text(measure["interval_95"]),
                finite(null["value"]),
                _interval_text(null["interval_95"]),
            ]
        )
    yield Table(
        ["measure", "samples", "95%", "null", "95% of the null"],
        rows,
        "Measures of copying, and what they are where nothing was copied.",
    )


def _denoised(found):
    """What was done to each file."""
    keys = ("before", "after", "residual", "noise")
    files = found["files"]
    rows = [
        [str(file["name"]), *(finite(file.get(key)) for key in keys)] for file in files[:_MOST_ROWS]
    ]
    more = f" The first {len(rows)} of {len(files):,} files." if len(files) > len(rows) else ""
    yield Table(
        ["file", "PSNR before", "after", "taken away", "noise level"],
        rows,
        "PSNR in dB where clean images were given; what was taken away and the estimated noise level in "
        f"units of [0, 1].{more}",
    )


def _interval_text(ends):
    low, high = map(finite, ends)
    return None if low is None or high is None else f"{low:.3g} to {high:.3g}"


def _numbers(values):
    return [finite(value) for value in values]


def _column(rows, key):
    return [finite(row.get(key)) for row in rows]


def _ascending(values):
    """The places of values in their order, those of nothing last."""
    values = _numbers(values)
    return sorted(range(len(values)), key=lambda k: (values[k] is None, values[k]))


def _places(values):
    return [float(k + 1) for k in range(len(values))]


def _around(values, errors):
    """The ends of a band."""
    pairs = [*zip(values, errors, strict=True)]
    return [
        [None if None in (value, error) else value + sign * error for value, error in pairs]
        for sign in (-1, 1)
    ]


_MAKERS = {
    "calibration": calibrated,
    "closest": _closest,
    "comparison": _compared,
    "copies": _told_by_dimension,
    "density": _densities,
    "dimension": _dimensions,
    "explanation": explained,
    "memorization": _memorized,
    "noise_calibration": _noise_levels,
    "overlap": _overlap,
    "patch_sources": _patch_sources,
    "posterior": _posterior,
    "spectrum": lambda found: _spectra([("", found)]),
}

_TABLES = {"copying": _measures, "denoising": _denoised}
