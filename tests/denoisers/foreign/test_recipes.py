"""Networks of others by their addresses, and kept as recipes, which may be anybody's."""

import json
import os
import subprocess
import sys
import textwrap
import zipfile

import keras
import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
from systems import needs_pipes

import keras_gahr as kg
from keras_gahr.denoisers import AlphaBars
from keras_gahr.denoisers.foreign import wrapping
from keras_gahr.denoisers.foreign.weights import read_weights
from keras_gahr.model_address import is_address, parse_address

BACKEND = keras.backend.backend()
of_code = pytest.mark.skipif(
    BACKEND == "tensorflow", reason="addresses of code are those of PyTorch and JAX"
)
of_torch = pytest.mark.skipif(BACKEND != "torch", reason="a factory of modules of PyTorch")

TORCH = """
    import torch
    from pathlib import Path

    Path("imported").touch()

    class Net(torch.nn.Module):
        def __init__(self, width=3):
            super().__init__()
            self.first = torch.nn.Conv2d(1, width, 3, padding=1)
            self.last = torch.nn.Conv2d(width, 1, 3, padding=1)

        def forward(self, x, sigma):
            return self.last(torch.tanh(self.first(x))) * sigma[:, None, None, None]

    def make(width=3):
        torch.manual_seed(1)
        return Net(width)

    def fails():
        raise RuntimeError("no such\\n weights")

    def leaves():
        raise SystemExit(3)

    def wrapped(width=3):
        import keras_gahr as kg
        return kg.wrap(make(width), "noise", "sigma", value_range=(-1, 1))

    network = 3
"""
JAX = """
    import jax.numpy as jnp
    from pathlib import Path

    Path("imported").touch()

    def make(params, x, sigma):
        return jnp.tanh(params["first"]["gain"] * x) * sigma[:, None, None, None]

    network = 3
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder, with the module own_networks in it, and weights in own.safetensors."""
    monkeypatch.chdir(tmp_path)
    text = textwrap.dedent(TORCH if BACKEND == "torch" else JAX)
    (tmp_path / "own_networks.py").write_text(text)
    generator = np.random.default_rng(0)
    shapes = {"first.weight": (5, 1, 3, 3), "first.bias": (5,)}
    shapes |= {"last.weight": (1, 5, 3, 3), "last.bias": (1,)}
    shapes = shapes if BACKEND == "torch" else {"first.gain": (1,)}
    state = {name: generator.normal(size=s).astype(np.float32) for name, s in shapes.items()}
    safetensors.numpy.save_file(state, "own.safetensors")
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("own_")]:
        del sys.modules[name]


def own(**options):
    address = f"{BACKEND}:own_networks:make"
    if BACKEND == "torch":
        options = {"factory_options": {"width": 5}, **options}
    return kg.wrap(address, "noise", "sigma", channels=1, weights="own.safetensors", **options)


def images(count=2):
    return np.random.default_rng(1).random((count, 8, 8)).astype(np.float32)


def keras_network(path, told=False):
    """A .keras file of a model with layers of several kinds."""
    keras.utils.set_random_seed(0)
    image, layers = keras.Input((None, None, 1)), keras.layers
    x = layers.Conv2D(4, 3, padding="same", use_bias=False)(image)
    x = layers.Dropout(0.5)(layers.BatchNormalization()(x))
    x = layers.Conv2D(1, 3, padding="same", activation="tanh")(keras.ops.relu(x))
    inputs = image
    if told:
        level = keras.Input(())
        inputs, x = [image, level], x * layers.Reshape((1, 1, 1))(level)
    keras.Model(inputs, layers.Rescaling(2.0)(x)).save(path)
    return path


@of_code
def test_a_recipe_gives_the_same_denoiser_again(folder):
    denoiser = own(value_range=(-1, 1), provenance={"from": "here"})
    kg.save_denoiser(denoiser, "own.json")
    address = f"{BACKEND}:own_networks:make"
    again = kg.load_denoiser(f"{address}@own.json")
    found, expected = (kg.denoise(each, images(), sigma=0.3) for each in (again, denoiser))
    np.testing.assert_array_equal(found, expected)
    assert again.provenance == {"from": "here"}
    assert again.value_range == (-1, 1)
    content = json.loads((folder / "own.json").read_text())
    assert content["address"] == address
    assert content["weights"] == "own.safetensors"
    assert content["files"]["own.safetensors"]["bytes"] == os.path.getsize("own.safetensors")
    # The recipe of what came from a recipe is the same.
    kg.save_denoiser(again, "again.json")
    assert json.loads((folder / "again.json").read_text()) == content


@of_code
def test_what_a_recipe_names_is_only_imported_if_it_is_typed(folder):
    kg.save_denoiser(own(), "own.json")
    sys.modules.pop("own_networks")
    (folder / "imported").unlink()
    typed = f"{BACKEND}:own_networks:make@own.json"
    with pytest.raises(kg.InputError, match=f"would import own_networks .* give {typed}"):
        kg.load_denoiser("own.json")
    with pytest.raises(kg.InputError, match="is a recipe of"):
        kg.load_denoiser(f"{BACKEND}:own_networks:network@own.json")
    assert not (folder / "imported").exists()
    assert kg.as_denoiser(typed).told
    assert (folder / "imported").exists()


