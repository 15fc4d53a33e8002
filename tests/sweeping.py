"""An experiment that takes a second, for tests of what runs experiments."""

import dataclasses

from keras_gahr.report.document import Claim, Document
from keras_gahr.reproduction.experiment import Experiment
from keras_gahr.reproduction.plan import DatasetTask, TrainingTask
from keras_gahr.reproduction.train_task import train_task


@dataclasses.dataclass(frozen=True)
class TinySettings:
    seeds: tuple[int, ...] = (0, 1)
    epochs: int = 2
    learning_rate: float = 1e-3
    sigma: float = 0.1
    halve_every: int | None = None
    shuffle: bool = False
    kind: str = "sines"
    passes: bool = True


class Tiny(Experiment):
    name = "tiny"
    title = "Tiny"
    question = "Does it run?"
    figures = "Fig. 0"
    scales = {scale: TinySettings() for scale in ("smoke", "laptop", "paper")}

    def trainings(self, settings, faces=None):
        images = sines()
        if settings.shuffle:
            images = DatasetTask("shuffled", {"dataset": images, "seed": 3})
        return [
            task(seed, images, epochs=settings.epochs, learning_rate=settings.learning_rate)
            for seed in settings.seeds
        ]

    def analyse(self, settings, runs, progress):
        progress("counting", 0.5)
        sizes = [len(run.split()[0]) for run in runs]
        claim = Claim("It runs.", settings.passes, f"{len(runs)} runs", "some", "nowhere")
        return Document(
            self.name, self.title, self.question, "It does.", [claim], numbers={"sizes": sizes}
        )


def sines(count=24):
    return DatasetTask("sines", {"count": count, "size": 8, "seed": 0})


def task(seed=0, images=None, label=None, **options):
    """A `TrainingTask` of two epochs of four steps."""
    defaults = {
        "train_size": 16,
        "test_size": 4,
        "num_kernels": 2,
        "num_blocks": 1,
        "epochs": 2,
        "images_per_epoch": 16,
        "batch_size": 4,
    }
    images = images or sines()
    return TrainingTask(label or f"seed {seed}", images, {**defaults, "seed": seed, **options})


def train_all(workspace, tasks):
    """Trains the tasks in this process; returns their `FinishedRun`s."""
    for each in tasks:
        workspace.make_dataset(each.dataset)
        workspace.task_path(each).parent.mkdir(parents=True, exist_ok=True)
        assert train_task(workspace.write_task(each)) == 0
    return [workspace.finished_run(each) for each in tasks]
