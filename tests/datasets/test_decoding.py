"""Every kind of picture has its value, or is refused."""

import io
import warnings
import zlib

import numpy as np
import pytest
from picture_bytes import chunk, png, png_of, tiff
from PIL import Image

from keras_gahr.datasets import pixel_limit, read_image
from keras_gahr.datasets.decoding import decode_picture
from keras_gahr.datasets.shrinking import thumbnail
from keras_gahr.errors import InputError

RNG = np.random.default_rng(0)
GREY8 = RNG.integers(0, 256, (6, 5), np.uint8)
GREY16 = RNG.integers(0, 65536, (6, 5), np.uint16)
COLOR8 = RNG.integers(0, 256, (6, 5, 4), np.uint8)
COLOR16 = RNG.integers(0, 65536, (6, 5, 4), np.uint16)


def saved(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def values(data):
    """The colour in [0, 1], float64, and the alpha or None."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        decoded = decode_picture(data, "x")
    assert decoded.color.dtype in (np.uint8, np.float32)
    scale = 255 if decoded.color.dtype == np.uint8 else 1
    alpha = None if decoded.alpha is None else decoded.alpha / np.float64(scale)
    return decoded.color / np.float64(scale), alpha


def check(data, expected, alpha=None):
    color, found = values(data)
    expected = expected[..., None] if expected.ndim == 2 else expected
    assert color.shape == expected.shape
    # Float32 is exact to 2^-24.
    np.testing.assert_allclose(color, expected, rtol=0, atol=2**-24)
    if alpha is None:
        assert found is None
    else:
        np.testing.assert_allclose(found, alpha, rtol=0, atol=2**-24)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("order", "<>")
def test_tiff(order, packed):
    def made(values, photometric=1, **options):
        return tiff(values, photometric, order, packed, **options)

    check(made(GREY8), GREY8 / 255)
    check(made(GREY8, 0), 1 - GREY8 / 255)
    check(made(GREY16), GREY16 / 65535)
    check(made((GREY8 / 255).astype(np.float32)), GREY8 / 255)
    check(made(COLOR8[..., :3], 2), COLOR8[..., :3] / 255)
    check(made(COLOR16[..., :3], 2), COLOR16[..., :3] / 65535)
    check(made(COLOR8, 2, extra=0), COLOR8[..., :3] / 255)
    check(made(COLOR16, 2, extra=0), COLOR16[..., :3] / 65535)
    check(made(COLOR8, 2, extra=2), COLOR8[..., :3] / 255, COLOR8[..., 3] / 255)
    check(made(COLOR16, 2, extra=2), COLOR16[..., :3] / 65535, COLOR16[..., 3] / 65535)
    check(made(COLOR8[..., :2], extra=0), COLOR8[..., 0] / 255)
    check(made(COLOR8[..., :2], extra=2), COLOR8[..., 0] / 255, COLOR8[..., 1] / 255)
    ink = 1 - COLOR8[..., :3] / 255
    paper = ink * (1 - COLOR8[..., 3:] / 255)
    # Pillow computes CMYK in integers.
    np.testing.assert_allclose(values(made(COLOR8, 5))[0], paper, rtol=0, atol=1.5 / 255)
    bits = np.packbits(GREY8 > 128, axis=1)
    check(made(bits, 1, bits=1, width=5), (GREY8 > 128).astype(float))
    check(made(bits, 0, bits=1, width=5), (GREY8 <= 128).astype(float))


@pytest.mark.parametrize("packed", [False, True])
def test_tiff_whose_white_is_0_in_16_bits(packed):
    check(tiff(GREY16, 0, "<", packed), 1 - GREY16 / 65535)
    # Pillow does not know it in the other byte order.
    with pytest.raises(InputError, match=r"unknown pixel mode.*save it as PNG"):
        decode_picture(tiff(GREY16, 0, ">", packed), "x")


@pytest.mark.parametrize("packed", [False, True])
def test_12_bits(packed):
    grey = GREY16[:, :4] >> 4
    pairs = grey.reshape(6, 2, 2).astype(np.uint32)
    whole = pairs[..., 0] << 12 | pairs[..., 1]
    rows = np.stack([whole >> 16, whole >> 8 & 255, whole & 255], -1).reshape(6, 6)
    data = tiff(rows.astype(np.uint8), 1, "<", packed, bits=12, width=4)
    check(data, grey / 4095)


UNKNOWN = [
    *(tiff(GREY8.astype(kind), 1, "<") for kind in ("i1", "i2", "i4", "u4", "i8", "u8")),
    *(tiff(GREY8.astype(kind), 1, ">") for kind in ("i1", "i2", "i4", "u4", "i8", "u8")),
    *(tiff(GREY8.astype(kind) / 255, 1) for kind in ("f2", "f8")),
    tiff(GREY8.astype(np.int8), 0),
    tiff(GREY8.astype(np.float32), 0),
    tiff(COLOR8[..., :3], 8),
    tiff(COLOR16, 5),
    tiff(COLOR16, 2, extra=1),
    tiff(COLOR16, 5, planes=True),
    tiff(COLOR16, 2, extra=1, planes=True),
    tiff(COLOR16, 2, extra=0, planes=True),
    tiff(COLOR16[..., :3], 2, packed=True, planes=True),
    tiff(COLOR16[..., :2], extra=2),
    tiff(COLOR8[..., :3].astype(np.int8), 2),
    tiff(COLOR8[..., :3].astype(np.float32), 2),
    tiff(GREY8, 32803),
    saved(Image.fromarray(GREY8.astype(np.int32)), "TIFF"),
    saved(Image.fromarray(COLOR8[..., :3]).convert("LAB"), "TIFF"),
]


@pytest.mark.parametrize("data", UNKNOWN, ids=map(str, range(len(UNKNOWN))))
def test_what_is_not_known_is_refused_with_the_mend(data):
    with pytest.raises(InputError, match="save it as PNG of 8 or 16 bits") as caught:
        decode_picture(data, "x.tif")
    assert str(caught.value).startswith("x.tif ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["TIFF", "GIF", "PNG", "WEBP"])
def test_pages_and_animations_are_refused(kind):
    """Of several pictures, none is left out in silence."""
    pictures = [Image.fromarray(COLOR8[..., :3]), Image.fromarray(COLOR8[::-1, :, :3])]
    data = saved(pictures[0], kind, save_all=True, append_images=pictures[1:])
    with pytest.raises(InputError, match="x holds several pictures"):
        decode_picture(data, "x")
    decode_picture(saved(pictures[0], kind, save_all=True), "x")


def test_other_versions_of_a_picture_are_no_pages():
    first, other = Image.fromarray(GREY8), Image.fromarray(GREY8[::2, ::2])
    for tags in ({254: 1}, {254: 4}, {254: 5}, {255: 2}):
        other.encoderinfo = {"tiffinfo": tags}
        data = saved(first, "TIFF", save_all=True, append_images=[other])
        assert Image.open(io.BytesIO(data)).n_frames == 2
        check(data, GREY8 / 255)
    color = Image.fromarray(COLOR8[..., :3])
    data = saved(color, "MPO", save_all=True, append_images=[color])
    assert decode_picture(data, "x").color.shape == (6, 5, 3)


@pytest.mark.parametrize("order", "<>")
def test_planes(order):
    """Each channel by itself, in several strips."""

    def made(values, photometric=2, **options):
        return tiff(values, photometric, order, planes=True, **options)

    check(made(COLOR8[..., :3]), COLOR8[..., :3] / 255)
    check(made(COLOR8, extra=2), COLOR8[..., :3] / 255, COLOR8[..., 3] / 255)
    check(made(COLOR8[..., :3], packed=True), COLOR8[..., :3] / 255)
    check(made(COLOR16[..., :3]), COLOR16[..., :3] / 65535)
    check(made(COLOR16, extra=2), COLOR16[..., :3] / 65535, COLOR16[..., 3] / 65535)
    check(made(GREY16, 1), GREY16 / 65535)
    check(made(GREY16, 1, packed=True), GREY16 / 65535)
    turned = made(COLOR16[..., :3], tag_274=6)
    check(turned, np.rot90(COLOR16[..., :3], -1) / 65535)


def test_strips_that_are_missing():
    """Which would be black."""
    for data in (
        tiff(COLOR8[..., :3], 2, tag_284=2),
        tiff(COLOR16[..., :3], 2, tag_284=2),
        tiff(GREY8, tag_278=2),
        tiff(COLOR8[..., :3], 2, tag_278=3),
    ):
        with pytest.raises(InputError, match="x is damaged: strips or tiles are missing"):
            decode_picture(data, "x")


def test_premultiplied_tiff():
    alpha = np.full((6, 5, 1), 51, np.uint8)
    premultiplied = np.concatenate([COLOR8[..., :3] // 5, alpha], -1)
    color, found = values(tiff(premultiplied, 2, extra=1))
    np.testing.assert_allclose(color, (COLOR8[..., :3] // 5) / 51, atol=1 / 255)
    assert np.all(found == 0.2)


@pytest.mark.parametrize("kind", range(5), ids=["none", "sub", "up", "average", "Paeth"])
def test_16_bit_png(kind):
    """Filtered rows are bytes modulo 256: whatever is in them, both bytes of a value are right."""
    for channels, color in ((1, 0), (2, 4), (3, 2), (4, 6)):
        part = COLOR16[..., :channels]
        if kind == 0:
            data = png_of(part, color)
        else:
            data = png_of(part, color, filters=[kind] * 6)
            part = unfiltered(part, kind)
        shown = part[..., : 3 if channels > 2 else 1] / 65535
        check(data, shown, part[..., -1] / 65535 if color in {4, 6} else None)


def unfiltered(filtered, kind):
    """What rows of 16-bit values stand for, byte by byte as the standard has it."""
    rows = [row.astype(">u2").tobytes() for row in filtered]
    step = 2 * filtered.shape[-1]
    before, result = bytes(len(rows[0])), []
    for row in rows:
        made = bytearray()
        for k, byte in enumerate(row):
            left, corner = (made[k - step], before[k - step]) if k >= step else (0, 0)
            up = before[k]
            guess = left + up - corner
            paeth = min((left, up, corner), key=lambda near: abs(guess - near))
            made.append((byte + [0, left, up, (left + up) // 2, paeth][kind]) % 256)
        result.append(before := bytes(made))
    return np.frombuffer(b"".join(result), ">u2").reshape(filtered.shape)


def test_few_bits_and_palettes_in_png():
    for bits in (1, 2, 4):
        grey = GREY8[:, :4] % 2**bits
        padded = np.unpackbits(grey[..., None], axis=-1)[..., -bits:].reshape(6, -1)
        rows = [row.tobytes() for row in np.packbits(padded, axis=1)]
        check(png(rows, 4, bits, 0), grey / (2**bits - 1))
        palette = COLOR8[:4, :4, :3].reshape(-1, 3)[: 2**bits]
        table = chunk(b"PLTE", palette.tobytes())
        check(png(rows, 4, bits, 3, table), palette[grey] / 255)
        opacity = np.linspace(0, 255, 2**bits).astype(np.uint8)
        clear = table + chunk(b"tRNS", opacity.tobytes())
        check(png(rows, 4, bits, 3, clear), palette[grey] / 255, opacity[grey] / 255)
    check(png_of(COLOR8[..., :2], 4), COLOR8[..., 0] / 255, COLOR8[..., 1] / 255)
    check(png_of(COLOR8, 6), COLOR8[..., :3] / 255, COLOR8[..., 3] / 255)


@pytest.mark.parametrize("largest", [1, 3, 100, 255, 1000, 65535])
def test_netpbm(largest):
    for channels, binary, plain in ((1, b"P5", b"P2"), (3, b"P6", b"P3")):
        part = COLOR16[..., :channels].astype(int) % (largest + 1)
        header = b"\n# a comment\n5 6 %d\n" % largest
        raw = part.astype(">u2" if largest > 255 else "u1").tobytes()
        words = b"# another\n" + b"\n".join(b"%d" % value for value in part.ravel())
        check(binary + header + raw, part / largest)
        check(plain + header + words, part / largest)
        if 255 % largest and largest != 65535:
            for damaged in (raw[:-1], b"\xff" * len(raw)):
                with pytest.raises(InputError, match="damaged"):
                    decode_picture(binary + header + damaged, "x")
            for damaged in (words[:-9], words.replace(b"\n", b" -", 2), words + b"9" * 5000):
                if damaged == words + b"9" * 5000:
                    damaged = damaged.replace(b"\n", b"\n" + b"9" * 5000, 3)
                with pytest.raises(InputError, match="damaged"):
                    decode_picture(plain + header + damaged, "x")
    bits = np.packbits(GREY8 > 128, axis=1)
    check(b"P4 5 6\n" + bits.tobytes(), (GREY8 <= 128).astype(float))


def test_jpeg_of_cmyk_and_progressive():
    flat = Image.new("CMYK", (8, 8), (51, 0, 255, 0))
    # Photoshop writes ink upside down and says so; Pillow writes and reads it in the same way.
    color, _ = values(saved(flat, "JPEG", quality=100))
    np.testing.assert_allclose(color[0, 0], [0.8, 1, 0], atol=2 / 255)
    smooth = Image.fromarray(np.add.outer(np.arange(16), np.arange(16)).astype(np.uint8) * 8)
    plain, progressive = (saved(smooth, "JPEG", quality=95, progressive=p) for p in (False, True))
    np.testing.assert_array_equal(values(plain)[0], values(progressive)[0])


def test_jpeg_of_12_bits_is_refused():
    data = bytearray(saved(Image.fromarray(GREY8), "JPEG"))
    place = data.index(b"\xff\xc0") + 4
    assert data[place] == 8
    data[place] = 12
    with pytest.raises(InputError, match=r"12-bit.*save it as PNG"):
        decode_picture(bytes(data), "x")


@pytest.mark.parametrize("kind", ["BMP", "GIF", "WEBP"])
def test_other_formats(kind):
    options = {"lossless": True} if kind == "WEBP" else {}
    data = saved(Image.fromarray(COLOR8[..., :3]), kind, **options)
    color, _ = values(data)
    # A GIF of thirty pixels has a colour for each.
    np.testing.assert_array_equal(color, COLOR8[..., :3] / 255)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_deep_colours(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = chunk(b"eXIf", exif.tobytes()[6:])
    deep = values(png_of(COLOR16[..., :3], 2, chunks=turned))[0]
    shallow = values(png_of((COLOR16[..., :3] >> 8).astype(np.uint8), 2, chunks=turned))[0]
    np.testing.assert_array_equal((deep * 65535).round() // 256, (shallow * 255).round())


def test_formats_of_no_photo_are_not_opened():
    """PostScript would be run by another program."""
    with pytest.raises(InputError, match="not an image"):
        decode_picture(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "x.png")


def black(side):
    return png([bytes(side // 8 + 1)] * side, side, 1, 0)


def test_pixels_are_counted_before_they_are_decoded(monkeypatch):
    monkeypatch.setattr(Image.Image, "load", None)
    said = r"200 x 200 = 40000 pixels.*--max-pixels 40000"
    with pixel_limit(39999), pytest.raises(InputError, match=said):
        decode_picture(black(200), "x")
    huge = chunk(b"IHDR", b"\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\x02\0\0\0")
    bomb = b"\x89PNG\r\n\x1a\n" + huge + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    with pytest.raises(InputError, match="--max-pixels"):
        decode_picture(bomb, "x")


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "BMP"])
def test_pillow_s_own_limit_counts_no_more(monkeypatch, kind):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    grey = np.repeat(np.repeat(GREY8, 8, 0), 8, 1)
    data = saved(Image.fromarray(grey), kind)
    if kind == "JPEG":
        assert values(data)[0].shape == (48, 40, 1)
    else:
        check(data, grey / 255)
    check(
        tiff(np.tile(COLOR16[..., :3], (8, 8, 1)), 2), np.tile(COLOR16[..., :3], (8, 8, 1)) / 65535
    )
    assert Image.MAX_IMAGE_PIXELS == 100


@pytest.mark.slow
def test_a_large_picture(tmp_path):
    (tmp_path / "large.png").write_bytes(black(14000))
    with pytest.raises(InputError, match="--max-pixels 196000000"):
        read_image(tmp_path / "large.png")
    with pixel_limit(196_000_000):
        image = decode_picture((tmp_path / "large.png").read_bytes(), "x").color
    assert image.shape == (14000, 14000, 1)
    assert not image.any()


@pytest.mark.parametrize("place", ["chunks", "after"])
@pytest.mark.parametrize(
    "text",
    [
        chunk(b"zTXt", b"about\0\0" + zlib.compress(b"a" * 1_100_000)),
        chunk(b"iTXt", b"about\0\1\0\0\0" + zlib.compress(b"a" * 1_100_000)),
        chunk(b"tEXt", b"about\0" + b"a" * 70_000_000),
    ],
    ids=["zTXt", "iTXt", "tEXt"],
)
def test_long_texts_in_png(text, place):
    check(png_of(COLOR8[..., :3], 2, **{place: text}), COLOR8[..., :3] / 255)


def test_damage_is_damage():
    whole = png_of(COLOR16[..., :3], 2)
    wrong = bytearray(whole)
    wrong[29] ^= 1
    for data in (whole[:-30], bytes(wrong), whole[:40], tiff(GREY16)[:30], tiff(COLOR8, 2)[:100]):
        with pytest.raises(InputError, match="damaged") as caught:
            decode_picture(data, "x")
        assert "\n" not in str(caught.value)


def test_pictures_of_a_page_are_small(smooth_images):
    [image] = smooth_images(1, 40, 20, 3)
    assert thumbnail(image) is image
    assert thumbnail(image, 20).shape == (20, 10, 3)
    np.testing.assert_allclose(thumbnail(image, 20).mean(), image.mean(), atol=0.01)
    assert thumbnail(np.zeros((1, 600, 1), np.uint8)).shape == (1, 512, 1)
