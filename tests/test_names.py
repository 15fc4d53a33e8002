"""Names of files that cannot be shown or encoded."""

import os

import pytest

from keras_gahr.names import encodable, printable


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


def test_json_that_can_be_encoded():
    name = os.fsdecode(b"caf\xe9")
    value = {name: [1, name, {"b": (None, "日本\n")}]}
    assert encodable(value) == {"caf\\xe9": [1, "caf\\xe9", {"b": [None, "日本\n"]}]}
