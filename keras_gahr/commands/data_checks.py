"""`gahr data dedup`, `overlap` and `show`: what is in a dataset."""

import time
from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.figure_files import FORMATS, figure_files
from keras_gahr.json_file import write_json

from .options import FormatOption, LayoutOption, OverwriteOption, figure_path
from .progress import progress_bar
from .summary import summarize
from .table import print_table

DatasetArgument = Annotated[
    Path, typer.Argument(help="Dataset folder, or .npy or .npz file of images.")
]
ThresholdOption = Annotated[
    float, typer.Option(help="Images repeat each other above this correlation.")
]
SideOption = Annotated[
    int, typer.Option(help="Images are averaged down to this height and width first.", min=2)
]

# As many pairs fit a page.
SHOWN = 48


def dedup(
    dataset: DatasetArgument,
    out: Annotated[Path, typer.Argument(help="Dataset folder to make.")],
    threshold: ThresholdOption = 0.95,
    side: SideOption = 20,
    layout: LayoutOption = None,
    figures: FormatOption = None,
    overwrite: OverwriteOption = False,
):
    """Drop the later image of every pair whose correlation exceeds the threshold.

    Identical images are dropped whatever their contrast; other blank ones stay.
    Pairs and correlations are listed in manifest.json and shown in a figure, repeats.
    """
    from keras_gahr.datasets import load
    from keras_gahr.datasets.duplicates import drop_repeats

    started = time.perf_counter()
    whole = load(dataset, layout=layout)
    with progress_bar("Comparing") as progress:
        made, repeats = drop_repeats(whole, out, threshold, side, overwrite, progress)
    note = f"{repeats.count} pairs among {len(whole)} images"
    summarize(made, out, started, note)
    if repeats.count:
        # The doubtful ones first.
        pairs = sorted(repeats.pairs, key=lambda pair: abs(pair[2]))[:SHOWN]
        title = "Repeated images: indices and correlation, lowest first"
        _draw_pairs(title, whole, whole, pairs, figure_path(out, "repeats", figures))


def overlap(
    first: Annotated[Path, typer.Argument(help="Dataset whose images are looked up.")],
    second: Annotated[Path, typer.Argument(help="Dataset they are looked up in.")],
    out: Annotated[Path, typer.Option(help="Folder for the numbers and pictures.")] = Path(
        "overlap"
    ),
    threshold: ThresholdOption = 0.95,
    side: SideOption = 20,
    layout: LayoutOption = None,
    figures: FormatOption = None,
    overwrite: OverwriteOption = False,
):
    """For each image of one dataset, find the closest image of another.

    Writes overlap.json and two figures, histogram and closest.
    """
    from keras_gahr import __version__
    from keras_gahr.datasets import load
    from keras_gahr.datasets.overlap import find_overlap
    from keras_gahr.files import check_output_folder, replacing_folder
    from keras_gahr.plot import overlap_histogram, save

    contents = ("overlap.json", *figure_files("histogram", "closest"))
    check_output_folder(out, overwrite, known_by=contents[0], contents=contents)
    a, b = (load(path, layout=layout) for path in (first, second))
    with progress_bar("Comparing") as progress:
        found = find_overlap(a.images, b.images, side, progress)
    most = found.most(SHOWN).tolist()
    pairs = [(i, int(found.index[i]), float(found.correlation[i])) for i in most]
    numbers = found.numbers(threshold)
    with replacing_folder(out, overwrite) as folder:
        content = {
            "package": f"keras-gahr {__version__}",
            "first": {"name": first.resolve().name, "images": len(a)},
            "second": {"name": second.resolve().name, "images": len(b)},
            "side": side,
            **numbers,
            "closest_pairs": pairs,
        }
        write_json(folder / contents[0], content)
        histogram = overlap_histogram(found.correlation, threshold)
        save(histogram, figure_path(folder, "histogram", figures))
        title = f"Closest images: {first.name} (left), {second.name} (right)"
        _draw_pairs(title, a, b, pairs, figure_path(folder, "closest", figures))
    typer.echo(
        f"largest correlation of {len(a)} images with any of {len(b)}: median "
        f"{numbers['quantiles']['0.5']:.4f}, maximum {numbers['max']:.4f}, "
        f"{numbers['num_above_threshold']} above {threshold:g}; see {out}"
    )


def show(
    dataset: DatasetArgument,
    out: Annotated[
        Path | None,
        typer.Option(help="A .png, .pdf or .svg file.", show_default="DATASET-show.png, beside it"),
    ] = None,
    count: Annotated[int, typer.Option(help="Images on the contact sheet.", min=1)] = 64,
    layout: LayoutOption = None,
    figures: FormatOption = None,
    overwrite: OverwriteOption = False,
):
    """Draw a contact sheet and print statistics of the intensities.

    The same numbers are written beside the picture, as .json.
    """
    import numpy as np

    from keras_gahr.datasets import load
    from keras_gahr.datasets.shrinking import thumbnail
    from keras_gahr.datasets.statistics import intensities
    from keras_gahr.errors import InputError
    from keras_gahr.files import check_output_file, replacing
    from keras_gahr.plot import intensity_histograms, save

    path = dataset.resolve()
    out = out or figure_path(path.parent, f"{path.name}-show", figures)
    ending = out.suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise InputError(f"{out} cannot be written: end its name in .png, .pdf or .svg")
    if figures not in (None, ending):
        raise InputError(f"received --format {figures} and --out {out}: leave one of them out")
    numbers_path = out.with_suffix(".json")
    for file in (out, numbers_path):
        check_output_file(file, overwrite)
    loaded = load(dataset, layout=layout)
    with progress_bar("Reading") as progress:
        found = intensities(loaded.images, progress)
    height, width, channels = loaded.images.shape[1:]
    kind = f"{len(loaded)} images of {height}x{width}x{channels} {loaded.images.dtype}"
    shown = np.stack([thumbnail(loaded.as_float(k)) for k in range(min(count, len(loaded)))])
    save(intensity_histograms(shown, found, title=f"{path.name}: {kind}"), out, overwrite)
    numbers = {
        "images": list(loaded.images.shape),
        "dtype": loaded.images.dtype.name,
        "recipe": loaded.manifest["recipe"],
        "mean": found.mean,
        "sd": found.sd,
        "min": found.min,
        "max": found.max,
        "constant_images": found.num_constant,
        "repeated_images": found.num_repeated,
        "histogram": found.histogram.tolist(),
    }
    with replacing(numbers_path) as temporary:
        write_json(temporary, numbers)
    print_table(
        ("dataset", kind),
        [
            ("recipe", loaded.manifest["recipe"]),
            ("mean, sd", f"{found.mean:.4f}, {found.sd:.4f}"),
            ("range", f"{found.min:.4f} to {found.max:.4f}"),
            ("constant images", str(found.num_constant)),
            ("same bytes as an earlier image", str(found.num_repeated)),
            ("picture", str(out)),
        ],
    )


def _draw_pairs(title, left, right, pairs, path):
    """A page of the images i of one dataset and j of another, from (i, j, correlation)."""
    from keras_gahr.datasets.shrinking import thumbnail
    from keras_gahr.plot import image_pairs, save

    drawn = [
        (
            thumbnail(left.as_float(i)),
            thumbnail(right.as_float(j)),
            f"{i} | {j}: {correlation:.4f}",
        )
        for i, j, correlation in pairs
    ]
    save(image_pairs(drawn, title=title), path)
