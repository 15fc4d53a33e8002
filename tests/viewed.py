"""Results on disk as commands leave them, of numbers that are made up, and a server that shows them."""

import contextlib
import csv
import http.client
import io
import json
import threading

import numpy as np
from PIL import Image
from waiting import FOR_EVER

from keras_gahr.view.server import ViewServer

PACKAGE = "keras-gahr 0.1.0"


def write_run(folder, epochs=3, asked=5, state="finished"):
    """A training after some epochs."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "data": {"train_size": 1000},
        "denoiser": {"class": "UNet"},
        "training": {"epochs": asked, "learning_rate": 0.001},
        "versions": {"keras_gahr": "0.1.0"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    status = {"state": state, "epoch": epochs, "epochs": asked, "pid": 1, "host": "elsewhere"}
    history = [
        (k, 5, 2.0, 1e-3, 3.0 / k, 20 + k, 4.0 / k, 19 + k / 2) for k in range(1, epochs + 1)
    ]
    levels = [
        (k, part, sigma, 20 - 10 * np.log10(sigma), 25 + k * (part == "train"))
        for k in range(1, epochs + 1)
        for part in ("train", "test")
        for sigma in (0.01, 0.1, 1.0)
    ]
    titles = "epoch steps seconds learning_rate train_loss train_psnr test_loss test_psnr"
    write_csv(folder / "history.csv", titles, history)
    write_csv(folder / "levels.csv", "epoch set sigma input_psnr psnr", levels)
    (folder / "status.json").write_text(json.dumps(status))
    return folder


def write_csv(path, titles, rows):
    """A table, put into its place whole."""
    new = path.with_name(f".{path.name}")
    with new.open("w", newline="") as file:
        csv.writer(file).writerows([titles.split(), *rows])
    new.replace(path)


def write_result(folder, name, **numbers):
    """A folder known by a JSON file of this name."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps({"package": PACKAGE, **numbers}, indent=1))
    return folder


def write_trajectory(folder, kept=5, count=3, channels=1, sigma=None):
    """Samples with the way they took."""
    write_result(folder, "sampling", sampler="ascent", seed=0)
    y = np.random.default_rng(0).random((kept, count, 6, 8, channels), np.float32)
    if sigma is None:
        sigma = np.geomspace(1, 0.01, kept)[:, None] * np.ones(count)
    np.savez_compressed(
        folder / "trajectory.npz", t=np.arange(kept) * 10 + 1, y=y, denoised=y / 2, sigma=sigma
    )
    return folder


def write_eigenbasis(folder, count=4, channels=3, pairs=True):
    """An eigenbasis of an image: pairs of singular vectors, or eigenvectors."""
    write_result(folder, "eigenbasis", shrinkage=[1.0, 0.9, 0.5, 0.1][:count], rule="it is one")
    left = np.random.default_rng(0).standard_normal((count, 6, 8, channels)).astype(np.float32)
    right = -left if pairs else left
    clean = np.full((6, 8, channels), 0.5, np.float32)
    shrinkage = np.linspace(1, 0.1, count)
    np.savez_compressed(
        folder / "eigenbasis.npz", left=left, right=right, shrinkage=shrinkage, clean=clean
    )
    return folder


def write_dataset(folder, count=100):
    """Grey images, more than a sheet has."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.json").write_text(json.dumps({"format": 1, "recipe": "array"}))
    np.save(
        folder / "images.npy", np.random.default_rng(0).integers(0, 256, (count, 6, 6, 1), np.uint8)
    )
    (folder / "contact_sheet.png").write_bytes(png())
    return folder


def png(size=(12, 8)):
    """The bytes of a picture."""
    data = io.BytesIO()
    Image.new("L", size, 128).save(data, "PNG")
    return data.getvalue()


@contextlib.contextmanager
def serving(folder):
    """A server of a folder, in a thread."""
    with ViewServer(folder) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def ask(server, path, method="GET", body=None, **headers):
    """Status, headers and body of an answer; the path stands after the token, or begins with "/"."""
    connection = http.client.HTTPConnection(*server.server_address, timeout=FOR_EVER)
    if not path.startswith("/"):
        path = server.addresses.index() + path
    connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders(body)
    with contextlib.closing(connection):
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
