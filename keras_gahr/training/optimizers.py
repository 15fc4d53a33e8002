"""The optimizer of a training, with its learning-rate schedule."""

import keras

from .adam import Adam

OPTIMIZERS = {
    "adam": Adam,
    "adamw": keras.optimizers.AdamW,
    "adamax": keras.optimizers.Adamax,
    "lion": keras.optimizers.Lion,
    "nadam": keras.optimizers.Nadam,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}
"""By the names that the option has: the published one, and Keras' with its defaults."""


def build_optimizer(settings, steps_per_epoch):
    """The optimizer of a training.

    Args:
        settings: `TrainingSettings`.
        steps_per_epoch: steps in an epoch, which the schedule counts in.
    """
    options = {"momentum": 0.9} if settings.optimizer == "sgd" else {}
    if settings.ema is not None:
        options |= {"use_ema": True, "ema_momentum": settings.ema}
    if settings.weight_decay is not None:
        options["weight_decay"] = settings.weight_decay
    return OPTIMIZERS[settings.optimizer](
        learning_rate=_schedule(settings, steps_per_epoch),
        global_clipnorm=settings.clip_norm,
        **options,
    )


def _schedule(settings, steps_per_epoch):
    rate, steps = settings.learning_rate, settings.epochs * steps_per_epoch
    match settings.schedule:
        case "halving":
            return keras.optimizers.schedules.ExponentialDecay(
                rate,
                decay_steps=settings.halve_every * steps_per_epoch,
                decay_rate=0.5,
                staircase=True,
            )
        case "cosine":
            return keras.optimizers.schedules.CosineDecay(rate, decay_steps=steps)
        case "linear":
            return keras.optimizers.schedules.PolynomialDecay(
                rate, decay_steps=steps, end_learning_rate=0.0
            )
        case "constant":
            return rate
