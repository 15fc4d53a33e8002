"""Adam as published."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_gahr import _backend


@keras.saving.register_keras_serializable("keras_gahr")
class Adam(keras.optimizers.Adam):
    """Adam with epsilon added to the bias-corrected root (Kingma and Ba, Algorithm 1), as in PyTorch.

    Keras adds it to the uncorrected root, which makes it up to 30 times as large in the first steps.
    That shows here: at the published initialization the deepest gradients are smaller than epsilon.

    Args:
        learning_rate: number or Keras schedule.
        epsilon: PyTorch's default.
        **kwargs: see `keras.optimizers.Adam`.

    Raises:
        ValueError: if `amsgrad` is asked for, which the published training does not use.

    Examples:
        >>> from keras_gahr.training import Adam
        >>> Adam(learning_rate=0.01).epsilon
        1e-08
    """

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule = 1e-3,
        epsilon: float = 1e-8,
        **kwargs: Any,
    ) -> None:
        if kwargs.get("amsgrad"):
            raise ValueError("received amsgrad=True, which this Adam does not have")
        super().__init__(learning_rate=learning_rate, epsilon=epsilon, **kwargs)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        place = self._get_variable_index(variable)
        done = _backend.adam_step(
            variable,
            gradient,
            self._momentums[place],
            self._velocities[place],
            rate=learning_rate,
            betas=(self.beta_1, self.beta_2),
            epsilon=self.epsilon,
            steps=self.iterations,
        )
        if not done:
            self._update_by_keras(gradient, variable, learning_rate)

    def _update_by_keras(self, gradient, variable, learning_rate):
        # Keras divides by sqrt(v) + epsilon where v / (1 - beta_2^t) is the corrected square, thus by
        # sqrt(1 - beta_2^t) (sqrt(v / (1 - beta_2^t)) + epsilon) for an epsilon with that factor.
        published = self.epsilon
        step = ops.cast(self.iterations + 1, variable.dtype)
        self.epsilon = published * ops.sqrt(1 - ops.power(self.beta_2, step))
        try:
            super().update_step(gradient, variable, learning_rate)
        finally:
            self.epsilon = published
