"""What a run directory of `gahr train` says of its training."""

import dataclasses
import filecmp
import functools
import math
from collections.abc import Mapping
from pathlib import Path

from keras_gahr.datasets.decoding import decode_picture
from keras_gahr.errors import InputError
from keras_gahr.json_file import read_json
from keras_gahr.training.watch.history import read_history
from keras_gahr.training.watch.levels import read_levels

from .find import Run, find_runs

_LARGEST_PICTURE = 2**25
"""Bytes: a report holds all its pictures."""


def read_runs(paths):
    """The runs in some folders, each once.

    Args:
        paths: run directories, or folders that hold them somewhere.

    Returns:
        A list of `RunFacts`, in the order of the paths and sorted within each.

    Raises:
        InputError: if there is no run in one of them, or a damaged one, or if none of the runs has
            finished an epoch.
    """
    found = {}
    for path in map(Path, paths):
        runs = find_runs(path)
        if not runs:
            raise InputError(
                f"{path} holds no run, expected a folder that `gahr train` made, or one of such folders"
            )
        for run in runs:
            found.setdefault(run.path.resolve(), run)
    facts = [RunFacts(path, run) for path, run in found.items()]
    if not any(fact.history for fact in facts):
        raise InputError(
            f"no epoch is finished in {', '.join(str(fact.run.path) for fact in facts)}: wait for one"
        )
    return facts


@dataclasses.dataclass(frozen=True)
class RunFacts:
    """A run.

    Args:
        path: of its directory, absolute.
        run: its `Run`.

    Raises:
        InputError: if it is damaged.
    """

    path: Path
    run: Run

    def __post_init__(self):
        if self.run.state == "unreadable":
            raise InputError(
                f"{self.run.path} is damaged, expected the files of `gahr train` in it: put back a copy "
                "of them, or leave it out"
            )

    @functools.cached_property
    def config(self):
        """The content of config.json."""
        return read_json(self.path / "config.json", "the config.json of a run")

    def part(self, name):
        """A mapping in config.json; empty if there is none of this name.

        That of the denoiser comes without its name, which Keras counts up, and its provenance, which
        repeats the data.
        """
        value = self.config.get(name)
        if not isinstance(value, Mapping):
            return {}
        hidden = {"name", "provenance"} if name == "denoiser" else set()
        return {key: part for key, part in value.items() if key not in hidden}

    @property
    def train_size(self):
        """How many training images, or None if the run does not say."""
        size = self.part("data").get("train_size")
        return size if type(size) is int else None

    @functools.cached_property
    def history(self):
        """The rows of history.csv; empty before the first epoch is done."""
        path = self.path / "history.csv"
        return read_history(path) if path.is_file() else []

    @functools.cached_property
    def levels(self):
        """The rows of levels.csv; empty before the first epoch is done."""
        path = self.path / "levels.csv"
        return read_levels(path) if path.is_file() else []

    @property
    def seconds(self):
        """The time of all epochs."""
        return sum(row.get("seconds", 0.0) for row in self.history)

    @property
    def has_model(self):
        """Whether it has kept a model."""
        return (self.path / "model.keras").is_file()

    @functools.cached_property
    def kept_epoch(self):
        """The epoch (from 1) after which the weights in model.keras were measured.

        None where there is none: of a training that was stopped within an epoch, or that the clock ended,
        whose model is that of a look.
        """
        path = self.path / "status.json"
        status = read_json(path, "the status.json of a run") if path.is_file() else {}
        if "kept_epoch" in status:
            epoch = status["kept_epoch"]
            return epoch if type(epoch) is int else None
        return self._kept_epoch_of_older()

    def _kept_epoch_of_older(self):
        """The same of a run of an older version, which did not note it."""
        model, snapshot = (self.path / name for name in ("model.keras", "before_memorizing.keras"))
        if model.is_file() and snapshot.is_file() and filecmp.cmp(model, snapshot, shallow=False):
            return None
        # Only whole epochs were measured.
        epochs = sorted({row["epoch"] for row in self.levels})
        if self.run.state == "diverged" and self.history:
            epochs = [epoch for epoch in epochs if epoch < self.history[-1]["epoch"]]
        last = max(epochs, default=0)
        if self.part("training").get("patience") is None:
            # Of one that was stopped within an epoch the model is what that had come to.
            stopped = self.run.state != "diverged" and self.history
            return None if stopped and self.history[-1]["epoch"] > last else last or None
        losses = {row["epoch"]: row.get("test_loss", math.inf) for row in self.history}
        return min(epochs, key=lambda epoch: losses.get(epoch, math.inf), default=None)

    def kept_levels(self):
        """As `last_levels`, of the epoch whose weights model.keras holds; empty if that was not measured."""
        return self._levels_of(self.kept_epoch)

    @property
    def last_epoch_measured(self):
        """The last epoch in levels.csv, or None; model.keras may be that of another."""
        return max((row["epoch"] for row in self.levels), default=None)

    def last_levels(self):
        """One dictionary for each noise level of the last epoch in levels.csv.

        It is how the training ended; for what it has kept see `kept_levels`.

        Keys: `sigma` in units of [0, 1]; `input_psnr`, `train_psnr`, `test_psnr` and `gap` (train less
        test) in dB, where `input_psnr` is that of the noisy training images. What was not measured
        is left out.
        """
        return self._levels_of(self.last_epoch_measured)

    def _levels_of(self, epoch):
        merged = {}
        for row in self.levels:
            if row["epoch"] == epoch:
                level = merged.setdefault(row["sigma"], {"sigma": row["sigma"]})
                level.setdefault("input_psnr", row["input_psnr"])
                level[f"{row['set']}_psnr"] = row["psnr"]
        for level in merged.values():
            if {"train_psnr", "test_psnr"} <= level.keys():
                level["gap"] = level["train_psnr"] - level["test_psnr"]
        return [merged[sigma] for sigma in sorted(merged)]

    def gap(self):
        """The train-test gap over the noise levels of the last epoch.

        Returns:
            `mean` and `largest` in dB, and `sigma` of the largest; None without test images.
        """
        levels = [level for level in self.last_levels() if "gap" in level]
        if not levels:
            return None
        largest = max(levels, key=lambda level: level["gap"])
        return {
            "mean": sum(level["gap"] for level in levels) / len(levels),
            "largest": largest["gap"],
            "sigma": largest["sigma"],
        }

    def denoised_picture(self):
        """The content of denoising.png, or None if there is none.

        Raises:
            InputError: if that is no PNG file of a sensible size.
        """
        path = self.path / "denoising.png"
        if not path.is_file():
            return None
        if path.stat().st_size > _LARGEST_PICTURE:
            raise InputError(f"{path} is larger than {_LARGEST_PICTURE // 2**20} MiB: remove it")
        content = path.read_bytes()
        if not content.startswith(b"\x89PNG"):
            raise InputError(f"{path} is no PNG file: remove it")
        decode_picture(content, path)
        return content
