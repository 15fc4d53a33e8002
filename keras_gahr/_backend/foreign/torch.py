"""PyTorch."""

import contextlib
import threading

import keras
import numpy as np
import safetensors.torch
import torch
from torch.overrides import TorchFunctionMode

from keras_gahr.errors import InputError

CHANNELS_FIRST = True

INDEX = "int64"

_OF_NUMPY = (torch.float16, torch.float32, torch.float64)
"""Number types of floats. NumPy has no others; they all fit in float32."""

_MODES = threading.Lock()
"""Held by who changes modes of modules."""

_WITHIN = {}
"""How many calls are within each part, by its id, that was in training mode before the first of them."""


def is_module(network):
    """See `keras_gahr._backend.foreign`."""
    return isinstance(network, torch.nn.Module) and not isinstance(network, keras.layers.Layer)


def first_channels(module):
    """See `keras_gahr._backend.foreign`."""
    convolutions = (torch.nn.Conv2d, torch.nn.ConvTranspose2d)
    found = (part.in_channels for part in module.modules() if isinstance(part, convolutions))
    return next(found, None)


def call_module(module, images, *told, rounded=False, options=None):
    """See `keras_gahr._backend.foreign`."""
    weights = _weights_of(module, images)
    given = [
        each.to(
            weights.device,
            weights.dtype if _becomes(each, weights.dtype, rounded) else None,
        )
        for each in told
    ]
    options = {
        name: value.to(weights.device) if torch.is_tensor(value) else value
        for name, value in (options or {}).items()
    }
    with _evaluation(module):
        outputs = module(images.to(weights.device, weights.dtype), *given, **options)
    first = _first_tensor(outputs)
    return first if first is None else first.to(images.device, images.dtype)


def is_coarser(module, tensor):
    """See `keras_gahr._backend.foreign`."""
    dtype = _weights_of(module, tensor).dtype
    return tensor.is_floating_point() and _digits(dtype) < _digits(tensor.dtype)


def apart(tensor):
    """See `keras_gahr._backend.foreign`."""
    return tensor.clone()


def state_of(module):
    """See `keras_gahr._backend.foreign`."""
    return arrays_of(module.state_dict())


def unsaved_of(module):
    """See `keras_gahr._backend.foreign`."""
    saved = module.state_dict().keys()
    found = dict(module.named_buffers(remove_duplicate=False))
    for place, part in module.named_modules():
        for name, value in vars(part).items():
            if torch.is_tensor(value) and not value.is_meta:
                found[f"{place}.{name}" if place else name] = value
    return {name: value for name, value in found.items() if name not in saved}


def arrays_of(tensors):
    """See `keras_gahr._backend.foreign`."""
    return {
        name: _array(name, value.detach())
        for name, value in tensors.items()
        if torch.is_tensor(value)
    }


def load_state(module, arrays):
    """See `keras_gahr._backend.foreign`."""
    state = {name: torch.from_numpy(array) for name, array in arrays.items()}
    # The names are known to be right; a module may keep other things than tensors besides.
    module.load_state_dict(state, strict=False)


def read_safetensors(path):
    """See `keras_gahr._backend.foreign`."""
    return arrays_of(safetensors.torch.load_file(path))


def taken_by(function, *tensors):
    """See `keras_gahr._backend.foreign`."""
    # A network with gradients within needs what is kept for them.
    for kept in (_nothing_kept(), contextlib.nullcontext()):
        # Compiling it for derivatives, which are perhaps not asked for, may take minutes.
        eager = torch.compiler.set_stance("force_eager")
        with torch.inference_mode(False), torch.enable_grad(), kept, eager:
            first, *others = map(keras.ops.convert_to_tensor, tensors)
            first = first.detach().requires_grad_()
            try:
                outputs = _first_tensor(function(first, *others))
            except Exception:  # Such as "Can't call numpy() on Tensor that requires grad".
                continue
        if outputs is not None:
            return "derivatives" if _depends_on(outputs, first) else "tensors"
    return "arrays"


def number_types(function, *tensors):
    """See `keras_gahr._backend.foreign`."""
    seen = _NumberTypes()
    eager = torch.compiler.set_stance("force_eager")
    # It raises what somebody's function does.
    with contextlib.suppress(Exception), torch.no_grad(), eager, seen:
        function(*map(keras.ops.convert_to_tensor, tensors))
    return seen.found


