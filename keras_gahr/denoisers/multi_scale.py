"""The multi-scale denoiser: a low band, then its details scale by scale."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Self

import keras
from keras import ops

from keras_gahr.errors import InputError

from .configuration import check_stored_options, stored_shapes
from .denoiser import Denoiser
from .haar import HaarAnalysis, HaarSynthesis
from .layers import Concatenate, image_input

_MOST_SCALES = 16
"""The images of more would have to be multiples of 131,072 pixels."""


@keras.saving.register_keras_serializable("keras_gahr")
class MultiScaleDenoiser(Denoiser):
    """Denoises the low band of a Haar pyramid, then the details of each scale given the band below.

    The pyramid (see `haar`) of the noisy image has a low band and three details a scale. One network
    denoises the low band. From the coarsest scale to the finest, another takes the band denoised so
    far and the noisy details, and gives the residual of the details; both together make the band of
    the next scale, the last of which is the image. (Kadkhodaie, Guth, Mallat, Simoncelli: Learning
    multi-scale local conditional probability models of images, ICLR 2023.)

    The noise of the bands at scale j has 1 / 2^(j + 1) of the image's standard deviation, which the
    networks, being blind, are not told.

    Args:
        low_band: a `Denoiser` of the coarsest low band, from C channels to C.
        details: a list of conditional denoisers, the finest scale (0) first, each from 4 C channels
            (the band below, then the horizontal, vertical and diagonal noisy details) to 3 C. For grey
            images that is `ReceptiveFieldBFCNN(coarse=False)`.
        provenance, name: see `Denoiser`.

    The parts are renamed `low_band`, `detail_0`, ... and keep their own provenance.

    Raises:
        InputError: for parts whose channels do not fit, one part given twice, or no details.

    Examples:
        >>> import keras_gahr as kg
        >>> build = kg.denoisers.build_conditional_denoiser
        >>> low = kg.build_denoiser("bf-cnn", num_channels=1, num_kernels=4, num_layers=3)
        >>> details = build("bf-cnn-rf", 4, num_kernels=4, receptive_field=9)
        >>> kg.MultiScaleDenoiser(low, [details]).num_scales
        1
    """

    def __init__(
        self,
        low_band: Denoiser,
        details: Sequence[Denoiser],
        provenance: dict[str, Any] | None = None,
        name: str = "multi_scale",
    ) -> None:
        from .interface import as_denoiser

        low_band, details = as_denoiser(low_band), [as_denoiser(detail) for detail in details]
        _check_parts(low_band, details)
        # The layers of a model need different names, and networks of one kind have the same.
        low_band.name = "low_band"
        for scale, detail in enumerate(details):
            detail.name = f"detail_{scale}"
        pyramid = _Pyramid(low_band, details)
        inputs = image_input(low_band.input_channels)
        *_, outputs = pyramid.denoise(inputs)
        super().__init__(inputs, outputs, None, provenance, name)
        self.low_band = low_band
        self.details = details
        self._pyramid = pyramid

    @classmethod
    def stored_shapes(cls, options: dict[str, Any]) -> Iterable[tuple[int, ...]]:
        """See `Denoiser.stored_shapes`."""
        check_stored_options(options, {"low_band": (dict,), "details": (list,)})
        details = options.get("details", ())
        if len(details) > _MOST_SCALES:
            raise ValueError(f"it has {len(details)} scales, expected at most {_MOST_SCALES}")
        for part in (options.get("low_band"), *details):
            yield from stored_shapes(part)

    @property
    def num_scales(self) -> int:
        """Scales S of the pyramid; the low band is 2^S times smaller than the image."""
        return len(self.details)

    @property
    def size_multiple(self) -> int:
        return math.lcm(
            self.low_band.size_multiple * 2**self.num_scales,
            *(detail.size_multiple * 2 ** (j + 1) for j, detail in enumerate(self.details)),
        )

    def denoise_bands(self, noisy: Any) -> Any:
        """All that is denoised on the way to the image.

        Args:
            noisy: `(batch, height, width, channels)`.

        Returns:
            A list of the denoised bands, from the coarsest low band to the image itself,
            `num_scales + 1` tensors; and a list of the denoised details, the finest scale first.
        """
        noisy = ops.convert_to_tensor(noisy, dtype="float32")
        self.check_shape(noisy.shape)
        bands, details, _ = self._pyramid.denoise(noisy, training=False)
        return bands, details

    def _options_that_count(self):
        parts = self.low_band, *self.details
        return type(self).__name__, [part._options_that_count() for part in parts]

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        # The parts have seeds of their own.
        del config["seed"]
        serialize = keras.saving.serialize_keras_object
        return {
            **config,
            "low_band": serialize(self.low_band),
            "details": [serialize(detail) for detail in self.details],
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Self:
        deserialize = keras.saving.deserialize_keras_object
        config = dict(config)
        low_band = deserialize(config.pop("low_band"), custom_objects=custom_objects)
        details = [deserialize(d, custom_objects=custom_objects) for d in config.pop("details")]
        return cls(low_band, details, **config)


class _Pyramid:
    """The computation, on symbolic tensors for the model and on images for its bands."""

    def __init__(self, low_band, details):
        self.low_band = low_band
        self.details = details
        self.analysis = [HaarAnalysis(name=f"analysis_{j}") for j in range(len(details))]
        self.synthesis = [HaarSynthesis(name=f"synthesis_{j}") for j in range(len(details))]
        self.residual = [HaarSynthesis(name=f"residual_{j}") for j in range(len(details))]
        self.condition = [Concatenate(name=f"condition_{j}") for j in range(len(details))]

    def denoise(self, noisy, **mode):
        """The denoised bands, the coarsest first, the denoised details, the finest first, and r(y)."""
        low, noisy_details = noisy, []
        for analysis in self.analysis:
            low, detail = analysis(low)
            noisy_details.append(detail)
        residual = self.low_band(low, **mode)
        bands, denoised = [low - residual], []
        for j in reversed(range(len(self.details))):
            given = self.condition[j]([bands[-1], noisy_details[j]])
            detail_residual = self.details[j](given, **mode)
            denoised.insert(0, noisy_details[j] - detail_residual)
            bands.append(self.synthesis[j](bands[-1], denoised[0]))
            # The pyramid is linear: the residual of the image has the residuals as its bands. The
            # difference of the images would lose the digits of a small one.
            residual = self.residual[j](residual, detail_residual)
        return bands, denoised, residual


def _check_parts(low_band, details):
    channels = low_band.output_channels
    if low_band.input_channels != channels:
        raise InputError(
            f"received a low-band denoiser from {low_band.input_channels} channels to {channels}, "
            "expected one with as many out as in"
        )
    if any(part.foreign for part in (low_band, *details)):
        raise InputError("received a network of somebody else's, expected those of this package")
    if len({id(part) for part in (low_band, *details)}) != len(details) + 1:
        raise InputError("received one denoiser for two parts, expected a network for each")
    if not details:
        raise InputError("received no detail denoisers, expected one for each scale")
    for scale, detail in enumerate(details):
        found = detail.input_channels, detail.output_channels
        if found != (4 * channels, 3 * channels):
            raise InputError(
                f"received for scale {scale} a denoiser from {found[0]} channels to {found[1]}, "
                f"expected from {4 * channels} (a low band and three details) to {3 * channels}"
            )
