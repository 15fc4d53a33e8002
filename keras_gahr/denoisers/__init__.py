"""Blind, bias-free denoisers."""

from .bf_cnn import BFCNN
from .bias_free_norm import BiasFreeNorm
from .denoiser import Denoiser
from .dilated_unet import DilatedUNet
from .folding import FoldedNetwork
from .inference import Inference
from .loading import load_denoiser, save_denoiser
from .multi_scale import MultiScaleDenoiser
from .receptive_field_bf_cnn import RECEPTIVE_FIELDS, ReceptiveFieldBFCNN
from .registry import ARCHITECTURES, build_denoiser
from .unet import UNet

__all__ = [
    "ARCHITECTURES",
    "BFCNN",
    "RECEPTIVE_FIELDS",
    "BiasFreeNorm",
    "Denoiser",
    "DilatedUNet",
    "FoldedNetwork",
    "Inference",
    "MultiScaleDenoiser",
    "ReceptiveFieldBFCNN",
    "UNet",
    "build_denoiser",
    "load_denoiser",
    "save_denoiser",
]
