"""What a training and the state that it goes on from must share."""

import dataclasses
import hashlib
import json

import keras
import numpy as np

from keras_gahr.datasets.arrays import blocks
from keras_gahr.errors import InputError

from .state import damaged


def identity_of(denoiser, settings, train_images, test_images, clock=None):
    """What a training and the state it goes on from must share, as plain values."""
    training = dataclasses.asdict(settings)
    # Without what a law does not use, runs go on that began when it was not known.
    law = training["noise_law"]
    training["noise_law"] = {name: value for name, value in law.items() if value is not None}
    if settings.schedule in {"halving", "constant"}:
        # These do not depend on the number of epochs, so that there may be more of them.
        del training["epochs"]
    if clock is not None:
        # Wherever other files lie by then.
        asked = {**dataclasses.asdict(clock), "twin": None, "clock_features": None}
        training |= {name: value for name, value in asked.items() if value is not None}
    network = denoiser.get_config()
    for name in ("name", "provenance"):
        network.pop(name, None)
    identity = {
        "backend": keras.backend.backend(),
        "denoiser": {"class": type(denoiser).__name__, **network},
        "training": training,
        "images": {
            "training images": _fingerprint(train_images),
            "test images": _fingerprint(test_images),
        },
    }
    # As it is read back: tuples become lists.
    return json.loads(json.dumps(identity))


def _fingerprint(images):
    digest = hashlib.sha256(f"{images.dtype}{images.shape}".encode())
    for block in blocks(images):
        digest.update(np.ascontiguousarray(block).data)
    return digest.hexdigest()


def check_identity(out, record, now, dataset=None):
    before = record.get("identity") if isinstance(record, dict) else None
    if not isinstance(before, dict) or before.keys() != now.keys():
        raise damaged(out / "state.safetensors", "it does not say what it is the state of")
    for part in now:
        old, new = (
            part_of if isinstance(part_of, dict) else {part: part_of}
            for part_of in (before[part], now[part])
        )
        for name in sorted({*old, *new}):
            if old.get(name) == new.get(name):
                continue
            if part == "images":
                raise InputError(
                    f"{out} was started with other {name}: of SHA-256 {old.get(name):.12}, received "
                    f"{new[name]:.12}{f' from {dataset}' if dataset else ''}; go on with the same "
                    f"(`gahr train --resume {out} --dataset PLACE` if they were moved), or start anew"
                )
            raise InputError(
                f"{out} was started with other {name} ({part}): it had {old.get(name)}, received "
                f"{new.get(name)}; go on with the same, or start anew"
            )
