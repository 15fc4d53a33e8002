"""Blind denoisers, most of them bias-free."""

import keras_gahr.before_keras  # noqa: F401

from .bf_cnn import BFCNN
from .bias_free_norm import BiasFreeNorm
from .denoiser import Denoiser
from .dilated_unet import DilatedUNet
from .direct import DirectDenoiser
from .flexible_unet import FlexibleUNet
from .folding import FoldedNetwork
from .foreign import EDM, AlphaBars, FlowTime, ForeignDenoiser, Schedule, wrap
from .image_norm import ImageNorm
from .inference import Inference
from .interface import DenoiserLike, as_denoiser, as_inference
from .loading import load_denoiser, save_denoiser
from .multi_scale import MultiScaleDenoiser
from .precision import PRECISIONS, with_precision
from .receptive_field_bf_cnn import RECEPTIVE_FIELDS, ReceptiveFieldBFCNN
from .registry import ARCHITECTURES, build_conditional_denoiser, build_denoiser
from .unet import UNet

__all__ = [
    "ARCHITECTURES",
    "BFCNN",
    "EDM",
    "PRECISIONS",
    "RECEPTIVE_FIELDS",
    "AlphaBars",
    "BiasFreeNorm",
    "Denoiser",
    "DenoiserLike",
    "DilatedUNet",
    "DirectDenoiser",
    "FlexibleUNet",
    "FlowTime",
    "FoldedNetwork",
    "ForeignDenoiser",
    "ImageNorm",
    "Inference",
    "MultiScaleDenoiser",
    "ReceptiveFieldBFCNN",
    "Schedule",
    "UNet",
    "as_denoiser",
    "as_inference",
    "build_conditional_denoiser",
    "build_denoiser",
    "load_denoiser",
    "save_denoiser",
    "with_precision",
    "wrap",
]
