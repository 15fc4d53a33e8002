"""Figures as files."""

import io
from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from keras_gahr.errors import InputError
from keras_gahr.figure_files import FORMATS
from keras_gahr.files import check_output_file, replacing

_DPI = {"png": 120, "pdf": 300, "svg": 300}
"""Dots per inch; in PDF and SVG, of the images within."""

_METADATA = {"png": {}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}
"""No dates, so that a figure always gives the same file."""

_OPTIONS = {"svg.hashsalt": "keras-gahr", "pdf.fonttype": 42}
"""Fixed names within SVG; fonts in PDF that journals take and programs edit."""


def save(figure: Figure, path: str | Path, overwrite: bool = False) -> Path:
    """Writes a figure as PNG (120 dots per inch), PDF or SVG, whole or not at all.

    The same figure drawn again gives the same bytes.

    Args:
        figure: a figure.
        path: a file, whose name ends in .png, .pdf or .svg.
        overwrite: whether to replace one that is there.

    Returns:
        The path.

    Raises:
        InputError: for another ending, if the file exists, or if it cannot be written.

    Examples:
        >>> import tempfile
        >>> from keras_gahr import plot
        >>> figure = plot.overlap_histogram([0.2, 0.4, 0.97], threshold=0.95)
        >>> plot.save(figure, tempfile.mkdtemp() + "/overlap.svg").name
        'overlap.svg'
    """
    ending = Path(path).suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise InputError(f"{path} cannot be written: end its name in .png, .pdf or .svg")
    path = check_output_file(path, overwrite)
    with replacing(path) as temporary:
        _write(figure, temporary, ending)
    return path


def png_bytes(figure: Figure) -> bytes:
    r"""The content of a PNG file of a figure, for reports.

    Args:
        figure: a figure.

    Returns:
        What `save` would write.

    Examples:
        >>> from keras_gahr import plot
        >>> plot.png_bytes(plot.overlap_histogram([0.2, 0.4, 0.97], threshold=0.95))[:4]
        b'\x89PNG'
    """
    content = io.BytesIO()
    _write(figure, content, "png")
    return content.getvalue()


def _write(figure, file, ending):
    with matplotlib.rc_context(_OPTIONS):
        figure.savefig(file, format=ending, dpi=_DPI[ending], metadata=_METADATA[ending])
