"""TIFF and PNG files written by hand, of kinds that Pillow does not write."""

import itertools
import struct
import zlib

import numpy as np

_FORMATS = {"u": 1, "i": 2, "f": 3}


def tiff(
    values, photometric=1, order="<", packed=False, bits=None, extra=None, planes=False, **tags
):
    """A TIFF of (H, W) or (H, W, C) values of any type; `packed` by deflate.

    Args:
        photometric: 0 white is zero, 1 black is zero, 2 RGB, 5 CMYK, 8 Lab.
        order: "<" or ">".
        bits: of each value, if not those of the type; `values` are bytes of rows then.
        extra: what the last channel is: 0 nothing known, 1 premultiplied, 2 alpha.
        planes: whether each channel has strips of its own, of 4 rows.
        tags: of other numbers, as `tag_284=2`.
    """
    height, width = values.shape[:2]
    channels = 1 if values.ndim == 2 else values.shape[2]
    kind = values.dtype.kind
    ordered = values.astype(values.dtype.newbyteorder(order))
    strips = [ordered.tobytes()]
    if planes:
        apart = np.moveaxis(ordered.reshape(height, width, channels), -1, 0)
        strips = [plane[top : top + 4].tobytes() for plane in apart for top in range(0, height, 4)]
        tags = {"tag_278": 4, "tag_284": 2, **tags}
    if bits:
        width = tags.pop("width")
    bits = bits or 8 * values.dtype.itemsize
    strips = [zlib.compress(strip) if packed else strip for strip in strips]
    data, sizes = b"".join(strips), [*map(len, strips)]
    entries = {
        256: [width],
        257: [height],
        258: [bits] * channels,
        259: [8 if packed else 1],
        262: [photometric],
        273: [*itertools.accumulate(sizes[:-1], initial=8)],
        277: [channels],
        278: [height],
        279: sizes,
        339: [_FORMATS[kind]] * channels,
    }
    if extra is not None:
        entries[338] = [extra]
    entries |= {int(name[4:]): [value] for name, value in tags.items()}
    # After the header: the data, then the lists that do not fit into an entry, then the entries.
    body = data + bytes(len(data) % 2)
    listed = []
    for tag, numbers in sorted(entries.items()):
        form, kind = ("I", 4) if tag in (273, 279) else ("H", 3)
        packed_numbers = struct.pack(f"{order}{len(numbers)}{form}", *numbers)
        head = struct.pack(order + "HHI", tag, kind, len(numbers))
        if len(packed_numbers) > 4:
            listed.append(head + struct.pack(order + "I", 8 + len(body)))
            body += packed_numbers
        else:
            listed.append(head + packed_numbers.ljust(4, b"\0"))
    mark = b"II*\0" if order == "<" else b"MM\0*"
    directory = struct.pack(order + "H", len(listed)) + b"".join(listed) + bytes(4)
    return mark + struct.pack(order + "I", 8 + len(body)) + body + directory


def chunk(kind, content):
    """A chunk of a PNG file."""
    checksum = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)


def png(rows, width, bits, color, chunks=b"", after=b"", filters=None):
    """A PNG of rows of bytes.

    Args:
        rows: an iterable of bytes.
        bits, color: depth and colour type of the header: 0 grey, 2 RGB, 3 palette, 4 grey and alpha,
            6 RGBA.
        chunks, after: what is before and after the pixels.
        filters: the type that each row says it is filtered by; by default 0, none.
    """
    packer = zlib.compressobj(1)
    rows = list(rows)
    filters = filters or [0] * len(rows)
    packed = [
        packer.compress(bytes([kind]) + bytes(row)) for kind, row in zip(filters, rows, strict=True)
    ]
    header = struct.pack(">IIBBBBB", width, len(rows), bits, color, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunks,
            chunk(b"IDAT", b"".join(packed) + packer.flush()),
            after,
            chunk(b"IEND", b""),
        ]
    )


def png_of(values, color, **options):
    """A PNG of uint8 or uint16 values (H, W, C)."""
    rows = [np.ascontiguousarray(row, row.dtype.newbyteorder(">")).tobytes() for row in values]
    return png(rows, values.shape[1], 8 * values.dtype.itemsize, color, **options)
