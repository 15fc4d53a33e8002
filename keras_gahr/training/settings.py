"""Everything a training is determined by, besides the network and the images."""

import dataclasses
import math

import keras

from keras_gahr.errors import InputError
from keras_gahr.noise import NoiseLaw, check_seed

from .adam import Adam


@dataclasses.dataclass(frozen=True)
class TrainingSettings:
    """Settings of a training; the defaults of the paper need a GPU and are named below.

    Args:
        epochs: the paper trains for 1000.
        images_per_epoch: the training set is repeated as often as it fits into this number, but at
            least once, so that sets of all sizes get about as many steps. The paper: 250,000.
        batch_size: the paper: 512.
        learning_rate: of Adam, at the start. The paper: 0.001.
        halve_every: epochs after which the learning rate is halved; by default a tenth of `epochs`,
            which is the paper's 100.
        noise_law: a `NoiseLaw`.
        seed: of the order of the images and of the noise.

    Raises:
        InputError: for values that are not positive.
    """

    epochs: int = 100
    images_per_epoch: int = 10_000
    batch_size: int = 32
    learning_rate: float = 1e-3
    halve_every: int | None = None
    noise_law: NoiseLaw = dataclasses.field(default_factory=NoiseLaw)
    seed: int = 0

    def __post_init__(self):
        if self.halve_every is None:
            object.__setattr__(self, "halve_every", max(1, self.epochs // 10))
        for name in ("epochs", "images_per_epoch", "batch_size", "learning_rate", "halve_every"):
            value = getattr(self, name)
            if not 0 < value < math.inf:
                raise InputError(f"received {name} = {value}, expected a positive number")
        check_seed(self.seed)

    def optimizer(self, steps_per_epoch):
        """Adam with the learning rate halved every `halve_every` epochs."""
        schedule = keras.optimizers.schedules.ExponentialDecay(
            self.learning_rate,
            decay_steps=self.halve_every * steps_per_epoch,
            decay_rate=0.5,
            staircase=True,
        )
        return Adam(schedule)
