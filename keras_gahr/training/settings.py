"""Everything a training is determined by, besides the network and the images."""

import dataclasses

from keras_gahr.noise import NoiseLaw
from keras_gahr.options.option import check_options, describes_options
from keras_gahr.options.training import TrainingOptions


@describes_options
@dataclasses.dataclass(frozen=True)
class TrainingSettings(TrainingOptions):
    """Settings of a training: all that `TrainingOptions` declares, and the noise.

    Args:
        noise_law: a `NoiseLaw`.

    Raises:
        InputError: for values outside their ranges, and names that do not exist.

    Examples:
        >>> from keras_gahr.training import TrainingSettings
        >>> TrainingSettings(epochs=50).halve_every
        5
    """

    noise_law: NoiseLaw = dataclasses.field(default_factory=NoiseLaw)

    def __post_init__(self) -> None:
        check_options(self)
        if self.halve_every is None:
            object.__setattr__(self, "halve_every", -(-self.epochs // 10))
