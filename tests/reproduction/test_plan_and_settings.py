"""Fingerprints, overrides and the registry of experiments."""

import dataclasses

import pytest
from sweeping import TinySettings, sines, task

from keras_gahr.datasets import MOLRG
from keras_gahr.errors import InputError
from keras_gahr.experiments import NAMES, find_experiment
from keras_gahr.reproduction.costs import image_shape
from keras_gahr.reproduction.experiment import SCALES
from keras_gahr.reproduction.plan import DatasetFolder, DatasetTask, fingerprint
from keras_gahr.reproduction.settings import flattened, override, parse_assignments, replaced


def test_fingerprints_stay_what_they_are():
    """Otherwise all that was trained would be trained again."""
    assert sines().folder == "sines-c4b723d871ed"
    assert task().folder == "a2717093035e"


def test_fingerprints_depend_on_what_determines_the_result_alone():
    assert fingerprint(task(label="a")) == fingerprint(task(label="b"))
    assert fingerprint(task(seed=1)) != fingerprint(task(seed=0))
    nested = DatasetTask("shuffled", {"dataset": sines(), "seed": 0})
    other = DatasetTask("shuffled", {"dataset": sines(25), "seed": 0})
    assert fingerprint(nested) != fingerprint(other)
    here, there = (DatasetFolder(path, "12ab") for path in ("/a", "/b"))
    assert fingerprint(task(images=here)) == fingerprint(task(images=there))
    changed = DatasetFolder("/a", "34cd")
    assert fingerprint(task(images=here)) != fingerprint(task(images=changed))


def test_tasks_with_impossible_options_are_refused():
    with pytest.raises(InputError, match="no_such"):
        task(no_such=1).config("data")
    with pytest.raises(InputError, match="epochs"):
        task(epochs=0).config("data")


@pytest.mark.parametrize(
    ("options", "shape"),
    [(MOLRG, (4, 4, 3)), ({}, (16, 16, 1)), ({"size": (4, 8), "rank": 2}, (4, 8, 1))],
)
def test_trainings_on_mixtures_are_estimated_for_their_shape(options, shape):
    images = DatasetTask("mixture", {"count": 24, "seed": 0, **options})
    assert image_shape(images) == shape
    assert image_shape(DatasetTask("repeated", {"dataset": images, "number": 4})) == shape


def test_settings_are_parsed_by_their_type():
    texts = {
        "seeds": "3, 4,5",
        "epochs": "7",
        "learning_rate": "1e-4",
        "sigma": "25/255",
        "halve_every": "2",
        "shuffle": "true",
        "kind": "a=b",
    }
    changed = override(TinySettings(), texts)
    assert changed == TinySettings((3, 4, 5), 7, 1e-4, 25 / 255, 2, True, "a=b")
    assert override(changed, {"halve_every": "none"}).halve_every is None


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("epochs", "1.5", "a whole number"),
        ("learning_rate", "fast", "a number"),
        ("sigma", "1/0", "a number"),
        ("shuffle", "1", "true or false"),
        ("seeds", "1,x", "a whole number, several with commas"),
        ("halve_every", "often", "a whole number or none"),
        ("depth", "3", "seeds, epochs, learning_rate"),
    ],
)
def test_other_texts_are_refused(name, text, expected):
    with pytest.raises(InputError, match=expected):
        override(TinySettings(), {name: text})


@dataclasses.dataclass(frozen=True)
class Part:
    size: int = 1


@dataclasses.dataclass(frozen=True)
class Whole:
    part: Part = Part()
    count: int = 2


@dataclasses.dataclass(frozen=True)
class Ambiguous:
    part: Part = Part()
    size: int = 3


def test_fields_of_parts_are_named_as_the_others():
    assert flattened(Whole()) == {"size": 1, "count": 2}
    assert replaced(Whole(), size=5) == Whole(Part(5))
    assert override(Whole(), {"size": "5", "count": "6"}) == Whole(Part(5), 6)
    for wrong, name in ((Whole(), "part"), (Whole(), "depth")):
        with pytest.raises(TypeError, match=name):
            replaced(wrong, **{name: 1})
    with pytest.raises(TypeError, match="two settings size"):
        replaced(Ambiguous(), size=1)


def test_assignments():
    assert parse_assignments(["halve-every=3", "kind=a=b"]) == {"halve_every": "3", "kind": "a=b"}
    for wrong in (["epochs"], ["=3"], ["epochs=1", "epochs=2"]):
        with pytest.raises(InputError):
            parse_assignments(wrong)


@pytest.mark.parametrize("name", NAMES)
def test_every_experiment_is_found_and_its_scales_can_be_planned(name):
    experiment = find_experiment(name)
    assert experiment.name == name
    assert set(experiment.scales) == set(SCALES)
    for settings in experiment.scales.values():
        tasks = experiment.trainings(settings)
        # The networks of `molrg` are trained in its analysis.
        assert tasks or name == "molrg"
        for each in tasks:
            each.config("data")
        texts = {name: _text(value) for name, value in flattened(settings).items()}
        assert override(settings, texts) == settings


def _text(value):
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def test_unknown_experiments_are_refused():
    with pytest.raises(InputError, match="transition, eigenbasis"):
        find_experiment("memory")