@of_code
def test_the_working_folder_is_searched_for_that_import_only(folder):
    before = list(sys.path)
    own()
    assert sys.path == before


@of_code
def test_changed_weights_are_refused(folder):
    kg.save_denoiser(own(), "own.json")
    typed = f"{BACKEND}:own_networks:make@own.json"
    content = bytearray((folder / "own.safetensors").read_bytes())
    content[-1] ^= 1
    (folder / "own.safetensors").write_bytes(content)
    with pytest.raises(kg.InputError, match=r"own\.safetensors is not the file .* SHA-256"):
        kg.load_denoiser(typed)
    (folder / "own.safetensors").unlink()
    with pytest.raises(kg.InputError, match=r"own\.safetensors does not exist"):
        kg.load_denoiser(typed)


@of_code
def test_a_recipe_names_no_files_that_lie_elsewhere(folder):
    denoiser = own()
    (folder / "sub").mkdir()
    with pytest.raises(kg.InputError, match="does not lie beside the recipe or below"):
        kg.save_denoiser(denoiser, "sub/own.json")
    assert not list((folder / "sub").iterdir())


@of_torch
def test_a_recipe_without_weights_is_checked_when_it_is_written_and_read(folder):
    made = kg.wrap("torch:own_networks:make", "noise", "sigma")
    kg.save_denoiser(made, "made.json")
    assert kg.load_denoiser("torch:own_networks:make@made.json").num_parameters == 3 * 19 + 1
    with pytest.raises(kg.InputError, match="with other weights each time"):
        kg.save_denoiser(kg.wrap("torch:own_networks:Net", "noise", "sigma"), "net.json")
    made.network.module.last.bias.data += 1
    with pytest.raises(kg.InputError, match="weights have changed since it was made"):
        kg.save_denoiser(made, "other.json")
    text = (folder / "own_networks.py").read_text().replace("manual_seed(1)", "manual_seed(21)")
    (folder / "own_networks.py").write_text(text)
    sys.modules.pop("own_networks")
    with pytest.raises(kg.InputError, match="with other weights than it did"):
        kg.load_denoiser("torch:own_networks:make@made.json")


OF_GAIN_ALONE = "17342f61e945137d8958ee950f12367169ddf7374405aeb666ba04e577d78bed"
"""As recipes had it before they knew of other arrays: name, shape, number type and bytes."""

DRAWN = """
    import torch

    class Net(torch.nn.Module):
        def __init__(self, seed=None, {kept}):
            super().__init__()
            self.gain = torch.nn.Parameter(torch.ones(1))
            generator = torch.Generator()
            generator.manual_seed(seed) if seed is not None else generator.seed()
            kernel = torch.randn(1, 1, 3, 3, generator=generator)
            if kept is None:
                self.kernel = kernel
            else:
                self.register_buffer("kernel", kernel, persistent=kept)

        def forward(self, x):
            return self.gain * torch.nn.functional.conv2d(x, self.kernel, padding=1)
"""


def drawing(folder, kept, **options):
    """A network that draws a kernel, in a buffer that is not persistent or as an attribute."""
    text = textwrap.dedent(DRAWN).replace("{kept}", f"kept={kept}")
    (folder / "own_drawing.py").write_text(text)
    return kg.wrap("torch:own_drawing:Net", "image", channels=1, **options)


@of_torch
@pytest.mark.parametrize("kept", [False, None])
@pytest.mark.parametrize("weights", [True, False])
def test_arrays_that_no_file_of_weights_has_are_those_of_a_recipe(folder, kept, weights):
    safetensors.numpy.save_file({"gain": np.ones(1, np.float32)}, "gain.safetensors")
    options = {"weights": "gain.safetensors"} if weights else {}
    with pytest.raises(kg.InputError, match="a network with other kernel each time, which no file"):
        kg.save_denoiser(drawing(folder, kept, **options), "made.json")
    options["factory_options"] = {"seed": 1}
    made = drawing(folder, kept, **options)
    kg.save_denoiser(made, "made.json")
    address = "torch:own_drawing:Net@made.json"
    found = kg.load_denoiser(address)
    assert found.fingerprint() == made.fingerprint()
    np.testing.assert_array_equal(
        found.denoise(images()[..., None]), made.denoise(images()[..., None])
    )
    made.network.module.kernel *= 2
    with pytest.raises(kg.InputError, match="have changed since it was made"):
        kg.save_denoiser(made, "other.json")
    text = (folder / "own_drawing.py").read_text().replace("seed(seed)", "seed(seed + 20)")
    (folder / "own_drawing.py").write_text(text)
    sys.modules.pop("own_drawing")
    with pytest.raises(kg.InputError, match="a network with other kernel than it did for made"):
        kg.load_denoiser(address)


