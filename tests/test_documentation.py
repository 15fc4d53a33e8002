"""Every command that README.md and docs/ show exists; those that a laptop can run are run."""

import ast
import gzip
import importlib
import inspect
import io
import os
import re
import shutil
import struct
import subprocess
import zipfile
from types import SimpleNamespace

import documentation
import forked_gahr
import numpy as np
import pytest
import typer
from documentation import PAGES, ROOT
from PIL import Image
from tolerances import HOMOGENEITY, MEASUREMENT
from waiting import FOR_EVER

from keras_gahr.hub import download

HOW_TO = ROOT / "docs" / "how-to"
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]


@pytest.mark.one_backend
@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_command_can_be_parsed(page, monkeypatch):
    # A model on the Hub would be fetched to be an argument.
    monkeypatch.setattr(
        download, "fetch_from_hub", lambda address: SimpleNamespace(address=address)
    )
    for block in documentation.blocks(page.read_text("utf-8")):
        for text in {block.text, block.small()}:
            for arguments in documentation.gahr_arguments(text):
                documentation.parse(arguments)


@pytest.mark.one_backend
@pytest.mark.parametrize(
    "line",
    [
        "gahr trian faces80 --out run",
        "gahr train faces80 --out run --epoch 5",
        "gahr train faces80 --epochs many",
        "gahr sample faces.keras extra --out samples",
        "gahr compare a.keras --train-a set --out out",
        "gahr data bands faces80",
        "X=1 gahr --backend torch sample --size 8 && true",
        "torchrun -m keras_gahr trian",
    ],
)
def test_the_test_sees_a_wrong_command(line):
    """Negative control."""
    (arguments,) = documentation.gahr_arguments(line)
    with pytest.raises(typer.BadParameter.__base__):
        documentation.parse(arguments)


@pytest.mark.one_backend
def test_the_test_finds_commands():
    """Negative control: nothing that is shown escapes the patterns."""
    found = sum(
        len(list(documentation.gahr_arguments(block.text)))
        for page in PAGES
        for block in documentation.blocks(page.read_text("utf-8"))
    )
    assert found > 30


@pytest.mark.one_backend
@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_commands_are_in_blocks_of_shell(page):
    """An indented or otherwise fenced command would not be tested."""
    text = page.read_text("utf-8")
    assert not re.findall(r"^ {4,}gahr .*", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.M)
    for language in re.findall(r"^```(\w*)\n", text, re.MULTILINE):
        assert language in {"sh", "python", ""}
    for comment in re.findall(r"<!--.*?-->", text):
        assert documentation._COMMENT.fullmatch(comment), comment


@pytest.mark.one_backend
def test_replacements_must_find_something():
    """Negative control."""
    text = "<!-- test: --epochs 9 => --epochs 1 -->\n```sh\ngahr train x --epochs 10\n```\n"
    (block,) = documentation.blocks(text)
    with pytest.raises(AssertionError, match="nothing to replace"):
        documentation.Block(block.text, (("--epochs 9 ", "x"),), None).small()


def named(name):
    """What a dotted name stands for; `kg` is the package.

    Raises:
        ImportError: if there is no such thing.
    """
    first, *rest = name.split(".")
    first = "keras_gahr" if first == "kg" else first
    found, path = importlib.import_module(first), first
    for part in rest:
        path = f"{path}.{part}"
        found = getattr(found, part) if hasattr(found, part) else importlib.import_module(path)
    return found


def python_blocks(page):
    """The code that a document or a notebook's source shows."""
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".py":
        return [text]
    return re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def calls(code):
    """Dotted names of the package that code calls, and the names of the arguments it gives."""
    for call in (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)):
        name = ast.unparse(call.func)
        if re.fullmatch(r"kg(\.\w+)+", name):
            yield name, [keyword.arg for keyword in call.keywords if keyword.arg]


EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
DOCUMENTS = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "examples" / "README.md", *EXAMPLES]


