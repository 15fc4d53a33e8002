"""Checkpoints that must be refused."""

import time

import pytest

from keras_gahr.errors import InputError
from weights_convert import read_checkpoint


@pytest.fixture
def refused(tmp_path):
    """A function from the bytes of a file to the message that refuses it."""

    def message_for(data):
        path = tmp_path / "refused.pt"
        path.write_bytes(data)
        # Other processes may have the processor; reading waits for nothing else.
        start = time.process_time()
        with pytest.raises(InputError) as caught:
            read_checkpoint(path)
        assert time.process_time() - start < 5
        message = str(caught.value)
        assert "\n" not in message
        assert len(message) < 400
        return message

    return message_for
