"""Writes what a command does, in processes that are killed; run on one backend by a test.

python killed_writers.py FOLDER

For each kind FOLDER/KIND/killed is written by processes of which each is killed later than the one before,
until one ends; FOLDER/KIND/whole by one that is left in peace. Events are what the writer reports as its
progress, and the moments before a file or folder gets its name.
"""

import json
import os
import pathlib
import signal
import sys
import zipfile
from pathlib import Path

import numpy as np
from forked_gahr import load_libraries

from keras_gahr.datasets import generated, make_disks, write_image
from keras_gahr.denoisers import build_denoiser, save_denoiser
from keras_gahr.restoration import InputImages, restore_files
from keras_gahr.sampling import AscentSchedule
from weights_convert import convert_tree, export_denoiser

MOST_KILLS = 12


def network():
    return build_denoiser("bf-cnn", num_channels=1, num_kernels=2, num_layers=3, seed=0)


def write_disks(folder, out, event):
    generated.BLOCK = 5
    make_disks(out, 20, 16, 0, progress=event)


def write_restorations(folder, out, event):
    images = np.random.default_rng(0).random((3, 8, 8, 1), np.float32)
    (folder / "in").mkdir(exist_ok=True)
    for k, image in enumerate(images):
        write_image(folder / "in" / f"{k}.png", image)
    restore_files(
        network(),
        InputImages([folder / "in"], "super-resolution:2", 1),
        out,
        repeat=1,
        schedule=AscentSchedule(beta=1, sigma_end=0.5),
        batch_size=1,
        progress=lambda done, total: done == int(done) and event(done, total),
    )


def write_converted(folder, out, event):
    for name in ("in/a.pt", "in/deep/b.pt"):
        if not (folder / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            save_denoiser(network(), folder / "network.keras")
            export_denoiser(folder / "network.keras", folder / name)
    failed = [
        item.error for item in convert_tree(folder / "in", out, overwrite=True, progress=event)
    ]
    assert not any(failed), failed


WRITERS = {"disks": write_disks, "restore": write_restorations, "convert": write_converted}


def in_a_child(kind, folder, out, stop_at):
    """Writes in a process of its own, which says so and waits at an event of this number, from 0.

    Before that nothing may have been computed here.

    Returns:
        Whether it was killed at the event; if not, it had ended well before.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            seen = 0

            def event(*_):
                nonlocal seen
                if seen == stop_at:
                    os.write(writer, b"!")
                    signal.pause()
                seen += 1

            for name in ("replace", "rename"):
                watch(pathlib.Path, name, event)
            WRITERS[kind](folder, out, event)
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    os.close(writer)
    stopped = os.read(reader, 1) == b"!"
    os.close(reader)
    if stopped:
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if not stopped and status:
        sys.exit(f"the writer failed: {status}")
    return stopped


def watch(owner, name, event):
    """Makes an event of what is called, before it is."""
    function = getattr(owner, name)

    def watched(*arguments):
        event()
        return function(*arguments)

    setattr(owner, name, watched)


def restored(folder):
    """The first restoration, once the journal has it and when all are there, or None."""
    partial = folder / ".killed.partial"
    journal = partial / "journal.jsonl"
    if journal.exists() and journal.read_bytes().count(b"\n") < 2:
        return None
    found = [*partial.glob("0/sample.npy"), *folder.glob("killed/0/sample.npy")]
    return [found[0].stat().st_ino, found[0].stat().st_mtime_ns] if found else None


def kill_writers(kind, folder):
    """Returns the number of kills, the names in the folder after each, and what was restored then."""
    kills, names, first = 0, [], []
    folder.mkdir()
    # Each goes on where the last was, or from the start: so each is stopped somewhere else.
    while kills < MOST_KILLS and in_a_child(kind, folder, folder / "killed", kills):
        kills += 1
        for path in (folder / "killed").rglob("[!.]*.keras"):
            if not path.parent.name.startswith("."):
                assert zipfile.ZipFile(path).testzip() is None
        names.append(sorted(path.name for path in folder.iterdir()))
        first.append(restored(folder))
    if kills == MOST_KILLS:
        in_a_child(kind, folder, folder / "killed", -1)
    first.append(restored(folder))
    in_a_child(kind, folder, folder / "whole", -1)
    return {"kills": kills, "names": names, "first": first}


if __name__ == "__main__":
    load_libraries()
    folder = Path(sys.argv[1])
    print(json.dumps({kind: kill_writers(kind, folder / kind) for kind in WRITERS}))
