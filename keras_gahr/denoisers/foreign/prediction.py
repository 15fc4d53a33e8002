"""What networks predict, as the residual y' - D'(y') of the images that they denoise.

In the notation of `schedule`: y' are noisy images of level sigma', z = s y' is the network's input, F its
output. The denoised image D' follows from what F was trained to be:

    image     D' = F
    residual  D' = (z - F) / s                the noise in the input, as it is
    noise     D' = y' - sigma' F              noise of unit variance
    score     D' = y' + s sigma'^2 F          the gradient of the log density of z
    velocity  D' = s z - s sigma' F           s times noise of unit variance, less s sigma' times the image
    edm       D' = c_skip y' + c_out F        Karras et al. 2022, arXiv 2206.00364, table 1
    flow      D' = z - t F                    noise of unit variance less the image

The residual is computed without the image, so that a small one loses no digits.
"""

from keras import ops

from keras_gahr.errors import InputError

from .schedule import EDM, AlphaBars, Blind, FlowTime, GivenSigma


def _image(schedule, y, sigma, found):
    return y - found


def _residual(schedule, y, sigma, found):
    return found if sigma is None else found / schedule.scale(sigma)


def _noise(schedule, y, sigma, found):
    return sigma * found


def _score(schedule, y, sigma, found):
    return -schedule.scale(sigma) * ops.square(sigma) * found


def _velocity(schedule, y, sigma, found):
    scale = schedule.scale(sigma)
    return ops.square(scale * sigma) * y + scale * sigma * found


def _edm(schedule, y, sigma, found):
    power = ops.square(sigma) + schedule.sigma_data**2
    return ops.square(sigma) / power * y - sigma * schedule.sigma_data / ops.sqrt(power) * found


def _flow(schedule, y, sigma, found):
    velocity = -found if schedule.reverse else found
    return sigma * schedule.scale(sigma) * (y + velocity)


_TOLD = (GivenSigma, AlphaBars, FlowTime)

PREDICTIONS = {
    "image": (_image, (Blind, *_TOLD)),
    "residual": (_residual, (Blind, *_TOLD)),
    "noise": (_noise, _TOLD),
    "score": (_score, _TOLD),
    "velocity": (_velocity, (AlphaBars,)),
    "edm": (_edm, (EDM,)),
    "flow": (_flow, (FlowTime,)),
}
"""Of each the residual, a function of the schedule, y', sigma' shaped to go with it (or None) and F; and
the schedules that it makes sense with."""


def residual_of(predicts, schedule):
    """The residual, as in `PREDICTIONS`.

    Raises:
        InputError: for an unknown prediction, or one that makes no sense with the schedule.
    """
    if not isinstance(predicts, str) or predicts not in PREDICTIONS:
        raise InputError(
            f"received predicts = {predicts!r:.40}, expected one of {', '.join(PREDICTIONS)}"
        )
    residual, schedules = PREDICTIONS[predicts]
    if not isinstance(schedule, schedules):
        names = ", ".join(kind.name for kind in schedules)
        raise InputError(
            f"a network that predicts {predicts} has one of the schedules {names}; received "
            f"{schedule.name}"
        )
    return residual
