"""What is written twice about a release is the same twice."""

import configparser
import importlib.util
import re
import subprocess
import tomllib
from itertools import product
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


def test_no_file_is_a_link():
    """One would lead to a place of somebody's machine; `release/build.py` refuses such an archive."""
    git = ["git", "-C", str(ROOT), "ls-files", "--stage"]
    listed = subprocess.run(git, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("these files are in no repository of Git")
    assert not [line for line in listed.stdout.splitlines() if line.startswith("120000")]


def jobs_of(name):
    """What varies in the job `tox` of a workflow, for each of its runs: `env`, `python`, perhaps `os`."""
    path = ROOT / ".github" / "workflows" / f"{name}.yml"
    matrix = yaml.safe_load(path.read_text("utf-8"))["jobs"]["tox"]["strategy"]["matrix"]
    added = matrix.pop("include")
    crossed = [dict(zip(matrix, values, strict=True)) for values in product(*matrix.values())]
    return crossed + added


def test_workflows_run_all_environments_on_all_pythons():
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", "utf-8")
    default = tox["tox"]["env_list"].split(", ")
    # They take the Python that tox runs with, whichever that is.
    assert not [name for name in default if re.search(r"py\d", name)]
    tests, weekly = jobs_of("tests"), jobs_of("weekly")
    assert [job["env"] for job in tests if job["os"].startswith("ubuntu")][
        : len(default)
    ] == default
    known = set(re.findall(r"\w+", " ".join([*tox.sections(), tox["tox"]["env_list"]])))
    for job in tests + weekly:
        assert set(job["env"].split("-")) <= known, job
    says = "Programming Language :: Python :: "
    listed = {name.removeprefix(says) for name in PROJECT["classifiers"] if name.startswith(says)}
    assert listed - {"3"} <= {job["python"] for job in tests}
    assert listed - {"3"} < {job["python"] for job in tests + weekly}


@pytest.fixture
def build():
    """The program that builds a release, as a module."""
    spec = importlib.util.spec_from_file_location("build", ROOT / "release" / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_links_and_badges_of_a_release(build, tmp_path):
    page = tmp_path / "README.md"
    text = "[a](a.md) [b](#b) [c](https://x.org/c.ipynb) [d](examples/d.ipynb)"
    page.write_text(text, "utf-8")
    source = "https://github.com/we/it/blob/v1"
    build.make_links_absolute(page, source)
    colab = "https://colab.research.google.com"
    notebook = f"{colab}/github/we/it/blob/v1/examples/d.ipynb"
    assert page.read_text("utf-8") == (
        f"[a]({source}/a.md) [b](#b) [c](https://x.org/c.ipynb) [d]({source}/examples/d.ipynb) "
        f"[![Open in Colab]({colab}/assets/colab-badge.svg)]({notebook})"
    )
    # Of another place there is no Colab.
    page.write_text(text, "utf-8")
    build.make_links_absolute(page, "https://elsewhere.org/it/")
    assert "Colab" not in page.read_text("utf-8") and "elsewhere.org/it/a.md" in page.read_text(
        "utf-8"
    )
