"""What the server of `gahr view` answers, and what it does not."""

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from html_reader import HtmlReader
from PIL import Image
from systems import needs_signals
from viewed import (
    ask,
    png,
    serving,
    write_dataset,
    write_eigenbasis,
    write_result,
    write_run,
    write_trajectory,
)

from keras_gahr.errors import InputError
from keras_gahr.report.document import Claim, Document, Picture, Section
from keras_gahr.report.page import write_report
from keras_gahr.view.server import ViewServer

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One result of each kind, and what may not be shown."""
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.png").write_bytes(png())
    root = tmp_path_factory.mktemp("results")
    write_run(root / "runs" / "a <b>")
    write_trajectory(root / "samples")
    write_eigenbasis(root / "basis")
    write_dataset(root / "set")
    (root / ".hidden.png").write_bytes(png())
    (root / "samples" / "out.png").symlink_to(outside / "secret.png")
    (root / "samples" / "in.png").symlink_to(root / "set" / "contact_sheet.png")
    (root / "linked").symlink_to(outside)
    return root


@pytest.fixture(scope="module")
def server(folder):
    with serving(folder) as server:
        yield server


def page(server, path):
    status, headers, body = ask(server, path)
    assert status == 200, body
    assert headers["Content-Security-Policy"].startswith(
        "default-src 'none'; img-src 'self' data:;"
    )
    return HtmlReader(body.decode())


def test_all_results_are_listed(server):
    found = page(server, "")
    names = ["basis", "runs/a <b>", "samples", "set"]
    assert [item["id"] for item in found.all("li")] == [f"result-{name}" for name in names]
    for text in ("training run", "UNet, N = 1,000", "3 of 5", "eigenbasis", "dataset", "samples"):
        assert text in found.text()
    for address in found.references():
        if address != "data:,":
            assert ask(server, address)[0] == 200


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ('{"label": "N=100 A"}', "N=100 A, UNet, N = 1,000"),
        ('{"label": 7}', "UNet, N = 1,000"),
        ("[1]", "UNet, N = 1,000"),
        ("no JSON", "UNet, N = 1,000"),
    ],
)
def test_trainings_of_a_sweep_are_called_as_there(tmp_path, task, said):
    write_run(tmp_path / "sweep" / "runs" / "0123abcd")
    (tmp_path / "sweep" / "tasks" / "0123abcd").mkdir(parents=True)
    (tmp_path / "sweep" / "tasks" / "0123abcd" / "task.json").write_text(task)
    with serving(tmp_path) as server:
        text = page(server, "").text()
    assert said in text and ("N=100 A" in text) == ("N=100 A" in said)


@pytest.mark.parametrize(
    ("name", "curves", "frames"),
    [("runs/a%20%3Cb%3E", 4, 0), ("samples", 1, 5), ("basis", 1, 4), ("set", 0, 2)],
)
def test_the_page_of_a_result(server, name, curves, frames):
    found = page(server, f"look/{name}")
    assert "cannot be shown" not in found.text()
    assert sum("data-curves" in figure for figure in found.all("figure")) == curves
    pictures = [image for image in found.all("img") if image.get("class") == "pixels"]
    assert sum("/frame/" in image["src"] for image in pictures) == frames
    for image in pictures:
        status, headers, body = ask(server, image["src"])
        width, height = Image.open(io.BytesIO(body)).size
        assert (status, headers["Content-Type"]) == (200, "image/png")
        assert int(image["width"]) / width == int(image["height"]) / height >= 1


def test_what_the_frames_show(server, folder):
    _, _, body = ask(server, "frame/samples?of=trajectory&k=2")
    with np.load(folder / "samples" / "trajectory.npz") as arrays:
        y = arrays["y"][2, 1, ..., 0]
    shown = np.asarray(Image.open(io.BytesIO(body)))
    # Two pixels between the images, of which this is the second of the first row.
    np.testing.assert_array_equal(shown[2:8, 12:20], np.rint(255 * y))


@pytest.mark.parametrize(
    ("channels", "pairs", "said"),
    [
        (1, False, "The clean image, and an eigenvector: red is positive, blue negative."),
        (
            3,
            True,
            "The clean image, and the right, then the left singular vector: grey is 0, and colours are the "
            "channels.",
        ),
        (
            4,
            False,
            "The clean image, and an eigenvector: red is positive, blue negative. Of 4 channels the mean is "
            "shown.",
        ),
    ],
)
def test_what_is_said_of_eigenvectors(tmp_path, channels, pairs, said):
    write_eigenbasis(tmp_path, channels=channels, pairs=pairs)
    with serving(tmp_path) as server:
        assert said in [text for name, text in page(server, "").texts if name == "figcaption"]


def test_of_channels_that_are_no_colours_the_mean_is_shown(tmp_path):
    """As in figures."""
    write_trajectory(tmp_path, count=1, channels=2)
    with serving(tmp_path) as server:
        assert "Of 2 channels the mean is shown." in page(server, "").text()
        _, _, body = ask(server, "frame/?of=trajectory&k=3")
    with np.load(tmp_path / "trajectory.npz") as arrays:
        y = arrays["y"][3, 0].mean(axis=-1)
    shown = np.asarray(Image.open(io.BytesIO(body)))
    np.testing.assert_array_equal(shown[2:8, 2:10], np.rint(255 * y))


def test_images_that_diverged_leave_the_noise_level_of_others(tmp_path):
    """And those that are not shown have no part in it."""
    sigma = np.full((3, 10), 0.25)
    sigma[:, 8:], sigma[0, 0], sigma[1, :2], sigma[2] = 7, 1e6, (np.nan, np.inf), np.nan
    write_trajectory(tmp_path, kept=3, count=10, sigma=sigma)
    with serving(tmp_path) as server:
        found = page(server, "")
    values = [item["data-value"] for item in found.all("li") if "data-value" in item]
    assert values == ["1, sigma 0.25", "11, sigma 0.25", "21, sigma not finite"]


def test_what_has_not_changed_is_not_sent_again(tmp_path):
    write_run(tmp_path / "run", epochs=1)
    with serving(tmp_path) as server:
        tag = ask(server, "")[1]["ETag"]
        assert ask(server, "", If_None_Match=tag)[0::2] == (304, b"")
        write_run(tmp_path / "run", epochs=2)
        assert ask(server, "", If_None_Match=tag)[0] == 200


def test_one_result_is_the_first_page(folder):
    with serving(folder / "set") as server:
        found = page(server, "")
    assert "All results" not in found.text()
    assert found.all("h1") and "set" in found.text()


@pytest.mark.parametrize("own", ["", "runs/run"])
def test_results_inside_a_result(tmp_path, own):
    """They stand on its page; pictures there are its own."""
    run = write_run(tmp_path / own)
    write_trajectory(run / "later" / "samples <a>")
    write_eigenbasis(run / "basis")
    write_result(run / "basis" / "inner", "density")
    (run / "figures").mkdir()
    (run / "figures" / "own.png").write_bytes(png())
    with serving(tmp_path) as server:
        if own:
            items = page(server, "").all("li")
            assert [item["id"] for item in items] == ["result-runs/run"]
        found = page(server, f"look/{own}" if own else "")
        links = [text for name, text in found.texts if name == "a" and ": " in text]
        assert links == ["basis: eigenbasis", "later/samples <a>: samples"]
        basis, samples = [link["href"] for link in found.all("a") if "/look/" in link["href"]]
        assert "Eigenvectors" in page(server, basis).text()
        assert "How the images come out" in page(server, samples).text()
        assert "inner: density" in page(server, basis).text()


def test_addresses_without_the_token(server):
    token = server.addresses.token
    for path in (
        "/",
        "/look/",
        f"/{token[:-1]}/",
        f"/{token}x/",
        "/%C3%A9/",
        "/favicon.ico",
    ):
        status, _, body = ask(server, path)
        assert (status, body) == (404, b"nothing here\n")
    with serving(server.folder.path) as other:
        assert other.addresses.token != token


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "", "127.0.0.1:x", "[::1]"]
)
def test_other_names_of_this_machine(server, host):
    assert ask(server, "", Host=host)[0] == 403


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8000", "LOCALHOST:1"])
def test_names_of_this_machine(server, host):
    """Through a tunnel, too, whose port is another one."""
    assert ask(server, "", Host=host)[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_methods_that_could_change_something(server, method):
    status, headers, _ = ask(server, "", method)
    assert status == 501 if method == "BREW" else (status, headers["Allow"]) == (405, "GET, HEAD")


def test_heads(server):
    for path in ("", "file/set/contact_sheet.png", "frame/set?of=images&k=0"):
        status, headers, body = ask(server, path, "HEAD")
        assert (status, body) == (200, b"")
        assert headers["Content-Length"] == ask(server, path)[1]["Content-Length"]


@pytest.mark.parametrize(
    "path",
    [
        "file/../{outside}",
        "file/%2e%2e/{outside}",
        "file/..%2f{outside}",
        "file//etc/hostname.png",
        "file/set/./contact_sheet.png",
        "file/.hidden.png",
        "file/samples/out.png",
        "file/linked/secret.png",
        "file/samples/in.png%00",
        "look/linked",
        "look/..",
        "file/set/images.npy",
        "file/runs/a%20%3Cb%3E/config.json",
        "file/set",
        "frame/set?of=images&k=-1",
        "frame/set?of=x&k=0",
        "other/set",
    ],
)
def test_what_is_not_shown(server, folder, path):
    outside = (folder / "linked").resolve() / "secret.png"
    status, _, body = ask(server, path.format(outside=f"{outside.parent.name}/secret.png"))
    assert status == 404
    assert b"PNG" not in body and len(body.splitlines()) == 1


def test_a_link_within_the_folder(server):
    assert ask(server, "file/samples/in.png")[2] == png()


def test_reports_run_our_script_only(tmp_path):
    claim = Claim("it grows", True, "2", "above 1", "Fig. 1")
    section = Section("Figures", items=[Picture("first", png(), "", "grey")])
    document = Document("x", "X", "Does it grow?", "It does.", [claim], [section])
    write_report(document, tmp_path / "report")
    with serving(tmp_path / "report") as server:
        found = page(server, "")
        for text in (
            "Does it grow?",
            "It does.",
            "it grows",
            "pictures/first.png",
            "Open all of it",
        ):
            assert text in found.text()
        assert "cannot be shown" not in found.text()
        status, headers, body = ask(server, "file/report.html")
    assert status == 200 and body.startswith(b"<!doctype html>")
    policy = headers["Content-Security-Policy"]
    script = body.decode().partition("script-src &#x27;")[2].partition("&#x27;")[0]
    assert f"script-src '{script}'; connect-src 'none'" in policy


NAMES = ["000123", "1_2", "nan", "007e2", "inf", "12345678901234567890123", "4"]


@pytest.mark.parametrize(
    ("title", "values", "shown"),
    [
        ("name", ["1", "2000"], ["1", "2000"]),
        ("picture", NAMES, NAMES),
        ("picture", NAMES[5:], NAMES[5:]),
        ("psnr", ["1e-05", "-0.5", "nan", "", "-inf"], ["1.000e-05", "-0.5", *3 * ["\u2013"]]),
        ("count", ["1000", "20"], ["1,000", "20"]),
    ],
)
def test_names_in_tables_stay_as_they_are(tmp_path, title, values, shown):
    """Numbers are what nothing but numbers are beside, and what is no name."""
    write_result(tmp_path, "sampling")
    lines = "".join(f"{value},x\n" for value in values)
    (tmp_path / "own.csv").write_text(f"{title},other\n{lines}")
    with serving(tmp_path) as server:
        found = page(server, "")
    heads = [text for name, text in found.texts if name == "th"]
    start = heads.index(title)
    assert heads[start + 2 : start + 2 + len(shown)] == shown


def hostile(folder):
    """Results whose files are not what they should be; returns the names of these files."""
    write_run(folder / "run")
    (folder / "run" / "history.csv").write_text("epoch,steps\n1\n")
    (folder / "run" / "levels.csv").write_text("epoch,set,sigma,input_psnr,psnr\n1,train,x,1,2\n")
    (folder / "run" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(8) + b"\xff" * 8)
    write_eigenbasis(folder / "basis")
    np.savez(folder / "basis" / "eigenbasis.npz", left=np.ones((3, 2, 2)), right=0, shrinkage=1)
    write_trajectory(folder / "bomb")
    blank = np.zeros((4000, 1, 100, 100, 1), np.float32)
    np.savez_compressed(
        folder / "bomb" / "trajectory.npz",
        y=blank,
        denoised=blank,
        sigma=blank[:, :, 0, 0, 0],
        t=[1],
    )
    write_dataset(folder / "objects")
    np.save(folder / "objects" / "images.npy", np.array([{}, "<script>"], object))
    write_dataset(folder / "cut")
    content = (folder / "cut" / "images.npy").read_bytes()
    (folder / "cut" / "images.npy").write_bytes(content[:-1])
    (write_result(folder / "deep", "copying") / "copying.json").write_text(
        f'{{"package": "keras-gahr 0", "x": {"[" * 100_000}'
    )
    huge = write_result(folder / "huge", "density") / "density.json"
    with huge.open("a") as file:
        file.truncate(2**24 + 1)
    write_result(folder / "wrong", "explanation", test=[{"sigma": "x", "rivals": 3}])
    if hasattr(os, "mkfifo"):  # Windows has no pipes with a name.
        os.mkfifo(folder / "run" / "clock.csv")
    return {
        "run": ["history.csv", "levels.csv", "bad.png"],
        "basis": ["eigenbasis.npz"],
        "bomb": ["trajectory.npz"],
        "objects": ["images.npy"],
        "cut": ["images.npy"],
        "deep": ["copying.json"],
        "huge": ["density.json"],
        "wrong": ["explanation.json"],
    }


def test_files_that_may_be_anybodys(tmp_path):
    """Each is one line, and the rest of its page is shown."""
    names = hostile(tmp_path)
    with serving(tmp_path) as server:
        assert ask(server, "")[0] == 200
        for name, files in names.items():
            found = page(server, f"look/{name}")
            for file in files:
                assert f"{file} cannot be shown: " in found.text(), name
            assert "Files" in found.text()
        status, _, body = ask(server, "frame/bomb?of=trajectory&k=0")
    assert status >= 400 and len(body.splitlines()) == 1


def test_hostile_names(tmp_path):
    name = "<script>alert(1)</script>\n\x1b[31m"
    folder = write_run(tmp_path / os.fsdecode(os.fsencode(name).replace(b"/", b"") + b"\xe9"))
    (folder / "<img src=x>.png").write_bytes(png())
    with serving(tmp_path) as server:
        found = page(server, "")
        assert len(found.all("script")) == 1
        (address,) = [link["href"] for link in found.all("a") if "look" in link["href"]]
        inner = page(server, address)
        assert len(inner.all("script")) == 1
        (image,) = inner.all("img")
        assert ask(server, image["src"])[2] == png()


def test_a_port_that_is_taken(server):
    with pytest.raises(InputError, match="choose another --port"):
        ViewServer(server.folder.path, server.server_address[1])


def test_what_is_no_folder(tmp_path):
    with pytest.raises(InputError, match="does not exist: give a folder"):
        ViewServer(tmp_path / "nothing")


def test_pages_need_no_keras(folder):
    code = (
        "import sys, urllib.request, threading\n"
        "from keras_gahr.view.server import ViewServer\n"
        "server = ViewServer(sys.argv[1])\n"
        "threading.Thread(target=server.serve_forever, daemon=True).start()\n"
        "for path in ('', 'look/samples', 'frame/samples?of=trajectory&k=0'):\n"
        "    urllib.request.urlopen(server.address + path).read()\n"
        "assert not {'keras', 'torch', 'jax', 'tensorflow', 'matplotlib'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, cwd=ROOT)


@needs_signals
def test_the_command_until_ctrl_c(folder):
    command = [sys.executable, "-m", "keras_gahr", "view", str(folder), "--no-open"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    line = process.stdout.readline()
    assert line.startswith(f"{folder} is at http://127.0.0.1:")
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate()
    assert (process.returncode, errors) == (0, "")
    assert rest in {"", "Ctrl-C ends it\n"}
