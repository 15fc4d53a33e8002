import gzip
import io
import pickle
import tarfile
import zipfile

import numpy as np
import pytest
from PIL import Image

from keras_gahr.errors import InputError
from keras_gahr.impostors import START, impostor, impostor_from


def lfs(size=12345):
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize {size}\n".encode()


def picture(kind):
    file = io.BytesIO()
    Image.new("RGB", (3, 2)).save(file, kind)
    return file.getvalue()


def array():
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a", "a")
    return file.getvalue()


def tarred():
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    return file.getvalue()


KINDS = [
    (b"", "empty (0 bytes), not X: get it again"),
    (lfs(), "a Git LFS pointer, not X: run `git lfs pull`"),
    (b"/annex/objects/SHA256E-s3--ab.npy\n", "a git-annex pointer, not X: run `git annex get`"),
    (b"\n <!DOCTYPE html><p>quota exceeded", "an HTML page, not X: download it again"),
    (b"\xef\xbb\xbf<html>\xe2\x80\x94" + 400 * b"\xe2\x80\x94", "an HTML page, not X: download it"),
    (b"<?xml version='1.0'?><Error>AccessDenied</Error>", "an XML text, not X: download it again"),
    (b'{"message": "Not Found"}', "a JSON text, not X: download it again"),
    (b"404: Not Found\n", "a text ('404: Not Found'), not X: get it again"),
    (b" \n", "a text (''), not X: get it again"),
    ("\u202eabc".encode(), r"a text ('\u202eabc'), not X: get it again"),
    (picture("PNG"), "a PNG picture, not X: end its name in .png"),
    (picture("JPEG"), "a JPEG picture, not X: end its name in .jpg"),
    (picture("TIFF"), "a TIFF picture, not X: end its name in .tif"),
    (picture("GIF"), "a GIF picture, not X: end its name in .gif"),
    (b"RIFF\0\0\0\0WEBPVP8 ", "a WebP picture, not X: end its name in .webp"),
    (b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC picture, not X: save it as PNG"),
    (array(), "a NumPy array, not X: end its name in .npy"),
    (pickle.dumps([1]), "a Python pickle, not X: save it with numpy.save"),
    (zipped(), "a zip archive, not X: unpack it first"),
    (tarred(), "a tar archive, not X: unpack it first"),
    (gzip.compress(b"a"), "compressed by gzip, not X: unpack it first"),
    (b"%PDF-1.7\n", "a PDF document, not X: save it as PNG"),
]


@pytest.mark.parametrize(("content", "message"), KINDS, ids=[m.split(",")[0] for _, m in KINDS])
def test_each_kind_is_named_with_its_mend(tmp_path, content, message):
    (tmp_path / "file").write_bytes(content)
    assert f"file is {message}" in str(impostor(tmp_path / "file", "X"))


@pytest.mark.parametrize(
    "content",
    [bytes(range(256)), b"\xff\xd7abc", b"abc\0def", bytes([0, 0, 8, 3]) + bytes(START)],
)
def test_other_bytes_are_no_impostor(content):
    assert impostor_from(content, "file", "X") is None


def test_what_a_reader_reads_is_no_impostor(tmp_path):
    assert impostor_from(zipped(), "a.keras", "X", {"zip"}) is None
    assert impostor(tmp_path / "missing", "X") is None


def test_a_name_that_is_right_already_is_not_advised():
    assert str(impostor_from(picture("PNG"), "a.PNG", "a .keras file")).endswith(
        "give a .keras file"
    )


def readers():
    from keras_gahr.datasets import load, make_folder, make_mnist, read_image
    from keras_gahr.datasets.arrays import read_array
    from keras_gahr.denoisers import load_denoiser
    from keras_gahr.training.resume.state import read_state
    from weights_convert.read import open_checkpoint

    return {
        "a.npy": read_array,
        "a.npz": read_array,
        "b.npy": load,
        "a.png": read_image,
        "a.JPG": read_image,
        "a.keras": load_denoiser,
        "a.pt": open_checkpoint,
        "a.pth": open_checkpoint,
        "a.safetensors": read_state,
        "images-idx3-ubyte": lambda path: make_mnist([path], path.parent / "out"),
        "a.tar": lambda path: make_folder(path, path.parent / "out"),
        "a.tar.gz": lambda path: make_folder(path, path.parent / "out"),
        "a.zip": lambda path: make_folder(path, path.parent / "out"),
        "manifest.json": lambda path: load(path.parent),
    }


@pytest.mark.parametrize("name", list(readers()))
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (lfs(), "a Git LFS pointer, not .*: run `git lfs pull`"),
        (b"<html>quota exceeded</html>", "an HTML page, not .*: download it again"),
        (b"", r"empty \(0 bytes\), not .*: get it again"),
    ],
    ids=["lfs", "html", "empty"],
)
def test_every_reader_says_so(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=f"{name} is {said}$") as caught:
        readers()[name](tmp_path / name)
    assert "pickle" not in str(caught.value)


def test_python_objects_in_arrays(tmp_path):
    from keras_gahr.datasets.arrays import read_array

    np.save(tmp_path / "a.npy", np.array([{}, "a"], object))
    np.savez(tmp_path / "b.npz", images=np.array([{}, "a"], object))
    for name in ("a.npy", "b.npz"):
        with pytest.raises(InputError, match="holds Python objects; save numbers") as caught:
            read_array(tmp_path / name)
        assert "pickle" not in str(caught.value)