def product_type():
    """See `keras_gahr._backend.foreign`."""
    said = torch.get_float32_matmul_precision()
    if said != "highest":
        return "bfloat16" if said == "medium" else "tfloat32"
    return "tfloat32" if torch.cuda.is_available() and _tf32_is_allowed() else "float32"


def call_with_arrays(function, shape, *tensors):
    """See `keras_gahr._backend.foreign`."""
    arrays = (np.array(tensor.detach().cpu()) for tensor in tensors)
    return torch.as_tensor(function(*arrays), dtype=torch.float32).to(tensors[0].device)


def leaves_of(parameters):
    """See `keras_gahr._backend.foreign`."""
    leaves = keras.tree.flatten(parameters)
    return leaves, lambda others: keras.tree.pack_sequence_as(parameters, others)


def _array(name, tensor):
    if tensor.is_meta:
        raise InputError(
            f"the network has no numbers in {name[:100]!r}, which is on the device meta: load its weights "
            "before it is wrapped"
        )
    try:
        if tensor.is_floating_point() and tensor.dtype not in _OF_NUMPY:
            tensor = tensor.float()
        return tensor.cpu().resolve_conj().resolve_neg().numpy().copy()
    except (NotImplementedError, RuntimeError, TypeError) as error:
        kind = f"{tensor.dtype} and {tensor.layout}".replace("torch.", "")
        raise InputError(
            f"the network keeps {name[:100]!r} in {kind}, which is no plain array of numbers: convert it to "
            "float32"
        ) from error


def _weights_of(module, other):
    """A tensor of a module in the type and where it computes, or the other one if it has none.

    What is kept in eight bits is not computed with as it is.
    """
    floats = (each for each in module.parameters() if each.is_floating_point())
    return next((each for each in floats if each.dtype.itemsize > 1), other)


def _becomes(tensor, dtype, rounded):
    """Whether a tensor is given in another type: in any if it may be rounded, else if that has its digits."""
    return tensor.is_floating_point() and (rounded or _digits(dtype) >= _digits(tensor.dtype))


def _digits(dtype):
    return 1 / torch.finfo(dtype).eps


class _NumberTypes(TorchFunctionMode):
    """Within it the number types of floats are noted that functions of PyTorch return."""

    def __init__(self):
        super().__init__()
        self.found = set()

    def __torch_function__(self, function, types, args=(), kwargs=None):
        found = function(*args, **(kwargs or {}))
        for each in found if isinstance(found, list | tuple) else (found,):
            if torch.is_tensor(each) and each.is_floating_point():
                self.found.add(str(each.dtype).removeprefix("torch."))
        return found


def _tf32_is_allowed():
    try:
        return torch.backends.cudnn.allow_tf32 or torch.backends.cuda.matmul.allow_tf32
    except RuntimeError:  # If it was said in the newer way, by operation.
        return True


def _nothing_kept():
    """Within it a graph of gradients has no values, so that it takes no memory."""

    def unpack(_):
        raise RuntimeError("it was not kept")

    return torch.autograd.graph.saved_tensors_hooks(lambda tensor: None, unpack)


def _depends_on(outputs, first):
    """Whether a way leads from outputs to a tensor in the graph of gradients, not to weights only."""
    if not outputs.requires_grad:
        return False
    ahead, seen = [torch.autograd.graph.get_gradient_edge(outputs).node], set()
    while ahead:
        node = ahead.pop()
        if getattr(node, "variable", None) is first:
            return True
        if node not in seen:
            seen.add(node)
            ahead += [before for before, _ in node.next_functions if before is not None]
    return False


@contextlib.contextmanager
def _evaluation(module):
    """Within it the module and its parts are in evaluation mode, until the last thread has left it."""
    with _MODES:
        # Frozen ones of TorchScript have no mode.
        parts = [
            part
            for part in module.modules()
            if getattr(part, "training", False) or id(part) in _WITHIN
        ]
        for part in parts:
            part.training = False
            _WITHIN[id(part)] = _WITHIN.get(id(part), 0) + 1
    try:
        yield
    finally:
        with _MODES:
            for part in parts:
                _WITHIN[id(part)] -= 1
                if not _WITHIN[id(part)]:
                    del _WITHIN[id(part)]
                    part.training = True


def _first_tensor(outputs):
    """The tensor that a network returns, by itself or as the first of several; None if there is none."""
    if torch.is_tensor(outputs):
        return outputs
    if isinstance(outputs, dict):
        outputs = list(outputs.values())
    if isinstance(outputs, list | tuple) and outputs and torch.is_tensor(outputs[0]):
        return outputs[0]
    return None
