"""Networks of diffusers, and pipelines of one and a scheduler."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..description import Description, class_within
from .scheduler import read_scheduler

_LIBRARY = "diffusers"

UNETS = ("UNet2DModel", "UNet2DConditionModel")

TRANSFORMERS = ("DiTTransformer2DModel",)

AUTOENCODERS = ("vae", "vqvae", "movq", "first_stage", "first_stage_model")
"""What pipelines call the part that makes latents of images."""


@dataclasses.dataclass(frozen=True)
class Trained:
    """A network and the scheduler of its training, which may be None.

    Args:
        network, scheduler: these.
        latent: whether an autoencoder is beside them, whose latents are the network's images.
    """

    network: Any
    scheduler: Any
    latent: bool = False


def diffusers_description(network: Any, schedule: Any = None) -> Description | None:
    """What a network and its scheduler say.

    Args:
        network: a pipeline, that is something with a `scheduler` and a `unet` or `transformer`; a
            `Trained`; a network; or anything else.
        schedule: a scheduler, in the place of the pipeline's; anything else: as it is.

    Returns:
        The description, or None if neither is of diffusers. A network without a scheduler is described
        without what it predicts.

    Raises:
        InputError: for a scheduler that is not known.
    """
    latent = False
    if isinstance(network, Trained):
        latent = network.latent
        schedule = network.scheduler if schedule is None else schedule
        network = network.network
    elif class_within(_LIBRARY, network) and hasattr(network, "scheduler"):
        schedule = network.scheduler if schedule is None else schedule
        latent = any(getattr(network, name, None) is not None for name in AUTOENCODERS)
        parts = (getattr(network, name, None) for name in ("unet", "transformer"))
        network = next((part for part in parts if part is not None), network)
    sizes = _sizes(network)
    if class_within(_LIBRARY, schedule):
        predicts, schedule = read_scheduler(schedule)
        # Diffusions of images are trained on [-1, 1], those of latents on these as they are.
        latent = latent or sizes.get("channels", 3) not in {1, 3}
        value_range = (0.0, 1.0) if latent else (-1.0, 1.0)
        return Description(network, predicts, schedule, value_range, **sizes)
    return Description(network, schedule=schedule, **sizes) if sizes else None


def _sizes(network):
    """What a known network's configuration says, as arguments of `Description`."""
    name = class_within(_LIBRARY, network, [*UNETS, *TRANSFORMERS])
    if name is None:
        return {}
    config = network.config
    sizes = {"channels": config["in_channels"], "needs": _needs(name, config)}
    if name in TRANSFORMERS:
        # Its positions are those of one size.
        return {**sizes, "size": config["sample_size"], "size_multiple": config["patch_size"]}
    return {**sizes, "size_multiple": 2 ** (len(config["block_out_channels"]) - 1)}


def _needs(name, config):
    if name == "UNet2DConditionModel":
        return {"encoder_hidden_states": "embedding"}
    kinds = config.get("num_embeds_ada_norm") or config.get("num_class_embeds")
    if kinds or config.get("class_embed_type"):
        return {"class_labels": "3"}
    return {}