@of_torch
def test_older_recipes_that_know_weights_alone_are_followed(folder):
    """As they were written: SHA-256 of what the state dict has."""
    made = drawing(folder, False, factory_options={"seed": 1})
    kg.save_denoiser(made, "made.json")
    content = json.loads((folder / "made.json").read_text())
    assert content["state_sha256"] == OF_GAIN_ALONE
    assert content.pop("made").keys() == {"kernel"}
    (folder / "made.json").write_text(json.dumps(content | {"recipe": 1}))
    with pytest.warns(
        UserWarning, match=r"made\.json does not say what kernel of .* save it again"
    ):
        found = kg.load_denoiser("torch:own_drawing:Net@made.json")
    assert found.fingerprint() == made.fingerprint()


@of_torch
@pytest.mark.parametrize(
    ("factor", "same"), [(1 + 1e-7, True), (1 + 1e-5, True), (1.001, False), (-1, False)]
)
def test_another_machine_may_round_such_arrays_otherwise(folder, factor, same):
    kg.save_denoiser(drawing(folder, False, factory_options={"seed": 1}), "made.json")
    text = (folder / "own_drawing.py").read_text()
    text = text.replace("generator=generator)", f"generator=generator) * {factor}")
    (folder / "own_drawing.py").write_text(text)
    sys.modules.pop("own_drawing")
    address = "torch:own_drawing:Net@made.json"
    if same:
        kg.load_denoiser(address)
    else:
        with pytest.raises(kg.InputError, match="a network with other kernel than it did for made"):
            kg.load_denoiser(address)


@of_torch
def test_a_factory_may_wrap_its_network_itself(folder):
    import torch

    address = "torch:own_networks:wrapped"
    torch.save({"state_dict": kg.wrap(address).network.module.state_dict()}, "own.pt")
    made = kg.wrap(address, weights="own.pt")
    assert made.value_range == (-1, 1)
    kg.save_denoiser(made, "made.json")
    assert json.loads((folder / "made.json").read_text())["wrap"] is None
    assert kg.load_denoiser(f"{address}@made.json").predicts == "noise"
    with pytest.raises(kg.InputError, match="returns a wrapped denoiser: pass nothing more"):
        kg.wrap(address, "image")


@of_torch
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("own_networks:fails", r"fails\(\) raises RuntimeError: no such$"),
        ("own_networks:leaves", r"leaves\(\) raises SystemExit: 3$"),
        ("own_networks:missing", r"own_networks\.py has no missing"),
        ("own_networks:network", "is a int, expected a function or class"),
        ("own_network:make", "there is no module own_network, neither"),
        ("own_networks.part:make", r"there is no module own_networks\.part, neither"),
        ("own_networks", "expected torch:package.module:factory"),
        ("own_networks:make()", "expected torch:package.module:factory"),
        ("..own_networks:make", "expected torch:package.module:factory"),
        ("own_networks:make@a.json?size=8", "a recipe and options"),
        ("own_networks:make?predicts=noise&x=1", "received the option 'x', expected one of"),
        ("own_networks:make?predicts", "received the option 'predicts', expected NAME=VALUE"),
        ("own_networks:make?channels=1&channels=1", "expected NAME=VALUE, each once"),
        ("own_networks:make?predicts=noise&value_range=-1", "received value_range"),
        ("own_networks:make?predicts=noise&factory_options.depth=2", r"make\(depth=2\) raises TypeEr"),
    ],
)  # fmt: skip
def test_mistakes_in_an_address_are_one_line(folder, text, message):
    with pytest.raises(kg.InputError, match=message) as caught:
        kg.load_denoiser(f"torch:{text}")
    assert "\n" not in str(caught.value)


@of_torch
def test_a_module_that_cannot_be_imported_is_one_line(folder):
    (folder / "own_broken.py").write_text("import nothing_of_this_name")
    (folder / "own_wrong.py").write_text("def make(:")
    for name, message in (
        ("own_broken", "importing own_broken raises ModuleNotFoundError: No module named"),
        ("own_wrong", "importing own_wrong raises SyntaxError"),
    ):
        with pytest.raises(kg.InputError, match=message):
            kg.wrap(f"torch:{name}:make", "noise")


@of_torch
def test_weights_must_be_those_of_the_network(folder):
    state = safetensors.numpy.load_file("own.safetensors")
    others = {
        "lacks last.bias, which the network has": lambda s: s.pop("last.bias"),
        "has a and 1 more, which the network lacks": lambda s: s.update(
            a=np.zeros(1, np.float32), b=np.zeros(1, np.float32)
        ),
        "network of .5, 1, 3, 3. and float32": lambda s: s.update(
            {"first.weight": np.zeros((5, 1, 3, 2), np.float32)}
        ),
        "of shape .1,. and int32": lambda s: s.update({"last.bias": np.zeros(1, np.int32)}),
    }
    for message, change in others.items():
        changed = dict(state)
        change(changed)
        safetensors.numpy.save_file(changed, "own.safetensors")
        with pytest.raises(kg.InputError, match=message):
            own()
    for name in ("own.safetensors", "own.pt"):
        (folder / name).write_bytes(b"\xff" * 64)
        with pytest.raises(kg.InputError, match=f"{name} "):
            kg.wrap("torch:own_networks:make", "noise", "sigma", weights=name)
    with pytest.raises(kg.InputError, match=r"expected a \.safetensors file or"):
        kg.wrap("torch:own_networks:make", "noise", "sigma", weights="own_networks.py")


