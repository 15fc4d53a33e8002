"""The notebooks in examples/, run cell by cell at a small scale."""

import importlib.metadata
import json
import re
import sys
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
CELL = re.compile(r"^# %%(.*)\n", re.MULTILINE)

FIRST = "use_a_published_denoiser"
"""The one that is run on every backend."""

TINY = {"KERNELS": 4, "EPOCHS": 1}
SMALL = {
    FIRST: {
        "SIZE": 16,
        "SAMPLES": 2,
        "SIGMA_END": 0.5,
        "VECTORS": 3,
    },
    "memorize_or_generalize": {
        **TINY,
        "SIZE": 8,
        "MANY": 72,
        "BLOCKS": 1,
        "IMAGES_PER_EPOCH": 256,
        "BATCH_SIZE": 4,
        "PAIRS": 2,
        "SIGMA_END": 0.5,
    },
    "optimal_rates": {
        **TINY,
        "SIZE": 16,
        "TRAINING_IMAGES": 32,
        "TEST_IMAGES": 4,
        "BLOCKS": 1,
        "VECTORS": 5,
    },
    "bring_your_own_denoiser": {
        "IMAGES": 16,
        "SECONDS": 0,
        "CHANNELS": (8, 8),
        "KERNELS": 4,
        "BLOCKS": 1,
        "EPOCHS": 1,
        "IMAGES_PER_EPOCH": 8,
        "BATCH_SIZE": 4,
        "SAMPLES": 2,
        "STEPS": 3,
    },
    "inverse_problems": {
        **TINY,
        "SIZE": 16,
        "TRAINING_IMAGES": 32,
        "REPEAT": 2,
        "MEASUREMENTS": ("inpainting:4x4", "super-resolution:2", "deblur:gaussian:1.0"),
        "SIGMA_END": 0.5,
    },
}
"""For each notebook, what takes the place of its parameters."""


def cells(text):
    """The cells of a notebook in the percent format: what stands on their first line, and their text."""
    _, *parts = CELL.split(text)
    return list(zip(parts[::2], parts[1::2], strict=True))


def run(path, parameters):
    """Runs the code cells of a notebook in order and returns its variables."""
    names = {"__name__": "__main__"}
    for number, (head, text) in enumerate(cells(path.read_text(encoding="utf-8"))):
        if "[markdown]" in head:
            continue
        exec(compile(text, f"{path.name}, cell {number}", "exec"), names)
        if "parameters" in head:
            assert parameters.keys() <= names.keys()
            names.update(parameters)
    return names


@pytest.fixture
def shown(monkeypatch, tmp_path):
    """How many figures a notebook shows; nothing is left in the temporary folder."""
    matplotlib.use("Agg")
    figures = []

    def show():
        figures.append(plt.gcf())
        figures[-1].canvas.draw()

    monkeypatch.setattr(plt, "show", show)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    yield figures
    plt.close("all")


@pytest.mark.parametrize(
    "name",
    [
        FIRST,
        *(pytest.param(name, marks=pytest.mark.one_backend) for name in SMALL if name != FIRST),
    ],
)
def test_notebook_runs_and_shows_pictures(name, shown, tmp_path, monkeypatch):
    # Nothing is downloaded; the notebook then takes a small network of this repository.
    monkeypatch.setenv("KERAS_GAHR_WEIGHTS_URL", (tmp_path / "nowhere").as_uri())
    monkeypatch.setenv("KERAS_GAHR_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(EXAMPLES)
    if "import diffusers" in (EXAMPLES / f"{name}.py").read_text(encoding="utf-8"):
        pytest.importorskip("diffusers", reason="it is an optional extra")
    run(EXAMPLES / f"{name}.py", SMALL[name])
    assert len(shown) >= 3
    assert not plt.get_fignums()


def test_every_notebook_is_run():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(SMALL)


@pytest.mark.parametrize("name", SMALL)
def test_notebooks_are_in_the_percent_format(name):
    text = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    assert text.startswith("# %% [markdown]\n# # ")
    heads = [head for head, _ in cells(text)]
    assert heads.count(' tags=["parameters"]') == 1
    for head, body in cells(text):
        if "[markdown]" in head:
            assert all(line.startswith("#") for line in body.splitlines() if line)


def source_cells(path):
    """Kinds and texts of a notebook's cells, as Jupyter has them."""
    for head, text in cells(path.read_text(encoding="utf-8")):
        markdown = "[markdown]" in head
        text = re.sub(r"^# ?", "", text, flags=re.MULTILINE) if markdown else text
        yield "markdown" if markdown else "code", text.strip("\n")


@pytest.mark.parametrize("name", SMALL)
def test_kept_outputs_are_those_of_the_source(name):
    """Which `tox -e notebooks` makes anew."""
    kept = json.loads((EXAMPLES / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    found = [(cell["cell_type"], "".join(cell["source"])) for cell in kept]
    assert found == list(source_cells(EXAMPLES / f"{name}.py"))
    code = [cell for cell in kept if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == [*range(1, len(code) + 1)]
    outputs = [output for cell in code for output in cell["outputs"]]
    assert {output["output_type"] for output in outputs} <= {"stream", "display_data"}
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 3


@pytest.mark.parametrize("name", SMALL)
def test_the_first_cell_installs_what_is_missing(name, monkeypatch):
    """With extras that there are; where the package is, it does nothing."""
    first = next(
        text for head, text in cells((EXAMPLES / f"{name}.py").read_text("utf-8")) if not head
    )
    asked = []
    monkeypatch.setattr("subprocess.run", lambda command, check: asked.append(command))
    monkeypatch.setenv("KERAS_BACKEND", "")
    exec(first, {})
    assert not asked
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    exec(first, {})
    ((*pip, package),) = asked
    assert pip == [sys.executable, "-m", "pip", "install", "--quiet"]
    project, extras = re.fullmatch(r"([\w-]+)\[(.*)\]", package).groups()
    metadata = importlib.metadata.metadata(project)
    assert {*extras.split(",")} <= {*metadata.get_all("Provides-Extra")}


def test_an_unknown_parameter_is_seen(tmp_path):
    """Negative control."""
    notebook = tmp_path / "notebook.py"
    notebook.write_text('# %% tags=["parameters"]\nSIZE = 8\n')
    with pytest.raises(AssertionError):
        run(notebook, {"SIDE": 8})
