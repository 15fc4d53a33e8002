"""Small networks of diffusers with random weights."""

import diffusers
import torch

SMALL = {
    "block_out_channels": (8, 16),
    "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
    "up_block_types": ("AttnUpBlock2D", "UpBlock2D"),
    "layers_per_block": 1,
    "norm_num_groups": 4,
    "attention_head_dim": 8,
}


def unet(channels=1, **options):
    """A UNet with everything of the large ones: biases, group norms, attention, a time."""
    torch.manual_seed(0)
    options = {"out_channels": channels, **SMALL, **options}
    return diffusers.UNet2DModel(sample_size=16, in_channels=channels, **options).eval()


def dit(channels=1, **options):
    torch.manual_seed(0)
    return diffusers.DiTTransformer2DModel(
        num_attention_heads=2,
        attention_head_dim=8,
        in_channels=channels,
        num_layers=2,
        sample_size=8,
        num_embeds_ada_norm=10,
        norm_num_groups=4,
        **options,
    ).eval()
