"""Samples that a command is given."""


def read_samples(path, layout):
    """The images in what `gahr sample` made, or in a dataset or an array, which may leave [0, 1].

    Args:
        path: a folder or a file.
        layout: None, or the order of the axes.

    Raises:
        InputError: for something else.
    """
    from keras_gahr.datasets import load
    from keras_gahr.datasets.arrays import NOISY
    from keras_gahr.datasets.image_arrays import is_array, open_array

    made = path / "samples.npy"
    if made.is_file():
        path = made
    if is_array(path):
        return open_array(path, layout=layout, limits=NOISY)[0]
    return load(path, layout=layout).images
