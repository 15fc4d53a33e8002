"""Schedulers of diffusers, as schedules."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_gahr.errors import InputError

from ..description import class_within
from ..schedule import EDM, AlphaBars, FlowTime, Schedule

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

_PREDICTS = {
    "epsilon": "noise",
    "sample": "image",
    "v_prediction": "velocity",
    "flow_prediction": "flow",
}


def read_scheduler(scheduler: Any) -> tuple[str, Schedule]:
    """What a network predicts that was trained with a scheduler, and its schedule.

    The trained times count, whatever steps the scheduler was set to take. A last one of pure noise, as
    `rescale_betas_zero_snr` makes it, is left out: its level is infinite.

    Args:
        scheduler: one of `SCHEDULERS`.

    Raises:
        InputError: for another one, and for what these predict in no known way.
    """
    name = class_within("diffusers", scheduler, SCHEDULERS)
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
    return _PREDICTS[kind], AlphaBars(table[known].tolist(), np.flatnonzero(known).tolist())
