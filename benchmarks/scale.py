"""How large the networks, images and batches of the benchmarks are."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Scale:
    """The sizes of the cases with a network; a dictionary of plain values makes one again.

    Args:
        device: the rival's, "cpu" or "cuda"; also says which targets hold.
        precisions: what the package computes in.
        kernels, blocks: of the UNet.
        side: of images that are trained on and denoised, and whose eigenpairs are computed.
        batch: images in a batch of training and denoising.
        steps: training steps in one measurement.
        drawn_side: of images that are sampled.
        drawn: numbers of images that are sampled in one batch each.
        drawn_steps: steps of the sampler.
        drawn_by_rival: images that the rival samples in one measurement.
        jacobian_side: of the image whose Jacobian is computed.
        columns: of the Jacobian in one measurement, or None for all.
        column_batch: of them in a batch.
        rows: of the Jacobian that the rival computes in one measurement.
        block_products: with blocks of vectors, for eigenpairs, in one measurement.
    """

    device: str = "cpu"
    precisions: tuple[str, ...] = ("float32", "bfloat16")
    kernels: int = 64
    blocks: int = 3
    side: int = 80
    batch: int = 16
    steps: int = 2
    drawn_side: int = 40
    drawn: tuple[int, ...] = (16,)
    drawn_steps: int = 98
    drawn_by_rival: int = 2
    jacobian_side: int = 40
    columns: int | None = 32
    column_batch: int = 16
    rows: int = 16
    block_products: int = 4


CPU = Scale()
"""Some seconds a measurement on two cores."""

GPU = Scale(
    device="cuda",
    precisions=("float32", "TF32", "bfloat16"),
    batch=512,
    steps=10,
    drawn_side=80,
    drawn=(64, 256),
    jacobian_side=80,
    columns=None,
    column_batch=128,
    rows=64,
)
"""What a GPU has something to do with."""
