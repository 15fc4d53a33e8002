"""Denoisers as ONNX files."""

import importlib.util
import re
import warnings

import keras
import numpy as np

from keras_gahr.denoisers import Inference
from keras_gahr.errors import InputError

from .verify import TOLERANCE, VerificationError

EXPORTERS = {"tensorflow": "tf2onnx", "torch": "onnx", "jax": "jax2onnx"}
"""The package through which Keras writes ONNX on each backend."""


def write_onnx(denoiser, path, size=None):
    """Writes a denoiser as ONNX with Keras' exporter and compares the two on a noisy image.

    The file maps float32 images `(batch, height, width, channels)` to the residual. The number of
    images is free; so are their height and width, where the backend can express that.

    Args:
        denoiser: a `Denoiser`, which is made not trainable.
        path: the file, which is replaced.
        size: (height, width) to fix, or None.

    Returns:
        The largest difference between the outputs of ONNX Runtime and Keras, divided by the largest
        output.

    Raises:
        InputError: if the backend cannot write this network as ONNX. A `VerificationError` if the
            outputs differ by more than `TOLERANCE`.
    """
    backend = keras.backend.backend()
    for package in (EXPORTERS[backend], "onnxruntime"):
        if importlib.util.find_spec(package) is None:
            raise InputError(
                f"writing ONNX on the {backend} backend needs {package}: run `pip install "
                f"{package}`, or use another --backend"
            )
    height, width = size or (None, None)
    channels = denoiser.input_channels
    if size:
        denoiser.check_shape((1, height, width, channels))
    elif backend != "tensorflow" and denoiser.size_multiple > 1:
        # Elsewhere the network is traced with a symbolic size, or one of a single pixel, and a
        # symbolic side cannot be known to be a multiple.
        raise InputError(
            f"on the {backend} backend ONNX needs the size of the images for this network: pass "
            "--size, such as 80 or 80x96, or use --backend tensorflow"
        )

    # PyTorch cannot trace weights that ask for gradients in a network that is made of networks.
    denoiser.trainable = False
    signature = [keras.InputSpec("float32", shape=(None, height, width, channels), name="noisy")]
    with warnings.catch_warnings():
        # The exporters warn of tracing, which is what they do.
        warnings.simplefilter("ignore")
        try:
            denoiser.export(path, format="onnx", verbose=False, input_signature=signature)
        except OSError:  # Such as a full disk.
            raise
        except Exception as error:  # They raise whatever they stumble over.
            raise InputError(
                f"Keras on {backend} cannot write this network as ONNX: {_reason(error)}; try "
                "another --backend"
            ) from error
    difference = max(_difference(denoiser, path, shape) for shape in _shapes(denoiser, size))
    # Written so that NaN fails too.
    if not difference <= TOLERANCE:
        raise VerificationError(
            f"the ONNX file differs from the network by {difference:.2g} of the largest output, "
            f"where {TOLERANCE:.0e} is allowed; nothing was written"
        )
    return difference


def _shapes(denoiser, size):
    """Shapes of batches to compare on: they differ in what is free in the file."""
    multiple = denoiser.size_multiple
    short = multiple * -(-16 // multiple)
    sizes = [size, size] if size else [(short, short + multiple), (short + multiple, short)]
    return [(count, *size, denoiser.input_channels) for count, size in enumerate(sizes, 1)]


def _difference(denoiser, path, shape):
    """Largest difference of ONNX Runtime's output from Keras', relative to the largest output."""
    import onnxruntime

    images = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    try:
        (found,) = session.run(None, {session.get_inputs()[0].name: images})
    except Exception as error:  # ONNX Runtime's errors have no common class but this.
        raise VerificationError(f"the ONNX file does not run: {_reason(error)}") from error
    expected = Inference(denoiser).residual(images)
    if found.shape != expected.shape:
        raise VerificationError(f"the ONNX file makes {found.shape} of images {shape}")
    scale = np.max(np.abs(expected))
    return float(np.max(np.abs(found - expected)) / (scale if scale > 0 else 1.0))


def _reason(error):
    """The first line of an exception that says something, without the colours of Keras' lines."""
    lines = [re.sub(r"\x1b\[\d*m", "", line).strip() for line in str(error).splitlines()]
    telling = [line for line in lines if line and not line.startswith("Exception encountered")]
    return telling[0] if telling else type(error).__name__
