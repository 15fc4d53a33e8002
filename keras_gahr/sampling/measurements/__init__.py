"""Linear measurements, one in each file."""

from .composition import Composition, compose
from .deblurring import Deblurring, gaussian_kernel
from .grammar import GRAMMAR, image_sides, parse_measurement
from .grey import Grey
from .known_pixels import KnownPixels, inpainting
from .measurement import Measurement
from .random_basis import RandomBasis
from .random_pixels import RandomPixels
from .random_transform import RandomTransform
from .rectangle import Inpainting
from .spectral_super_resolution import SpectralSuperResolution, low_frequencies
from .super_resolution import SuperResolution
from .synthesis import Synthesis

__all__ = [
    "GRAMMAR",
    "Composition",
    "Deblurring",
    "Grey",
    "Inpainting",
    "KnownPixels",
    "Measurement",
    "RandomBasis",
    "RandomPixels",
    "RandomTransform",
    "SpectralSuperResolution",
    "SuperResolution",
    "Synthesis",
    "compose",
    "gaussian_kernel",
    "image_sides",
    "inpainting",
    "low_frequencies",
    "parse_measurement",
]
