"""Convolutions on PyTorch whose kernel stays the same for many calls.

What they are computed with, the kernel transformed for Winograd's algorithm or in the order that oneDNN
wants, is made at the first call with images of some size, and kept as long as the kernel is.
"""

import functools
import threading

import torch
from torch.utils.weak import WeakIdKeyDictionary

from . import torch_packed, winograd
from .choice import fastest
from .torch_gradient import plain
from .winograd import torch as tiles

_prepared = WeakIdKeyDictionary()
"""The `_Prepared` of each kernel."""

_changing = threading.Lock()
"""Held by the thread that adds or removes kernels."""


def helps(images, kernel):
    """Whether this module computes a convolution: on a CPU, where no derivative is asked for."""
    differentiated = torch.is_grad_enabled() and (images.requires_grad or kernel.requires_grad)
    on_cpu = images.device.type == "cpu" and images.dtype in {torch.float32, torch.bfloat16}
    return on_cpu and not differentiated and not torch.jit.is_tracing()


def compute(images: torch.Tensor, kernel: torch.Tensor, rectified: bool = False) -> torch.Tensor:
    """See `keras_gahr._backend.convolution.convolve_constant`.

    Args:
        images, kernel: as there.
        rectified: whether 0 takes the place of negative results.
    """
    return _of(kernel, _Prepared)(images, rectified)


def compute_transposed(
    images: torch.Tensor, kernel: torch.Tensor, rectified: bool = False
) -> torch.Tensor:
    """See `keras_gahr._backend.convolution.convolve_transposed_constant`, and `compute`."""
    return _of(kernel, _PreparedTransposed)(images, rectified)


# One operator each, so that their parts are not written out in an exported program.
convolve = torch.library.custom_op("keras_gahr::constant_convolution", compute, mutates_args=())
convolve_transposed = torch.library.custom_op(
    "keras_gahr::constant_transposed_convolution", compute_transposed, mutates_args=()
)


@convolve.register_fake
def _(images, kernel, rectified=False):
    return images.new_empty(*images.shape[:3], len(kernel))


@convolve_transposed.register_fake
def _(images, kernel, rectified=False):
    batch, height, width, _ = images.shape
    rows, columns, out, _ = kernel.shape
    return images.new_empty(batch, rows * height, columns * width, out)


def kernel_changed(kernel):
    """See `keras_gahr._backend.convolution`."""
    with _changing:
        for known in _in_the_memory_of(kernel):
            del _prepared[known]


def _of(kernel, prepare):
    """What is prepared for a kernel, now unless it is known."""
    prepared = _prepared.get(kernel)
    if prepared is None:
        with _changing:
            others = [_prepared[other] for other in _in_the_memory_of(kernel)]
            prepared = _prepared[kernel] = others[0] if others else prepare(kernel.detach())
    return prepared


def _in_the_memory_of(kernel):
    """The known kernels that are this one: an exported program has tensors of its own in a layer's memory."""
    return [known for known in _prepared if known.data_ptr() == kernel.data_ptr()]


def own(kernel, images_shape):
    """A function of images of a shape: PyTorch's own convolution with a kernel, prepared once if possible."""
    return _LAYOUTS[_layout(kernel, images_shape)](kernel, images_shape)


def _layout(kernel, images_shape):
    """In which order of the axes PyTorch is the fastest. Where it has no oneDNN that may be its usual one."""
    out, rows, columns, channels = kernel.shape
    if kernel.dtype != torch.float32 or channels * out < winograd.LEAST_MEASURED:
        return _LAST
    length = winograd.measured_side(channels, out, images_shape[:3].numel())
    ways = {
        way: functools.partial(_prepare_layout, layout, kernel.shape, length)
        for way, layout in _LAYOUTS.items()
    }
    sizes = f"{channels} to {out} channels, {length}x{length} pixels"
    return fastest(f"layout of {rows}x{columns} kernels, {sizes}", ways, usual=_LAST)


def _prepare_layout(layout, shape, length):
    images = torch.zeros(1, length, length, shape[3])
    return functools.partial(layout(torch.zeros(shape), images.shape), images)


def _channels_last(kernel, images_shape):
    if torch_packed.works():
        return torch_packed.packed(kernel, images_shape)
    return functools.partial(plain, kernel=kernel)


def _channels_first(kernel, images_shape):
    _, rows, columns, _ = kernel.shape
    kernel = kernel.permute(0, 3, 1, 2).contiguous()

    def convolve(images):
        images = images.permute(0, 3, 1, 2).contiguous()
        padding = rows // 2, columns // 2
        convolved = torch.nn.functional.conv2d(images, kernel, padding=padding)
        return convolved.permute(0, 2, 3, 1).contiguous()

    return convolve


_LAST = "channels last"
_LAYOUTS = {_LAST: _channels_last, "channels first": _channels_first}


def _then_rectified(convolve):
    """A function of images, and of whether 0 takes the place of negative results."""

    def function(images, rectified):
        convolved = convolve(images)
        return convolved.relu_() if rectified else convolved

    return function


class _Prepared:
    """A kernel as it is computed with, made when it is needed.

    Transformed kernels are kept, since they are the same for all images; of the orders that oneDNN wants for
    images of some shape, which are made quickly, the last.
    """

    def __init__(self, kernel):
        self._kernel = kernel
        self._transformed = {}
        self._last = None, None

    def __call__(self, images, rectified):
        wanted = images.shape, torch.get_num_threads()
        last, function = self._last
        if last != wanted:
            function = self._function_for(images.shape)
            self._last = wanted, function
        return function(images, rectified=rectified)

    def _function_for(self, images_shape):
        out, rows, columns, channels = self._kernel.shape
        # Fewer bits would not do for the sums of Winograd's algorithm.
        if (rows, columns) == (3, 3) and self._kernel.dtype == torch.float32:
            side = winograd.tile_side(channels, out, tuple(images_shape[:3]))
            if side is not None:
                return self._tiles_of(side)
        return _then_rectified(own(self._kernel, images_shape))

    def _tiles_of(self, side):
        if side not in self._transformed:
            self._transformed[side] = tiles.prepared(self._kernel.permute(1, 2, 3, 0).numpy(), side)
        return self._transformed[side]


class _PreparedTransposed(_Prepared):
    """The same of a transposed convolution, which is always PyTorch's own."""

    def _function_for(self, images_shape):
        return _then_rectified(torch_packed.packed_transposed(self._kernel, images_shape))
