"""What is written twice about a release is the same twice."""

import configparser
import importlib.util
import re
import subprocess
import sys
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


def workflow(name):
    return yaml.safe_load((ROOT / ".github" / "workflows" / f"{name}.yml").read_text("utf-8"))


def jobs_of(name):
    """What varies in the job `tox` of a workflow, for each of its runs: `env`, `python`, perhaps `os`."""
    matrix = workflow(name)["jobs"]["tox"]["strategy"]["matrix"]
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


def test_nothing_is_published_whose_tests_fail():
    jobs = workflow("release")["jobs"]
    assert jobs["tests"] == {"uses": "$/.github/workflows/tests.yml"}
    # YAML 1.1 takes the word for a truth value.
    assert "workflow_call" in workflow("tests")[True]
    assert set(jobs["publish"]["needs"]) == {"tests", "build"}


def test_all_of_release_that_others_only_read_is_built_when_it_changes():
    events = workflow("images")[True]
    assert events["push"]["paths"] == events["pull_request"]["paths"]
    found = [{*ROOT.glob(pattern)} for pattern in events["push"]["paths"]]
    assert all(found)
    assert {ROOT / "release" / "Dockerfile", ROOT / "release" / "recipe.yaml"} <= set().union(
        *found
    )


def test_updates_stay_below_what_tensorflow_does_not_take():
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text("utf-8"))["updates"]
    ignored = {
        (update["package-ecosystem"], each["dependency-name"]): each["versions"]
        for update in updates
        for each in update.get("ignore", [])
    }
    assert ignored == {("pip", "h5py"): [">=3.15"], ("docker", "python"): [">=3.14"]}


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


@pytest.fixture
def builds(build, monkeypatch, tmp_path):
    """A function that runs the program without building anything, with a step that fails, if one is named."""

    def run_it(*arguments, fails=None):
        steps = []

        def check_out(tree):
            (tree / "keras_gahr").mkdir(parents=True)
            (tree / "keras_gahr" / "__init__.py").write_text('__version__ = "1.2.3"\n', "utf-8")

        def step(name):
            steps.append(name)
            if name == fails:
                sys.exit(f"{name} fails")

        def run(*command):
            step(command[1])
            if command[1] == "build":
                command[3].mkdir()
                for name in ("keras_gahr-1.2.3.tar.gz", "keras_gahr-1.2.3-py3-none-any.whl"):
                    (command[3] / name).touch()

        monkeypatch.setattr(build, "check_out", check_out)
        monkeypatch.setattr(build, "run", run)
        for name in ("check_contents", "try_wheel", "try_sdist"):
            monkeypatch.setattr(build, name, lambda *of_it, name=name: step(name))
        monkeypatch.setattr(sys, "argv", ["build.py", "--out", str(tmp_path / "dist"), *arguments])
        build.main()
        return steps

    return run_it


STEPS = ["build", "twine", "check_contents", *["try_wheel"] * 3, "try_sdist"]


@pytest.mark.parametrize("fails", dict.fromkeys(STEPS))
def test_what_failed_is_no_release(builds, tmp_path, fails):
    with pytest.raises(SystemExit, match=f"{fails} fails"):
        builds(fails=fails)
    assert [*tmp_path.iterdir()] == []


def test_another_version_is_not_even_built(builds, tmp_path):
    with pytest.raises(SystemExit, match=r"received --version v1\.2\.4, and this is 1\.2\.3"):
        builds("--version", "v1.2.4", fails="build")
    assert [*tmp_path.iterdir()] == []


def test_a_release_has_both_archives(builds, tmp_path):
    """Also in a folder that is there already, as long as it is empty."""
    assert builds("--version", "v1.2.3") == STEPS
    names = {"keras_gahr-1.2.3.tar.gz", "keras_gahr-1.2.3-py3-none-any.whl"}
    assert {path.name for path in (tmp_path / "dist").iterdir()} == names
    with pytest.raises(SystemExit):
        builds()
    for name in names:
        (tmp_path / "dist" / name).unlink()
    builds()
    assert {path.name for path in (tmp_path / "dist").iterdir()} == names
    assert [path.name for path in tmp_path.iterdir()] == ["dist"]
