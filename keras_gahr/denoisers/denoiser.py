"""What every blind denoiser has in common."""

import math

import keras
from keras import ops

from keras_gahr.errors import InputError

_MOST_PARAMETERS = 10**9


def check_size(parameters, **counts):
    """Refuses networks that make no sense before their weights take up the memory.

    Args:
        parameters: how many there would be at least.
        **counts: numbers of layers, kernels and so on, by argument name.

    Raises:
        InputError: if a count is below 1 or there would be more than a billion parameters.
    """
    for name, count in counts.items():
        if count < 1:
            raise InputError(f"received {name} = {count}, expected at least 1")
    if parameters > _MOST_PARAMETERS:
        received = ", ".join(f"{name} = {count}" for name, count in counts.items())
        raise InputError(
            f"received {received}: more than a billion parameters; choose smaller ones"
        )


class Denoiser(keras.Model):
    """A network that maps noisy images to the residual: its estimate of the noise in them.

    `denoiser(y)` is the residual r(y), `denoiser.denoise(y)` the image D(y) = y - r(y). The network is
    blind (it is not told the noise level) and bias-free, so D(a y) = a D(y) for a > 0.

    Subclasses are functional models built in their `__init__`, with images of any height and width:
    input `(batch, height, width, input_channels)`, float32, nominally in [0, 1] plus noise; output
    `(batch, height, width, output_channels)`. Where the output has fewer channels than the input,
    the last ones are denoised and the others are a condition.

    Args:
        inputs, outputs: the symbolic tensors of the functional model.
        seed: of the initial weights; the same seed gives the same weights on every backend.
        provenance: a dictionary of plain values that says where the weights come from; it is stored
            in the `.keras` file.
        name: of the model.
    """

    size_multiple = 1
    """Height and width must be multiples of this."""

    def __init__(self, inputs, outputs, seed, provenance, name):
        super().__init__(inputs=inputs, outputs=outputs, name=name)
        self.seed = seed
        self.provenance = dict(provenance or {})

    @property
    def input_channels(self):
        return self.input_shape[-1]

    @property
    def output_channels(self):
        return self.output_shape[-1]

    @property
    def num_parameters(self):
        """Trainable parameters, the number that publications give."""
        return sum(math.prod(variable.shape) for variable in self.trainable_variables)

    def call(self, inputs, training=None, mask=None):
        self.check_shape(inputs.shape)
        return super().call(inputs, training=training, mask=mask)

    def denoise(self, noisy):
        """The denoised images D(y) = y - r(y), differentiable; shapes as in the class."""
        noisy = ops.convert_to_tensor(noisy, dtype="float32")
        return noisy[..., -self.output_channels :] - self(noisy, training=False)

    def check_shape(self, shape):
        """Raises `InputError` unless images of this shape, `(batch, height, width, channels)`, fit.

        Sides that are None (not known yet) are passed over.
        """
        if len(shape) != 4:
            raise InputError(
                f"received an array of shape {tuple(shape)}, expected (batch, height, width, "
                "channels): add the missing axes"
            )
        _, height, width, channels = shape
        if channels != self.input_channels:
            raise InputError(
                f"received images with {channels} channel(s), but this denoiser was made for "
                f"{self.input_channels}: convert the images or use another denoiser"
            )
        for side in (height, width):
            if side is not None and side % self.size_multiple:
                raise InputError(
                    f"received images of {height}x{width}, but this denoiser needs a height and "
                    f"width that are multiples of {self.size_multiple}: crop or pad the images"
                )

    def get_config(self):
        return {"name": self.name, "seed": self.seed, "provenance": dict(self.provenance)}
