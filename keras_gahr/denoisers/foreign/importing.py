"""Code of the user's, imported because the user named it."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sys
from typing import Any

from keras_gahr import _backend
from keras_gahr.errors import InputError
from keras_gahr.model_address import Address
from keras_gahr.names import printable, reason_of


@contextlib.contextmanager
def working_folder_for(module):
    """Within it, modules of the working folder are found too, if that is where this one is.

    What is installed goes first, as nobody named what else lies in the folder.
    """
    importlib.invalidate_caches()
    here = os.getcwd()
    if here in sys.path or _is_installed(module.partition(".")[0]):
        yield
        return
    sys.path.append(here)
    try:
        yield
    finally:
        sys.path.remove(here)


def import_named(address: Address) -> Any:
    """What an address of code names; see `Address`. To be called within `working_folder_for`.

    Raises:
        InputError: if there is no such module or nothing of that name in it, and for whatever else its
            import raises.
    """
    try:
        found = importlib.import_module(address.place)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if f"{address.place}.".startswith(f"{missing}."):
            raise InputError(
                f"{address} cannot be imported: there is no module {missing}, neither installed nor in "
                "the working folder"
            ) from error
        raise InputError(_raises(f"importing {address.place}", error)) from error
    except (Exception, SystemExit) as error:  # Whatever somebody's module raises.
        raise InputError(_raises(f"importing {address.place}", error)) from error
    for name in address.attribute.split("."):
        try:
            found = getattr(found, name)
        except AttributeError as error:
            where = getattr(sys.modules[address.place], "__file__", None) or address.place
            raise InputError(
                f"{address} cannot be imported: {where} has no {address.attribute}"
            ) from error
    return found


def call_factory(address: Address, factory: Any, options: dict[str, Any]) -> Any:
    """What a factory returns, called with named arguments.

    Raises:
        InputError: if it cannot be called like this, and for whatever it raises.
    """
    if not callable(factory):
        raise InputError(
            f"{address} is a {type(factory).__name__}, expected a function or class to be called"
        )
    try:
        return factory(**options)
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # Whatever somebody's factory raises.
        if _backend.is_out_of_memory(error):
            raise
        given = ", ".join(f"{name}={value!r:.40}" for name, value in options.items())
        raise InputError(_raises(f"{address.attribute}({given})", error)) from error


def _is_installed(name):
    try:
        return name in sys.modules or importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _raises(what, error):
    return f"{printable(what)} raises {reason_of(error, with_class=True)}"
