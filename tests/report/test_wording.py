"""Numbers and times in words."""

import numpy as np
import pytest

from keras_gahr.report.document import Claim, Table
from keras_gahr.report.wording import (
    cell_texts,
    change_text,
    difference_text,
    numeric_columns,
    range_text,
    seconds_text,
    setting_text,
    tally,
)


def column(*cells):
    return [text for (text,) in cell_texts(Table(["a"], [[cell] for cell in cells], ""))]


@pytest.mark.parametrize(
    ("cells", "texts"),
    [
        ((0.46, 0.6), ["0.46", "0.60"]),
        ((0.47123, 0.5), ["0.4712", "0.5000"]),
        ((48.0, 43.3, None), ["48.0", "43.3", "\u2013"]),
        ((1234.56, 12.3456), ["1,235", "12"]),
        ((48.0831, 3.6371, -1.9194), ["48.08", "3.64", "-1.92"]),
        ((1.24009, 0.00392), ["1.2401", "0.0039"]),
        ((1, 10_000), ["1", "10,000"]),
        ((np.float32(0.1), np.int64(3)), ["0.1", "3"]),
        ((float("nan"), float("-inf"), 0.0), ["\u2013", "-\u221e", "0"]),
        ((1e-9, 3e8, 2.0), ["1.000e-09", "3.000e+08", "2"]),
        (("3e5", True), ["3e5", "True"]),
    ],
)
def test_cells(cells, texts):
    assert column(*cells) == texts


def test_columns_of_numbers():
    table = Table("abcd", [[1, "x", None, True], [None, 2.5, None, False]], "")
    assert numeric_columns(table) == [True, False, True, False]
    assert numeric_columns(Table("ab", [], "")) == [False, False]


def test_ranges():
    assert range_text([6.31, 0.8, 2], " dB") == "0.8 to 6.3 dB"
    assert range_text([0.81, 0.84], " dB") == range_text([0.82], " dB") == "0.8 dB"
    assert range_text([-0.04, 0.5]) == "0.0 to 0.5"


def test_changes():
    assert change_text(7.1, 0.13, " dB") == "fell from 7.1 to 0.1 dB"
    assert change_text(-0.2, 1.0, " dB") == "rose from -0.2 to 1.0 dB"
    assert change_text(0.14, 0.06) == "stayed at 0.1"
    assert change_text(0.01, -0.01) == "stayed at 0.0"


def test_differences():
    words = "better", "worse"
    assert difference_text(0.82, *words, " dB") == "0.8 dB better"
    assert difference_text(-0.82, *words, " dB") == "0.8 dB worse"
    assert difference_text(-0.03, *words, " dB") == "less than 0.1 dB worse"
    assert difference_text(0.004, *words, decimals=2) == "less than 0.01 better"
    assert difference_text(0.0, *words, " dB") == "neither better nor worse"


def test_times():
    assert [seconds_text(s) for s in (0, 59, 150, 9000, 200_000)] == [
        "0 seconds",
        "59 seconds",
        "2.5 minutes",
        "2.5 hours",
        "2.3 days",
    ]


def test_settings():
    assert setting_text([1, (True, None)]) == "1, yes, \u2013"
    assert setting_text(0.0001) == "0.0001"


def test_tally():
    claims = [Claim("a", passed, "", "", "") for passed in (True, True, None)]
    assert tally(claims) == "2 of 3 seen, 1 undecided"
