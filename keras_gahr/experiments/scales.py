"""The settings of all experiments at all scales, in one table.

What is not named has its default, which is the paper's. Why a number of the smaller scales is what it
is stands beside it where it was not chosen for time alone.
"""

from collections.abc import Mapping
from types import MappingProxyType

from keras_gahr.reproduction.experiment import SCALES
from keras_gahr.reproduction.settings import replaced

# What twins agree on is asked of images that neither was trained on: as many are left between the halves.
_TWINS_SMOKE = {
    "images": 1024 + 8,
    "size": 16,
    "test_size": 32,
    "num_kernels": 16,
    "num_blocks": 1,
    "epochs": 4,
    "images_per_epoch": 2560,
    "batch_size": 16,
    "learning_rate": 4e-3,
    "halve_every": 1,
    "curve_images": 512,
}
_SAMPLED_SMOKE = _TWINS_SMOKE | {"samples": 16, "fixed_h": False}
_TWINS_LAPTOP = {
    "images": 8000 + 16,
    "size": 20,
    "test_size": 100,
    "num_kernels": 32,
    "num_blocks": 2,
    "epochs": 10,
    "images_per_epoch": 8000,
    "batch_size": 16,
    "halve_every": 2,
    "curve_images": 1000,
}
_SAMPLED_LAPTOP = _TWINS_LAPTOP | {"samples": 64, "fixed_h": False}
_TANGENT_SMOKE = {
    "images": 2048 + 64,
    "size": 16,
    "test_size": 64,
    "num_blocks": 1,
    "num_kernels": 16,
    "batch_size": 16,
    "learning_rate": 4e-3,
    "curve_images": 64,
    "basis_images": 6,
}
_TANGENT_LAPTOP = {
    "size": 24,
    "num_blocks": 2,
    "num_kernels": 32,
    "batch_size": 16,
    "learning_rate": 2e-3,
    "basis_images": 16,
}
_FACES_SMOKE = {
    "images": 2048 + 64,
    "train_images": 2048,
    "size": 16,
    "test_size": 64,
    "num_blocks": 1,
    "num_kernels": 16,
    "sigma_max": 0.5,
    "epochs": 4,
    "images_per_epoch": 2048,
    "batch_size": 16,
    "learning_rate": 4e-3,
    "halve_every": 1,
}
_FACES_LAPTOP = {
    "images": 8000,
    "train_images": 4000,
    "size": 40,
    "test_size": 100,
    "num_blocks": 2,
    "num_kernels": 32,
    "epochs": 16,
    "images_per_epoch": 8000,
    "batch_size": 16,
    "halve_every": 4,
    "basis_images": 16,
}

