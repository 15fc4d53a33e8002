"""`gahr train`."""

from pathlib import Path
from typing import Annotated

import typer

from .backend import BackendOption, choose_backend
from .options import OverwriteOption, SeedOption


def train(
    dataset: Annotated[
        Path, typer.Argument(help="A folder made by `gahr data`, or a .npy or .npz file of images.")
    ],
    out: Annotated[
        Path, typer.Option(help="Run directory: model.keras, history.csv, config.json, pictures.")
    ],
    architecture: Annotated[str, typer.Option(help="unet, bf-cnn or bf-cnn-rf.")] = "unet",
    num_kernels: Annotated[int, typer.Option(help="Kernels of the first layer.", min=1)] = 64,
    num_blocks: Annotated[int | None, typer.Option(help="unet: blocks; default 3.", min=1)] = None,
    num_layers: Annotated[
        int | None, typer.Option(help="bf-cnn: layers; default 21.", min=2)
    ] = None,
    receptive_field: Annotated[
        int | None, typer.Option(help="bf-cnn-rf: 5, 9, 13, 23 or 43 pixels; default 43.")
    ] = None,
    train_size: Annotated[
        int | None, typer.Option(help="Training images; default: all but the test images.", min=1)
    ] = None,
    test_size: Annotated[
        int | None,
        typer.Option(help="Test images; default: a tenth of the dataset, at most 512.", min=1),
    ] = None,
    half: Annotated[
        str, typer.Option(help="A: train on the first images, test on the last. B: the reverse.")
    ] = "A",
    epochs: Annotated[int, typer.Option(help="The paper: 1000.")] = 100,
    images_per_epoch: Annotated[
        int,
        typer.Option(help="Repeat the set up to so many images an epoch. The paper: 250000."),
    ] = 10_000,
    batch_size: Annotated[int, typer.Option(help="The paper: 512.")] = 32,
    learning_rate: Annotated[float, typer.Option(help="Of Adam, at the start.")] = 1e-3,
    halve_every: Annotated[
        int | None,
        typer.Option(help="Epochs between halvings of the rate; default: a tenth of all."),
    ] = None,
    noise_law: Annotated[str, typer.Option(help="quadratic or linear.")] = "quadratic",
    sigma_min: Annotated[str, typer.Option(help="Lowest noise level: 0 or 10/255.")] = "0",
    sigma_max: Annotated[str, typer.Option(help="Highest noise level: 1 or 100/255.")] = "1",
    seed: SeedOption = 0,
    overwrite: OverwriteOption = False,
    backend: BackendOption = None,
):
    """Train a blind denoiser for all noise levels.

    Ctrl-C stops after the current step and keeps the model.
    """
    choose_backend(backend)
    import rich.console

    from keras_gahr.datasets import load
    from keras_gahr.denoisers import build_denoiser
    from keras_gahr.noise import NoiseLaw, parse_sigma
    from keras_gahr.training import TrainingSettings, check_run_output
    from keras_gahr.training import train as run_training

    check_run_output(out, overwrite)
    settings = TrainingSettings(
        epochs=epochs,
        images_per_epoch=images_per_epoch,
        batch_size=batch_size,
        learning_rate=learning_rate,
        halve_every=halve_every,
        noise_law=NoiseLaw(noise_law, parse_sigma(sigma_min), parse_sigma(sigma_max)),
        seed=seed,
    )
    images = load(dataset)
    if test_size is None:
        test_size = max(1, min(512, len(images) // 10))
    if train_size is None:
        train_size = max(1, len(images) - test_size)
    train_images, test_images = images.split(train_size, test_size, half)
    chosen = {
        "num_blocks": num_blocks,
        "num_layers": num_layers,
        "receptive_field": receptive_field,
    }
    denoiser = build_denoiser(
        architecture,
        num_channels=images.images.shape[-1],
        num_kernels=num_kernels,
        seed=seed,
        provenance={
            "trained_on": images.manifest.get("recipe"),
            "image_shape": list(images.images.shape[1:]),
            "train_size": train_size,
            "half": half,
        },
        **{name: value for name, value in chosen.items() if value is not None},
    )
    denoiser.check_shape(images.images.shape)
    typer.echo(
        f"{architecture} with {denoiser.num_parameters:,} parameters, {train_size} training and "
        f"{test_size} test images of {'x'.join(map(str, images.images.shape[1:]))}"
    )
    result = run_training(
        denoiser,
        train_images.images,
        test_images.images,
        settings,
        out,
        data={
            "dataset": str(dataset.resolve()),
            "recipe": images.manifest.get("recipe"),
            "sha256": images.manifest.get("sha256"),
            "train_size": train_size,
            "test_size": test_size,
            "half": half,
        },
        overwrite=overwrite,
        console=rich.console.Console(),
    )
    _report(result, denoiser, test_images, out)


def _report(result, denoiser, test_images, out):
    """Prints how well the denoiser does, draws the curves, and sets the exit code."""
    from keras_gahr.report import figures

    from .psnr import print_psnr_table

    if result.history:
        figures.training_curves(result.history, out / "curves.png")
    if result.diverged:
        kept = (out / "model.keras").exists()
        typer.echo(
            "error: the loss is not finite: try a smaller --learning-rate; "
            + (f"{out} keeps the model before that" if kept else "no model was written"),
            err=True,
        )
        raise typer.Exit(1)
    print_psnr_table(denoiser, test_images.as_float(slice(256)))
    typer.echo(f"model: {out / 'model.keras'}   curves: {out / 'curves.png'}")
    if result.signal is not None:
        typer.echo(f"stopped by {result.signal.name} after {len(result.history)} epochs", err=True)
        raise typer.Exit(128 + result.signal)
