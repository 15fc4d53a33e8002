"""What is printed and drawn of a dataset that was made."""

import time

import typer

from .left_out import describe_left_out


def summarize(dataset, out, started, note="", pictures=None):
    """Writes the contact sheet of the first 64 images, or of the pictures, and prints the summary."""
    from keras_gahr.datasets.image_files import contact_sheet, write_image

    if pictures is None:
        pictures = dataset.as_float(slice(64))
    write_image(out / "contact_sheet.png", contact_sheet(pictures))
    count, height, width, channels = dataset.images.shape
    skipped = [(file["name"], file["reason"]) for file in dataset.manifest["skipped"]]
    typer.echo(
        f"{out}: {count} images of {height}x{width}x{channels} {dataset.images.dtype}, "
        f"{dataset.images.nbytes / 1e6:.1f} MB, {time.perf_counter() - started:.1f} s"
        + (f"; {note}" if note else "")
        + (f"; {describe_left_out(skipped)}; see manifest.json" if skipped else "")
    )
