"""Faces of the user, or a synthetic family in their place."""

import dataclasses

from keras_gahr.datasets import load
from keras_gahr.errors import InputError
from keras_gahr.report.document import Section
from keras_gahr.reproduction.plan import DatasetTask


@dataclasses.dataclass(frozen=True, kw_only=True)
class FaceSettings:
    """What stands in for faces if the user gives none.

    Args:
        alpha: regularity of the C^alpha images that do.
    """

    alpha: float = 2.0

    def images(self, network, size, count, faces):
        """The images to train on: all faces of the user, or C^alpha images.

        Args:
            network: `NetworkSettings`, with the number of synthetic images and their seed.
            size: height and width in pixels.
            count: images needed at least.
            faces: `DatasetFolder` of larger or equally large images, or None.

        Returns:
            `DatasetTask` or `DatasetFolder`.

        Raises:
            InputError: if there are too few images, or the side of faces is no multiple of the size.
        """
        if faces is None:
            _check_count(network.images, count, f"images = {network.images}")
            parameters = {"count": network.images, "size": size}
            return DatasetTask("c_alpha", parameters | {"seed": network.seed, "alpha": self.alpha})
        available, height, width, _ = load(faces.path, verify=False).images.shape
        _check_count(available, count, f"{available} images in {faces.path}")
        if (height, width) == (size, size):
            return faces
        if height != width or height % size:
            raise InputError(
                f"{faces.path} has images of {height}x{width}, expected square ones with a side of "
                f"{size} pixels or a multiple: choose another size"
            )
        return DatasetTask("resized", {"dataset": faces, "size": size})


def _check_count(available, count, name):
    if available < count:
        raise InputError(
            f"received {name}, expected at least {count} for these settings: choose smaller sets, "
            "or give more images"
        )


def describe_images(dataset):
    """A sentence on what a `Dataset` holds, for the report."""
    height, width = dataset.images.shape[1:3]
    recipe = dataset.manifest["recipe"]
    if recipe == "c_alpha":
        alpha = dataset.manifest["parameters"]["alpha"]
        return (
            f"No dataset of faces was given: in their place stand {len(dataset)} synthetic C^alpha "
            f"images (alpha = {alpha:g}) of {height}x{width} pixels, so that the paper's numbers, "
            "which are of faces, cannot be expected to the digit."
        )
    return f"The images are the {len(dataset)} of the given dataset, at {height}x{width} pixels."


def images_section(dataset, *more):
    """The `Section` on the images, with more paragraphs if there are any."""
    return Section("Images", [describe_images(dataset), *more])
