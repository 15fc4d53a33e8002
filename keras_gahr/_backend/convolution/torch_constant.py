"""A convolution on PyTorch whose kernel stays the same for many calls.

What it is computed with, the kernel transformed for Winograd's algorithm or in the order that oneDNN wants,
is made at the first call with images of some size, and kept as long as the kernel is.
"""

import functools
import threading

import torch
from torch.utils.weak import WeakIdKeyDictionary

from . import torch_packed, winograd
from .torch_gradient import plain
from .winograd import torch as tiles

_prepared = WeakIdKeyDictionary()
"""The `_Prepared` of each kernel."""

_changing = threading.Lock()
"""Held by the thread that adds or removes kernels."""


def helps(images, kernel):
    """Whether `convolve` computes this: on a CPU, where no derivative is asked for."""
    differentiated = torch.is_grad_enabled() and (images.requires_grad or kernel.requires_grad)
    on_cpu = images.device.type == "cpu" and images.dtype in {torch.float32, torch.bfloat16}
    return on_cpu and not differentiated and not torch.jit.is_tracing()


@torch.library.custom_op("keras_gahr::constant_convolution", mutates_args=())
def convolve(images: torch.Tensor, kernel: torch.Tensor) -> torch.Tensor:
    """See `keras_gahr._backend.convolution.convolve_constant`.

    One operator, so that its parts are not written out in an exported program.
    """
    prepared = _prepared.get(kernel)
    if prepared is None:
        with _changing:
            others = [_prepared[other] for other in _in_the_memory_of(kernel)]
            prepared = _prepared[kernel] = others[0] if others else _Prepared(kernel.detach())
    return prepared.convolve(images)


@convolve.register_fake
def _(images, kernel):
    return images.new_empty(*images.shape[:3], len(kernel))


def kernel_changed(kernel):
    """See `keras_gahr._backend.convolution`."""
    with _changing:
        for known in _in_the_memory_of(kernel):
            del _prepared[known]


def _in_the_memory_of(kernel):
    """The known kernels that are this one: an exported program has tensors of its own in a layer's memory."""
    return [known for known in _prepared if known.data_ptr() == kernel.data_ptr()]


def own(kernel, images_shape):
    """A function of images of a shape: PyTorch's own convolution with a kernel, prepared once if possible."""
    if torch_packed.works():
        return torch_packed.packed(kernel, images_shape)
    return functools.partial(plain, kernel=kernel)


class _Prepared:
    """A kernel as it is computed with, made when it is needed.

    Transformed kernels are kept, since they are the same for all images; of the orders that oneDNN wants for
    images of some shape, which are made quickly, the last.
    """

    def __init__(self, kernel):
        self._kernel = kernel
        self._transformed = {}
        self._last = None, None

    def convolve(self, images):
        wanted = images.shape, torch.get_num_threads()
        last, function = self._last
        if last != wanted:
            function = self._function_for(images.shape)
            self._last = wanted, function
        return function(images)

    def _function_for(self, images_shape):
        out, rows, columns, channels = self._kernel.shape
        # Fewer bits would not do for the sums of Winograd's algorithm.
        if (rows, columns) == (3, 3) and self._kernel.dtype == torch.float32:
            side = winograd.tile_side(channels, out, images_shape[:3].numel())
            if side is not None:
                return functools.partial(tiles.convolve_tiles, kernels=self._transformed_for(side))
        return own(self._kernel, images_shape)

    def _transformed_for(self, side):
        if side not in self._transformed:
            kernel = self._kernel.permute(1, 2, 3, 0).numpy()
            self._transformed[side] = torch.from_numpy(winograd.transform_kernel(kernel, side))
        return self._transformed[side]
