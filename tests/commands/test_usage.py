"""Mistakes in command lines: one line each, and exit code 2."""

import pytest
import typer.main

from keras_gahr.commands.app import app

pytestmark = pytest.mark.one_backend


def commands(group, words=()):
    """All commands by their words, a group before its commands."""
    yield words, group
    for word, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*words, word))


ALL = dict(commands(typer.main.get_command(app)))
"""Made once, since that takes longer than all that is tested here."""

GROUPS = [words for words, command in ALL.items() if hasattr(command, "commands")]
SINGLE = [words for words in ALL if words not in GROUPS]


def each(cases):
    return pytest.mark.parametrize("words", [*cases], ids=lambda words: " ".join(("gahr", *words)))


@pytest.fixture
def refused(capsys):
    """A function of words that end in one line and exit code 2, which returns the line."""

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            ALL[()].main([*words], prog_name="gahr")
        written = capsys.readouterr()
        assert ended.value.code == 2 and not written.out
        assert written.err.startswith("error: ") and written.err.count("\n") == 1, written.err
        return written.err.rstrip("\n")

    return run


def parameters(words, kind):
    return [one for one in ALL[words].params if one.param_type_name == kind]


def options(words):
    """Options with a value, whose name is long enough to be misspelt."""
    taking = [one for one in parameters(words, "option") if not one.is_flag]
    return [one for one in taking if len(one.opts[0]) > 6]


def hint(words):
    return f"; see {' '.join(('gahr', *words))} --help"


@each(ALL)
def test_an_unknown_option(refused, words):
    line = refused(*words, "--qqqqq")
    assert line == f"error: no such option: --qqqqq{hint(words)}"
    assert refused(*words, "-@").startswith("error: no such option: -@")


@each(words for words in SINGLE if options(words))
def test_a_misspelt_option_is_told_the_closest_one(refused, words):
    for one in options(words):
        name = one.opts[0]
        line = refused(*words, f"{name[:-2]}{name[-1]}{name[-2]}q", "3")
        assert "no such option" in line and name in line and "did you mean" in line


@each(words for words in SINGLE if options(words))
def test_an_option_without_its_value(refused, words):
    name = options(words)[0].opts[0]
    assert refused(*words, name) == f"error: option '{name}' requires an argument{hint(words)}"


@each(words for words in SINGLE if options(words))
def test_no_number_in_place_of_a_number(refused, words):
    given = ["x"] * len(parameters(words, "argument"))
    for one in options(words):
        if one.type_descriptor.annotation in (int, float, int | None, float | None):
            line = refused(*words, *given, one.opts[0], "many")
            assert one.opts[0] in line and "'many'" in line and line.endswith(hint(words))


@each(words for words in SINGLE if any(one.required for one in ALL[words].params))
def test_nothing_in_place_of_what_is_needed(refused, words):
    line = refused(*words)
    assert line.startswith("error: missing ") and line.endswith(hint(words))


@each(
    words
    for words in SINGLE
    if all(one.nargs == 1 and not one.callback for one in parameters(words, "argument"))
)
def test_an_argument_too_many(refused, words):
    given = ["x"] * len(parameters(words, "argument"))
    needed = [
        part for one in parameters(words, "option") if one.required for part in (one.opts[0], "x")
    ]
    line = refused(*words, *given, *needed, "one_more")
    assert "one_more" in line or "'x' is not one of" in line


@each(GROUPS)
def test_a_misspelt_command_is_told_the_closest_one(refused, words):
    for name in ALL[words].commands:
        line = refused(*words, f"{name}q")
        assert f"no such command '{name}q' (did you mean " in line and f"'{name}'" in line
    assert refused(*words, "@") == f"error: no such command '@'{hint(words)}"


def test_an_argument_given_as_an_option(refused):
    assert "out is an argument: give it without --out" in refused("data", "disks", "--out", "disks")


def test_a_flag_with_a_value(refused):
    assert "'--skip' does not take a value" in refused("train", "x", "--skip=3")
    assert "did you mean --no-skip" in refused("train", "x", "--no-skp")


def test_what_cannot_be_shown_is_escaped(refused):
    for words in (("--a\x1b[2Jb",), ("train", "--a\nb"), ("\x1b[2J",), ("info", "a\nb\x1b[2J")):
        assert "\x1b" not in refused(*words)


@each(GROUPS)
def test_a_group_alone_shows_its_help(gahr, words):
    result = gahr(*words)
    assert result.exit_code == 2 and "Usage: " in result.output
