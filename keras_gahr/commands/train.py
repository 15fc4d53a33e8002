"""`gahr train`."""

from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.backend_choice import backend_in, choose_backend
from keras_gahr.errors import InputError
from keras_gahr.options.training import MACHINE, RunOptions

from .backend import BackendOption
from .options import OverwriteOption, offers


@offers(RunOptions, without=("dataset",))
def train(
    context: typer.Context,
    dataset: Annotated[
        str | None, typer.Argument(help="A folder made by `gahr data`, or a .npy or .npz file.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Run directory: model.keras, history.csv, config.json, pictures."),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            help="Go on with the run in this directory; only --epochs, --data-on-device, --track and "
            "--dataset may be changed."
        ),
    ] = None,
    moved_dataset: Annotated[
        str | None,
        typer.Option("--dataset", help="With --resume: where the run's dataset lies now."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            help="Take options from a config.json of a run, or a JSON file of some options.",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only print all options, the size of it and the time."),
    ] = False,
    overwrite: OverwriteOption = False,
    backend: BackendOption = None,
    *,
    state_seconds: Annotated[
        float,
        typer.Option(
            help="Time between two resume states within an epoch.", rich_help_panel=MACHINE, min=0
        ),
    ] = 300.0,
    **options,
):
    """Train a blind denoiser for all noise levels.

    Ctrl-C, or the end of the terminal, stops after the current step and keeps the model. `--resume RUN`
    goes on with a run that was stopped or killed, and ends as if it had not been; if its images were moved
    elsewhere, `--dataset` says where they are.
    """
    if resume is not None and backend is None:
        # A run only goes on on its own backend, whatever is the default here.
        backend = backend_in(resume / "config.json")
    choose_backend(backend)
    from keras_gahr._backend import parallel
    from keras_gahr.training.devices.processes import end_with_parent
    from keras_gahr.training.devices.srun import join_step

    end_with_parent()
    join_step()
    parallel.join_hosts()
    from keras_gahr.training.configured import config_from

    from .training_run import continue_run, describe_run, start_run

    given = {
        name: value
        for name, value in context.params.items()
        if context.get_parameter_source(name).name == "COMMANDLINE"
    }
    if moved_dataset is not None:
        if dataset is not None:
            raise InputError("received a dataset twice: leave out --dataset or the argument")
        # After the name of a run it reads better as an option.
        given["dataset"] = given.pop("moved_dataset")
    if resume is not None:
        continue_run(resume, given, state_seconds)
        return
    chosen = config_from({**options, "dataset": given.get("dataset")}, given, config)
    if dry_run:
        describe_run(chosen)
    else:
        start_run(chosen, out, overwrite, state_seconds)
