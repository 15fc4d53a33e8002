"""Networks in ONNX files, run by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from keras_gahr.errors import InputError
from keras_gahr.files import check_regular
from keras_gahr.impostors import impostor
from keras_gahr.names import printable, reason_of

from .taken_images import TakenImages

_MOST_BYTES = 2**31 - 1
"""What Protocol Buffers hold; larger networks keep their weights in other files."""

_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64}

_SILENT = 4
"""Of its log: what is wrong is in the error."""


class OnnxNetwork:
    """A function of images in an ONNX file, which may be anybody's.

    Only operators of ONNX Runtime are run, on the processor; the file is read whole, and no other is.

    Args:
        path: the file.

    Attributes:
        takes: in which form it takes images.

    Raises:
        InputError: if the packages are missing, or for a file that holds no such network.
    """

    def __init__(self, path: Path) -> None:
        content = _read(path)
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.log_severity_level = _SILENT
        try:
            self._session: Any = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's errors have no common class but this.
            raise impostor(path, "an .onnx file") or InputError(
                f"{path} cannot be run by ONNX Runtime: {reason_of(error)}"
            ) from error
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            raise InputError(f"{path} takes {len(inputs)} inputs, expected images alone")
        if inputs[0].type not in _TYPES:
            raise InputError(
                f"{path} takes {printable(inputs[0].type)}, expected floats: {', '.join(_TYPES)}"
            )
        self._input, self._dtype = inputs[0].name, _TYPES[inputs[0].type]
        self.takes = TakenImages.declared(inputs[0].shape, path.name, first=True)
        outputs = self._session.get_outputs()
        vectors = [output for output in outputs if len(output.shape or ()) == 2]
        self._output = (vectors or outputs)[0].name

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Its output for images in the form that it takes."""
        given = {self._input: images.astype(self._dtype, copy=False)}
        return self._session.run([self._output], given)[0]


def _read(path):
    """The bytes of an ONNX file, all of which are in it."""
    check_regular(path, "an .onnx file")
    try:
        import onnx
        import onnxruntime  # noqa: F401
    except ImportError as error:
        raise InputError(
            f"{path}: features of an ONNX file need the packages onnx and onnxruntime: run "
            "`pip install 'keras-gahr[onnx]'`"
        ) from error
    if path.stat().st_size > _MOST_BYTES:
        raise InputError(f"{path} has {path.stat().st_size} bytes, expected 2 GiB at most")
    content = path.read_bytes()
    try:
        model = onnx.load_model_from_string(content)
    except Exception as error:  # It raises that of Protocol Buffers.
        raise impostor(path, "an .onnx file") or InputError(
            f"{path} is not an ONNX file, or damaged"
        ) from error
    for tensor in _tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL or len(tensor.external_data):
            raise InputError(
                f"{path} keeps weights in another file, which is not read: save it as one, as by "
                "`onnx.save_model(onnx.load(FILE), NEW)`"
            )
    return content


def _tensors(model) -> Iterator[Any]:
    """All tensors of a model, wherever in it."""
    parts = [model]
    while parts:
        part = parts.pop()
        if part.DESCRIPTOR.name == "TensorProto":
            yield part
            continue
        for field, value in part.ListFields():
            if field.message_type is not None:
                parts.extend([value] if hasattr(value, "ListFields") else value)
