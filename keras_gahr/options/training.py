"""The options of trainings."""

import dataclasses
from pathlib import Path

from .option import option

IMAGES, NETWORK, OPTIMIZATION, NOISE, CLOCK, MACHINE = (
    "Images",
    "Network",
    "Optimization",
    "Noise",
    "Clock of memorization",
    "Machine",
)
"""The headings under which they are listed."""

PRECISIONS = ("float32", "mixed_bfloat16")
"""How the layers of a network may compute."""

AUTO = "auto"
"""The precision of a training that chooses between them."""

_COUNT = {"least": 1, "most": 10**12}
"""Of anything that is counted: products of two must fit into 64 bits."""

_SIZE = {"above": 0, "most": 1e38}
"""Of other numbers, which become float32."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImageOptions:
    """Which images a network is trained on and tested on; see `Dataset.split`."""

    dataset: str | None = option(
        None, "A folder made by `gahr data`, or a .npy or .npz file.", IMAGES
    )
    train_size: int | None = option(
        None, "Training images.", IMAGES, least=1, unset="all but the test images"
    )
    test_size: int | None = option(
        None, "Test images.", IMAGES, least=1, unset="a tenth of the dataset, at most 512"
    )
    half: str = option(
        "A", "A: train on the first images, test on the last. B: the reverse.", IMAGES
    )
    layout: str | None = option(
        None, "Axes of an array: NCHW, NHW, ...", IMAGES, unset="what fits, or NHWC"
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class NetworkOptions:
    """The network that is trained."""

    architecture: str = option("unet", "unet, bf-cnn, bf-cnn-rf or unet-flex.", NETWORK)
    num_kernels: int = option(64, "Kernels of the first layer.", NETWORK, least=1)
    num_blocks: int | None = option(None, "unet, unet-flex: blocks.", NETWORK, least=1, unset="3")
    block_kernels: str | None = option(
        None,
        "unet-flex: kernels of each block and of the middle, as 64,128,256,512, in the place of those that "
        "num_kernels and num_blocks say.",
        NETWORK,
        unset="doubled from block to block",
    )
    num_enc_conv: int | str | None = option(
        None,
        "unet, unet-flex: convolutions of each encoder block; unet-flex: or of all of them, as 2,2,3.",
        NETWORK,
        written=str,
        unset="2",
    )
    num_mid_conv: int | None = option(
        None,
        "unet, unet-flex: convolutions of the middle.",
        NETWORK,
        least=1,
        unset="2, unet-flex: 3",
    )
    num_dec_conv: int | str | None = option(
        None,
        "unet, unet-flex: convolutions of each decoder block; unet-flex: or of all of them, as 6,6,6.",
        NETWORK,
        written=str,
        unset="2, unet-flex: 6",
    )
    norm: str | None = option(
        None, "unet-flex: layer, instance, batch or none.", NETWORK, unset="layer"
    )
    bias: bool | None = option(
        None, "unet-flex: whether convolutions have biases.", NETWORK, unset="true"
    )
    upsample_bias: bool | None = option(
        None,
        "unet-flex: whether transposed convolutions have, but the outermost.",
        NETWORK,
        unset="false",
    )
    inter_skip: bool | None = option(
        None,
        "unet-flex: whether the decoder is given the encoder's outputs.",
        NETWORK,
        unset="true",
    )
    num_layers: int | None = option(None, "bf-cnn: layers.", NETWORK, least=2, unset="21")
    receptive_field: int | None = option(
        None, "bf-cnn-rf: an odd number of pixels up to 43.", NETWORK, unset="43"
    )
    conditional: bool = option(
        False, "bf-cnn-rf on wavelet bands: the details given the low band.", NETWORK
    )
    skip: bool = option(
        True, "The network computes the residual, or else the denoised image.", NETWORK
    )
    start_from: str | None = option(
        None, "The network and its first weights: a .keras file, or a name.", NETWORK, written=Path
    )


@dataclasses.dataclass(frozen=True)
class TrainingOptions:
    """How a network is trained; the defaults of the paper, which need a GPU, are named."""

    epochs: int = option(100, "The paper: 1000.", OPTIMIZATION, **_COUNT)
    images_per_epoch: int = option(
        10_000,
        "Repeat the set as often as it fits into so many images, but at least once, so that sets of all "
        "sizes get about as many steps. The paper: 250000.",
        OPTIMIZATION,
        **_COUNT,
    )
    batch_size: int = option(32, "The paper: 512.", OPTIMIZATION, **_COUNT)
    learning_rate: float = option(1e-3, "At the start.", OPTIMIZATION, **_SIZE)
    schedule: str = option(
        "halving",
        "How the rate falls (the paper: halving).",
        OPTIMIZATION,
        choices=("halving", "cosine", "linear", "constant"),
    )
    halve_every: int | None = option(
        None,
        "Epochs between halvings of the rate.",
        OPTIMIZATION,
        unset="a tenth of all, rounded up",
        **_COUNT,
    )
    optimizer: str = option(
        "adam",
        "The paper: adam; sgd has momentum 0.9.",
        OPTIMIZATION,
        choices=("adam", "adamw", "adamax", "lion", "nadam", "rmsprop", "sgd"),
    )
    weight_decay: float | None = option(
        None, "Of the optimizer.", OPTIMIZATION, unset="its own", **_SIZE
    )
    clip_norm: float | None = option(
        None, "Largest norm of all gradients together.", OPTIMIZATION, unset="no limit", **_SIZE
    )
    ema: float | None = option(
        None,
        "Test and keep the moving average of the weights, with this momentum, such as 0.999.",
        OPTIMIZATION,
        above=0,
        below=1,
    )
    patience: int | None = option(
        None,
        "Stop after so many epochs without a smaller test loss; keep the best.",
        OPTIMIZATION,
        **_COUNT,
    )
    rescale: bool = option(False, "Multiply each training image by a random number up to 1.", NOISE)
    devices: int = option(
        1, "Share each batch among so many devices of this machine.", MACHINE, **_COUNT
    )
    precision: str = option(
        "float32",
        "Of the layers; all else stays in float32. auto: bfloat16 if that is faster and the loss the same.",
        MACHINE,
        choices=(*PRECISIONS, AUTO),
    )
    steps_per_execution: int = option(
        1, "Steps taken at a time (TensorFlow, JAX).", MACHINE, **_COUNT
    )
    jit_compile: bool | None = option(
        None, "Compile the step by XLA (TensorFlow, JAX).", MACHINE, unset="what is faster here"
    )
    seed: int = option(0, "Seed of all random numbers.", least=0, most=2**64 - 1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClockOptions:
    """When a training is looked at for memorization, how closely, and what follows."""

    clock: bool = option(
        False,
        "Look now and then whether it generalizes or memorizes: clock.csv, clock.png. Any other option of "
        "the clock that is not left at its default asks for that, too.",
        CLOCK,
        flag=True,
    )
    clock_budget: float = option(
        0.05,
        "Share of the training's time that the looks may take, in passes of the network.",
        CLOCK,
        above=0,
        most=10,
    )
    clock_looks: float | None = option(
        None,
        "Looks in a factor of ten of the steps.",
        CLOCK,
        above=0,
        most=100,
        unset="as many as the budget allows, up to 12",
    )
    clock_samples: int | None = option(
        None,
        "Samples of each look.",
        CLOCK,
        least=4,
        most=10**4,
        unset="as many as the budget allows, 16 to 64",
    )
    clock_features: str | None = option(
        None,
        "Compare samples by the features of this .keras or .onnx file, too.",
        CLOCK,
        written=Path,
    )
    twin: str | None = option(
        None,
        "A run with a clock on other images: how alike are their samples?",
        CLOCK,
        written=Path,
    )
    stop_before_memorizing: bool = option(
        False,
        "Stop when copies or a gap between training and test images show, and keep the model of the look "
        "before.",
        CLOCK,
        flag=True,
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunOptions(ClockOptions, TrainingOptions, NetworkOptions, ImageOptions):
    """All that `gahr train` can be asked for."""

    noise_law: str = option(
        "quadratic",
        "quadratic, linear, inv, inv_1p5, inv_sq, arccos or power_law; inv_sqrt and uniform are other names "
        "of the first two.",
        NOISE,
    )
    noise_alpha: float | None = option(None, "power_law: its power.", NOISE, unset="none")
    sigma_min: str | float = option("0", "Lowest noise level: 0 or 10/255.", NOISE, written=str)
    sigma_max: str | float = option("1", "Highest noise level: 1 or 100/255.", NOISE, written=str)
    data_on_device: bool | None = option(
        None, "Hold the training images there.", MACHINE, unset="if an accelerator has room"
    )
    track: str | None = option(
        None,
        "Follow the run in wandb:PROJECT, mlflow:EXPERIMENT or trackio:PROJECT, or in several, with commas.",
        unset="none",
    )
