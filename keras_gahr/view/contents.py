"""What a page says of a result: its `Section`s, read from its files."""

import dataclasses
import posixpath
import struct
import time

from keras_gahr.names import printable, reason_of
from keras_gahr.report.document import Claim, Section, Slider, Table

from .columns import read_columns
from .curves import Curves, Line, even_places
from .entries import DATASET, LOOSE, PICTURES, REPORT, RUN, ending, entries_inside
from .items import LinkedPicture, Links
from .report_curves import report_curves
from .result_curves import finite, result_curves, result_tables
from .table_curves import clock_curves, history_curves, level_curves, psnr_curves
from .viewed_folder import name_below

_MOST_PICTURES, _MOST_ROWS = 60, 100
_MOST_PIXELS = 2**27
_SMALL = 192
"""Pixels up to which small pictures are magnified."""

_LONGEST_TEXT, _LONGEST_LIST, _MOST_SETTINGS, _DEEPEST = 600, 12, 300, 5

_ALL_OF_IT = (
    "With its sections, tables and sliders, as it was written; here are its claims and pictures."
)

_SAID = ("answer", "verdict", "rule", "caveat")
"""Entries of results that are sentences, and what they say first."""


class Contents:
    """The `Section`s of the page of a result. What cannot be shown is one line, and the rest is shown.

    Args:
        folder: `ViewedFolder`.
        entry: `Entry`.
        addresses: `Addresses`.
    """

    def __init__(self, folder, entry, addresses):
        self.folder, self.entry, self.addresses = folder, entry, addresses
        self.claims, self.said, self.settings = [], [], {}
        self._failed, self._json = [], None

    def sections(self):
        """A list of them.

        Afterwards there are also `claims`, `said` (paragraphs) and `settings`, which says how the result
        was made.
        """
        parts = [*self._parts()]
        self.settings = self._settings()
        if self._failed:
            parts.append(Section("Cannot be shown", self._failed))
        return parts

    def _parts(self):
        kind = self.entry.kind
        if kind == REPORT:
            address = self.addresses.file(self._name("report.html"))
            yield Section("The report", items=[Links((("Open all of it", address),), _ALL_OF_IT)])
        if kind == RUN:
            yield from self._section("Curves", self._tries(self._run_curves()))
        elif kind != LOOSE:
            self._read_json()
            yield from self._section("Curves", self._tries(self._curves()))
        if kind == DATASET:
            yield from self._section("Images", self._slider("images"))
        if "trajectory.npz" in self.entry.files:
            yield from self._section(
                "How the images come out of the noise", self._slider("trajectory")
            )
        if "eigenbasis.npz" in self.entry.files:
            yield from self._section("Eigenvectors", self._slider("eigenvectors"))
        yield from self._section("Results inside", self._inside())
        yield from self._section("Pictures", self._pictures())
        yield from self._section("Tables", self._tables())
        yield from self._section("Files", self._files())

    def _section(self, title, items):
        items = [*items]
        if items:
            yield Section(title, items=items)

    def _read_json(self):
        name = self._name(self.entry.mark)
        self._json = self._try(self.entry.mark, lambda: self.folder.json(name))
        if self._json:
            said = (self._json.get(key) for key in ("question", *_SAID))
            self.said = [shortened(text) for text in said if isinstance(text, str)]
            if self.entry.kind == REPORT:
                self.claims = self._try("claims", self._claims) or []

    def _claims(self):
        fields = [field.name for field in dataclasses.fields(Claim)]
        found = []
        for claim in self._json.get("claims", ())[:_MOST_ROWS]:
            values = {key: claim[key] for key in fields}
            passed = values.pop("passed")
            if passed not in (True, False, None) or not all(
                isinstance(value, str) for value in values.values()
            ):
                raise ValueError("a claim is none")
            found.append(Claim(passed=passed, **values))
        return found

    def _settings(self):
        if self.entry.kind == RUN:
            name = self._name("config.json")
            found = self._try("config.json", lambda: self.folder.json(name)) or {}
        else:
            found = self._json or {}
        hidden = {*_SAID, "question", "title", "claims", "pictures"}
        kept = {key: value for key, value in found.items() if key not in hidden}
        return shortened(kept) if kept else {}

    def _run_curves(self):
        makers = (
            ("levels.csv", lambda *place: [level_curves(*place)]),
            ("history.csv", history_curves),
            ("clock.csv", clock_curves),
        )
        for file, make in makers:
            if file in self.entry.files:
                yield file, lambda make=make, file=file: make(self.folder, self._name(file))

    def _curves(self):
        name, files = self._name, self.entry.files
        if "psnr.csv" in files:
            yield "psnr.csv", lambda: [psnr_curves(self.folder, name("psnr.csv"))]
        if "clock.csv" in files:
            yield "clock.csv", lambda: clock_curves(self.folder, name("clock.csv"))
        if self._json and self.entry.kind == REPORT:
            yield "numbers.json", lambda: report_curves(self._json.get("numbers"))
        elif self._json:
            yield self.entry.mark, lambda: result_curves(self.entry.stem, self._json)
        if "eigenbasis.npz" in files and self._json:
            yield "eigenbasis.json", lambda: _shrinkage(self._json)
        if "trajectory.npz" in files:
            yield "trajectory.npz", self._noise_levels

    def _noise_levels(self):
        from .frames import SamplerSteps

        steps, levels = SamplerSteps(self.folder, self.entry.name).levels()
        kept = even_places(len(steps), 1000)
        lines = [
            Line(f"image {k}", [float(steps[j]) for j in kept], [finite(line[j]) for j in kept])
            for k, line in enumerate(levels.T)
        ]
        yield Curves(
            "Noise level along the way",
            "step",
            "sigma, in units of [0, 1]",
            [lines],
            "As the denoiser sees it, of the first images.",
            log_y=True,
        )

    def _slider(self, kind):
        """A list of one `Slider` over `Frames`, made when a page asks for them; empty if that fails."""
        # Of NumPy and what reads images nothing is needed by most pages.
        from .frames import KINDS

        made = KINDS[kind]
        changed = self.entry.files[made.FILE].st_mtime
        found = self._try(made.FILE, lambda: made(self.folder, self.entry.name).frames())
        if not found:
            return []
        pictures = [
            LinkedPicture(
                self.addresses.frame(self.entry.name, kind, place, changed),
                found.size,
                "",
                f"{found.label} {value}",
                magnified=True,
            )
            for place, value in zip(found.places, found.values, strict=True)
        ]
        return [Slider(found.label, found.values, pictures, found.caption)]

    def _inside(self):
        """Links to the results in the folders of this one, which the list of all does not have."""
        found = entries_inside(self.folder, self.entry) if self.entry.kind != LOOSE else ()
        start = len(name_below(self.entry.name, ""))
        targets = [
            (f"{printable(each.name[start:])}: {each.kind}", self.addresses.look(each.name))
            for each in found
        ]
        if targets:
            yield Links(tuple(targets), "Made of this one, or put into its folder.")

    def _pictures(self):
        """Those in the folder and in the folders in it."""
        places = [(name, found) for name, found in self._all_pictures()]
        for name, found in places[:_MOST_PICTURES]:
            picture = self._try(name, lambda name=name, found=found: self._picture(name, found))
            if picture:
                yield picture
        if len(places) > _MOST_PICTURES:
            self._failed.append(
                f"{len(places) - _MOST_PICTURES:,} more pictures: too many for a page."
            )

    def _all_pictures(self):
        for name in self.entry.pictures:
            yield name, self.entry.files[name]
        if self.entry.kind == LOOSE:
            return
        for below in self.entry.folders[:_MOST_PICTURES]:
            try:
                files, _ = self.folder.files(self._name(below))
            except OSError:
                continue
            for name, found in files.items():
                if ending(name) in PICTURES:
                    yield name_below(below, name), found

    def _picture(self, name, found):
        size, factor = (None, None), 1
        if ending(name) == ".png":
            with self.folder.open(self._name(name)) as file:
                width, height = _png_size(file.read(24))
            # Of images as small as networks are trained on, pixels are to be seen.
            factor = max(1, _SMALL // max(width, height))
            size = factor * width, factor * height
        shown = printable(name)
        address = self.addresses.file(self._name(name), found.st_mtime)
        return LinkedPicture(address, size, shown, f"Picture {shown}", magnified=factor > 1)

    def _tables(self):
        if self._json:
            yield from self._tries(
                [(self.entry.mark, lambda: result_tables(self.entry.stem, self._json))]
            )
        drawn = {"history.csv", "levels.csv", "clock.csv", "psnr.csv"}
        for name in self.entry.files:
            if ending(name) == ".csv" and name not in drawn:
                table = self._try(name, lambda name=name: self._table(name))
                if table:
                    yield table

    def _table(self, name):
        columns = read_columns(self.folder, self._name(name))
        rows = [[_cell(value) for value in row] for row in zip(*columns.values(), strict=True)]
        more = f", the first {_MOST_ROWS} rows of {len(rows):,}" if len(rows) > _MOST_ROWS else ""
        return Table([*columns], rows[:_MOST_ROWS], f"{printable(name)}{more}")

    def _files(self):
        """What there is, by name and size."""
        rows = [
            [printable(name), size_text(found.st_size), time_text(found.st_mtime)]
            for name, found in [*self.entry.files.items()][:_MOST_ROWS]
        ]
        more = len(self.entry.files) - len(rows)
        if rows:
            yield Table(
                ("file", "size", "changed"), rows, f"and {more:,} more" if more else "All files."
            )

    def _tries(self, makers):
        for name, make in makers:
            yield from self._try(name, lambda make=make: [*make()]) or ()

    def _try(self, name, make):
        """What a function returns, or None after it was noted why that is not to be had."""
        try:
            return make()
        except Exception as error:  # Whatever is wrong with a file of anybody's, others are shown.
            self._failed.append(f"{printable(name)} cannot be shown: {reason_of(error)}")
            return None

    def _name(self, file):
        return name_below(self.entry.name, file)


def _shrinkage(found):
    values = [finite(value) for value in found["shrinkage"]]
    line = Line("shrinkage", [float(k + 1) for k in range(len(values))], values)
    yield Curves(
        "Shrinkage factors",
        "number",
        "shrinkage",
        [[line]],
        "How much of each eigenvector the denoiser keeps.",
    )


def _png_size(start):
    if start[:8] != b"\x89PNG\r\n\x1a\n" or len(start) < 24:
        raise ValueError("it is no PNG file")
    width, height = struct.unpack(">II", start[16:24])
    if not 0 < width * height <= _MOST_PIXELS:
        raise ValueError(f"it has {width} x {height} pixels")
    return width, height


def _cell(value):
    """A number that is whole as such, and text short."""
    if isinstance(value, float):
        return int(value) if value == int(value) and abs(value) < 2**53 else value
    return value if value is None else shortened(value)


def shortened(value, depth=0):
    """Anything of JSON as a page has room for it."""
    if isinstance(value, dict):
        if depth == _DEEPEST:
            return f"{len(value)} entries"
        kept = [*value.items()][:_MOST_SETTINGS]
        shown = {shortened(str(key)): shortened(part, depth + 1) for key, part in kept}
        if len(value) > len(kept):
            shown["..."] = f"{len(value):,} in all"
        return shown
    if isinstance(value, list):
        if any(isinstance(part, dict | list) for part in value):
            return f"{len(value):,} entries"
        kept = [shortened(part) for part in value[:_LONGEST_LIST]]
        return [*kept, f"... {len(value):,} in all"] if len(value) > len(kept) else kept
    if isinstance(value, str):
        value = " ".join(printable(part) for part in value.split())
        return value if len(value) <= _LONGEST_TEXT else f"{value[:_LONGEST_TEXT]}..."
    # Of a number with thousands of digits the text would take for ever.
    return value if not isinstance(value, int) or abs(value) < 2**64 else "a huge number"


def time_text(seconds):
    """A point in time on the clock of this machine."""
    try:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
    except (OverflowError, ValueError, OSError):
        return "at some time"


def size_text(size):
    """Bytes in words."""
    for unit, name in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size} bytes"


def title_of(folder, name):
    """What a result is called: its folder's name."""
    return printable(posixpath.basename(name) or folder.path.name or str(folder.path))
