"""The denoiser with the moving average of its weights."""

import keras


class Average(keras.callbacks.Callback):
    """Keeps a second denoiser whose weights are the optimizer's moving average.

    The running deviations of its norms are those of the trained denoiser, which are averages already.

    Args:
        denoiser: the one that is trained. If several devices share its batches, this must be made where it
            was made, too.
    """

    def __init__(self, denoiser):
        super().__init__()
        self.denoiser = type(denoiser).from_config(denoiser.get_config())

    def on_epoch_end(self, epoch, logs=None):
        self.take()

    def take(self):
        """Takes over the averages of now."""
        optimizer, trained = self.model.optimizer, self.model.denoiser
        for own, others in zip(self.denoiser.variables, trained.variables, strict=True):
            own.assign(others)
        # By its name it ends a training, but it changes no more than the variables it is given.
        optimizer.finalize_variable_values(self.denoiser.trainable_variables)
