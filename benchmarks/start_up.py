"""Time until something happens: `python -m benchmarks.start_up --backend B [--json OUT]`.

`gahr --help`, the import of the package and of its networks, the first training step of the full UNet
(80x80, batches of 16) and the first sample (40x40), each in fresh processes. The two last are divided into
importing, building, compiling (what the first one takes longer than the second) and the step itself, and on
JAX they are measured with its persistent cache of compiled programs too.
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# What else is of the package is imported later: most rooms import Keras, which is to be timed.
from keras_gahr.backend_choice import BACKENDS
from keras_gahr.files import replacing

FULL = {"kernels": 64, "train_side": 80, "batch": 16, "sample_side": 40}
SMOKE = {"kernels": 2, "train_side": 8, "batch": 4, "sample_side": 8}


_BEGUN = "GAHR_BENCHMARK_BEGUN"
"""The variable that tells a process when it was started."""


class ProcessFailed(Exception):
    """A process that was to be timed failed."""


def first_training_step(scale, begun):
    """Prints the stages until a training has taken its second step, and ends the process."""
    import keras
    import numpy as np

    from keras_gahr import UNet
    from keras_gahr.training import TrainingSettings, run_training
    from keras_gahr.training.session import Session

    times = [begun, time.time()]
    batch, side = scale["batch"], scale["train_side"]
    settings = TrainingSettings(epochs=1, images_per_epoch=2 * batch, batch_size=batch)
    images = np.random.default_rng(0).random((2 * batch, side, side, 1), np.float32)

    class Clock(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            if batch == 0:
                times.append(time.time())

        def on_train_batch_end(self, batch, logs=None):
            # As a number, the loss is there only when the step is over.
            float(logs["loss"])
            times.append(time.time())
            if batch == 1:
                _print_stages(times)
                os._exit(0)

    run = Session.run

    def run_with_clock(self):
        self.callbacks.append(Clock())
        return run(self)

    # `train` has no place for callbacks of others.
    Session.run = run_with_clock
    with tempfile.TemporaryDirectory() as folder:
        denoiser = UNet(num_kernels=scale["kernels"], seed=0)
        run_training(denoiser, images, images[:0], settings, Path(folder) / "run")


def first_sample(scale, begun):
    """Prints the stages until two samples have been drawn one after the other."""
    from keras_gahr import UNet
    from keras_gahr.sampling import AscentSchedule, prepare, sample

    times = [begun, time.time()]
    shape, schedule = (scale["sample_side"], scale["sample_side"], 1), AscentSchedule(beta=0.1)
    denoiser = UNet(num_kernels=scale["kernels"], seed=0)
    prepared = prepare(denoiser, shape, schedule=schedule)
    times.append(time.time())
    for _ in range(2):
        sample(denoiser, shape, schedule=schedule, prepared=prepared)
        times.append(time.time())
    _print_stages(times)


def _print_stages(times):
    """From the moments at which the process began, had imported, had built, and was through once, twice."""
    imported, built, first, second = (b - a for a, b in itertools.pairwise(times))
    stages = {"import": imported, "build": built, "compile": first - second, "step": second}
    print(json.dumps(stages), flush=True)


WORK = {"training": first_training_step, "sample": first_sample}


def time_process(arguments, environment, limit=600):
    """Seconds of a fresh process of this interpreter, and the last line it printed."""
    started = time.time()
    done = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **environment, _BEGUN: str(started)},
        capture_output=True,
        text=True,
        timeout=limit,
    )
    seconds = time.time() - started
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        raise ProcessFailed(f"{' '.join(arguments)} ended with code {done.returncode}: {said}")
    return seconds, (done.stdout.strip().splitlines() or [""])[-1]


def measure(arguments, rounds, environment=None):
    """Medians over some fresh processes: {"seconds"} and the stages that they print, if any."""
    found = []
    for _ in range(rounds):
        seconds, printed = time_process(arguments, environment or {})
        stages = json.loads(printed) if printed.startswith('{"') else {}
        found.append({"seconds": seconds, **stages})
    return {name: statistics.median(each[name] for each in found) for name in found[0]}


def cases(backend, rounds, smoke):
    """Yields (name, medians)."""
    yield "gahr --help", measure(["-m", "keras_gahr", "--help"], rounds)
    for module in ("keras_gahr", "keras_gahr.denoisers"):
        yield f"import {module}", measure(["-c", f"import {module}"], rounds)
    for work in WORK:
        arguments = ["-m", "benchmarks.start_up", "--work", work, *(["--smoke"] if smoke else [])]
        yield f"first {work}", measure(arguments, rounds)
        if backend == "jax":
            with tempfile.TemporaryDirectory() as folder:
                cache = {"JAX_COMPILATION_CACHE_DIR": folder}
                # This one fills it.
                time_process(arguments, cache)
                yield f"first {work}, compiled before", measure(arguments, rounds, cache)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start_up", description=__doc__)
    parser.add_argument("--backend", choices=BACKENDS, help="of Keras; default: KERAS_BACKEND")
    parser.add_argument("--rounds", type=int, default=5, help="processes for each (5)")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the numbers there too")
    parser.add_argument("--smoke", action="store_true", help="a small network")
    parser.add_argument("--work", choices=WORK, help="only do this, in this process")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error(f"received {options.rounds} rounds, expected at least 1")
    if options.work:
        WORK[options.work](SMOKE if options.smoke else FULL, float(os.environ[_BEGUN]))
        return 0
    if options.backend:
        os.environ["KERAS_BACKEND"] = options.backend
    results = {"backend": os.environ.get("KERAS_BACKEND")}
    try:
        for name, medians in cases(results["backend"], options.rounds, options.smoke):
            results[name] = medians
            stages = ", ".join(f"{stage} {value:.2f}" for stage, value in medians.items())
            print(f"{name:32} {stages}", flush=True)
    except ProcessFailed as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if options.json:
        with replacing(options.json) as temporary:
            temporary.write_text(json.dumps(results, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
