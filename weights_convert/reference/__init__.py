"""The published networks in evaluation mode, in float64 NumPy.

They work on the published arrays (NCHW, names as published) and share no code with our networks or
the tables that copy weights into them, so that a mistake there shows. Each network yields pairs
(name of our layer, its output), in the order of computation; the last output is the residual.
"""

from .bias_free_unet import dilated_unet
from .cnns import bf_cnn, dncnn, universal_bf_cnn
from .paper_unet import unet
from .unet_flex import flexible_unet

__all__ = ["bf_cnn", "dilated_unet", "dncnn", "flexible_unet", "unet", "universal_bf_cnn"]
