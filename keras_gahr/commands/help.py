"""How commands show their help."""

import copy
import inspect

import typer
import typer.core

from .usage import UsageError


class _Help:
    """Of commands whose help fits into 80 columns.

    Paragraphs are broken where the terminal ends, not where the lines of a docstring do; options that
    are on or off stand without a type, and both of their forms as one: `--[no-]skip`.
    """

    def format_help(self, ctx, formatter):
        shown = copy.copy(self)
        shown.help = paragraphs(self.help)
        shown.params = [*map(_as_shown, self.params)]
        super(_Help, shown).format_help(ctx, formatter)

    def get_help_option(self, ctx):
        return _as_shown(super().get_help_option(ctx))


class _Named:
    """Of commands that say of a mistake in their options whose it is."""

    def parse_args(self, ctx, args):
        try:
            return super().parse_args(ctx, args)
        except UsageError as error:
            error.ctx = error.ctx or ctx
            raise


class Command(_Named, _Help, typer.core.TyperCommand):
    """A command with such a help."""


class Group(_Named, _Help, typer.core.TyperGroup):
    """A group of commands with such a help."""


class App(typer.Typer):
    """A Typer app of such commands."""

    def __init__(self, **options):
        super().__init__(**{"cls": Group, **options})

    def command(self, name=None, **options):
        return super().command(name, **{"cls": Command, **options})


def paragraphs(text):
    """The text with every paragraph in one line."""
    parts = inspect.cleandoc(text or "").split("\n\n")
    return "\n\n".join(" ".join(part.split()) for part in parts)


def _as_shown(option):
    """A copy of an option, only for its looks."""
    if not getattr(option, "is_flag", False):
        return option
    option = copy.copy(option)
    option.metavar = ""
    if option.secondary_opts:
        option.opts = [name.replace("--", "--[no-]", 1) for name in option.opts]
        option.secondary_opts = []
        option.show_default = {True: "on", False: "off"}.get(option.default, False)
    return option
