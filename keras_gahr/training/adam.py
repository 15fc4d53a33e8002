"""Adam as published."""

import keras
from keras import ops


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
    """

    def __init__(self, learning_rate=1e-3, epsilon=1e-8, **kwargs):
        if kwargs.get("amsgrad"):
            raise ValueError("received amsgrad=True, which this Adam does not have")
        super().__init__(learning_rate=learning_rate, epsilon=epsilon, **kwargs)

    def update_step(self, gradient, variable, learning_rate):
        index = self._get_variable_index(variable)
        momentum, velocity = self._momentums[index], self._velocities[index]
        gradient = ops.cast(gradient, variable.dtype)
        step = ops.cast(self.iterations + 1, variable.dtype)
        self.assign_add(momentum, (1 - self.beta_1) * (gradient - momentum))
        self.assign_add(velocity, (1 - self.beta_2) * (ops.square(gradient) - velocity))
        corrected_momentum = momentum / (1 - ops.power(self.beta_1, step))
        corrected_velocity = velocity / (1 - ops.power(self.beta_2, step))
        change = corrected_momentum / (ops.sqrt(corrected_velocity) + self.epsilon)
        self.assign_sub(variable, ops.cast(learning_rate, variable.dtype) * change)
