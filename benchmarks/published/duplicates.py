"""Repeated images by the matrix of all correlations."""

import numpy as np
import torch


def dropped(path, side, threshold):
    """The indices of images that repeat an earlier one: an image at a time, then row by row.

    Args:
        path: of a .npy file of grey images `(N, height, width, 1)`, uint8.
        side: they are reduced to `side` x `side` first.
        threshold: of the correlation's absolute value.
    """
    vectors = []
    for image in np.load(path):
        image = torch.from_numpy(image[None, :, :, 0]).float() / 255
        small = torch.nn.functional.avg_pool2d(image, image.shape[-1] // side).ravel()
        small = small - small.mean()
        vectors.append(small / small.norm())
    vectors = torch.stack(vectors)
    correlations = vectors @ vectors.T
    found = set()
    for i, row in enumerate(correlations):
        later = torch.nonzero(row[i + 1 :].abs() > threshold)[:, 0]
        found.update((later + i + 1).tolist())
    return sorted(found)
