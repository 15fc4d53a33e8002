"""Names of files that cannot be shown or encoded."""

import os

import pytest

from keras_gahr.names import printable, reason_of


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain name-1.png", "plain name-1.png"),
        ("日本 né.png", "日本 né.png"),
        (os.fsdecode(b"caf\xe9.png"), "caf\\xe9.png"),
        ("a\nb\x1b[31m\r\t\x00.png", "a\\nb\\x1b[31m\\r\\t\\x00.png"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\x9b31m", "\\x9b31m"),
        ("\ud83d", "\\ud83d"),
    ],
)
def test_what_cannot_be_shown_is_escaped(name, shown):
    assert printable(name) == shown
    assert printable(shown).encode()


@pytest.mark.parametrize(
    ("error", "said", "with_class"),
    [
        (
            ValueError("\n  too large\x1b[1m\nmore"),
            "too large\\x1b[1m",
            "ValueError: too large\\x1b[1m",
        ),
        (KeyError(), "KeyError", "KeyError"),
        (OSError(" \n"), "OSError", "OSError"),
        (TypeError("x" * 1000), "x" * 250, "TypeError: " + "x" * 250),
    ],
)
def test_what_an_exception_says_is_part_of_a_line(error, said, with_class):
    assert (reason_of(error), reason_of(error, with_class=True)) == (said, with_class)
