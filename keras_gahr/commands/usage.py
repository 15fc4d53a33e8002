"""What is wrong with a command line, in one line."""

import difflib
import re

import typer

UsageError = typer.BadParameter.__base__
"""Of which all mistakes in a command line are, and which Typer does not export."""


def usage_error(error):
    """A `UsageError` in one line, with the closest option or command, or None if it is the help.

    The latter is what Typer raises for a group of commands that is called without any.
    """
    if type(error).__name__ == "NoArgsIsHelpError":
        return None
    command = error.ctx.command_path if error.ctx else "gahr"
    if hasattr(error, "possibilities"):
        message = f"no such option: {error.option_name}{_closest(error)}"
    else:
        message = " ".join(error.format_message().split()).rstrip(".")
        message = re.sub(r"\. D(id you mean .*\?)$", r" (d\1)", message)
        message = message[:1].lower() + message[1:].replace(": Value error, ", ": ")
        message += _received(error, message)
    return f"{message}; see {command} --help"


def _closest(error):
    """What else an option that there is not may have been meant to be, in brackets."""
    name = error.option_name.lstrip("-")
    options = {}
    for parameter in error.ctx.command.get_params(error.ctx) if error.ctx else ():
        if parameter.param_type_name == "argument":
            if parameter.name == name:
                return f" ({name} is an argument: give it without --{name})"
            continue
        for written in (*parameter.opts, *parameter.secondary_opts):
            options[written.lstrip("-")] = written
    close = difflib.get_close_matches(name, options, n=2)
    return f" (did you mean {' or '.join(options[each] for each in close)}?)" if close else ""


def _received(error, message):
    """What was received in place of a number, if the message does not say it."""
    found = getattr(error.__cause__, "errors", list)()
    received = f"{found[0]['input']!r:.80}" if found else ""
    return "" if received in message else f"; received {received}"
