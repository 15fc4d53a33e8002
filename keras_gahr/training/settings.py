"""Everything a training is determined by, besides the network and the images."""

import dataclasses

from keras_gahr.denoisers import PRECISIONS
from keras_gahr.errors import InputError
from keras_gahr.noise import NoiseLaw, check_seed

from .optimizers import OPTIMIZERS, SCHEDULES

_MOST = 10**12
"""Of anything that is counted: products of two must fit into 64 bits."""

_LARGEST = 1e38
"""Of other numbers, which become float32."""


@dataclasses.dataclass(frozen=True)
class TrainingSettings:
    """Settings of a training; the defaults of the paper need a GPU and are named below.

    Args:
        epochs: the paper trains for 1000.
        images_per_epoch: the training set is repeated as often as it fits into this number, but at
            least once, so that sets of all sizes get about as many steps. The paper: 250,000.
        batch_size: the paper: 512.
        learning_rate: at the start. The paper: 0.001.
        halve_every: epochs after which the schedule "halving" halves the learning rate; by default a
            tenth of `epochs`, which is the paper's 100.
        noise_law: a `NoiseLaw`.
        seed: of the order of the images and of the noise.
        optimizer: a name in `OPTIMIZERS`.
        schedule: a name in `SCHEDULES`.
        weight_decay: of the optimizer, or None.
        clip_norm: largest norm of all gradients together, or None.
        ema: momentum of an exponential moving average of the weights, such as 0.999, or None. The
            model that is tested and kept then has the averaged weights.
        patience: epochs without a smaller test loss after which the training ends, or None. The model
            that is kept is then that of the epoch with the smallest.
        precision: "float32" or "mixed_bfloat16" (weights, norms and loss stay in float32).
        rescale: whether to multiply each training image by a random number on [0, 1).
        steps_per_execution: steps that TensorFlow and JAX take at a time.
        jit_compile: whether XLA compiles the step; by default what is faster here.
        devices: over how many devices of this machine a batch is divided.

    Raises:
        InputError: for values outside their ranges, and names that do not exist.
    """

    epochs: int = 100
    images_per_epoch: int = 10_000
    batch_size: int = 32
    learning_rate: float = 1e-3
    halve_every: int | None = None
    noise_law: NoiseLaw = dataclasses.field(default_factory=NoiseLaw)
    seed: int = 0
    optimizer: str = "adam"
    schedule: str = "halving"
    weight_decay: float | None = None
    clip_norm: float | None = None
    ema: float | None = None
    patience: int | None = None
    precision: str = "float32"
    rescale: bool = False
    steps_per_execution: int = 1
    jit_compile: bool | None = None
    devices: int = 1

    def __post_init__(self):
        if self.halve_every is None:
            object.__setattr__(self, "halve_every", max(1, self.epochs // 10))
        for names, limit in (
            (("epochs", "images_per_epoch", "batch_size", "halve_every"), _MOST),
            (("patience", "steps_per_execution", "devices"), _MOST),
            (("learning_rate", "weight_decay", "clip_norm"), _LARGEST),
        ):
            for name in names:
                value = getattr(self, name)
                if value is not None and not 0 < value <= limit:
                    raise InputError(
                        f"received {name} = {value}, expected a positive number up to {limit:.0e}"
                    )
        for name, known in (
            ("optimizer", OPTIMIZERS),
            ("schedule", SCHEDULES),
            ("precision", PRECISIONS),
        ):
            if getattr(self, name) not in known:
                raise InputError(
                    f"received {name} {getattr(self, name)!r}, expected one of {', '.join(known)}"
                )
        if self.ema is not None and not 0 < self.ema < 1:
            raise InputError(f"received ema = {self.ema}, expected 0 < ema < 1 such as 0.999")
        check_seed(self.seed)
