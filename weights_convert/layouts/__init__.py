"""The layouts of published checkpoints: what network a state dict holds, where its arrays go."""

from keras_gahr.errors import InputError
from keras_gahr.quoting import listed, quoted

from . import (
    bias_free_dncnn,
    bias_free_unet,
    flexible_unet,
    paper_bf_cnn,
    paper_unet,
    universal_bf_cnn,
)
from .parts import best_part, networks
from .plan import Asked

LAYOUTS = (
    flexible_unet,
    paper_unet,
    universal_bf_cnn,
    paper_bf_cnn,
    bias_free_dncnn,
    bias_free_unet,
)
"""Modules with `matches(state)` and `plan(state, asked)`; the first that matches is used."""


def find_networks(state):
    """See `parts.networks`: what is in a state dict, found with all layouts."""
    return networks(state, LAYOUTS)


def recognize(state, first_layer=None, norm=None, predicts=None):
    """The `Plan` of a state dict.

    Args:
        state: a dictionary name -> array; names may begin with the same thing, as in `module.`.
        first_layer: "linear" or "relu", for networks whose weights cannot tell; None for what the
            layout says.
        norm: "layer" or "instance", for networks whose weights cannot tell; None for what they say.
        predicts: "residual" or "image": what the network computes; None for what those of the layout
            mostly do.

    Returns:
        The plan and the state dict without what its names begin with; they agree name by name and
        shape by shape.

    Raises:
        InputError: if no layout has such names, if names or shapes do not fit the layout, if the
            layout is known to have another first layer or norm or to compute the residual, or if it must
            be told the norm.
    """
    found = find_networks(state)
    bare = next(iter(found.values()))[0] if found else best_part(state, LAYOUTS)
    for layout in LAYOUTS:
        if layout.matches(bare):
            plan = layout.plan(bare, Asked(first_layer, norm, predicts))
            plan.check(bare)
            return plan, bare
    raise InputError(
        f"its names are of no known layout: it holds {listed(map(quoted, state), most=4)}"
    )
