"""What is written twice about a release is the same twice."""

import re
import tomllib
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml", reason="the lint environment has PyYAML")

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
RECIPE = yaml.safe_load((ROOT / "release" / "recipe.yaml").read_text("utf-8"))
CONDA_NAMES = {"matplotlib": "matplotlib-base"}
"""Packages that are called otherwise there, but for capitals."""

pytestmark = pytest.mark.one_backend


def test_the_recipe_needs_what_the_package_needs():
    needed = {f"python {PROJECT['requires-python']}"}
    for requirement in PROJECT["dependencies"]:
        name, version = re.fullmatch(r"([\w.-]+)(.*)", requirement).groups()
        needed.add(f"{CONDA_NAMES.get(name, name.lower())} {version}")
    assert set(RECIPE["requirements"]["run"]) == needed


def test_there_is_one_version():
    text = (ROOT / "keras_gahr" / "__init__.py").read_text("utf-8")
    version = re.search(r'^__version__ = "(.*)"$', text, re.MULTILINE)[1]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert version == RECIPE["context"]["version"] == citation["version"]
    changes = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert f"\n## [{version}] - {citation['date-released']}\n" in changes


def test_the_summary_is_the_description():
    assert RECIPE["about"]["summary"] == PROJECT["description"]
