"""Where files are kept that can be fetched or found again."""

import os
from pathlib import Path

import platformdirs

from keras_gahr.errors import InputError

VARIABLE = "KERAS_GAHR_CACHE"


def cache_folder():
    """The folder that the environment variable KERAS_GAHR_CACHE names, or `keras-gahr` in the user's cache.

    Raises:
        InputError: if that is not known.
    """
    named = os.path.expanduser(os.environ.get(VARIABLE, ""))
    return Path(named) if named else _user_cache()


def _user_cache():
    try:
        folder = platformdirs.user_cache_path("keras-gahr")
    except RuntimeError:
        folder = None
    # Older versions leave the ~ in it. Neither HOME nor the system's list of users says what it is.
    if folder is None or "~" in folder.parts:
        raise InputError(
            f"this user has no home folder, in which fetched files would be kept: set {VARIABLE} "
            "or pass --cache with a folder"
        )
    return folder
