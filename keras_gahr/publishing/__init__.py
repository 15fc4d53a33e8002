"""Denoisers on the Hugging Face Hub, with a card that says where they are from."""

import keras_gahr.before_keras  # noqa: F401

from .push import HubRevision, push_to_hub

__all__ = ["HubRevision", "push_to_hub"]
