import hashlib
import io
import tarfile
import zipfile

import numpy as np
import pytest
from picture_bytes import png_of
from PIL import Image

from keras_gahr.datasets import load, make_faces
from keras_gahr.errors import InputError


def decoded(data):
    return Image.open(io.BytesIO(data))


def tar_of(path, files, mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def test_half_size_at_80_is_a_crop_and_the_mean_of_the_channels(half_files, folder_of, tmp_path):
    dataset = make_faces(folder_of(half_files), tmp_path / "out")
    assert dataset.images.shape == (5, 80, 80, 1)
    assert dataset.images.dtype == np.float32
    for image, data in zip(dataset.images, half_files.values(), strict=True):
        rgb = np.asarray(decoded(data), np.float64)[14:94, 4:84]
        np.testing.assert_allclose(image[..., 0], rgb.mean(-1) / 255, rtol=1e-7, atol=0)


@pytest.mark.parametrize("size", [160, 80, 40, 20])
def test_full_size_is_cropped_then_shrunk(big_files, folder_of, tmp_path, size):
    dataset = make_faces(folder_of(big_files), tmp_path / "out", size, color=True, dtype="uint8")
    for image, data in zip(dataset.images, big_files.values(), strict=True):
        square = Image.fromarray(np.asarray(decoded(data))[29:-29, 9:-9])
        expected = square.resize((size, size), Image.Resampling.BICUBIC)
        np.testing.assert_array_equal(image, np.asarray(expected))


def test_half_size_below_80_is_shrunk_by_the_bicubic_filter(half_files, folder_of, tmp_path):
    dataset = make_faces(folder_of(half_files), tmp_path / "out", 40, dtype="uint8")
    for image, data in zip(dataset.images, half_files.values(), strict=True):
        square = decoded(data).crop((4, 14, 84, 94)).resize((40, 40), Image.Resampling.BICUBIC)
        expected = np.rint(np.asarray(square, np.float64).mean(-1))
        np.testing.assert_array_equal(image[..., 0], expected)


def test_color_float_is_divided_by_255(half_files, folder_of, tmp_path):
    source = folder_of(half_files)
    exact = make_faces(source, tmp_path / "float", color=True)
    rounded = make_faces(source, tmp_path / "uint8", color=True, dtype="uint8")
    np.testing.assert_array_equal(exact.images, rounded.as_float())


def test_manifest_lists_every_file_in_order(half_files, folder_of, tmp_path):
    source = folder_of({**half_files, "list.txt": b"text", "celebA/._000001.jpg": b"hidden"})
    manifest = make_faces(source, tmp_path / "out").manifest
    assert manifest["sources"] == [
        {"name": name, "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in half_files.items()
    ]
    assert [file["name"] for file in manifest["skipped"]] == ["celebA/._000001.jpg", "list.txt"]
    assert manifest["recipe"] == "faces"
    assert manifest["parameters"]["size"] == 80


def test_archives_folders_order_and_workers_give_the_same_bytes(half_files, folder_of, tmp_path):
    backwards = dict(reversed(half_files.items()))
    packed = tmp_path / "pictures.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in backwards.items():
            archive.writestr(name, data)
    sources = [
        folder_of(half_files),
        tar_of(tmp_path / "a.tar", half_files),
        tar_of(tmp_path / "b.tar", backwards),
        tar_of(tmp_path / "c.tar.gz", backwards, "w:gz"),
        tar_of(tmp_path / "d.tar.xz", backwards, "w:xz"),
        packed,
    ]
    made = [
        make_faces(source, tmp_path / f"out{k}", workers=1 + k % 3)
        for k, source in enumerate(sources)
    ]
    assert len({dataset.manifest["sha256"] for dataset in made}) == 1
    assert all(dataset.manifest["sources"] == made[0].manifest["sources"] for dataset in made)


def test_two_runs_write_the_same_files(half_files, folder_of, tmp_path):
    source = folder_of(half_files)
    for name in ("one", "two"):
        make_faces(source, tmp_path / name)
    for file in ("images.npy", "manifest.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_climbing_members_and_links_are_read_as_data(half_files, tmp_path):
    data = list(half_files.values())
    path = tar_of(tmp_path / "odd.tar", {"../../up.jpg": data[0], "/abs.jpg": data[1]})
    with tarfile.open(path, "a") as archive:
        for name, target in {"a.jpg": "/abs.jpg", "outside.jpg": "/etc/passwd"}.items():
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, target
            archive.addfile(link)
    with pytest.raises(InputError, match=r"outside\.jpg cannot be read"):
        make_faces(path, tmp_path / "out")
    before = set(tmp_path.parent.iterdir())
    manifest = make_faces(path, tmp_path / "out", skip_bad=True).manifest
    assert [file["name"] for file in manifest["sources"]] == ["../../up.jpg", "/abs.jpg", "a.jpg"]
    assert manifest["sources"][1]["sha256"] == manifest["sources"][2]["sha256"]
    assert set(tmp_path.parent.iterdir()) == before


@pytest.mark.parametrize("damage", ["truncated", "text", "empty"])
def test_corrupt_file_is_named_or_skipped(half_files, folder_of, tmp_path, damage):
    name = "celebA/000003.jpg"
    bad = {"truncated": half_files[name][:700], "text": b"not a picture", "empty": b""}[damage]
    source = folder_of({**half_files, name: bad})
    with pytest.raises(InputError, match=r"celebA/000003\.jpg") as caught:
        make_faces(source, tmp_path / "out")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()
    dataset = make_faces(source, tmp_path / "out", skip_bad=True)
    assert len(dataset) == 4
    [skipped] = dataset.manifest["skipped"]
    assert skipped["name"] == name
    assert skipped["sha256"] == hashlib.sha256(bad).hexdigest()
    assert name in skipped["reason"]


def test_wrong_size_picture_is_named(half_files, folder_of, tmp_path):
    file = io.BytesIO()
    Image.new("RGB", (100, 100)).save(file, "PNG")
    source = folder_of({**half_files, "z.png": file.getvalue()})
    with pytest.raises(InputError, match=r"z\.png is 100 x 100 .*178 x 218 or 89 x 109"):
        make_faces(source, tmp_path / "out")


def test_deep_pictures(folder_of, tmp_path):
    """16 bits are kept in float32; what uint8 would round is refused."""
    rows = np.add.outer(np.arange(109), np.arange(89))
    grey = (40000 + 7 * rows).astype(np.uint16)
    color = np.stack([grey, grey + 1, grey + 5], -1)
    files = {"a.png": png_of(grey[..., None], 0), "b.png": png_of(color, 2)}
    source = folder_of(files)
    made = make_faces(source, tmp_path / "grey").images[..., 0]
    np.testing.assert_allclose(made[0], grey[14:94, 4:84] / 65535, atol=1e-7)
    np.testing.assert_allclose(made[1], (grey[14:94, 4:84] + 2) / 65535, atol=1e-7)
    made = make_faces(source, tmp_path / "color", color=True).images
    np.testing.assert_allclose(made[0], color[14:94, 4:84, [0, 0, 0]] / 65535, atol=1e-7)
    np.testing.assert_allclose(made[1], color[14:94, 4:84] / 65535, atol=1e-7)
    small = make_faces(source, tmp_path / "small", 40, color=True).images[1]
    # Of a plane, the bicubic filter takes the middle of each block of two by two.
    blocks = color[14:94, 4:84].reshape(40, 2, 40, 2, 3).mean((1, 3)) / 65535
    np.testing.assert_allclose(small[3:-3, 3:-3], blocks[3:-3, 3:-3], atol=1e-6)
    with pytest.raises(InputError, match=r"a\.png has more than 8 bits.*float32"):
        make_faces(source, tmp_path / "out", dtype="uint8")


def test_160_needs_the_full_size(half_files, folder_of, tmp_path):
    with pytest.raises(InputError, match="178 x 218"):
        make_faces(folder_of(half_files), tmp_path / "out", 160)
    with pytest.raises(InputError, match="none of the 5 pictures"):
        make_faces(folder_of(half_files), tmp_path / "out", 160, skip_bad=True)


@pytest.mark.parametrize("size", [0, 30, 64, 320])
def test_other_sizes_are_refused(half_files, folder_of, tmp_path, size):
    with pytest.raises(InputError, match="expected one of 160, 80, 40, 20"):
        make_faces(folder_of(half_files), tmp_path / "out", size)


def test_sources_that_cannot_be_used(half_files, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.tar").write_text("not an archive")
    packed = tar_of(tmp_path / "whole.tar.gz", half_files, "w:gz").read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(packed[: len(packed) // 2])
    whole = tar_of(tmp_path / "whole.tar", half_files).read_bytes()
    (tmp_path / "cut.tar").write_bytes(whole[:2000])
    twice = tmp_path / "twice.tar"
    tar_of(twice, half_files)
    tar_of(twice, half_files, "a")
    for name, message in {
        "missing": "does not exist",
        "empty": "has no .jpg",
        "text.tar": r"is a text .*, not a \.tar or \.zip",
        "cut.tar.gz": "it was cut off; get it again",
        "cut.tar": r"it was cut off in celebA/000001\.jpg",
        "twice.tar": r"celebA/000001\.jpg twice",
    }.items():
        with pytest.raises(InputError, match=message):
            make_faces(tmp_path / name, tmp_path / "out")
        assert not (tmp_path / "out").exists()


def test_existing_output_is_untouched_without_overwrite(half_files, folder_of, tmp_path):
    source = folder_of(half_files)
    make_faces(source, tmp_path / "out")
    before = (tmp_path / "out" / "manifest.json").read_bytes()
    with pytest.raises(InputError, match="--overwrite"):
        make_faces(source, tmp_path / "out", 40)
    assert (tmp_path / "out" / "manifest.json").read_bytes() == before
    make_faces(source, tmp_path / "out", 40, overwrite=True)
    assert load(tmp_path / "out").images.shape[1] == 40


def test_output_inside_the_source_is_refused(half_files, folder_of):
    source = folder_of(half_files)
    with pytest.raises(InputError, match="lies inside"):
        make_faces(source, source / "out")


def test_failure_midway_leaves_nothing(half_files, folder_of, tmp_path):
    def fail(done, total):
        raise RuntimeError

    source = folder_of(half_files)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(RuntimeError):
        make_faces(source, tmp_path / "out", progress=fail)
    assert sorted(tmp_path.iterdir()) == before


def test_blocks_report_progress_and_leave_no_seam(half_files, folder_of, tmp_path, monkeypatch):
    source = folder_of(half_files)
    whole = make_faces(source, tmp_path / "whole")
    monkeypatch.setattr("keras_gahr.datasets.pictures.BLOCK", 2)
    seen = []
    parts = make_faces(source, tmp_path / "parts", progress=lambda *at: seen.append(at))
    assert seen == [(2, 5), (4, 5), (5, 5)]
    assert parts.manifest == whole.manifest


def test_real_half_size_faces_equal_the_published_crop(shared, tmp_path):
    data = shared / "data"
    with np.load(data / "celeba_gray80_mini256.npz") as reference:
        chosen = dict(zip(reference["ids"][:20], reference["images"][:20], strict=True))
    files = {}
    with tarfile.open(data / "celeba_half_jpg_000001-009000.tar") as archive:
        for member in archive:
            if int(member.name[-10:-4]) in chosen:
                files[member.name] = archive.extractfile(member).read()
            if len(files) == len(chosen):
                break
    dataset = make_faces(tar_of(tmp_path / "few.tar", files), tmp_path / "out", dtype="uint8")
    np.testing.assert_array_equal(dataset.images[..., 0], np.stack(list(chosen.values())))
