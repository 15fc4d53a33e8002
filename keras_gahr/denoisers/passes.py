"""How images of a size are computed: how many at once, or one in which tiles."""

from __future__ import annotations

from collections.abc import Callable

import keras

from keras_gahr import _backend
from keras_gahr.errors import InputError
from keras_gahr.memory import in_units, parse_memory
from keras_gahr.noise import check_whole

from .denoiser import Denoiser
from .footprint import Footprint
from .reach import network_reach
from .tiling import AxisTiling, best_tiling, pixels_of

_SHARE_OF_FREE_MEMORY = 4


def allowed_memory(memory: int | str | None) -> int:
    """Bytes that may be taken: as many as asked for, but not more than are free; None for a quarter of these.

    Raises:
        InputError: for something else than a number of bytes or a text such as "2GB".
    """
    if isinstance(memory, str):
        memory = parse_memory(memory)
    elif memory is not None:
        memory = check_whole(memory, "memory", 0)
    free = _backend.memory_free()
    return free // _SHARE_OF_FREE_MEMORY if memory is None else min(memory, free)


class Passes:
    """How images are computed in so much memory, for each size of images.

    Args:
        denoiser: the denoiser.
        network: what computes it.
        needed: takes the network to its `Footprint`; None where that is not known.
        most: images computed at once, at most.
        memory: bytes; see `allowed_memory`.
        at_hand: bytes of tensors from which more images at once take no less time for each; see
            `_backend.memory_at_hand`.
    """

    def __init__(
        self,
        denoiser: Denoiser,
        network: keras.Model,
        needed: Callable[[keras.Model], Footprint | None],
        most: int,
        memory: int,
        at_hand: int | None = None,
    ) -> None:
        self.denoiser = denoiser
        self.network = network
        self.most = most
        self.memory = memory
        self.at_hand = at_hand
        self._needed = needed
        self._known: dict[tuple[int, int], tuple[int, tuple[AxisTiling, AxisTiling]]] = {}

    def of(self, height: int, width: int) -> tuple[int, tuple[AxisTiling, AxisTiling]]:
        """How many images of this size are computed at once, and the tilings of rows and columns.

        Raises:
            InputError: if the smallest tiles do not fit into the memory.
        """
        if (height, width) not in self._known:
            self._known[height, width] = self._find(height, width)
        return self._known[height, width]

    def _find(self, height, width):
        whole = AxisTiling(height, height, 0, 1), AxisTiling(width, width, 0, 1)
        # What the layers of somebody else's take, and how far they see, is not known.
        needed = None if self.denoiser.foreign else self._needed(self.network)
        if needed is None:
            return self.most, whole
        channels = self.denoiser.input_channels + self.denoiser.output_channels
        # An image and its residual, and what is made of them.
        images = 2 * 4 * channels * height * width
        pixels = needed.pixels(self.memory - images)
        reach = network_reach(self.network)
        if reach is None or pixels >= height * width:
            at_once = min(self.most, max(1, pixels // (height * width)))
            return self._quickest(at_once, needed.per_pixel * height * width), whole
        tiling = best_tiling(height, width, reach, pixels)
        if (least := pixels_of(tiling)) > pixels:
            least = images + needed.bytes(least)
            raise InputError(
                f"received {in_units(self.memory)} of memory, but the smallest tiles of an image of "
                f"{height}x{width} take {in_units(least)} with this denoiser: allow as much (--memory), "
                "or choose a smaller network"
            )
        return 1, tiling

    def _quickest(self, at_once, image_bytes):
        """So many images, or fewer of which each takes less time: a power of 2, of which batches are made."""
        if self.at_hand is None or at_once * image_bytes <= self.at_hand:
            return at_once
        return power_of_two(max(1, int(self.at_hand / image_bytes)))


def power_of_two(number: int) -> int:
    """The largest that is not above a number."""
    return 1 << (number.bit_length() - 1)
