"""The layouts of published checkpoints: what network a state dict holds, where its arrays go."""

from keras_gahr.errors import InputError

from ..quoting import listed, quoted
from . import bias_free_dncnn, bias_free_unet, paper_bf_cnn, paper_unet, universal_bf_cnn

LAYOUTS = (paper_unet, universal_bf_cnn, paper_bf_cnn, bias_free_dncnn, bias_free_unet)
"""Modules with `matches(state)` and `plan(state, first_layer)`; the first that matches is used."""


def recognize(state, first_layer=None):
    """The `Plan` of a state dict.

    Args:
        state: a dictionary name -> array; names may begin with `module.` (data parallel).
        first_layer: "linear" or "relu", for networks whose weights cannot tell; None for what the
            layout says.

    Returns:
        The plan and the state dict without `module.`; they agree name by name and shape by shape.

    Raises:
        InputError: if no layout has such names, if names or shapes do not fit the layout, or
            if the layout is known to have another first layer.
    """
    state = _without_module(state)
    for layout in LAYOUTS:
        if layout.matches(state):
            plan = layout.plan(state, first_layer)
            plan.check(state)
            return plan, state
    raise InputError(
        f"its names are of no known layout: it holds {listed(map(quoted, state), most=4)}"
    )


def _without_module(state):
    bare = {name.removeprefix("module."): value for name, value in state.items()}
    if len(bare) != len(state):
        raise InputError("it holds some names both with and without 'module.'")
    return bare