_TABLE: Mapping[str, Mapping[str, Mapping[str, object]]] = {
    "transition": {
        "smoke": _SAMPLED_SMOKE
        | {
            "set_sizes": (2, 512),
            # As many samples as images: on JAX most of the time is that of compiling for another number.
            "explain_images": 8,
            "explain_samples": 8,
            "explain_steps": 8,
            "explain_patch": 5,
            "most_local": 16,
        },
        "laptop": _SAMPLED_LAPTOP
        | {
            "set_sizes": (1, 10, 100, 1000, 4000),
            # The time of the local rival grows with its images, and with those that are denoised.
            "explain_steps": 10,
            "most_local": 16,
        },
        "paper": {},
    },
    "eigenbasis": {
        "smoke": _FACES_SMOKE | {"basis_images": 6, "vectors": 39},
        "laptop": _FACES_LAPTOP | {"vectors": 160},
        "paper": {},
    },
    "c_alpha": {
        "smoke": {
            "images": 2048 + 64,
            "alphas": (1, 3),
            "size": 16,
            "test_size": 64,
            "num_blocks": 1,
            "num_kernels": 16,
            "sigma_max": 0.5,
            "epochs": 4,
            "images_per_epoch": 2048,
            "batch_size": 16,
            "learning_rate": 4e-3,
            "halve_every": 1,
            "curve_images": 64,
            "basis_images": 4,
            "vectors": 13,
            "slope_low": 0.09,
        },
        "laptop": {
            "images": 10_000 + 512,
            "size": 32,
            "num_blocks": 2,
            "num_kernels": 16,
            "sigma_max": 0.5,
            # So few pixels show that contours are rounded to whole ones, which no regularity has.
            "antialias": 4,
            "epochs": 20,
            "images_per_epoch": 8000,
            "batch_size": 16,
            "halve_every": 4,
            "learning_rate": 3e-3,
            "basis_images": 4,
            # Below, networks trained so briefly leave an error of their own, whatever the images: there
            # slopes still grow with the number of epochs.
            "slope_low": 0.12,
        },
        "paper": {},
    },
    "disks": {
        "smoke": _TANGENT_SMOKE
        | {"sigma_max": 0.2, "epochs": 6, "images_per_epoch": 4096, "halve_every": 2},
        "laptop": _TANGENT_LAPTOP
        | {
            "images": 20_000 + 512,
            "sigma_max": 0.2,
            "epochs": 12,
            "images_per_epoch": 15_000,
            "halve_every": 4,
        },
        "paper": {},
    },
    "duplicates": {
        "smoke": _SAMPLED_SMOKE | {"few": 2, "repeats": 256},
        "laptop": _SAMPLED_LAPTOP | {"few": 10, "repeats": 100},
        "paper": {},
    },
    "capacity": {
        "smoke": {
            "images": 512,
            "sizes": (8, 16),
            "blocks": (1, 2),
            "set_sizes": (4, 32, 256),
            "test_size": 32,
            "num_kernels": 16,
            "epochs": 3,
            "images_per_epoch": 1536,
            "batch_size": 16,
            "learning_rate": 4e-3,
            "halve_every": 1,
            "curve_images": 256,
        },
        "laptop": {
            "images": 8000,
            "sizes": (20, 40),
            "blocks": (1, 2),
            "set_sizes": (10, 100, 1000, 4000),
            "test_size": 100,
            "num_kernels": 32,
            "epochs": 7,
            "images_per_epoch": 8000,
            "batch_size": 16,
            "halve_every": 2,
            "curve_images": 500,
        },
        "paper": {},
    },
    "ray": {
        "smoke": _TANGENT_SMOKE
        | {"sigma_max": 0.5, "epochs": 4, "images_per_epoch": 2560, "halve_every": 1},
        "laptop": _TANGENT_LAPTOP
        | {
            "images": 10_000 + 512,
            "sigma_max": 0.5,
            "epochs": 5,
            "images_per_epoch": 10_000,
            "halve_every": 1,
        },
        "paper": {},
    },
    "sines": {
        "smoke": _TANGENT_SMOKE
        | {"sigma_max": 0.5, "epochs": 6, "images_per_epoch": 4096, "halve_every": 2},
        "laptop": _TANGENT_LAPTOP
        | {
            "images": 10_000 + 512,
            "sigma_max": 0.5,
            "epochs": 5,
            "images_per_epoch": 10_000,
            "halve_every": 1,
        },
        "paper": {},
    },
    # Few images, and long after they are denoised well: times of memorization are to be seen.
    "onset": {
        "smoke": {
            "mixture_sizes": (4, 16),
            "runs": 1,
            "mixture_steps": 600,
            "mixture_looks": 4,
            "mixture_samples": 64,
            "images": 64,
            "size": 8,
            "set_sizes": (2, 8),
            "halves": "A",
            "test_size": 32,
            "num_kernels": 8,
            "num_blocks": 1,
            "epochs": 2,
            "images_per_epoch": 8 * 80,
            "batch_size": 8,
            "learning_rate": 4e-3,
            "clock_looks": 4,
            "clock_samples": 16,
        },
        "laptop": {
            "mixture_sizes": (16, 64, 256, 1024),
            "runs": 2,
            "mixture_steps": 40_000,
            # From 128 points on all have equal batches.
            "mixture_batch": 128,
            "mixture_looks": 8,
            "mixture_samples": 200,
            "images": 1024,
            "size": 16,
            # Four times the images memorize about six times later: more of them outlast 40 minutes.
            "set_sizes": (16, 32, 64),
            "test_size": 128,
            "num_kernels": 16,
            "num_blocks": 2,
            "epochs": 10,
            "images_per_epoch": 16 * 600,
            "batch_size": 16,
            "learning_rate": 2e-3,
            "clock_looks": 6,
            "clock_samples": 64,
        },
        "paper": {},
    },
    "molrg": {
        "smoke": {
            "set_sizes": (2, 64),
            "steps": 200,
            "width": 32,
            "samples": 32,
            "test_points": 32,
        },
        "laptop": {"set_sizes": (8, 32, 128, 512, 2048), "steps": 6000, "samples": 200},
        "paper": {},
    },
    "locality": {
        "smoke": {
            "images": 512,
            "size": 12,
            "train_images": 256,
            "known_images": 32,
            "test_size": 32,
            "num_kernels": 16,
            "num_layers": 5,
            "num_blocks": 1,
            "epochs": 4,
            "images_per_epoch": 2560,
            "batch_size": 16,
            "learning_rate": 4e-3,
            "halve_every": 1,
            "samples": 8,
            "steps": 6,
            "calibrated": 2,
        },
        "laptop": {
            "images": 8000,
            # The theory is of all training images, and what local optima take grows with their number.
            "train_images": 100,
            "known_images": 100,
            "test_size": 100,
            "num_kernels": 32,
            "epochs": 8,
            "images_per_epoch": 8000,
            "batch_size": 16,
            "halve_every": 2,
            "samples": 10,
            "steps": 8,
            "calibrated": 2,
        },
        "paper": {},
    },
    "density": {
        "smoke": _TWINS_SMOKE
        | {
            "images": 320,
            "set_sizes": (2, 128),
            "density_images": 12,
            "evaluations": 40,
            "teacher_sizes": (4, 256),
            "teacher_points": 16,
            "point_evaluations": 60,
            "steps": 300,
            "width": 32,
        },
        # Of the networks of "transition" those whose halves leave enough images.
        "laptop": _TWINS_LAPTOP
        | {
            "set_sizes": (10, 100, 1000),
            "density_images": 64,
            "evaluations": 100,
            "teacher_sizes": (10, 100, 1000),
            "teacher_points": 128,
            "steps": 6000,
        },
        "paper": {},
    },
    # "paper" are the networks that come with the package, which have the paper's images and not its sizes.
    "pretrained": {
        "smoke": {
            "images": 512 + 32,
            "alphas": (2,),
            "unet_size": 16,
            "cnn_size": 16,
            "disk_size": 16,
            "ema": 0.9,
            "test_size": 32,
            "num_kernels": 8,
            "num_blocks": 1,
            "cnn_kernels": 8,
            "cnn_layers": 5,
            "cnn_epochs": 2,
            "epochs": 2,
            "images_per_epoch": 1024,
            "curve_images": 32,
        },
        "laptop": {
            "images": 8000 + 512,
            "unet_size": 32,
            "antialias": 4,
            "num_blocks": 2,
            "cnn_layers": 13,
            "cnn_kernels": 16,
            "cnn_epochs": 8,
            "epochs": 8,
            "images_per_epoch": 16_000,
            "ema": 0.99,
        },
        "paper": {},
    },
    # The network on unshuffled faces is that of "eigenbasis". Towards small noise every denoiser has
    # slope 1: slopes are compared above.
    "shuffled": {
        "smoke": _FACES_SMOKE | {"basis_images": 4, "curve_images": 64, "slope_high": 0.5},
        "laptop": _FACES_LAPTOP,
        "paper": {},
    },
}


def scales_of(name, kind):
    """The settings of an experiment for each of `SCALES`.

    Args:
        name: of the experiment.
        kind: the class of its settings.
    """
    rows = _TABLE[name]
    return MappingProxyType({scale: replaced(kind(), **rows[scale]) for scale in SCALES})
