"""How large the networks, images and batches of the benchmarks are."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Scale:
    """The sizes of the cases with a network; a dictionary of plain values makes one again.

    Args:
        device: the rival's, "cpu" or "cuda"; also says which targets hold.
        precisions: what the package computes in.
        compiled: those in which PyTorch's own compiler is a rival.
        kernels, blocks: of the UNet.
        side: of images that are trained on, and whose eigenpairs are computed.
        batch: of them in a batch.
        steps: training steps in one measurement.
        denoised: (side, images at once, calls in one measurement) of what is denoised.
        drawn_side: of images that are sampled.
        drawn: numbers of images that are sampled in one batch each.
        drawn_steps: steps of the sampler.
        drawn_one_by_one: images that are sampled one by one, the published way, in one measurement.
        jacobian_side: of the image whose Jacobian is computed.
        jacobian_batch: of its rows or columns in a batch.
        rows: of the Jacobian (or columns) that a rival computes in one measurement.
        block_products: with blocks of vectors, for eigenpairs, in one measurement.
    """

    device: str = "cpu"
    precisions: tuple[str, ...] = ("float32", "bfloat16")
    compiled: tuple[str, ...] = ("float32", "bfloat16")
    kernels: int = 64
    blocks: int = 3
    side: int = 80
    batch: int = 16
    steps: int = 2
    denoised: tuple[tuple[int, int, int], ...] = (
        (80, 16, 1),
        (80, 1, 16),
        (40, 16, 2),
        (40, 1, 32),
    )
    drawn_side: int = 40
    drawn: tuple[int, ...] = (16,)
    drawn_steps: int = 98
    drawn_one_by_one: int = 2
    jacobian_side: int = 40
    jacobian_batch: int = 16
    rows: int = 16
    block_products: int = 4


CPU = Scale()
"""Some seconds a measurement on two cores."""

GPU = Scale(
    device="cuda",
    precisions=("float32", "TF32", "bfloat16"),
    # In full float32 nobody would wait for it.
    compiled=("TF32", "bfloat16"),
    # cuDNN tries its algorithms out for each layer, for minutes with 256 images.
    batch=64,
    steps=8,
    denoised=((80, 64, 16), (80, 1, 64)),
    drawn_side=80,
    drawn=(64,),
    drawn_steps=32,
    jacobian_side=80,
    jacobian_batch=128,
    rows=256,
)
"""What a GPU has something to do with, in some seconds for each case beside what is compiled."""
