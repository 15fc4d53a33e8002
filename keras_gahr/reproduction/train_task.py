"""One training of a sweep, in a process of its own.

`python -m keras_gahr.reproduction.train_task TASK.json` trains what the file says, or goes on with it.
With `--until-input-ends` it stops, as for SIGTERM, when its standard input is closed, so that it does
not outlive the process that started it, however that ends.
"""

import shutil
import sys
from pathlib import Path

FINISHED, FAILED, WRONG, DIVERGED, BUSY = 0, 1, 2, 3, 75
"""Exit codes; a training that was stopped by a signal ends with 128 and its number."""


def train_task(path):
    """Trains what a file of `Workspace.write_task` says; returns an exit code.

    Raises:
        InputError: for anything that cannot be trained, or that another process trains.
    """
    from keras_gahr.files import locked
    from keras_gahr.heap import keep_freed_memory
    from keras_gahr.json_file import read_json
    from keras_gahr.training import RunConfig, run_config
    from keras_gahr.training.configured import config_to_resume

    task = read_json(path, "a task of a workspace")
    run = Path(task["run"])
    config = RunConfig(dataset=task["dataset"], track=task.get("track"), **task["options"])
    with locked(Path(path).parent, run):
        resume = (run / "state.safetensors").is_file()
        if resume:
            # Its default of halvings may be that of an earlier version.
            config = config_to_resume(run, {"dataset": config.dataset, "track": config.track})
        elif run.is_dir():
            _remove_begun(run)
        keep_freed_memory()
        result = run_config(
            config,
            run,
            resume=resume,
            begin=lambda prepared: print(
                f"{task['label']}: {'goes on' if resume else 'starts'} in {run}", flush=True
            ),
            after_epoch=_print_epoch,
            label=task["label"],
        )
    print(f"{task['label']}: {result.state}", flush=True)
    if result.diverged:
        return DIVERGED
    return FINISHED if result.signal is None else 128 + result.signal


def _remove_begun(run):
    """Removes a run that was killed before its first state: there is nothing to go on from.

    Raises:
        InputError: if it once had a state.
    """
    from keras_gahr.errors import InputError
    from keras_gahr.files import remove_leftovers
    from keras_gahr.runs import find_runs
    from keras_gahr.training.run_folder import FILES

    remove_leftovers(run, FILES)
    names = {item.name for item in run.iterdir()}
    # Epochs are counted when their state is kept.
    if any(found.epoch != 0 for found in find_runs(run)):
        raise InputError(
            f"{run} was trained, but has no state.safetensors to go on from: put it back, or move the "
            "folder away, and it is trained anew"
        )
    if not names - set(FILES) and (not names or "config.json" in names):
        shutil.rmtree(run)


def _print_epoch(result):
    row = result.history[-1]
    numbers = (f"{name} {value:.6g}" for name, value in row.items() if name != "epoch")
    print(f"epoch {row['epoch']}: {', '.join(numbers)}", flush=True)


def main(arguments):
    """The exit code; errors go to standard error."""
    from keras_gahr.errors import InputError
    from keras_gahr.files import Busy
    from keras_gahr.training.devices.lifeline import stop_when_closed

    if "--until-input-ends" in arguments:
        stop_when_closed(sys.stdin.fileno())
    try:
        return train_task(arguments[0])
    except Busy as error:
        code = BUSY
        message = error
    except InputError as error:
        code = WRONG
        message = error
    print(f"error: {message}", file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
