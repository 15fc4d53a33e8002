"""The optimal denoisers of one who sees no farther than a square of pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import keras
import numpy as np
from numpy.typing import ArrayLike

from keras_gahr.datasets.arrays import as_bytes
from keras_gahr.errors import InputError

from .baseline import Baseline, mean_image, stack_of
from .equivariant import EquivariantMeans
from .same_place import SamePlaceMeans
from .sides import Sides

LOCAL_RULES = ("local", "equivariant", "bordered", "patches")
BOUNDARIES = ("cut", "wrap")


@keras.saving.register_keras_serializable("keras_gahr")
class LocalBayes(Baseline):
    """D_p(y) = sum_i w_i x_i[p], where w depends on the square of pixels Omega around p alone.

    w = softmax(-|y_Omega - x_i,Omega|^2 / (2 sigma^2)); if the square holds the whole image, that is
    `EmpiricalBayes`. What squares of y are compared with is the rule:

    - "local" (LS of Kamb and Ganguli, arXiv 2412.20292): the same place of every training image;
    - "equivariant" (ELS): every place of every training image where the square fits, whose middles are
      averaged;
    - "bordered" (bbELS): those of these places at which the border cuts the square as it does around p;
    - "patches" (PSPC of Niedoba et al., arXiv 2411.19339): as "local", but squares are denoised as a whole,
      one at each place where it fits, and averaged where they overlap.

    Memory is taken for some blocks of distances, whatever the number of images, for derivatives too. The time
    of the second and the third grows with the square of the number of pixels.

    Args:
        images: the training images (N, H, W, C) or (N, H, W), uint8 or floats in [0, 1].
        patch: the side of the square in pixels, odd; or a sequence of (sigma, side), of which the one nearest
            in log sigma is taken, such as the `sides` of what `keras_gahr.analysis.calibrate` returns. The
            square holds the whole image, seen from every pixel, if it is large enough for that.
        rule: one of `LOCAL_RULES`.
        boundary: "cut": at a border the square is cut; "wrap": images go on at their other side, and an
            equivariant denoiser commutes with circular shifts.
        sigma: the noise level; by default that of each noisy image, found from the median of its finest
            diagonal Haar wavelets. That is as local as the denoiser is. The level most likely among training
            images, which `EmpiricalBayes` takes, would be too low where squares are small: some of so many
            is near to any noise.
        provenance, name: see `Denoiser`.

    Raises:
        InputError: for a side that is not odd, another rule or boundary, or a sigma that is not above 0.

    Examples:
        >>> import keras_gahr as kg, numpy as np
        >>> images = np.random.default_rng(0).random((8, 16, 16))
        >>> denoiser = kg.baselines.LocalBayes(images, patch=5, rule="equivariant", sigma=0.02)
        >>> np.allclose(kg.denoise(denoiser, images[0] + 0.01), images[0], atol=1e-3)
        True
    """

    streams = True

    def __init__(
        self,
        images: ArrayLike,
        patch: int | Sequence[tuple[float, int]],
        rule: str = "local",
        boundary: str = "cut",
        sigma: float | None = None,
        provenance: dict[str, Any] | None = None,
        name: str = "local_bayes",
    ) -> None:
        _check_choices(rule, boundary)
        wrap = boundary == "wrap"
        sides = Sides(patch)
        images = as_bytes(stack_of(images))
        if rule in {"equivariant", "bordered"}:
            layer = EquivariantMeans(
                images,
                sides,
                wrap,
                rule == "bordered",
                sigma,
                round(255 * mean_image(images).mean()),
            )
        else:
            layer = SamePlaceMeans(images, sides, wrap, rule == "patches", sigma)
        super().__init__(layer, images.shape[1:], provenance, name)
        self.shape = images.shape
        self.images_dtype = "uint8" if images.dtype == np.uint8 else "float32"
        self.patch, self.rule, self.boundary = sides.patch, rule, boundary

    _KINDS = {
        "shape": (list,),
        "dtype": (str,),
        "patch": (int, list),
        "rule": (str,),
        "boundary": (str,),
    }

    @classmethod
    def _stored_shapes(cls, options):
        shape, rule = options["shape"], options["rule"]
        if len(shape) != 4 or options["dtype"] not in {"uint8", "float32"}:
            raise ValueError("its images are no array (count, height, width, channels)")
        try:
            _check_choices(rule, options["boundary"])
            Sides(options["patch"])
        except InputError as error:
            raise ValueError(str(error)) from error
        middle = [()] if rule in {"equivariant", "bordered"} else []
        return [tuple(shape), *middle]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "shape": list(self.shape),
            "dtype": self.images_dtype,
            "patch": self.patch if isinstance(self.patch, int) else list(map(list, self.patch)),
            "rule": self.rule,
            "boundary": self.boundary,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Self:
        config = dict(config)
        # What is read into their place is of this type: floats that are no multiples of 1/255 stay floats.
        images = np.full(config.pop("shape"), 0.5 / 255).astype(config.pop("dtype"))
        return cls(images, **config)


def _check_choices(rule, boundary):
    for what, given, known in (("rule", rule, LOCAL_RULES), ("boundary", boundary, BOUNDARIES)):
        if given not in known:
            raise InputError(f"received {what} {given!r:.40}, expected {' or '.join(known)}")
    if (rule, boundary) == ("bordered", "wrap"):
        raise InputError(
            "received the rule 'bordered' and images that wrap, which have no border: expected "
            "boundary 'cut', or the rule 'equivariant'"
        )
