"""PyTorch."""

import contextlib

import keras
import torch
from torch.autograd import forward_ad
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.optim.adam import adam
from torch.utils.checkpoint import checkpoint

from keras_gahr.errors import InputError

from .convolution.torch_gradient import constant_kernels
from .convolution.torch_program import Program
from .steps import is_foreign, streams

FIXED_MEMORY = 2**27

MEMORY_AT_HAND = 2**26
"""Twice the largest block that glibc does not get for itself alone: what it keeps at its end."""

RUNS_ANY_SHAPE = True

TAKES_SEVERAL_STEPS = False

_AGREEMENT = 1e-2
"""Of the lengths: rounding, in bfloat16 too, is far below."""


def compile_inference(model, function):
    """See `keras_gahr._backend`."""
    program = Program(model, function)
    return program.run_eagerly if is_foreign(model) or streams(model) else program.run


def compile_jvp(model, function):
    """See `keras_gahr._backend`; two derivatives backwards, whose graph is kept for all directions.

    J v is the derivative of <u, J v> = <J^T u, v> in u. That is faster than the forward mode, which has to
    compute the function again each time, and every layer has it that has a gradient, attention and group
    norms too. What can only be differentiated once takes the forward mode, and what is computed in blocks,
    of which that graph would keep all.
    """
    network = _evaluation_of(model)
    seen_to_agree = []

    def twice_backwards(x, *tensors):
        x = x.detach().requires_grad_()
        with constant_kernels(), _differentiable_attention():
            outputs = function(network, x, *tensors)
            # Linear in u, so that its value does not matter.
            u = torch.zeros_like(outputs, requires_grad=True)
            (pulled,) = torch.autograd.grad(outputs, x, u, create_graph=True)

        def push(directions):
            (products,) = torch.autograd.grad(pulled, u, directions, retain_graph=True)
            if not seen_to_agree:
                _check_agreement(products, directions, outputs, x)
                seen_to_agree.append(True)
            return products

        return push

    def derivative(network, directions, x, *tensors):
        with forward_ad.dual_level(), _differentiable_attention():
            outputs = function(network, forward_ad.make_dual(x, directions), *tensors)
            products = forward_ad.unpack_dual(outputs).tangent
        return torch.zeros_like(outputs) if products is None else products

    program = Program(model, derivative)

    def forwards(*tensors):
        return lambda directions: program.run_eagerly(directions, *tensors)

    ways, failures = [forwards] if streams(model) else [twice_backwards, forwards], []

    def at(*tensors):
        with with_gradients(model):
            tensors = _ordinary(tensors)
        made = {}

        @with_gradients()
        def push(directions):
            directions = _ordinary(directions)
            way = ways[0]
            try:
                if way not in made:
                    made[way] = way(*tensors)
                return made[way](directions)
            except (NotImplementedError, RuntimeError, ValueError) as error:
                # Also for lack of memory, of which graphs take more.
                if way is forwards:
                    raise (failures or [error])[0] from error
                # Its frames would keep a graph that was too large as long as this.
                error.__context__ = None
                failures.append(error.with_traceback(None))
            made.clear()
            ways[:] = [forwards]
            return push(directions)

        return push

    return at


def compile_vjp(model, function):
    """See `keras_gahr._backend`; the graph of x is kept for all directions."""
    network = _evaluation_of(model)

    def at(*tensors):
        with with_gradients(model), constant_kernels(), _differentiable_attention():
            x, *others = _ordinary(tensors)
            x = x.detach().requires_grad_()
            outputs = function(network, x, *others)

        @with_gradients()
        def pull_back(directions):
            directions = _ordinary(directions)
            (products,) = torch.autograd.grad(
                outputs, x, directions, retain_graph=True, materialize_grads=True
            )
            return products

        return pull_back

    return at


def fold(step, tensors, carry, count):
    """See `keras_gahr._backend`."""
    again = torch.is_grad_enabled() and any(t.requires_grad for t in (*tensors, *carry))
    for index in range(count):
        if again:
            carry = checkpoint(step, index, tensors, carry, use_reentrant=False)
        else:
            carry = step(index, tensors, carry)
    return carry


def _check_agreement(products, directions, outputs, x):
    """Raises `RuntimeError` unless <w, J v> = <J^T w, v>.

    A layer that can be differentiated only once may be left out of the second derivative without a word.
    With w = J v + v that shows at its full size; for a random w both sides would be near 0.
    """
    w = products + directions if products.shape == directions.shape else products
    (pulled,) = torch.autograd.grad(outputs, x, w, retain_graph=True, materialize_grads=True)
    difference = (w * products).sum() - (pulled * directions).sum()
    if difference.abs() > _AGREEMENT * (
        w.norm() * products.norm() + pulled.norm() * directions.norm()
    ):
        raise RuntimeError("a layer of this network can be differentiated only once")


def _evaluation_of(model):
    return lambda x: model(x, training=False)


def _differentiable_attention():
    """Within it attention is computed in the one way that can be differentiated in any mode."""
    return sdpa_kernel(SDPBackend.MATH)


def float32_products():
    """See `keras_gahr._backend`."""
    return contextlib.nullcontext()


def compile_training_pass(model):
    """See `keras_gahr._backend`."""

    def run(x):
        with torch.no_grad():
            model(x, training=True)

    return run


@contextlib.contextmanager
def with_gradients(*models):
    """See `keras_gahr._backend`."""
    if any(weight.is_inference() for model in models for weight in model.parameters()):
        raise InputError(
            "received a network whose weights were made in torch.inference_mode(), where they can have no "
            "gradients: make or load it outside"
        )
    with torch.inference_mode(False), torch.enable_grad():
        yield


def _ordinary(tensors):
    """Nested tensors or arrays as tensors that may be part of a graph; for use in `with_gradients`."""

    def ordinary(tensor):
        tensor = keras.ops.convert_to_tensor(tensor)
        return tensor.clone() if tensor.is_inference() else tensor

    return keras.tree.map_structure(ordinary, tensors)


def adam_step(variable, gradient, momentum, velocity, *, rate, betas, epsilon, steps):
    """See `keras_gahr._backend`."""
    tensors = [variable.value.detach(), gradient, momentum.value, velocity.value]
    # In one pass numbers are taken as they lie in memory.
    alike = (
        all(tensor.is_contiguous() for tensor in tensors) and len({t.dtype for t in tensors}) == 1
    )
    if not alike or gradient.device.type not in {"cpu", "cuda"}:
        return False
    adam(
        *([tensor] for tensor in tensors),
        [],
        [steps.value.to(torch.float32)],
        fused=True,
        amsgrad=False,
        beta1=betas[0],
        beta2=betas[1],
        lr=rate,
        weight_decay=0.0,
        eps=epsilon,
        maximize=False,
    )
    return True


def fed(batches):
    """See `keras_gahr._backend`."""
    return batches


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
    # What PyTorch keeps for the next tensors is free, too.
    return free + torch.cuda.memory_reserved() - torch.cuda.memory_allocated()


def in_main_memory():
    """See `keras_gahr._backend`; a Mac has one memory."""
    return not torch.cuda.is_available()


def is_out_of_memory(error):
    """See `keras_gahr._backend`."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    # On a CPU PyTorch has no class for it.
    told = "can't allocate memory", "not enough memory", "out of memory", "bad_alloc"
    return isinstance(error, RuntimeError) and any(words in str(error) for words in told)


def threads():
    """See `keras_gahr._backend`."""
    return torch.get_num_threads()


def version():
    """See `keras_gahr._backend`."""
    return torch.__version__
