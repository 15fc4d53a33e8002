"""`gahr reproduce`."""

from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.backend_choice import choose_backend
from keras_gahr.errors import InputError

from .backend import BackendOption

_LAUNCHERS = {"local": None, "slurm": "slurm", "submitit-local": "local"}
"""The cluster that submitit calls so; the last one is for trying it out."""


def reproduce(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]...", help="Experiments, or all.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for datasets, trainings and reports; going on in one is safe."),
    ] = None,
    scale: Annotated[
        str,
        typer.Option(help="smoke (a minute or two), laptop (up to 40 minutes each) or paper."),
    ] = "laptop",
    faces: Annotated[
        Path | None,
        typer.Option(
            help="Dataset of faces, or other images, for those that want one; default: synthetic ones."
        ),
    ] = None,
    assignments: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Change a setting: --set epochs=10."),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(help="Trainings at a time; default 1, or all on a cluster.", min=1),
    ] = None,
    launcher: Annotated[
        str, typer.Option(help="local, or slurm (by submitit): where trainings run.")
    ] = "local",
    slurm: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Option of jobs: --slurm partition=gpu."),
    ] = None,
    track: Annotated[
        str | None,
        typer.Option(
            help="Follow the trainings in wandb:PROJECT, mlflow:EXPERIMENT or trackio:PROJECT, or in "
            "several, with commas.",
            show_default=False,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only print what would be done, and its time.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Exit code 1 if a claim is not seen.")
    ] = False,
    list_: Annotated[bool, typer.Option("--list", help="Only list the experiments.")] = False,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace reports of other settings; keeps trainings."),
    ] = False,
    backend: BackendOption = None,
):
    """Repeat the paper's experiments, and report which of its claims are seen.

    Datasets and trainings that are in the folder already are not made again, and those that were
    interrupted go on. Each experiment gets a page, report.html, in the folder; one of the same scale
    and settings is made anew.
    """
    from keras_gahr.experiments import NAMES, find_experiment

    choose_backend(backend)
    if list_:
        from .reproduce_plan import print_experiments

        print_experiments()
        return
    if not names:
        raise InputError(f"received no experiment: give all, or some of {', '.join(NAMES)}")
    if out is None:
        raise InputError("received no folder: pass --out DIR, which may be one of an earlier call")
    if launcher not in _LAUNCHERS:
        raise InputError(f"received launcher {launcher!r}, expected local or slurm")
    if slurm and launcher == "local":
        raise InputError("received --slurm, which is for --launcher slurm: leave one of them out")
    from keras_gahr.reproduction.reproduction import faces_folder, plan_reproductions
    from keras_gahr.reproduction.settings import parse_assignments
    from keras_gahr.reproduction.workspace import Workspace
    from keras_gahr.training.tracking.addresses import open_trackers

    planned = plan_reproductions(
        [find_experiment(name) for name in dict.fromkeys(NAMES if "all" in names else names)],
        scale,
        parse_assignments(assignments or ()),
        faces_folder(faces) if faces else None,
    )
    workspace = Workspace(out)
    if dry_run:
        from .reproduce_plan import print_plan

        print_plan(planned, workspace)
        return
    for each in planned:
        each.check_report(workspace, overwrite)
    tasks = [task for each in planned for task in each.tasks]
    open_trackers(track)  # What they lack is said before anything is trained.
    _train(workspace, tasks, _launcher(launcher, workspace, slurm, jobs, tasks), track)
    seen = [_report(each, workspace, overwrite) for each in planned]
    if check and not all(seen):
        raise typer.Exit(1)


def _launcher(name, workspace, options, jobs, tasks):
    from keras_gahr.reproduction.launchers import LocalLauncher, SubmititLauncher, job_options
    from keras_gahr.reproduction.settings import parse_assignments

    if name == "local":
        return LocalLauncher(jobs or 1)
    values = job_options(parse_assignments(options or ()))
    folder = workspace.folder / "submitit"
    return SubmititLauncher(folder, _LAUNCHERS[name], values, jobs or len(tasks))


def _train(workspace, tasks, launcher, track):
    """Makes the datasets and trains; ends the command if that does not end well."""
    if not tasks:
        return
    from keras_gahr.reproduction.sweep import Sweep

    from .progress import progress_bar, sweep_bar

    for task in tasks:
        if not workspace.is_made(task.dataset):
            with progress_bar(f"dataset {task.dataset.recipe}") as progress:
                workspace.make_dataset(task.dataset, progress)
    with sweep_bar() as progress:
        result = Sweep(workspace, tasks, launcher, progress, track).run()
    if result.signal is not None:
        typer.echo(
            f"stopped by {result.signal.name}: the same command goes on in {workspace.folder}",
            err=True,
        )
        raise typer.Exit(128 + result.signal)
    if result.failures:
        for line in result.failures:
            typer.echo(f"error: {line}", err=True)
        raise typer.Exit(1)


def _report(reproduction, workspace, overwrite):
    """Analyses and prints; returns whether no claim was refuted."""
    from keras_gahr.report.wording import VERDICTS, seconds_text, tally

    from .progress import progress_bar

    name = reproduction.experiment.name
    with progress_bar(name, counted=False) as progress:
        document, page = reproduction.report(
            workspace, lambda text, part: progress(part, 1, f"{name}: {text}"), overwrite
        )
    typer.echo(f"{document.title}: {document.answer}")
    for claim in document.claims:
        typer.echo(
            f"  {VERDICTS[claim.passed] + ':':<10} {claim.statement} ({claim.source})\n"
            f"             {claim.measured}; expected: {claim.expected}"
        )
    typer.echo(f"claims: {tally(document.claims)}; {seconds_text(document.seconds)}")
    typer.echo(f"report: {page}")
    return all(claim.passed is not False for claim in document.claims)
