"""The library of the Hub, and its errors in one line."""

import contextlib

from keras_gahr import __version__
from keras_gahr.errors import InputError
from keras_gahr.names import reason_of

LOG_IN = "log in by `hf auth login`, or set HF_TOKEN"

NAMED = {"library_name": "keras-gahr", "library_version": __version__}
"""What the Hub is told of who asks."""


class Unreachable(InputError):
    """The Hub does not answer."""


def hub_library():
    """The module `huggingface_hub`.

    Raises:
        InputError: if it is not installed.
    """
    try:
        import huggingface_hub
        import huggingface_hub.constants
        import huggingface_hub.errors
    except ImportError as error:
        raise InputError(
            'huggingface_hub is not installed: run `pip install "keras-gahr[hub]"`'
        ) from error
    return huggingface_hub


@contextlib.contextmanager
def hub_errors(address, writing=False):
    """Within it, what the library of the Hub raises becomes an `InputError` that says how to go on.

    Args:
        address: the `HubAddress` that is asked for.
        writing: whether something is written there.
    """
    errors = hub_library().errors
    try:
        yield
    except (InputError, MemoryError):
        raise
    except errors.GatedRepoError as error:
        raise InputError(
            f"{address} is gated: ask for access at {_page(address)}, and {LOG_IN}"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise InputError(
            f"{address} is not there, or not for you: check the name, or {LOG_IN}"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise InputError(
            f"{address.repository} has no revision {address.revision!r}: see {_page(address)}"
        ) from error
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled) as error:
        raise _unreachable(address, error) from error
    except Exception as error:  # The library of the network is another one in each version.
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status in (401, 403) and writing:
            raise InputError(
                f"{address} may not be written by you: {LOG_IN}, with a token that may write"
            ) from error
        if status is not None and status < 500:
            raise InputError(f"{address}: the Hub answers {status}: {reason_of(error)}") from error
        if status is not None or isinstance(error, errors.HTTPError):
            raise _unreachable(address, error) from error
        raise InputError(f"{address}: {reason_of(error, with_class=True)}") from error


def _unreachable(address, error):
    return Unreachable(
        f"{address} is not in the cache, and the Hub cannot be reached ({reason_of(error)}): check the "
        "network and HF_ENDPOINT, or give a file that you have"
    )


def _page(address):
    return f"{hub_library().constants.ENDPOINT}/{address.repository}"
