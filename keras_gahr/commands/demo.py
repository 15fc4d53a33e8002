"""`gahr demo`."""

from pathlib import Path
from typing import Annotated

import typer

from keras_gahr.backend_choice import choose_backend

from .backend import BackendOption
from .options import OverwriteOption, SeedOption
from .psnr_table import LEVELS

SIZE = 24
# Large disks: small ones are hard to see in so few pixels.
RADII = (0.25, 0.45)
TRAIN, TEST = 4096, 64
EPOCHS = 10
SAMPLES = 16


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the dataset, the run and the page.")] = Path(
        "gahr-demo"
    ),
    seed: SeedOption = 0,
    overwrite: OverwriteOption = False,
    backend: BackendOption = None,
):
    """Make disks, train a small UNet on them for two to four minutes, and sample new ones.

    Writes a dataset, a run and demo.png: one page with denoised images and samples.
    """
    choose_backend(backend)
    import rich.console

    from keras_gahr.datasets import make_disks
    from keras_gahr.denoisers import Inference
    from keras_gahr.files import check_output_folder
    from keras_gahr.noise import keyed_normal
    from keras_gahr.plot import denoising_summary, save
    from keras_gahr.sampling import AscentSchedule
    from keras_gahr.sampling import sample as draw_samples
    from keras_gahr.training import RunConfig, run_config

    from .progress import progress_bar
    from .psnr_table import print_psnr_table

    check_output_folder(
        out,
        overwrite,
        known_by="disks/manifest.json",
        contents=("demo.png", "disks", "run", "samples"),
    )

    typer.echo(f"1. {TRAIN + TEST} disks of {SIZE}x{SIZE} pixels: {out / 'disks'}")
    dataset = make_disks(out / "disks", TRAIN + TEST, SIZE, seed, RADII, overwrite=overwrite)
    config = RunConfig(
        dataset=str((out / "disks").resolve()),
        train_size=TRAIN,
        test_size=TEST,
        num_blocks=2,
        num_kernels=16,
        epochs=EPOCHS,
        images_per_epoch=TRAIN,
        batch_size=16,
        learning_rate=2e-3,
        halve_every=2,
        seed=seed,
    )
    result = run_config(
        config,
        out / "run",
        overwrite=overwrite,
        console=rich.console.Console(),
        begin=lambda prepared: typer.echo(
            f"2. training a UNet with {prepared.denoiser.num_parameters:,} parameters: {out / 'run'}"
        ),
    )
    if result.diverged:
        typer.echo("error: the training diverged: try another --seed", err=True)
        raise typer.Exit(1)
    if result.signal is not None:
        typer.echo(
            f"stopped by {result.signal.name}: `gahr train --resume {out / 'run'}` goes on",
            err=True,
        )
        raise typer.Exit(128 + result.signal)

    typer.echo("3. how well it denoises disks it has not seen")
    denoiser, clean = result.denoiser, dataset.split(TRAIN, TEST)[1].as_float()
    table = print_psnr_table(denoiser, clean)

    typer.echo(f"4. {SAMPLES} samples: {out / 'samples'}")
    schedule = AscentSchedule(beta=0.3)
    with progress_bar("sampling", counted=False) as progress:
        samples = draw_samples(
            denoiser,
            (SIZE, SIZE, 1),
            count=SAMPLES,
            seed=seed,
            schedule=schedule,
            progress=progress,
        )
    samples.save(out / "samples", overwrite=overwrite)

    inference, shown = Inference(denoiser), clean[:4]
    rows = []
    for level in LEVELS:
        noisy = shown + level / 255 * keyed_normal(seed, range(len(shown)), 0, shown.shape[1:])
        rows.append((level / 255, shown, noisy, inference.denoise(noisy)))
    page = out / "demo.png"
    title = f"A blind UNet trained on {TRAIN} disks"
    save(denoising_summary(rows, table, samples.images, title=title), page, overwrite)
    typer.echo(f"5. one page of pictures: {page}")
