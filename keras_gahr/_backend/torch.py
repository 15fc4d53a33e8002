"""PyTorch."""

import keras
import torch
from torch.autograd import forward_ad
from torch.nn.attention import SDPBackend, sdpa_kernel

from .convolution.torch_gradient import constant_kernels
from .convolution.torch_program import Program
from .steps import is_foreign

FIXED_MEMORY = 2**27

TAKES_SEVERAL_STEPS = False


def compile_inference(model, function):
    """See `keras_gahr._backend`."""
    program = Program(model, function)
    return program.run_eagerly if is_foreign(model) else program.run


def compile_jvp(model, function):
    """See `keras_gahr._backend`; PyTorch runs it eagerly.

    Not every layer of PyTorch has a forward mode. Where one is found to lack it, the derivative along v is
    that of <u, J v> in u, by two derivatives backwards.
    """

    def forward(network, directions, x, *tensors):
        with forward_ad.dual_level(), _differentiable_attention():
            outputs = function(network, forward_ad.make_dual(x, directions), *tensors)
            products = forward_ad.unpack_dual(outputs).tangent
        return torch.zeros_like(outputs) if products is None else products

    def twice_backwards(network, directions, x, *tensors):
        x = x.detach().requires_grad_()
        with torch.enable_grad(), _differentiable_attention():
            outputs = function(network, x, *tensors)
            u = torch.zeros_like(outputs, requires_grad=True)
            # Linear in u, so that its value does not matter.
            (pulled,) = torch.autograd.grad(outputs, x, u, create_graph=True)
        (products,) = torch.autograd.grad(pulled, u, directions, materialize_grads=True)
        return products

    ways = [Program(model, way).run_eagerly for way in (forward, twice_backwards)]

    def run(*tensors):
        try:
            return ways[0](*tensors)
        except (NotImplementedError, RuntimeError, ValueError) as error:
            if len(ways) == 1 or is_out_of_memory(error):
                raise
        del ways[0]
        return ways[0](*tensors)

    return run


def compile_vjp(model, function):
    """See `keras_gahr._backend`; the graph of x is kept for all directions."""

    def network(x):
        return model(x, training=False)

    def at(*tensors):
        x, *others = keras.tree.map_structure(keras.ops.convert_to_tensor, tensors)
        x = x.detach().requires_grad_()
        with torch.enable_grad(), constant_kernels(), _differentiable_attention():
            outputs = function(network, x, *others)

        def pull_back(directions):
            directions = keras.ops.convert_to_tensor(directions)
            (products,) = torch.autograd.grad(
                outputs, x, directions, retain_graph=True, materialize_grads=True
            )
            return products

        return pull_back

    return at


def _differentiable_attention():
    """Within it attention is computed in the one way that can be differentiated in any mode."""
    return sdpa_kernel(SDPBackend.MATH)


def devices():
    """The devices PyTorch would use, one name each."""
    if torch.cuda.is_available():
        return [
            f"cuda:{index} ({torch.cuda.get_device_name(index)})"
            for index in range(torch.cuda.device_count())
        ]
    if torch.backends.mps.is_available():
        return ["mps"]
    return ["cpu"]


def jit_compile():
    """Whether to compile a training step; tracing these networks costs more than it saves."""
    return False


def memory_available():
    """See `keras_gahr._backend`."""
    if not torch.cuda.is_available():
        return None
    free, _ = torch.cuda.mem_get_info()
    return free


def is_out_of_memory(error):
    """See `keras_gahr._backend`."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    # On a CPU PyTorch has no class for it.
    told = "can't allocate memory", "not enough memory", "out of memory", "bad_alloc"
    return isinstance(error, RuntimeError) and any(words in str(error) for words in told)


def version():
    """See `keras_gahr._backend`."""
    return torch.__version__
