"""Networks and schedulers of the library diffusers, which is not imported to know them."""

from .folder import load_folder
from .network import Trained, diffusers_description

__all__ = ["Trained", "diffusers_description", "load_folder"]
