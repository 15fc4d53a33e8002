"""PyTorch."""

import contextlib
import threading

import keras
import numpy as np
import safetensors.torch
import torch

CHANNELS_FIRST = True

INDEX = "int64"

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


def call_module(module, *tensors, **options):
    """See `keras_gahr._backend.foreign`."""
    weights = next((p for p in module.parameters() if p.is_floating_point()), tensors[0])
    given = [
        tensor.to(weights.device, weights.dtype if tensor.is_floating_point() else None)
        for tensor in tensors
    ]
    options = {
        name: value.to(weights.device) if torch.is_tensor(value) else value
        for name, value in options.items()
    }
    with _evaluation(module):
        outputs = module(*given, **options)
    first = _first_tensor(outputs)
    return first if first is None else first.to(tensors[0].device, tensors[0].dtype)


def apart(tensor):
    """See `keras_gahr._backend.foreign`."""
    return tensor.clone()


def state_of(module):
    """See `keras_gahr._backend.foreign`."""
    return _arrays(module.state_dict())


def load_state(module, arrays):
    """See `keras_gahr._backend.foreign`."""
    state = {name: torch.from_numpy(array) for name, array in arrays.items()}
    # The names are known to be right; a module may keep other things than tensors besides.
    module.load_state_dict(state, strict=False)


def read_safetensors(path):
    """See `keras_gahr._backend.foreign`."""
    return _arrays(safetensors.torch.load_file(path))


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


def call_with_arrays(function, shape, *tensors):
    """See `keras_gahr._backend.foreign`."""
    arrays = (np.array(tensor.detach().cpu()) for tensor in tensors)
    return torch.as_tensor(function(*arrays), dtype=torch.float32).to(tensors[0].device)


def leaves_of(parameters):
    """See `keras_gahr._backend.foreign`."""
    leaves = keras.tree.flatten(parameters)
    return leaves, lambda others: keras.tree.pack_sequence_as(parameters, others)


def _arrays(tensors):
    # NumPy has no bfloat16.
    return {
        name: (value.float() if value.dtype == torch.bfloat16 else value)
        .detach()
        .cpu()
        .numpy()
        .copy()
        for name, value in tensors.items()
        if torch.is_tensor(value)
    }


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