@pytest.mark.one_backend
@pytest.mark.parametrize(
    "page", DOCUMENTS, ids=[page.relative_to(ROOT).as_posix() for page in DOCUMENTS]
)
def test_every_name_in_documents_exists(page):
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"\b(?:kg|keras_gahr|weights_convert)(?:\.[A-Za-z_]\w*)+", text):
        if not name.endswith((".py", ".md", ".html", ".png")):
            named(name)
    for code in python_blocks(page):
        for name, arguments in calls(code):
            parameters = inspect.signature(named(name)).parameters
            takes_all = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
            assert takes_all or set(arguments) <= set(parameters), name


@pytest.mark.one_backend
def test_the_test_sees_a_name_that_is_not():
    """Negative control."""
    with pytest.raises(ImportError):
        named("kg.analysis.unheard_of")
    assert list(calls("kg.sample(denoiser, (8, 8), cuont=3)")) == [("kg.sample", ["cuont"])]


@pytest.mark.one_backend
@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_file_in_documents_exists(page):
    """Of those in a room, such as `training/config.py`; others are what users have."""
    files = {path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py")}
    for name in re.findall(r"`([\w./]+/[\w.]+\.py)`", page.read_text("utf-8")):
        assert any(f"/{file}".endswith(f"/{name}") for file in files), name


def shown_python(name, package="__main__"):
    """The variables that the first block of Python on a how-to makes."""
    code = re.search(r"^```python\n(.*?)^```$", (HOW_TO / name).read_text("utf-8"), re.M | re.S)[1]
    variables = {"__name__": f"{package}.shown", "__package__": package}
    exec(compile(code, name, "exec"), variables)
    return variables


def test_the_network_shown_is_a_denoiser():
    network = shown_python("add-a-network.md", "keras_gahr.denoisers")["PlainCNN"]
    denoiser = network(num_layers=3, num_kernels=4, seed=0)
    noisy = np.random.default_rng(0).random((1, 8, 10, 1), np.float32)
    residual = np.asarray(denoiser.predict_on_batch(noisy))
    assert residual.shape == noisy.shape
    np.testing.assert_allclose(
        denoiser.predict_on_batch(2 * noisy), 2 * residual, rtol=0, atol=HOMOGENEITY
    )
    again = network.from_config(denoiser.get_config())
    np.testing.assert_array_equal(again.predict_on_batch(noisy), residual)


def test_the_measurement_shown_is_one():
    from keras import ops

    left = shown_python("add-a-measurement.md")["LeftHalf"]((4, 6, 1))
    random = np.random.default_rng(0)
    image = random.random((1, *left.shape), np.float32)
    measured = random.random((1, *left.measured_shape), np.float32)
    back = ops.convert_to_numpy(left.back_project(ops.convert_to_tensor(measured)))
    seen = ops.convert_to_numpy(left.measure(ops.convert_to_tensor(image)))
    assert np.sum(seen * measured) == pytest.approx(np.sum(image * back), abs=MEASUREMENT)
    np.testing.assert_array_equal(left.measure(ops.convert_to_tensor(back)), measured)


@pytest.mark.one_backend
def test_the_experiment_shown_has_all_scales():
    from keras_gahr.reproduction.experiment import SCALES

    experiment = shown_python("add-an-experiment.md")["SlopeOfCAlpha"]()
    assert set(experiment.scales) == set(SCALES)
    tasks = {experiment.trainings(settings)[0].folder for settings in experiment.scales.values()}
    assert len(tasks) == len(SCALES)


def run_python(page, replaced):
    """The variables that the first block of Python on a page makes, with small numbers in it."""
    code = re.search(r"^```python\n(.*?)^```$", (ROOT / page).read_text("utf-8"), re.M | re.S)[1]
    for shown, small in replaced:
        assert shown in code
        code = code.replace(shown, small)
    variables = {}
    exec(compile(code, page, "exec"), variables)
    return variables


def test_the_landing_page_runs(tiny_model):
    schedule = "schedule=kg.sampling.AscentSchedule(beta=1, sigma_end=0.5)"
    found = run_python(
        "docs/index.md",
        (
            ('"unet-celeba-80-n99325"', repr(str(tiny_model))),
            ("80, 80", "16, 16"),
            ("count=16, seed=0", f"count=2, seed=0, {schedule}"),
            ("range(16)", "range(2)"),
            ("count=64", "count=4"),
        ),
    )
    assert found["denoised"].shape == (2, 16, 16, 1)
    assert len(found["figure"].axes) >= 4


def test_the_restoration_in_python_runs():
    shown = "beta=0.5, sigma_end=0.05"
    found = run_python("docs/measurements.md", ((shown, "beta=1, sigma_end=0.5"),))["found"]
    assert found.mean.shape == (16, 16, 1)


@pytest.mark.slow
def test_the_first_look_in_python_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = run_python(
        "docs/python.md",
        (('"epochs": 2, "images_per_epoch": 256', '"epochs": 1, "images_per_epoch": 32'),),
    )
    assert found["denoised"].shape == (16, 16, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["eigenvectors.png"]


@pytest.fixture
def workplace(tmp_path, golden):
    """A folder with the files that the pages speak of, small."""
    shutil.copy(golden / "unet_1block.pt", tmp_path / "model.pt")
    shutil.copy(golden / "bf_cnn_21_relu.pt", tmp_path / "bf_cnn.pt")
    rows, columns = np.ogrid[:96, :96]
    pixels = 127 + 90 * np.sin(rows / 9) * np.cos(columns / 7)
    Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "photo.png")
    random = np.random.default_rng(0)
    with zipfile.ZipFile(tmp_path / "img_align_celeba.zip", "w") as archive:
        for k in range(24):
            small = Image.fromarray(random.integers(0, 256, (8, 8, 3), np.uint8))
            data = io.BytesIO()
            small.resize((178, 218), Image.Resampling.BICUBIC).save(data, "JPEG")
            archive.writestr(f"{k:06}.jpg", data.getvalue())
    digits = random.integers(0, 256, (24, 28, 28), np.uint8)
    header = struct.pack(">4B3I", 0, 0, 8, 3, *digits.shape)
    with gzip.open(tmp_path / "train-images-idx3-ubyte.gz", "wb") as file:
        file.write(header + digits.tobytes())
    return tmp_path


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """A folder with `gahr`, to be put on the path."""
    folder = tmp_path_factory.mktemp("programs")
    with forked_gahr.serving(folder):
        yield folder


PREPARED = {
    "README.md": "",
    "docs/how-to/compare-with-optima.md": "",
    "docs/how-to/choose-a-backend.md": "",
    "docs/how-to/convert.md": "",
    "docs/how-to/know-when-it-memorizes.md": "gahr data faces img_align_celeba.zip faces80 --size 40",
    "docs/how-to/own-images.md": "",
    "docs/how-to/pretrained.md": "",
    "docs/how-to/reproduce.md": "",
    "docs/how-to/slurm.md": "gahr data faces img_align_celeba.zip faces80",
    "docs/measurements.md": "gahr convert model.pt faces.keras",
    "docs/several-devices.md": "gahr data faces img_align_celeba.zip faces80 --size 20",
    "docs/training.md": "gahr data faces img_align_celeba.zip faces80 --size 40",
    "docs/tutorial.md": "",
}
"""Commands of earlier pages that a page builds on."""


@pytest.mark.one_backend
@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_extras_are_those_of_a_checkout(page):
    """As installed by the pages that come first: `.[hub]`, not the name on an index of packages."""
    assert "keras-gahr[" not in page.read_text("utf-8")


@pytest.mark.one_backend
def test_every_page_with_commands_to_run_is_run():
    for page, name in zip(PAGES, NAMES, strict=True):
        if any(block.reason is None for block in documentation.blocks(page.read_text("utf-8"))):
            assert name in PREPARED


@pytest.mark.slow
@pytest.mark.parametrize("name", PREPARED)
def test_commands_run(name, workplace, programs):
    page = (ROOT / name).read_text("utf-8")
    shown = [block.small() for block in documentation.blocks(page) if block.reason is None]
    script = "\n".join(["set -eu", PREPARED[name], *shown])
    environment = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=workplace,
        env=environment,
        capture_output=True,
        text=True,
        timeout=2 * FOR_EVER,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