def test_weights_of_half_precision_are_read_as_what_numpy_knows(tmp_path):
    values = np.array([1.5, -2, 0.1], np.float32)
    arrays = {
        "brain": values.astype(ml_dtypes.bfloat16),
        "half": values.astype(np.float16),
        "whole": np.arange(3),
    }
    safetensors.numpy.save_file(arrays, tmp_path / "weights.safetensors")
    found = read_weights(tmp_path / "weights.safetensors")
    assert {name: str(array.dtype) for name, array in found.items()} == {
        "brain": "float32",
        "half": "float16",
        "whole": "int64",
    }
    for name, array in found.items():
        np.testing.assert_array_equal(array, arrays[name].astype(array.dtype))


@pytest.mark.skipif(BACKEND == "torch", reason="this is the backend of such addresses")
def test_code_of_another_backend_is_refused(folder):
    with pytest.raises(kg.InputError, match="needs the backend torch"):
        kg.wrap("torch:own_networks:make", "noise", "sigma")
    assert not (folder / "imported").exists()


@pytest.mark.one_backend
def test_a_recipe_of_a_keras_file_needs_no_consent(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    denoiser = kg.wrap(f"keras:{keras_network('told.keras', told=True)}", "noise", "sigma")
    kg.save_denoiser(denoiser, "told.json")
    monkeypatch.chdir("/")
    again = kg.load_denoiser(tmp_path / "told.json")
    found, expected = (kg.denoise(each, images(), sigma=0.3) for each in (again, denoiser))
    np.testing.assert_array_equal(found, expected)
    keras_network(tmp_path / "told.keras")
    with pytest.raises(kg.InputError, match=r"told\.keras is not the file that .* was made with"):
        kg.load_denoiser(tmp_path / "told.json")


@pytest.mark.one_backend
def test_a_recipe_keeps_times_that_are_no_whole_numbers(tmp_path):
    schedule = AlphaBars([0.9, 0.5, 0.1], indices=np.array([0.1, 1 / 3, 0.9], np.float32))
    address = f"keras:{keras_network(tmp_path / 'told.keras', told=True)}"
    denoiser = kg.wrap(address, "noise", schedule)
    kg.save_denoiser(denoiser, tmp_path / "told.json")
    again = kg.load_denoiser(tmp_path / "told.json")
    np.testing.assert_array_equal(again.schedule.indices, schedule.indices)
    found, expected = (kg.denoise(each, images(), sigma=1.0) for each in (again, denoiser))
    np.testing.assert_array_equal(found, expected)
    # The network is its result without a level times what it is told.
    whole = kg.wrap(address, "noise", AlphaBars([0.9, 0.5, 0.1], indices=[1, 2, 3]))
    twice = images() - kg.denoise(whole, images(), sigma=1.0)
    np.testing.assert_allclose(6 * (images() - found), twice, rtol=1e-5, atol=1e-6)


@pytest.mark.one_backend
def test_options_may_follow_an_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    keras_network("blind.keras")
    found = kg.as_denoiser("keras:blind.keras?predicts=residual&value_range=-1,1&size=8&channels=1")
    assert (found.size, found.value_range, found.told) == ((8, 8), (-1, 1), False)
    # A denoiser that is there already under this name is meant by it.
    assert is_address("keras:blind.keras")
    (tmp_path / "keras:blind.keras").touch()
    assert not is_address("keras:blind.keras")


def test_values_after_an_address():
    given = parse_address(
        "jax:a.b:c.d?weights=w/x.safetensors&condition.class=3&condition.scale=0.5&size=8,9"
    )
    assert (given.address.place, given.address.attribute) == ("a.b", "c.d")
    assert given.options == {
        "weights": "w/x.safetensors",
        "condition": {"class": 3, "scale": 0.5},
        "size": [8, 9],
    }


def test_only_what_has_an_address_is_kept(tmp_path):
    denoiser = kg.wrap(lambda y: 0.5 * y, "image", channels=1, layout="NHWC")
    for name in ("a.json", "a.keras"):
        with pytest.raises(kg.InputError, match="wrap it by its address"):
            kg.save_denoiser(denoiser, tmp_path / name)
    keras_network(tmp_path / "own.keras")
    named = f"keras:{tmp_path / 'own.keras'}"
    with pytest.raises(kg.InputError, match=r"give a name that ends in \.json"):
        kg.save_denoiser(kg.wrap(named, "residual"), tmp_path / "a.keras")
    with pytest.raises(kg.InputError, match=r"cannot hold provenance\['when'\], a tuple"):
        held = kg.wrap(named, "residual", provenance={"when": (1, 2)})
        kg.save_denoiser(held, tmp_path / "a.json")
    with pytest.raises(kg.InputError, match="received precision mixed_bfloat16 for a network"):
        kg.load_denoiser(f"{named}?predicts=residual", "mixed_bfloat16")
    assert [path.name for path in tmp_path.iterdir()] == ["own.keras"]


HOSTILE = {
    "another version": (lambda r: r.update(recipe=3), "of version 3"),
    "a part too many": (lambda r: r.update(code="import os"), "has or lacks code"),
    "a part too few": (lambda r: r.pop("files"), "has or lacks files"),
    "a wrong type": (lambda r: r.update(weights=3), "weights of type int"),
    "a wrong truth": (lambda r: r["wrap"].update(channels=True), "channels of type bool"),
    "an address of nothing": (lambda r: r.update(address="os:system"), "has the address os:system"),
    "a call": (lambda r: r.update(address="torch:os:system('x')"), "has the address"),
    "an absolute path": (lambda r: r.update(address="keras:/etc/passwd"), "beside it or below"),
    "a path above": (lambda r: r.update(address="keras:../own.keras"), "beside it or below"),
    "files above": (
        lambda r: r.update(files={"../x": {"bytes": 1, "sha256": ""}}),
        "beside it or below",
    ),
    "odd files": (lambda r: r.update(files={"own.keras": 3}), "is no recipe"),
    "no files": (lambda r: r.update(files={}), "made with other files"),
    "weights of a file": (lambda r: r.update(weights="own.keras"), "received weights"),
    "unknown weights": (lambda r: r.update(weights="w.pt"), "does not say what its weights were"),
    "options of a file": (lambda r: r.update(factory_options={"a": 1}), "received factory_options"),
    "huge images": (lambda r: r["wrap"].update(size=[10**9, 10**9]), "has images of"),
    "huge multiples": (lambda r: r["wrap"].update(size_multiple=10**9), "has images of"),
    "many channels": (lambda r: r["wrap"].update(channels=10**12), "has images of"),
    "odd sides": (lambda r: r["wrap"].update(size=["a", 2]), "has images of"),
    "an unknown prediction": (lambda r: r["wrap"].update(predicts="x"), "received predicts"),
    "an odd schedule": (lambda r: r["wrap"].update(schedule={"a": 1}), "received the schedule"),
    "an odd table": (
        lambda r: r["wrap"].update(
            predicts="noise", schedule={"alpha_bars": [0.5, 0.1], "indices": ["a", "b"]}
        ),
        "indices of alpha-bar that are no numbers",
    ),
    "an odd range": (lambda r: r["wrap"].update(value_range=[0, [1]]), "value_range"),
    "a huge range": (lambda r: r["wrap"].update(value_range=[0, 10**400]), "value_range"),
    "other weights": (lambda r: r.update(state_sha256="0"), "with other weights than it did"),
    "escapes": (lambda r: r.update(address="\x1b[2Jx"), r"\\x1b"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "message"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_recipes_are_one_line(recipe, change, message):
    content = json.loads(recipe.read_text())
    change(content)
    recipe.write_text(json.dumps(content))
    with pytest.raises(kg.InputError, match=message) as caught:
        kg.load_denoiser(recipe)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 600


@pytest.fixture
def recipe(tmp_path):
    """The path of a recipe of a .keras file."""
    path = keras_network(tmp_path / "own.keras")
    kg.save_denoiser(kg.wrap(f"keras:{path}", "residual"), tmp_path / "own.json")
    return tmp_path / "own.json"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "is not JSON"),
        (b"[" * 10_000, "nested too deep"),
        (b"\xff\xfe", "not text in UTF-8"),
        (b"3", "it holds no such object"),
        (b'{"recipe": NaN}', "is no number of JSON"),
        (b'{"a": 1, "a": 2}', "one name twice"),
        (b" " * (2**22 + 1), "has more than 4 MiB"),
    ],
)
def test_what_is_no_recipe_is_one_line(tmp_path, content, message):
    path = tmp_path / "own.json"
    path.write_bytes(content)
    with pytest.raises(kg.InputError, match=message):
        kg.load_denoiser(path)


