"""Starting and continuing the runs of `gahr train`."""

import dataclasses
import json
import sys

import rich.console
import typer

from keras_gahr.errors import InputError
from keras_gahr.report.wording import seconds_text
from keras_gahr.training import check_run_output, run_config
from keras_gahr.training.configured import (
    check_config,
    config_to_resume,
    estimate_prepared,
    now_and_then,
    planned_clock,
)
from keras_gahr.training.devices.data_parallel import is_first
from keras_gahr.training.devices.processes import must_relaunch, relaunch

from .psnr_table import print_psnr_table

_SECONDS_BETWEEN_PICTURES = 30


def start_run(config, out, overwrite, state_seconds):
    """Trains in a new run directory.

    Args:
        config: `RunConfig`.
        out: run directory, or None.
        overwrite, state_seconds: see `keras_gahr.training.run_training`.

    Raises:
        InputError: for anything that cannot be trained.
    """
    if out is None:
        raise InputError("received no run directory: pass --out RUN, or --resume RUN to go on")
    if is_first():
        check_run_output(out, overwrite)
    _run(config, out, overwrite=overwrite, state_seconds=state_seconds)


def continue_run(out, given, state_seconds):
    """Goes on with the run in a directory.

    Args:
        out: run directory.
        given: the parameters that the user gave, by name.
        state_seconds: see `keras_gahr.training.run_training`.

    Raises:
        InputError: if there is no run, or it cannot go on like this.
    """
    others = sorted(given.keys() - {"resume", "backend", "state_seconds"} - _MAY_CHANGE)
    if others:
        raise InputError(
            f"received {others[0].replace('_', '-')} with --resume, which goes on as the run was "
            "started; only --epochs, --data-on-device and --track may be changed, and --dataset after a move "
            "(--start-from begins a new run from a model)"
        )
    changes = {name: given[name] for name in _MAY_CHANGE & given.keys()}
    _run(config_to_resume(out, changes), out, resume=True, state_seconds=state_seconds)


_MAY_CHANGE = {"dataset", "epochs", "data_on_device", "track"}


def describe_run(config):
    """Prints what a run would be and take, without starting it."""
    prepared = check_config(config)
    typer.echo(json.dumps(dataclasses.asdict(config), indent=2))
    _introduce(prepared)
    estimate = estimate_prepared(prepared)
    typer.echo(
        f"{estimate.steps:,} steps: {estimate.epochs} epochs of {estimate.steps_per_epoch}\n"
        f"memory: about {_memory_text(estimate.memory)} beside the backend's own\n"
        f"time: about {seconds_text(estimate.seconds)}, from three steps of "
        f"{estimate.seconds_per_step:.3g} s "
        f"({estimate.images_per_second:.0f} images/s)"
    )
    plan = planned_clock(prepared)
    if plan is not None:
        typer.echo(
            f"clock: {plan.looks} looks at {plan.samples} samples, {plan.per_decade:g} in a factor of ten "
            f"of the steps: {plan.share:.1%} of the training's time, about "
            f"{seconds_text(estimate.clock_seconds)} of it"
        )


def _memory_text(memory):
    each = f", {memory.on_device / 1e9:.2f} GB on each of {memory.devices} devices,"
    return f"{memory.total / 1e9:.2f} GB{each if memory.devices > 1 else ''}"


def _run(config, out, **how):
    if must_relaunch(config.devices):
        check_config(config, out if how.get("resume") else None)
        raise typer.Exit(relaunch(sys.argv[1:], config.devices))
    begun = []

    def begin(prepared):
        begun.append(prepared)
        if is_first():
            _introduce(prepared)

    result = run_config(
        config,
        out,
        console=rich.console.Console(),
        begin=begin,
        after_epoch=now_and_then(lambda result: _draw(result, out), _SECONDS_BETWEEN_PICTURES),
        **how,
    )
    if not is_first():
        return
    _draw(result, out)
    _report(result, begun[0].test_images, out)


def _introduce(prepared):
    denoiser, images = prepared.denoiser, prepared.train_images.images
    typer.echo(
        f"{type(denoiser).__name__} with {denoiser.num_parameters:,} parameters, "
        f"{len(images)} training and {len(prepared.test_images)} test images of "
        f"{'x'.join(map(str, images.shape[1:]))}"
    )
    if prepared.precision is not None:
        typer.echo(f"precision: {prepared.precision.name}; {prepared.precision.reason}")


def _draw(result, out):
    """Draws how the training goes, as far as an epoch is done."""
    from keras_gahr import plot

    for name, figure in plot.figures_of(result):
        plot.save(figure, out / f"{name}.png", overwrite=True)


def _report(result, test_images, out):
    """Prints how well the denoiser does, and sets the exit code."""
    if result.diverged:
        kept = (out / "model.keras").exists()
        typer.echo(
            "error: the loss is not finite or rose far above its start: try a smaller "
            "--learning-rate; "
            + (f"{out} keeps the model before that" if kept else "no model was written"),
            err=True,
        )
        raise typer.Exit(1)
    if len(test_images):
        print_psnr_table(result.denoiser, test_images.images[:256])
    typer.echo(f"model: {out / 'model.keras'}")
    pictures = [str(path) for path in sorted(out.glob("*.png"))]
    if pictures:
        typer.echo(f"pictures: {', '.join(pictures)}")
    if result.clock is not None:
        typer.echo(f"clock: {result.clock.headline}")
    if result.memorized is not None:
        kept = (
            f"is that of step {result.clock.last_before}"
            if result.clock.last_before is not None
            else "memorizes, since the first look already showed it: look more often"
        )
        typer.echo(f"stopped early: {result.memorized}; {out / 'model.keras'} {kept}")
    elif result.state == "early stop":
        typer.echo(f"stopped early: no smaller test loss; {out / 'model.keras'} is the best")
    if result.state == "stopped":
        typer.echo(
            f"stopped by {result.signal.name} in epoch {len(result.history)}: "
            f"`gahr train --resume {out}` goes on",
            err=True,
        )
        raise typer.Exit(128 + result.signal)
