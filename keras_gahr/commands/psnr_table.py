"""The table of PSNR before and after denoising."""

import typer

LEVELS = (10, 15, 25, 50, 100)
"""Noise levels shown, in units of [0, 255]."""


def print_psnr_table(denoiser, images):
    """Prints the mean PSNR of noisy and denoised images at each of `LEVELS`.

    Args:
        denoiser: a `Denoiser`.
        images: clean images `(count, height, width, channels)`, uint8 or floats.

    Returns:
        The table: see `keras_gahr.psnr.psnr_table`.
    """
    from keras_gahr.denoisers import Inference
    from keras_gahr.psnr import psnr_table

    table = psnr_table(Inference(denoiser), images, [level / 255 for level in LEVELS])
    typer.echo(f"PSNR in dB, mean over {len(images)} test images")
    typer.echo("   sigma    noisy  denoised")
    for sigma, before, after in table:
        typer.echo(f"{sigma * 255:>4.0f}/255  {before:7.2f}  {after:8.2f}")
    return table
