"""What is printed and drawn of a dataset that was made."""

import time

import typer

from .left_out import describe_left_out


def summarize(dataset, out, started, note="", picture=lambda image: image):
    """Writes the contact sheet of the first 64 images and prints the summary.

    Args:
        dataset: a `Dataset`.
        out: its folder.
        started: what `time.perf_counter` said then.
        note: printed too.
        picture: a function from an image (H, W, C) to what is shown of it, on [0, 1].
    """
    import numpy as np

    from keras_gahr.datasets.image_files import contact_sheet, write_image
    from keras_gahr.datasets.shrinking import thumbnail

    shown = [thumbnail(picture(dataset.as_float(k))) for k in range(min(64, len(dataset)))]
    write_image(out / "contact_sheet.png", contact_sheet(np.stack(shown)))
    count, height, width, channels = dataset.images.shape
    skipped = [(file["name"], file["reason"]) for file in dataset.manifest["skipped"]]
    typer.echo(
        f"{out}: {count} images of {height}x{width}x{channels} {dataset.images.dtype}, "
        f"{dataset.images.nbytes / 1e6:.1f} MB, {time.perf_counter() - started:.1f} s"
        + (f"; {note}" if note else "")
        + (f"; {describe_left_out(skipped)}; see manifest.json" if skipped else "")
    )
