"""Images to train on and to measure with: files, synthetic families and their on-disk format."""

from keras_gahr.pixel_limit import pixel_limit

from .array_files import make_array, make_mnist
from .bands import band_arrays, band_pictures, make_bands
from .c_alpha import c_alpha_images, make_c_alpha
from .disks import disk_images, disk_parameters, disk_tangent, draw_disks, make_disks
from .duplicates import Repeats, drop_repeats, find_repeats
from .faces import make_faces
from .folder import Framing, make_folder
from .gaussians import MixtureOfGaussians
from .image_files import contact_sheet, list_images, read_image, write_image
from .mixture import MOLRG, law_of, make_mixture, mixture_images, mixture_law
from .overlap import Overlap, find_overlap
from .ray import draw_rays, make_ray, ray_images, ray_parameters, ray_tangent
from .shuffled import make_shuffled, permutation, shuffle, unshuffle
from .sines import draw_sines, make_sines, sine_images, sine_parameters, sine_tangent
from .statistics import Intensities, intensities
from .store import Dataset, load
from .writer import writing

__all__ = [
    "MOLRG",
    "Dataset",
    "Framing",
    "Intensities",
    "MixtureOfGaussians",
    "Overlap",
    "Repeats",
    "band_arrays",
    "band_pictures",
    "c_alpha_images",
    "contact_sheet",
    "disk_images",
    "disk_parameters",
    "disk_tangent",
    "draw_disks",
    "draw_rays",
    "draw_sines",
    "drop_repeats",
    "find_overlap",
    "find_repeats",
    "intensities",
    "law_of",
    "list_images",
    "load",
    "make_array",
    "make_bands",
    "make_c_alpha",
    "make_disks",
    "make_faces",
    "make_folder",
    "make_mixture",
    "make_mnist",
    "make_ray",
    "make_shuffled",
    "make_sines",
    "mixture_images",
    "mixture_law",
    "permutation",
    "pixel_limit",
    "ray_images",
    "ray_parameters",
    "ray_tangent",
    "read_image",
    "shuffle",
    "sine_images",
    "sine_parameters",
    "sine_tangent",
    "unshuffle",
    "write_image",
    "writing",
]
