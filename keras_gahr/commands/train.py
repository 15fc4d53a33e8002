"""`gahr train`."""

from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.errors import InputError

from .backend import BackendOption, backend_in, choose_backend
from .options import OverwriteOption, SeedOption

_DATA, _NETWORK, _STEPS, _NOISE, _MACHINE = "Images", "Network", "Optimization", "Noise", "Machine"


def _option(panel, text, **limits):
    return typer.Option(help=text, rich_help_panel=panel, **limits)


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
            help="Go on with the run in this directory; only --epochs, --data-on-device and --dataset "
            "may be changed."
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
    seed: SeedOption = 0,
    train_size: Annotated[
        int | None, _option(_DATA, "Training images; default: all but the test images.", min=1)
    ] = None,
    test_size: Annotated[
        int | None,
        _option(_DATA, "Test images; default: a tenth of the dataset, at most 512.", min=1),
    ] = None,
    half: Annotated[
        str, _option(_DATA, "A: train on the first images, test on the last. B: the reverse.")
    ] = "A",
    layout: Annotated[
        str | None, _option(_DATA, "Axes of an array: NCHW, NHW, ...; default: what fits, or NHWC.")
    ] = None,
    architecture: Annotated[str, _option(_NETWORK, "unet, bf-cnn or bf-cnn-rf.")] = "unet",
    num_kernels: Annotated[int, _option(_NETWORK, "Kernels of the first layer.", min=1)] = 64,
    num_blocks: Annotated[int | None, _option(_NETWORK, "unet: blocks; default 3.", min=1)] = None,
    num_layers: Annotated[
        int | None, _option(_NETWORK, "bf-cnn: layers; default 21.", min=2)
    ] = None,
    receptive_field: Annotated[
        int | None, _option(_NETWORK, "bf-cnn-rf: an odd number of pixels up to 43; default 43.")
    ] = None,
    conditional: Annotated[
        bool,
        _option(_NETWORK, "bf-cnn-rf on wavelet bands: the details given the low band."),
    ] = False,
    skip: Annotated[
        bool, _option(_NETWORK, "The network computes the residual, or else the denoised image.")
    ] = True,
    start_from: Annotated[
        Path | None, _option(_NETWORK, "A .keras file with the network and its first weights.")
    ] = None,
    epochs: Annotated[int, _option(_STEPS, "The paper: 1000.")] = 100,
    images_per_epoch: Annotated[
        int,
        _option(_STEPS, "Repeat the set up to so many images an epoch. The paper: 250000."),
    ] = 10_000,
    batch_size: Annotated[int, _option(_STEPS, "The paper: 512.")] = 32,
    learning_rate: Annotated[float, _option(_STEPS, "At the start.")] = 1e-3,
    schedule: Annotated[
        str, _option(_STEPS, "Of the rate: halving (the paper), cosine, linear or constant.")
    ] = "halving",
    halve_every: Annotated[
        int | None,
        _option(_STEPS, "Epochs between halvings of the rate; default: a tenth of all."),
    ] = None,
    optimizer: Annotated[
        str, _option(_STEPS, "adam (the paper), adamw, adamax, lion, nadam, rmsprop or sgd.")
    ] = "adam",
    weight_decay: Annotated[float | None, _option(_STEPS, "Default: the optimizer's.")] = None,
    clip_norm: Annotated[
        float | None, _option(_STEPS, "Largest norm of all gradients together.")
    ] = None,
    ema: Annotated[
        float | None, _option(_STEPS, "Keep the moving average of the weights: 0.999.")
    ] = None,
    patience: Annotated[
        int | None,
        _option(_STEPS, "Stop after so many epochs without a smaller test loss; keep the best."),
    ] = None,
    noise_law: Annotated[str, _option(_NOISE, "quadratic or linear.")] = "quadratic",
    sigma_min: Annotated[str, _option(_NOISE, "Lowest noise level: 0 or 10/255.")] = "0",
    sigma_max: Annotated[str, _option(_NOISE, "Highest noise level: 1 or 100/255.")] = "1",
    rescale: Annotated[
        bool, _option(_NOISE, "Multiply each training image by a random number up to 1.")
    ] = False,
    devices: Annotated[
        int, _option(_MACHINE, "Share each batch among so many devices of this machine.", min=1)
    ] = 1,
    precision: Annotated[str, _option(_MACHINE, "float32 or mixed_bfloat16.")] = "float32",
    steps_per_execution: Annotated[
        int, _option(_MACHINE, "Steps taken at a time (TensorFlow, JAX).", min=1)
    ] = 1,
    jit_compile: Annotated[
        bool | None, _option(_MACHINE, "Compile the step by XLA; default: what is faster here.")
    ] = None,
    data_on_device: Annotated[
        bool | None,
        _option(_MACHINE, "Hold the training images there; default: if an accelerator has room."),
    ] = None,
    state_seconds: Annotated[
        float, _option(_MACHINE, "Time between two resume states within an epoch.", min=0)
    ] = 300.0,
):
    """Train a blind denoiser for all noise levels.

    Ctrl-C stops after the current step and keeps the model. `--resume RUN` goes on with a run that
    was stopped or killed, and ends as if it had not been; if its images were moved elsewhere,
    `--dataset` says where they are.
    """
    if resume is not None and backend is None:
        # A run only goes on on its own backend, whatever is the default here.
        backend = backend_in(resume / "config.json")
    choose_backend(backend)
    from keras_gahr._backend import parallel
    from keras_gahr.training.processes import end_with_parent

    end_with_parent()
    parallel.join_hosts()
    from .training_run import chosen_options, continue_run, describe_run, start_run

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
    options = chosen_options(context.params, given, config)
    if dry_run:
        describe_run(options)
    else:
        start_run(options, out, overwrite, state_seconds)
