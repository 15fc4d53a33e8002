"""constraints.txt has one version of each dependency, on every Python and system that it is for."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

pytestmark = pytest.mark.one_backend

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

FREE = {"mlflow", "trackio", "wandb"}
"""Extras that `tox -e trackers` installs without constraints."""

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = (
    {"platform_system": "Linux", "platform_machine": "x86_64"},
    {"platform_system": "Linux", "platform_machine": "aarch64"},
    {"platform_system": "Darwin", "platform_machine": "arm64"},
    {"platform_system": "Windows", "platform_machine": "AMD64"},
)


def constraints(name="constraints.txt"):
    """The requirements of a file and of those that it names."""
    for line in (ROOT / name).read_text("utf-8").splitlines():
        if line.startswith("-c "):
            yield from constraints(line.removeprefix("-c "))
        elif line and not line.startswith("#"):
            yield Requirement(line)


def those_for(requirements, python, system):
    here = {"python_version": python, **system}
    return [each for each in requirements if not each.marker or each.marker.evaluate(here)]


def key(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(python, system):
    """The version of each package."""
    found = {}
    for each in those_for(constraints(), python, system):
        (pin,) = each.specifier
        assert pin.operator == "==" and key(each.name) not in found, each
        found[key(each.name)] = pin.version
    return found


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: "-".join(system.values()))
def test_each_dependency_has_one_version(python, system):
    extras = PROJECT["optional-dependencies"]
    texts = PROJECT["dependencies"] + [
        text for name in extras if name not in FREE for text in extras[name]
    ]
    found = pinned(python, system)
    for each in those_for(map(Requirement, texts), python, system):
        assert found[key(each.name)] in each.specifier, each


@pytest.mark.parametrize("python", PYTHONS)
def test_h5py_is_one_that_there_is_and_tensorflow_takes(python):
    """TensorFlow, which has nothing for Python 3.14, wants one below 3.15; wheels for 3.14 begin there."""
    version = tuple(map(int, pinned(python, SYSTEMS[0])["h5py"].split(".")))
    assert (version < (3, 15)) == (python != "3.14")


def test_backends_are_the_same_everywhere():
    for python in PYTHONS:
        found = pinned(python, SYSTEMS[0])
        assert found["tensorflow"] == found["tensorflow-cpu"]
        assert all(pinned(python, system) == found for system in SYSTEMS)
