"""TensorBoard's event files, written and read without TensorFlow.

A file is a sequence of records: the length of the data (8 bytes), a checksum of that (4), the data,
which is an `Event` message, and its checksum (4).
"""

import contextlib
import os
import socket
import struct
import time
from pathlib import Path

import numpy as np

from keras_gahr.errors import InputError
from keras_gahr.files import remove_leftovers, replacing

_HEADER = 12
_CHECKSUM = 4


class EventFile:
    """One event file, written through to the disk at each call.

    Events are written here and not through tensorboardX' `SummaryWriter`: that one hands them to a
    thread, and what is still waiting there is lost when the process is killed. A record that was only
    half written, by a killed process or on a full disk, is left out by whoever reads the file.

    Args:
        folder: of the event files of a run, one for each part that it was trained in.
        first_step: the first step that will be written. What other files in the folder hold of it
            and of later steps is removed, and a TensorBoard that has read it already forgets it.

    Raises:
        InputError: here and later, if the file cannot be written.
    """

    def __init__(self, folder, first_step):
        self._messages, self._summaries, record_writer = _tensorboard()
        folder = Path(folder)
        # TensorBoard names files by the second; the suffix keeps two parts in one second apart.
        name = f"events.out.tfevents.{int(time.time())}.{socket.gethostname()}.{first_step}"
        self._path = folder / name
        with self._naming():
            folder.mkdir(parents=True, exist_ok=True)
            paths = list(folder.glob("[!.]*tfevents*"))
            remove_leftovers(folder, [path.name for path in paths])
            for path in paths:
                _drop_events(path, first_step)
            self._writer = record_writer(os.fspath(self._path))
        self._write(file_version="brain.Event:2")
        start = self._messages.SessionLog(status=self._messages.SessionLog.START)
        self._write(step=first_step, session_log=start)

    def add(self, step, scalars, images=()):
        """Writes the numbers and images of one step.

        Args:
            step: whole number.
            scalars: a dictionary of numbers by tag.
            images: a dictionary of images `(height, width, 1 or 3)` on [0, 1] by tag.
        """
        summary = self._summaries.Summary()
        for tag, number in scalars.items():
            summary.value.add(tag=tag, simple_value=float(number))
        for tag, image in dict(images).items():
            pixels = np.round(255 * np.clip(np.nan_to_num(image), 0, 1)).astype(np.uint8)
            summary.value.extend(self._summaries.image(tag, pixels, dataformats="HWC").value)
        self._write(step=step, summary=summary)

    def _write(self, **event):
        message = self._messages.Event(wall_time=time.time(), **event)
        with self._naming():
            self._writer.write(message.SerializeToString())
            self._writer.flush()

    def close(self):
        """Closes the file."""
        with self._naming():
            self._writer.close()

    @contextlib.contextmanager
    def _naming(self):
        try:
            yield
        except OSError as error:
            raise InputError(f"{self._path} cannot be written: {error.strerror}") from error


def read_events(path):
    """Yields (bytes of the record, `Event` message) for each whole record of an event file."""
    messages, _, _ = _tensorboard()
    from google.protobuf.message import DecodeError
    from tensorboardX.record_writer import masked_crc32c

    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        while len(header := file.read(_HEADER)) == _HEADER:
            length, checksum = struct.unpack("<QI", header)
            if checksum != masked_crc32c(header[:8]):
                return
            if length + _CHECKSUM > size - file.tell():
                return
            data = file.read(length + _CHECKSUM)
            try:
                yield header + data, messages.Event.FromString(data[:length])
            except DecodeError:
                return


def _drop_events(path, first_step):
    """Rewrites an event file without the events from a step on, or removes it if nothing is left."""
    left = 0
    with replacing(path) as temporary, open(temporary, "wb") as file:
        for record, event in read_events(path):
            if event.step < first_step:
                file.write(record)
                left += event.HasField("summary")
    if not left:
        path.unlink()


def _tensorboard():
    """tensorboardX' messages, summaries and the class of its writer of records.

    Only when a file is opened: tensorboardX imports PyTorch wherever that is installed, whatever the backend.
    """
    from tensorboardX import RecordWriter, summary
    from tensorboardX.proto import event_pb2

    return event_pb2, summary, RecordWriter
