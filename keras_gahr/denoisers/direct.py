"""A denoiser whose network computes the image in place of the residual."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

import keras

from .configuration import check_stored_options, stored_shapes
from .denoiser import Denoiser
from .layers import Subtract, image_input

if TYPE_CHECKING:
    from .interface import DenoiserLike


@keras.saving.register_keras_serializable("keras_gahr")
class DirectDenoiser(Denoiser):
    """Takes what a network returns as the denoised image: r(y) = y - network(y).

    It is how a network is trained without a skip connection from its input ("no skip" in the published
    trainer): the training error r(y) - noise is then x - network(y), so that the network's target is
    the clean image. All else stays as for any denoiser, `denoiser(y)` is the residual, and with a
    bias-free network D(y) = network(y) is homogeneous.

    Args:
        network: any other `Denoiser`, of the wanted architecture.
        provenance, name: see `Denoiser`.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> network = kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=4, num_layers=3)
        >>> denoiser = kg.denoisers.DirectDenoiser(network)
        >>> kg.denoise(denoiser, np.full((8, 8), 0.5)).shape
        (8, 8)
    """

    def __init__(
        self, network: DenoiserLike, provenance: dict[str, Any] | None = None, name: str = "direct"
    ) -> None:
        from .interface import as_denoiser

        network = as_denoiser(network)
        inputs = image_input(network.input_channels)
        noisy = inputs
        if network.output_channels != network.input_channels:
            noisy = inputs[..., -network.output_channels :]
        denoised = network(inputs)
        outputs = Subtract(name="residual")([noisy, denoised])
        super().__init__(inputs, outputs, network.seed, provenance, name)
        self.network = network

    @classmethod
    def stored_shapes(cls, options: dict[str, Any]) -> Iterable[tuple[int, ...]]:
        """See `Denoiser.stored_shapes`."""
        check_stored_options(options, {"network": (dict,)})
        return stored_shapes(options.get("network"))

    @property
    def size_multiple(self) -> int:
        return self.network.size_multiple

    def _options_that_count(self):
        return type(self).__name__, self.network._options_that_count()

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        # The network has its own.
        del config["seed"]
        return {**config, "network": keras.saving.serialize_keras_object(self.network)}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Self:
        config = dict(config)
        network = keras.saving.deserialize_keras_object(
            config.pop("network"), custom_objects=custom_objects
        )
        return cls(network, **config)
