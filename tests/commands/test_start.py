"""Starting the command line and choosing the backend."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest
from systems import needs_pipes
from waiting import FOR_EVER

from keras_gahr import InputError, __version__
from keras_gahr.backend_choice import BACKENDS, backend_in, choose_backend, installed_backends
from keras_gahr.commands.backend import lacks_memory

ROOT = Path(__file__).resolve().parents[2]
MISSING = [name for name in BACKENDS if importlib.util.find_spec(name) is None]


@pytest.mark.one_backend
def test_help_is_quick_and_imports_no_keras():
    code = (
        "import sys; sys.argv[0] = 'gahr'\n"
        "from keras_gahr.commands.app import app\n"
        "from typer.testing import CliRunner\n"
        "result = CliRunner().invoke(app, ['--help'])\n"
        "assert result.exit_code == 0, result.output\n"
        "for command in 'demo data train denoise sample convert info'.split():\n"
        "    assert f' {command} ' in result.output, command\n"
        "heavy = {'keras', 'numpy', 'matplotlib', 'torch', 'jax', 'tensorflow'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


@pytest.mark.one_backend
def test_the_version(gahr):
    assert gahr("--version").output == f"keras-gahr {__version__}\n"


@pytest.mark.one_backend
def test_a_shell_can_complete(gahr):
    assert "--install-completion" in gahr("--help").output


@pytest.mark.timed
def test_help_takes_less_than_half_a_second(gahr_process):
    """Of processor time, the best of five, since the machine may be busy."""
    resource = pytest.importorskip("resource", reason="Windows has no such account of processes")
    times = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert gahr_process("--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(times) < 0.5


@pytest.mark.one_backend
def test_the_module_runs_too():
    command = [sys.executable, "-m", "keras_gahr", "--help"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=FOR_EVER)
    assert result.returncode == 0
    assert "Usage: gahr" in result.stdout


def test_a_room_that_is_touched_makes_keras_know_the_denoisers(tiny_model):
    """And brings only its own backend."""
    code = (
        "import keras_gahr, sys\n"
        "assert 'keras' not in sys.modules\n"
        "keras_gahr.denoisers\n"
        "import keras\n"
        "print(type(keras.saving.load_model(sys.argv[1])).__name__)\n"
        "others = {'jax', 'tensorflow', 'torch'} - {keras.backend.backend()}\n"
        "assert not others & set(sys.modules)\n"
    )
    command = [sys.executable, "-c", code, str(tiny_model)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=FOR_EVER)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "UNet", result.stderr


def test_info_names_versions_backend_and_devices(gahr):
    result = gahr("info")
    assert result.exit_code == 0
    assert keras.__version__ in result.output
    assert keras.backend.backend() in result.output
    assert "cpu" in result.output.lower()


def test_unknown_backends_are_refused(refused):
    for arguments in (("--backend", "theano", "info"), ("info", "--backend", "theano")):
        assert "tensorflow, torch, jax" in refused(*arguments)


@pytest.mark.skipif(not MISSING, reason="all backends are installed here")
def test_a_backend_that_is_not_installed_names_its_extra(refused):
    for name in MISSING:
        assert f'pip install "keras-gahr[{name}]"' in refused("info", "--backend", name)


def without_backend(**variables):
    environment = {key: value for key, value in os.environ.items() if key != "KERAS_BACKEND"}
    return {**environment, **variables}


def test_a_folder_that_is_called_as_a_backend_is_none(tmp_path, monkeypatch):
    before = installed_backends()
    for name in MISSING:
        (tmp_path / name).mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    assert installed_backends() == before


@pytest.mark.skipif(not MISSING, reason="all backends are installed here")
def test_an_installed_backend_is_found(gahr_process, monkeypatch, tmp_path):
    """Also when keras.json asks for one that is not there, or cannot be read."""
    monkeypatch.delenv("KERAS_BACKEND")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    for config in (None, "not json", f'{{"backend": "{MISSING[0]}"}}'):
        if config:
            (tmp_path / "keras.json").write_text(config)
        assert choose_backend() == keras.backend.backend()
        # What it chose it has written there.
        monkeypatch.delenv("KERAS_BACKEND")
    result = gahr_process("info")
    assert result.returncode == 0, result.stderr
    assert keras.backend.backend() in result.stdout


@pytest.mark.one_backend
@pytest.mark.skipif(not MISSING, reason="all backends are installed here")
@pytest.mark.parametrize(
    "room", ["kg.UNet", "from keras_gahr.sampling import sample", "import weights_convert.verify"]
)
def test_python_finds_an_installed_backend(tmp_path, room):
    """As soon as a room is touched; importing the package changes nothing."""
    code = (
        "import os\n"
        "before = dict(os.environ)\n"
        "import keras_gahr as kg\n"
        "assert dict(os.environ) == before\n"
        f"{room}\n"
        "import keras\n"
        "print(keras.backend.backend())"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "KERAS_HOME": str(tmp_path)}
    environment.pop("KERAS_BACKEND")
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert found.stdout.split() == [keras.backend.backend()], found.stderr


def test_the_option_wins_over_the_environment(gahr_process):
    name = keras.backend.backend()
    result = gahr_process("info", "--backend", name, env=without_backend(KERAS_BACKEND="theano"))
    assert result.returncode == 0, result.stderr
    result = gahr_process("info", env=without_backend(KERAS_BACKEND="theano"))
    assert result.returncode == 2
    assert result.stderr.strip().startswith("error: received backend 'theano'")


def test_the_backend_named_in_a_file(tmp_path):
    path = tmp_path / "config.json"
    for text, expected in (
        ('{"backend": "jax"}', "jax"),
        ('{"backend": ["jax"]}', None),
        ("[]", None),
        ("[" * 100_000, None),
    ):
        path.write_text(text)
        assert backend_in(path) == expected
    assert backend_in(tmp_path) is None


@needs_pipes
def test_no_backend_is_named_in_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert backend_in(tmp_path / "pipe") is None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ('{"floatx": "bfloat16"}', 'floatx = "bfloat16", which is none of float32'),
        ('{"floatx": []}', "floatx = \\[\\]"),
        ('{"image_data_format": "nhwc"}', "which is none of channels_last, channels_first"),
        ('{"epsilon": "x"}', "epsilon"),
        ("[1]", "no JSON object"),
        ("[" * 10**5, "no JSON object"),
    ],
)
def test_settings_that_keras_would_not_start_with(tmp_path, monkeypatch, content, says):
    (tmp_path / "keras.json").write_text(content)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(InputError, match=says) as caught:
        choose_backend()
    assert str(tmp_path / "keras.json") in str(caught.value)


@pytest.mark.parametrize(
    "content", ["{", "", '{"floatx": "float64", "image_data_format": "channels_first", "a": 1}']
)
def test_settings_that_do_not_matter(tmp_path, monkeypatch, content):
    (tmp_path / "keras.json").write_text(content)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    assert choose_backend() == keras.backend.backend()


@needs_pipes
def test_settings_in_a_pipe(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "keras.json")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(InputError, match="received a pipe"):
        choose_backend()


def test_a_user_without_a_home(monkeypatch):
    """As in a container that runs under a number without a name: nothing expands the ~."""
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    monkeypatch.setattr(Path, "home", None)
    assert choose_backend(keras.backend.backend()) == keras.backend.backend()


def test_memory_that_libraries_lack():
    wrapped = ImportError("the runtime cannot be loaded")
    wrapped.__context__ = ImportError("libx.so: failed to map segment from shared object")
    assert lacks_memory(wrapped)
    assert lacks_memory(SystemError("error return without exception set"))
    assert not lacks_memory(ImportError("No module named 'x'"))


@pytest.mark.slow
@pytest.mark.parametrize("limit", [250_000, 300_000])
def test_too_little_memory_for_the_libraries(cli, limit):
    """In one line; OpenBLAS itself says so where there is even less."""
    command = f"ulimit -v {limit}; exec {sys.executable} {cli} info"
    result = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, timeout=FOR_EVER
    )
    assert result.returncode == 2
    assert result.stderr.startswith("error: not enough memory")
    assert len(result.stderr.splitlines()) == 1