@needs_pipes
def test_a_pipe_in_the_place_of_weights_is_not_waited_for(recipe):
    (recipe.parent / "own.keras").unlink()
    os.mkfifo(recipe.parent / "own.keras")
    with pytest.raises(kg.InputError, match="is a pipe"):
        kg.load_denoiser(recipe)


def rewritten(path, change):
    """A .keras file whose config.json was changed."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    configuration = json.loads(parts["config.json"])
    change(configuration, configuration["config"]["layers"])
    parts["config.json"] = json.dumps(configuration).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def replaced(**named):
    return lambda configuration, layers: layers[-1].update(named)


def activated(module, name):
    function = {"module": module, "class_name": "function", "config": name, "registered_name": name}
    return lambda configuration, layers: layers[1]["config"].update(activation=function)


def inserted(class_name, args, config=None, module="keras.src.ops.numpy", **named):
    """Adds an operation to a file, which takes what is given and whose result nothing takes."""
    node = {"args": args, "kwargs": {}}
    operation = {
        "module": module,
        "class_name": class_name,
        "registered_name": None,
        "name": "more",
    }
    operation |= {"config": {"name": "more"} | (config or {}), "inbound_nodes": [node]} | named
    return lambda configuration, layers: layers.insert(1, operation)


def tensor_of(layer, dtype="float32"):
    config = {"shape": [None, None, None, 1], "dtype": dtype, "keras_history": [layer, 0, 0]}
    return {"class_name": "__keras_tensor__", "config": config}


def hidden(tensor):
    """What holds a tensor, but is none when it is read."""
    return {"module": "keras.layers", "class_name": "ReLU", "config": {"a": tensor}}


def nested_models(configuration, layers):
    """Each of 9 models calls the one within it ten times: a thousand million calls."""
    inner = {"module": "keras.layers", "class_name": "ReLU", "config": {"name": "relu"}}
    for depth in range(9):
        first = {
            "module": "keras.layers",
            "class_name": "InputLayer",
            "config": {"batch_shape": [None, None, None, 1], "name": "first"},
            "name": "first",
            "inbound_nodes": [],
        }
        calls = [{"args": [tensor_of("first")], "kwargs": {}}] * 10
        called = inner | {"name": "inner", "inbound_nodes": calls}
        parts = {"input_layers": [["first", 0, 0]], "output_layers": [["inner", 9, 0]]}
        config = {"name": f"model_{depth}", "layers": [first, called], **parts}
        inner = {
            "module": "keras.src.models.functional",
            "class_name": "Functional",
            "config": config,
        }
    calls = [{"args": [tensor_of(layers[0]["name"])], "kwargs": {}}]
    layers.insert(1, inner | {"name": "model_8", "inbound_nodes": calls})


def first_input(configuration, layers):
    return tensor_of(layers[0]["name"])


def on_input(class_name, config=None, module="keras.src.ops.numpy", **named):
    """The same on the images."""

    def change(configuration, layers):
        args = [tensor_of(layers[0]["name"])]
        inserted(class_name, args, config, module, **named)(configuration, layers)

    return change


FILES = {
    "an operation on no tensor": (inserted("Arange", [0, 10**11, 1]), "calls a 'Arange' with no tensor"),
    "a tensor that is none": (
        inserted("Arange", [0, 10**11, 1, hidden(tensor_of("image"))]),
        "calls a 'Arange' with no tensor",
    ),
    "a layer on an array": (
        inserted(
            "UpSampling2D",
            [{"class_name": "__numpy__", "config": {"value": [[[[0.0]]]], "dtype": "float32"}}],
            {"size": [10**6, 10**6]},
            "keras.layers",
        ),
        "calls a 'UpSampling2D' with no tensor",
    ),
    "a call in an old form": (
        lambda c, layers: layers[1].update(inbound_nodes=[[["image", 0, 0, {}]]]),
        "in a form of older versions",
    ),
    "a call of nothing": (
        lambda c, layers: layers[1]["inbound_nodes"].append([]), "in a form of older versions"
    ),
    "an array of long texts": (
        inserted(
            "Add",
            [
                tensor_of("image"),
                {"class_name": "__numpy__", "config": {"value": [0], "dtype": "U1000000000"}},
            ],
        ),
        "Invalid dtype",
    ),
    "a function that is called": (
        inserted(
            "Map",
            [
                {"class_name": "function", "module": "builtins", "config": "relu"},
                tensor_of("image"),
            ],
            module="keras.src.ops.core",
        ),
        "a call with a function",
    ),
    "a cell by itself": (
        on_input("GRUCell", {"units": 3}, "keras.layers"), "calls a 'GRUCell' by itself"
    ),
    "a layer of any number of axes": (
        on_input("BaseConv", {"rank": 10**10}, "keras.src.layers.convolutional.base_conv"),
        "a 'BaseConv', which is no layer by itself",
    ),
    "more outputs than there is room for": (
        on_input("Unstack", {"num": 10**12}, "keras.src.ops.core"), "more than 65536 tensors"
    ),
    "a huge window": (
        on_input("MaxPooling2D", {"pool_size": [10**6, 10**6], "padding": "same"}, "keras.layers"),
        "a pool_size of more than 256",
    ),
    "a huge kernel": (
        on_input("GaussianBlur", {"kernel_size": [3, 3]}, "keras.src.ops.image"),
        "of which is not known how much it takes",
    ),
    "huge images": (
        lambda c, layers: layers[0]["config"].update(batch_shape=[None, 10**6, 10**6, 1]),
        "an input of more than 16777216 values",
    ),
    "a huge batch": (
        lambda c, layers: layers[0]["config"].update(batch_shape=[10**12, 8, 8, 1]),
        "an input of more than 16777216 values",
    ),
    "models within models": (nested_models, "calls its layers more than 65536 times"),
    "two things of one name": (
        lambda c, layers: (
            layers[1]["config"].update(a={"shared_object_id": 1}),
            layers[-1]["config"].update(a={"shared_object_id": 1, "b": 2}),
        ),
        "two objects of one name",
    ),
    "a class of others": (replaced(module="os", class_name="system"), "holds a '"),
    "another layer of Keras": (
        replaced(module="keras.layers", class_name="TFSMLayer", registered_name=None),
        "holds a 'TFSMLayer'",
    ),
    "a layer that reads files": (
        replaced(module="keras.layers", class_name="StringLookup", registered_name=None),
        "holds a 'StringLookup'",
    ),
    "a Lambda": (replaced(module="keras.layers", class_name="Lambda"), "holds a Lambda layer"),
    "a hidden Lambda": (
        replaced(module="keras.src.layers.core.lambda_layer", class_name="Lambda"),
        "holds a Lambda layer",
    ),
    "code": (
        lambda c, layers: layers[1]["config"].update(activation={"class_name": "__lambda__", "config": {}}),
        "holds a Lambda layer",
    ),
    "a function of Keras": (activated("keras.utils", "get_file"), "function 'get_file'"),
    "a function of Python": (activated("builtins", "exec"), "function 'exec'"),
    "a huge layer": (lambda c, layers: layers[1]["config"].update(filters=4 * 10**9), "."),
    "other weights": (lambda c, layers: layers[1]["config"].update(use_bias=True), "weights are not"),
    "an odd class": (replaced(class_name=["a"]), "has an object"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "message"), FILES.values(), ids=FILES)
def test_hostile_keras_files_are_one_line(tmp_path, change, message):
    path = keras_network(tmp_path / "own.keras")
    rewritten(path, change)
    with pytest.raises(kg.InputError, match=f"cannot be read as a Keras model: .*{message}"):
        kg.load_denoiser(f"keras:{path}?predicts=residual")


def grown(class_name, config, shrink="GlobalAveragePooling2D"):
    """A model that makes much of an image, of which it then takes the mean."""
    image = keras.Input((None, None, 1))
    layers = keras.layers
    large = getattr(layers, class_name)(**config)(image)
    mean = layers.GlobalAveragePooling2D(keepdims=True)(large)
    return keras.Model(image, image + layers.Conv2D(1, 1)(mean))


ATTENTION = {"num_heads": 8, "key_dim": 1}


def attended(size):
    """A model that compares all pixels with each other, in one layer."""
    image, layers = keras.Input((None, None, 1)), keras.layers
    pixels = layers.Reshape((-1, 1))(layers.UpSampling2D(size)(image))
    mixed = layers.MultiHeadAttention(8, 1)(pixels, pixels)
    mean = layers.Reshape((1, 1, 1))(layers.GlobalAveragePooling1D()(mixed))
    return keras.Model(image, image + mean)


def recurrent():
    image, layers = keras.Input((None, None, 1)), keras.layers
    pixels = layers.Reshape((-1, 1))(layers.UpSampling2D(16)(image))
    return keras.Model(image, image + layers.Reshape((1, 1, 1))(layers.SimpleRNN(1)(pixels)))


def counted():
    """A model with a tensor whose size is that of the largest number in another."""
    image, operations = keras.Input((None, None, 1)), keras.ops
    numbers = operations.cast(operations.reshape(1e9 * image, (-1,)), "int32")
    counts = operations.cast(operations.bincount(numbers), "float32")
    return keras.Model(image, image + operations.mean(counts))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: grown("UpSampling2D", {"size": 10**5}),
            "too large tensors, such as one of 2x3200000x",
        ),
        (lambda: grown("ZeroPadding2D", {"padding": 10**6}), "too large tensors"),
        (lambda: attended(4), "too large tensors, such as one of 2x8x16384x16384"),
        (recurrent, "too large tensors, such as one of 262144x16384"),
        (counted, "whose size is not known before"),
    ],
)
def test_what_a_file_computes_is_known_before_it_does(tmp_path, monkeypatch, make, message):
    """By its address and by a recipe, which needs no consent."""
    path = tmp_path / "own.keras"
    make().save(path)
    with pytest.raises(kg.InputError, match=message) as error:
        kg.wrap(f"keras:{path}", "image")
    assert "\n" not in str(error.value)
    with monkeypatch.context() as patch:
        patch.setattr(wrapping, "_try", lambda denoiser, of_file: None)
        kg.save_denoiser(kg.wrap(f"keras:{path}", "image"), tmp_path / "own.json")
    with pytest.raises(kg.InputError, match=message):
        kg.load_denoiser(tmp_path / "own.json")


def test_a_size_that_is_not_known_is_no_other_within_a_model_of_one_size(tmp_path):
    numbers, operations = keras.Input(batch_shape=(4,), dtype="int32"), keras.ops
    counts = operations.cast(operations.bincount(numbers), "float32")
    within = keras.Model(numbers, operations.sum(counts))
    image = keras.Input((None, None, 1))
    four = operations.cast(1e9 * operations.broadcast_to(operations.mean(image), (4,)), "int32")
    path = tmp_path / "own.keras"
    keras.Model(image, image + within(four)).save(path)
    with pytest.raises(kg.InputError, match="whose size is not known before"):
        kg.wrap(f"keras:{path}", "image")


def test_a_model_that_was_built_by_a_call_takes_other_numbers_of_images(tmp_path):
    layers = [keras.layers.Conv2D(1, 3, padding="same"), keras.layers.ReLU()]
    network = keras.Sequential(layers)
    network(np.zeros((4, 8, 8, 1), np.float32))
    network.save(tmp_path / "own.keras")
    denoiser = kg.wrap(f"keras:{tmp_path / 'own.keras'}", "image")
    expected = kg.wrap(network, "image").denoise(images()[..., None])
    np.testing.assert_allclose(denoiser.denoise(images()[..., None]), expected, atol=1e-6)


def test_layers_of_every_kind_are_not_too_large(tmp_path):
    path = tmp_path / "own.keras"
    attended(1).save(path)
    assert kg.wrap(f"keras:{path}", "image", size=16).size == (16, 16)


@pytest.mark.one_backend
@pytest.mark.skipif(sys.platform != "linux", reason="other systems limit no process's memory")
def test_a_hostile_file_takes_no_memory(tmp_path):
    """In a process that may take 256 MiB more than it has: the file would take 800 TB."""
    path = keras_network(tmp_path / "own.keras")
    rewritten(path, inserted("Arange", [0, 10**14, 1]))
    script = f"""
        import resource, sys
        import keras_gahr as kg
        from keras_gahr.denoisers import foreign

        pages = int(open("/proc/self/statm").read().split()[0])
        limit = pages * resource.getpagesize() + 2**28
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        try:
            kg.wrap({f"keras:{path}"!r}, "image")
        except kg.InputError as error:
            sys.exit("with no tensor" not in str(error))
    """
    process = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=False)
    assert process.returncode == 0


def test_weights_that_keras_keeps_as_bytes_are_one_line(tmp_path):
    path = tmp_path / "own.keras"
    images = keras.Input((None, None, 1))
    keras.Model(images, keras.layers.Conv2D(1, 1, dtype="bfloat16")(images)).save(path)
    with pytest.raises(
        kg.InputError, match="weights are in bfloat16, which is not read: save it in"
    ):
        kg.wrap(f"keras:{path}", "image")


def test_a_layer_that_holds_more_than_its_file_is_not_built(tmp_path):
    path = tmp_path / "own.keras"
    keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(1, 1)]).save(path)

    def widen(configuration, layers):
        layers[-1]["config"].update(filters=10**11)

    rewritten(path, widen)
    with pytest.raises(
        kg.InputError, match=r"too large tensors, such as one of anyx8x8x10{11} values"
    ):
        kg.load_denoiser(f"keras:{path}?predicts=residual")


def test_layers_of_the_users_are_read_if_they_are_registered(tmp_path):
    class Twice(keras.layers.Layer):
        def call(self, x):
            return 2 * x

    path = tmp_path / "own.keras"
    keras.Sequential([keras.Input((8, 8, 1)), Twice()]).save(path)
    with pytest.raises(kg.InputError, match="holds a 'Twice'"):
        kg.wrap(f"keras:{path}", "image")
    with keras.saving.custom_object_scope({"Twice": Twice}):
        assert kg.wrap(f"keras:{path}", "image").size == (8, 8)

    class BaseCell(Twice):
        """Of a name that Keras has for what is no layer by itself."""

    keras.Sequential([keras.Input((8, 8, 1)), BaseCell()]).save(path)
    with keras.saving.custom_object_scope({"BaseCell": BaseCell}):
        assert kg.wrap(f"keras:{path}", "image").size == (8, 8)


@pytest.mark.parametrize(
    ("name", "message"),
    [("no.keras", "does not exist"), ("a.txt", "is a text"), ("", "expected keras:FILE")],
)
def test_what_is_no_keras_file_is_one_line(tmp_path, monkeypatch, name, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_text("no archive")
    with pytest.raises(kg.InputError, match=message):
        kg.wrap(f"keras:{name}", "image")
    with pytest.raises(kg.InputError, match="expected one of torch:"):
        kg.wrap("a.txt", "image")


@of_code
def test_a_fingerprint_tells_what_an_address_names(folder):
    """Of networks without arrays, all from one module."""
    (folder / "own_shrinking.py").write_text(
        textwrap.dedent("""
            def first(y, sigma):
                return 0.1 * y

            def second(y, sigma):
                return 0.2 * y

            def make(gain=0.1):
                return lambda y, sigma: gain * y
        """)
    )

    def fingerprint(attribute, **factory_options):
        options = {"channels": 1, "factory_options": factory_options or None}
        if BACKEND == "torch" and attribute != "make":
            attribute = f"made_{attribute}"
        address = f"{BACKEND}:own_shrinking:{attribute}"
        return kg.wrap(address, "image", "sigma", **options).fingerprint()

    if BACKEND == "torch":
        with open(folder / "own_shrinking.py", "a") as file:
            file.write("made_first, made_second = lambda: first, lambda: second\n")
        by_gain = [fingerprint("make", gain=gain) for gain in (0.1, 0.2)]
        assert by_gain[0] != by_gain[1]
    assert fingerprint("first") == fingerprint("first") != fingerprint("second")
