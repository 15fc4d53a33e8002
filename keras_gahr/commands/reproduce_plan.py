"""What `gahr reproduce` prints without doing it."""

import warnings

import typer

from keras_gahr.experiments import NAMES, find_experiment
from keras_gahr.report.wording import seconds_text
from keras_gahr.reproduction.costs import Costs
from keras_gahr.reproduction.plan import DatasetTask
from keras_gahr.reproduction.sweep import unique

from .table import print_table


def print_experiments():
    """Prints the experiments with their figures and questions."""
    experiments = [find_experiment(name) for name in NAMES]
    print_table(
        ("experiment", "in the paper", "question"),
        [(each.name, each.figures, each.question) for each in experiments],
    )


def print_plan(planned, workspace):
    """Prints the datasets and trainings of some `Reproduction`s, and what is left to be done."""
    print_table(
        ("experiment", "in the paper", "scale", "trainings", "report"),
        [
            (
                each.experiment.name,
                each.experiment.figures,
                each.scale,
                str(len(each.tasks)),
                str(workspace.report_path(each.experiment.name)),
            )
            for each in planned
        ],
    )
    tasks = unique(task for each in planned for task in each.tasks)
    typer.echo("")
    if not tasks:
        typer.echo("no trainings before the analysis, which trains what it needs by itself")
        return
    datasets = {}
    for task in tasks:
        _collect(task.dataset, datasets)
    print_table(
        ("dataset", "state", "parameters"),
        [
            (
                name,
                "made" if workspace.is_made(dataset) else "to be made",
                ", ".join(f"{key} {_text(value)}" for key, value in dataset.parameters.items()),
            )
            for name, dataset in datasets.items()
        ],
    )
    typer.echo("")
    costs, rows, left, memory = Costs(), [], 0.0, 0
    for task in tasks:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            estimate = costs.of(task)
        state, part = workspace.state(task), workspace.progress(task)
        seconds = estimate.seconds * (1 - part)
        if workspace.is_finished(task):
            seconds = 0.0
        left += seconds
        memory = max(memory, estimate.memory.on_device)
        rows.append(
            (
                task.label,
                task.folder,
                f"{estimate.parameters:,}",
                f"{estimate.steps:,}",
                f"{estimate.memory.on_device / 1e9:.2f} GB",
                "to be done" if state == "missing" else f"{state.partition(':')[0]} ({part:.0%})",
                seconds_text(seconds) if seconds else "-",
            )
        )
    print_table(("training", "run", "parameters", "steps", "memory", "state", "time"), rows)
    typer.echo(
        f"\nin all: about {seconds_text(left)} of training one after the other, and {memory / 1e9:.2f} "
        "GB for each one at a time beside the backend's own; analyses come on top"
    )


def _collect(dataset, found):
    """Adds a `DatasetTask` and those it is made from by name, the last first."""
    if not isinstance(dataset, DatasetTask):
        return
    for value in dataset.parameters.values():
        _collect(value, found)
    found[dataset.folder] = dataset


def _text(value):
    if isinstance(value, DatasetTask):
        return value.folder
    return getattr(value, "path", value)
