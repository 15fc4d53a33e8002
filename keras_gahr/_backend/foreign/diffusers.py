"""The library diffusers, whose networks are PyTorch's.

Importing this module imports it.
"""

import diffusers
import torch


def numbers_of(kind, config):
    """How many numbers the weights of a network of this class have; nothing is allocated for them."""
    with torch.device("meta"):
        network = getattr(diffusers, kind).from_config(config)
    return sum(weight.numel() for weight in network.state_dict().values())


def load_network(kind, folder):
    """The network of a folder, in evaluation mode, and the names of weights that it lacks or has besides.

    Only weights in the form of safetensors are read, and nothing but the folder.
    """
    network, found = getattr(diffusers, kind).from_pretrained(
        folder,
        use_safetensors=True,
        local_files_only=True,
        low_cpu_mem_usage=False,
        output_loading_info=True,
    )
    return network, [name for names in found.values() for name in names]


def make_scheduler(kind, config):
    """The scheduler of a configuration."""
    return getattr(diffusers, kind).from_config(config)
