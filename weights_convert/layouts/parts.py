"""The networks in a state dict: what is below which prefix, and what is beside them."""

import math

from .plan import Asked

# What wraps a module for PyTorch and never says which network it is: in data parallel, compiled,
# sharded, checkpointed and averaged modules. They may be anywhere in a name, in any order.
_WRAPPERS = {
    "module",
    "_orig_mod",
    "_forward_module",
    "_fsdp_wrapped_module",
    "_checkpoint_wrapped_module",
}
_MOST_PARTS = 8
_MOST_PREFIXES = 64
# The widest and deepest network has a thousand.
_MOST_NAMES = 4000


def networks(state, layouts):
    """The networks in a state dict, found by their names and shapes, whatever the names begin with.

    Args:
        state: a dictionary name -> array, or anything with `shape`, `ndim` and `dtype`.
        layouts: modules with `matches` and `plan`; see `LAYOUTS`.

    Returns:
        A dictionary of what the names begin with, as in "model." or "", to (the state dict of the
        rest of the names, the names in no network).
    """
    if len(state) > _MOST_NAMES:
        return {}
    state = unwrapped(state)
    prefixes, found, free = _prefixes(state, layouts), {}, dict(state)
    # The deepest first: beside a network, another may lie whose names begin with one part more.
    for prefix in sorted(prefixes, key=lambda prefix: -prefix.count(".")):
        below = {n.removeprefix(prefix): v for n, v in free.items() if n.startswith(prefix)}
        # Counters, as `n_averaged` of an average of weights.
        below = {n: v for n, v in below.items() if "." in n or v.ndim}
        if _count_faults(below, layouts) == 0:
            found[prefix] = below
            taken = {prefix + name for name in below}
            free = {name: value for name, value in free.items() if name not in taken}
    return {prefix: (found[prefix], tuple(free)) for prefix in prefixes if prefix in found}


def best_part(state, layouts):
    """The part of a state dict, which fits no layout, that looks most like a network."""
    state = unwrapped(state)
    parts = [
        {n.removeprefix(prefix): v for n, v in state.items() if n.startswith(prefix)}
        for prefix in _prefixes(state, layouts)
    ]
    return min(parts, key=lambda part: _count_faults(part, layouts), default=state)


def unwrapped(state):
    """The state dict without the parts of names that say how PyTorch ran the module."""
    bare = {
        ".".join(part for part in name.split(".") if part not in _WRAPPERS): value
        for name, value in state.items()
    }
    # If two had the same name, what is left away is all that tells two networks apart.
    return bare if len(bare) == len(state) else state


def _prefixes(state, layouts):
    """What names begin with before they go on as in a layout, in the order of the state dict."""
    found = {}
    for name in state:
        parts = name.split(".")
        for i in range(min(len(parts), _MOST_PARTS + 1)):
            prefix, rest = "".join(f"{p}." for p in parts[:i]), ".".join(parts[i:])
            if prefix not in found and any(layout.matches({rest: None}) for layout in layouts):
                found[prefix] = None
                if len(found) == _MOST_PREFIXES:
                    return list(found)
    return list(found)


def _count_faults(state, layouts):
    """How many arrays do not fit the layout that a state dict is of; infinitely many if of none."""
    layout = next((layout for layout in layouts if layout.matches(state)), None)
    if layout is None:
        return math.inf
    return sum(map(len, layout.plan(state, Asked()).faults(state).values()))
