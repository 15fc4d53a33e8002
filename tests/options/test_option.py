"""Options that are declared once."""

import dataclasses
import inspect

import numpy as np
import pytest

from keras_gahr.errors import InputError
from keras_gahr.options.option import check_options, declared, option, takes_options

pytestmark = pytest.mark.one_backend


@dataclasses.dataclass(frozen=True)
class Tea:
    """How it is made.

    Args:
    """

    cups: int = option(1, "How many.", least=1, most=12)
    heat: float | None = option(
        None, "In degrees.", above=0, below=100, unset="what the leaf needs"
    )
    leaf: str = option("green", "Of which kind.", choices=("green", "black", "white"))
    milk: bool = option(False, "Or with milk.")
    table: str = "round"

    def __post_init__(self):
        check_options(self)


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"cups": 0}, "received cups = 0, expected a whole number of at least 1 and up to 12"),
        ({"cups": 13}, "up to 12"),
        ({"cups": 2.0}, "a whole number"),
        ({"cups": True}, "a whole number"),
        ({"cups": None}, "cups = None"),
        ({"cups": "2"}, "cups = '2'"),
        ({"heat": 0}, "a number above 0 and below 100 or none"),
        ({"heat": 100}, "below 100"),
        ({"heat": float("nan")}, "a number"),
        ({"heat": True}, "a number"),
        ({"leaf": "red"}, "expected one of green, black, white"),
        ({"leaf": 1}, "expected one of"),
        ({"milk": 1}, "true or false"),
    ],
)
def test_other_values_are_refused(wrong, expected):
    with pytest.raises(InputError, match=expected):
        Tea(**wrong)


def test_numbers_of_numpy_become_those_of_python():
    tea = Tea(cups=np.int64(3), heat=np.float32(80), milk=np.True_)
    assert tea == Tea(3, 80.0, milk=True)
    assert [type(value) for value in (tea.cups, tea.heat, tea.milk)] == [int, float, bool]
    assert Tea(heat=80).heat == 80.0 and Tea().heat is None


def test_descriptions_say_choices_and_defaults():
    described = {name: each.description for name, each in declared(Tea).items()}
    assert described == {
        "cups": "How many.",
        "heat": "In degrees; default: what the leaf needs.",
        "leaf": "Of which kind: green, black or white.",
        "milk": "Or with milk.",
    }


def test_a_function_shows_the_options_that_it_takes():
    @takes_options(Tea, without=("milk",))
    def brew(guest, *, sugar=0, **options):
        return guest, sugar, options

    shown = inspect.signature(brew)
    expected = "(guest, *, cups: int = 1, heat: float | None = None, leaf: str = 'green', sugar=0)"
    assert str(shown) == expected
    assert brew("x", cups=2) == ("x", 0, {"cups": 2})
