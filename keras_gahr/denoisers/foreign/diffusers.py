"""Networks and schedulers of the library diffusers, which is not imported to know them."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_gahr.errors import InputError

from .description import Description, class_within
from .schedule import EDM, AlphaBars, FlowTime, Schedule

_LIBRARY = "diffusers"

DISCRETE = (
    "DDPMScheduler",
    "DDPMParallelScheduler",
    "DDIMScheduler",
    "DDIMParallelScheduler",
    "PNDMScheduler",
    "LMSDiscreteScheduler",
    "EulerDiscreteScheduler",
    "EulerAncestralDiscreteScheduler",
    "HeunDiscreteScheduler",
    "KDPM2DiscreteScheduler",
    "KDPM2AncestralDiscreteScheduler",
    "DEISMultistepScheduler",
    "DPMSolverMultistepScheduler",
    "DPMSolverSinglestepScheduler",
    "UniPCMultistepScheduler",
)
"""They step in different ways through the same diffusion, a table of alpha-bar."""

PRECONDITIONED = ("EDMEulerScheduler", "EDMDPMSolverMultistepScheduler")

FLOWS = ("FlowMatchEulerDiscreteScheduler", "FlowMatchHeunDiscreteScheduler")

SCHEDULERS = (*DISCRETE, *PRECONDITIONED, *FLOWS)

UNETS = ("UNet2DModel", "UNet2DConditionModel")

TRANSFORMERS = ("DiTTransformer2DModel",)

_PREDICTS = {
    "epsilon": "noise",
    "sample": "image",
    "v_prediction": "velocity",
    "flow_prediction": "flow",
}


def diffusers_description(network: Any, schedule: Any = None) -> Description | None:
    """What a network and its scheduler say.

    Args:
        network: a pipeline, that is something with a `scheduler` and a `unet` or `transformer`; a network;
            or anything else.
        schedule: a scheduler, in the place of the pipeline's; anything else: as it is.

    Returns:
        The description, or None if neither is of diffusers. A network without a scheduler is described
        without what it predicts.

    Raises:
        InputError: for a scheduler that is not known.
    """
    if class_within(_LIBRARY, network) and hasattr(network, "scheduler"):
        schedule = network.scheduler if schedule is None else schedule
        parts = (getattr(network, name, None) for name in ("unet", "transformer"))
        network = next((part for part in parts if part is not None), network)
    sizes = _sizes(network)
    if class_within(_LIBRARY, schedule):
        predicts, schedule = read_scheduler(schedule)
        # Diffusions of images are trained on [-1, 1], those of latents on these as they are.
        latent = sizes.get("channels", 3) not in {1, 3}
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


def read_scheduler(scheduler: Any) -> tuple[str, Schedule]:
    """What a network predicts that was trained with a scheduler, and its schedule.

    The trained times count, whatever steps the scheduler was set to take. A last one of pure noise, as
    `rescale_betas_zero_snr` makes it, is left out: its level is infinite.

    Args:
        scheduler: one of `SCHEDULERS`.

    Raises:
        InputError: for another one, and for what these predict in no known way.
    """
    name = class_within(_LIBRARY, scheduler, SCHEDULERS)
    config = getattr(scheduler, "config", {})
    kind = config.get("prediction_type", "epsilon")
    if name is None:
        raise InputError(
            f"received a {type(scheduler).__name__}, which is not known here, expected DDPMScheduler, "
            "DDIMScheduler or what else shares their table of alpha-bar, EDMEulerScheduler or "
            "FlowMatchEulerDiscreteScheduler: say predicts and schedule yourself"
        )
    if name in PRECONDITIONED and kind == "epsilon":
        return "edm", EDM(config["sigma_data"])
    if name in FLOWS or (name in DISCRETE and kind == "flow_prediction"):
        factor = config["num_train_timesteps"]
        return "flow", FlowTime(factor, reverse=bool(config.get("invert_sigmas")))
    continuous = config.get("timestep_type") == "continuous"
    if name in PRECONDITIONED or kind not in _PREDICTS or continuous:
        time = " in continuous time" if continuous else ""
        raise InputError(
            f"received a {name} with prediction_type {kind!r:.40}{time}, which is not known here: wrap a "
            "function around the network, and say predicts and schedule"
        )
    table = np.asarray(scheduler.alphas_cumprod.cpu(), np.float64)
    known = (table > 0) & (table < 1)
    if config.get("rescale_betas_zero_snr"):
        known[-1] = False
    return _PREDICTS[kind], AlphaBars(table[known], np.flatnonzero(known))
