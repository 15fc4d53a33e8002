"""`.keras` files that are not what they say are refused before anything of them is inflated or built."""

import io
import json
import os
import zipfile

import h5py
import keras
import numpy as np
import pytest
from systems import needs_pipes

from keras_gahr import InputError, load_denoiser, save_denoiser
from keras_gahr.baselines import (
    EmpiricalBayes,
    GaussianMixture,
    LocalBayes,
    MaskedBayes,
    OracleThresholding,
    Wiener,
)
from keras_gahr.datasets import mixture_law
from keras_gahr.denoisers import (
    BFCNN,
    DilatedUNet,
    DirectDenoiser,
    FlexibleUNet,
    MultiScaleDenoiser,
    ReceptiveFieldBFCNN,
    UNet,
)

CONFIG, WEIGHTS = "config.json", "model.weights.h5"


def conditional(seed):
    return ReceptiveFieldBFCNN(receptive_field=5, num_kernels=2, coarse=False, seed=seed)


def images(*shape):
    return np.random.default_rng(0).random(shape, np.float32)


DENOISERS = {
    "unet": lambda: UNet(3, num_blocks=2, num_kernels=2, num_enc_conv=3, num_dec_conv=1),
    "shallow unet": lambda: UNet(num_blocks=1, num_kernels=3, num_enc_conv=1, num_mid_conv=1),
    "bf-cnn": lambda: BFCNN(2, num_layers=4, num_kernels=3),
    "one layer": lambda: BFCNN(num_layers=1),
    "bf-cnn-rf": lambda: ReceptiveFieldBFCNN(3, receptive_field=9, num_kernels=2),
    "conditional": lambda: conditional(0),
    "dilated-unet": lambda: DilatedUNet(2, num_kernels=3),
    "unet-flex": lambda: FlexibleUNet(2, [3, 5, 2], num_enc_conv=[1, 3], upsample_bias=True),
    "unet-flex of batch norms": lambda: FlexibleUNet(
        1, [3, 2], num_dec_conv=1, norm="batch", bias=False, inter_skip=False
    ),
    "direct": lambda: DirectDenoiser(BFCNN(num_layers=2, num_kernels=3)),
    "multi-scale": lambda: MultiScaleDenoiser(
        BFCNN(num_layers=2, num_kernels=2), [conditional(1), conditional(2)]
    ),
    "training images": lambda: EmpiricalBayes(images(3, 4, 5, 2)),
    "training images in bytes": lambda: EmpiricalBayes(np.full((3, 4, 5, 1), 9, np.uint8), 0.1),
    "wiener": lambda: Wiener.from_images(images(3, 4, 5, 1)),
    "mixture": lambda: GaussianMixture(mixture_law(size=4, rank=[3, 0], spread=1.0), 0.1),
    "local": lambda: LocalBayes(images(3, 4, 5, 2), 3),
    "equivariant": lambda: LocalBayes(images(3, 4, 5, 1), [(0.1, 3), (1, 5)], "equivariant"),
    "masked": lambda: MaskedBayes(images(3, 4, 5, 1), 0.1),
    "oracle": lambda: OracleThresholding((4, 5, 1)),
    "oracle with an image": lambda: OracleThresholding((4, 4, 1), "haar", clean=images(4, 4, 1)),
}


@pytest.mark.parametrize("name", DENOISERS)
def test_what_is_stored_is_known_before_it_is_built(name, tmp_path):
    denoiser = DENOISERS[name]()
    denoiser.provenance = {"trained_on": {"class_name": "Dense", "config": {}}, "note": [1, None]}
    expected = sorted(tuple(weight.shape) for weight in denoiser.weights)
    assert sorted(type(denoiser).stored_shapes(denoiser.get_config())) == expected
    save_denoiser(denoiser, tmp_path / "x.keras")
    loaded = load_denoiser(tmp_path / "x.keras")
    assert loaded.get_config() == denoiser.get_config()
    for found, weight in zip(loaded.get_weights(), denoiser.get_weights(), strict=True):
        np.testing.assert_array_equal(found, weight)


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """The parts of a small network's file by name."""
    path = tmp_path_factory.mktemp("parts") / "x.keras"
    save_denoiser(BFCNN(num_layers=3, num_kernels=2, seed=1), path)
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written(path, parts, **options):
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


@pytest.fixture
def refused(tmp_path, monkeypatch):
    """A function that checks that a file is refused in one line before Keras opens it."""

    def check(says, path):
        monkeypatch.setattr(keras.saving, "load_model", None)
        with pytest.raises(InputError, match=says) as caught:
            load_denoiser(path)
        assert str(caught.value).isprintable()

    return check


@pytest.fixture
def with_parts(tmp_path, parts, refused):
    """The same for a file with other parts."""
    return lambda says, **changed: refused(
        says,
        written(
            tmp_path / "x.keras",
            parts | {name.replace("_", "."): content for name, content in changed.items()},
        ),
    )


def test_the_parts_as_they_were_are_read(tmp_path, parts):
    assert load_denoiser(written(tmp_path / "x.keras", parts)).num_layers == 3


def test_newer_files_may_say_more(tmp_path, parts):
    config = json.loads(parts[CONFIG])
    config |= {"shared_object_id": 7, "build_config": {"input_shape": [None, None, None, 1]}}
    metadata = b'{"keras_version": "9.0", "more": 1}'
    changed = parts | {CONFIG: json.dumps(config), "metadata.json": metadata}
    assert load_denoiser(written(tmp_path / "x.keras", changed)).num_layers == 3


def test_a_denoiser_that_keras_trained_is_read(tmp_path):
    denoiser = BFCNN(num_layers=2, num_kernels=2)
    denoiser.compile(optimizer="adam", loss="mse")
    denoiser.optimizer.build(denoiser.trainable_variables)
    denoiser.save(tmp_path / "x.keras")
    loaded = load_denoiser(tmp_path / "x.keras")
    for found, weight in zip(loaded.get_weights(), denoiser.get_weights(), strict=True):
        np.testing.assert_array_equal(found, weight)


@pytest.mark.parametrize("name", [CONFIG, WEIGHTS, "metadata.json"])
def test_compressed_parts(tmp_path, parts, refused, name):
    spaces = parts | {name: parts[name] + b" " * 10**6}
    options = {"compression": zipfile.ZIP_DEFLATED}
    refused("is compressed", written(tmp_path / "x.keras", spaces, **options))


def test_parts_that_are_too_long(with_parts, parts):
    with_parts("config.json has more than", config_json=parts[CONFIG] + b" " * 2**20)
    with_parts("metadata.json has more than", metadata_json=b" " * 2**17)
    with_parts("larger than such a network", model_weights_h5=parts[WEIGHTS] + bytes(10**6))
    config = parts[CONFIG].replace(b'"seed": 1', b'"seed": 1e400')
    with_parts("seed = inf", config_json=config)


def test_other_parts(tmp_path, parts, refused):
    path = tmp_path / "x.keras"
    refused("it has 4 parts", written(path, parts | {"assets/x": b""}))
    refused("it has 2 parts", written(path, {k: v for k, v in parts.items() if k != CONFIG}))
    missing = {k: v for k, v in parts.items() if k != CONFIG}
    refused("its parts are not", written(path, missing | {"../config.json": parts[CONFIG]}))
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "w") as archive:
        for name in (CONFIG, CONFIG, WEIGHTS):
            archive.writestr(name, parts[name])
    refused("its parts are not", path)


def test_what_lies_around_the_parts(tmp_path, parts, refused):
    path = written(tmp_path / "x.keras", parts)
    whole = path.read_bytes()
    path.write_bytes(whole + b"\0")
    refused("something follows its end", path)
    path.write_bytes(b"\0" + whole)
    refused("does not lie where", path)
    path.write_bytes(whole[:-30])
    refused("not a .keras file", path)
    path.write_bytes(b"")
    refused("not a .keras file", path)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
            archive.fp.write(bytes(100))
            archive.start_dir += 100
    refused("does not lie where", path)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
        archive.comment = b"more"
    refused("something follows", path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"[" * 10**5, "nested too deep"),
        (b"[" * 500 + b"]" * 500, "nested too deep"),
        (b"{", "Expecting"),
        (b"\xff{}", "not text in UTF-8"),
        (b'{"a": NaN}', "NaN"),
        (b'{"a": 1, "a": 2}', "one name twice"),
        (b'{"a": ' + b"1" * 5000 + b"}", "integer string"),
        (b"7", "no object of Keras"),
        (b"{}", "holds a None"),
    ],
)
def test_texts_that_are_no_configuration(with_parts, text, says):
    with_parts(says, config_json=text)


def dense(**more):
    """A layer of Keras of 2e8 units, as it would be in a file."""
    config = {"name": "dense", "units": 2 * 10**8, "activation": "linear"}
    return {"module": "keras.layers", "class_name": "Dense", "config": config, **more}


@keras.saving.register_keras_serializable("tests")
class Foreign(BFCNN):
    """Somebody else's."""


@keras.saving.register_keras_serializable("keras_gahr")
class NoDenoiser(keras.layers.Layer):
    """Under this package's name, but no denoiser."""


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        (dense(registered_name=None), "holds a 'Dense'"),
        (dense(registered_name="keras_gahr>Dense"), "holds a 'Dense'"),
        (dense(registered_name="keras_gahr>BFCNN"), "calls a BFCNN 'Dense'"),
        ({"registered_name": "tests>Foreign", "class_name": "Foreign"}, "holds a 'tests>Foreign'"),
        ({"registered_name": "keras_gahr>NoDenoiser"}, "holds a 'NoDenoiser'"),
        ({"registered_name": "keras_gahr>BiasFreeNorm"}, "holds a 'BiasFreeNorm'"),
        ({"registered_name": "keras_gahr>\x1b[2J"}, r"holds a '\\x1b\[2J'"),
        ({"registered_name": ["BFCNN"]}, "holds a"),
        ({"class_name": "__lambda__"}, "calls a BFCNN '__lambda__'"),
        ({"config": None}, "no options"),
    ],
)
def test_other_classes(with_parts, parts, changed, says):
    with_parts(says, config_json=json.dumps(json.loads(parts[CONFIG]) | changed))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"num_layers": 10**9, "num_kernels": 1}, "more than a thousand layers"),
        ({"num_channels": 10**9}, "more than a billion parameters"),
        ({"num_kernels": 10**4000}, "num_kernels above a billion"),
        ({"num_kernels": 3}, "not those of the network"),
        ({"num_layers": 4}, "not those of the network"),
        ({"num_layers": 0}, "at least 1"),
        ({"num_layers": -1}, "at least 1"),
        ({"num_layers": 3.0}, "num_layers = 3.0, expected int"),
        ({"num_kernels": True}, "num_kernels = True, expected int"),
        ({"num_kernels": "\x1b"}, "expected int"),
        ({"num_kernels": None}, "expected int"),
        ({"first_layer_linear": 1}, "expected bool"),
        ({"seed": 1.5}, "expected int or NoneType"),
        ({"provenance": []}, "expected dict or NoneType"),
        ({"name": 3}, "expected str"),
        ({"activation": "relu\n"}, r"option 'activation'"),
    ],
)
def test_other_options(with_parts, parts, options, says):
    config = json.loads(parts[CONFIG])
    config["config"] |= options
    with_parts(says, config_json=json.dumps(config))


def large(name, **options):
    return {"registered_name": f"keras_gahr>{name}", "class_name": name, "config": options}


def flexible(**options):
    config = FlexibleUNet(num_kernels=[1, 1], norm="none").get_config()
    return {**large("FlexibleUNet"), "config": config | options}


LOCAL = {
    "sigma": None,
    "shape": [3, 8, 8, 1],
    "dtype": "uint8",
    "patch": 3,
    "rule": "bordered",
    "boundary": "cut",
}
MASKED = {"sigma": 1.0, "shape": [3, 8, 8, 1], "dtype": "uint8", "kept": 3, "threshold": 0.1}


@pytest.mark.parametrize(
    ("configuration", "says"),
    [
        (large("UNet", num_channels=10**9), "billion"),
        (large("UNet", num_blocks=10**9, num_kernels=1), "billion"),
        (large("UNet", num_mid_conv=10**9, num_kernels=1), "thousand layers"),
        (large("DilatedUNet", num_kernels=10**6), "billion"),
        (flexible(num_kernels=[10**6, 10**6]), "billion"),
        (flexible(num_mid_conv=10**9), "thousand layers"),
        (flexible(num_enc_conv=[10**9]), "thousand layers"),
        (flexible(num_enc_conv=[2] * 10**5), "num_enc_conv of 100000 blocks"),
        (flexible(num_kernels=[1] * 10**5), "received 100000 num_kernels"),
        (flexible(num_kernels=["\x1b"]), "num_kernels '.x1b'"),
        (flexible(num_kernels=2), "expected list"),
        (flexible(norm="\x1b"), "another norm"),
        (flexible(bias=1), "expected bool"),
        (large("FlexibleUNet"), "it has no bias"),
        (large("ReceptiveFieldBFCNN", num_kernels=10**5), "billion"),
        (large("ReceptiveFieldBFCNN", receptive_field=10**9), "receptive field"),
        (large("DirectDenoiser"), "no object"),
        (large("DirectDenoiser", network=dense()), "holds a 'Dense'"),
        (large("DirectDenoiser", network=large("UNet", num_kernels=10**9)), "billion"),
        (large("MultiScaleDenoiser", low_band=large("BFCNN"), details=[dense()]), "'Dense'"),
        (large("MultiScaleDenoiser", low_band=large("BFCNN"), details=[0] * 100), "100 scales"),
        (
            large(
                "DirectDenoiser", network={**large("BFCNN"), "compile_config": {"optimizer": {}}}
            ),
            "a part of it was compiled",
        ),
        (large("EmpiricalBayes", sigma=None, shape=[10**9, 8, 8, 1], dtype="uint8"), "not those"),
        (large("EmpiricalBayes", sigma=None, shape=[1, 8, 8, 1], dtype="object"), "no array"),
        (large("EmpiricalBayes", sigma=None, shape=[1, 8, 8, 0], dtype="uint8"), "at least 1"),
        (large("EmpiricalBayes", sigma=None, shape=[1, 8, 8, 1]), "lacks the option dtype"),
        (large("LocalBayes", **{**LOCAL, "shape": [10**9, 8, 8, 1]}), "not those"),
        (large("LocalBayes", **{**LOCAL, "patch": 4}), "odd number of pixels"),
        (large("LocalBayes", **{**LOCAL, "patch": [["a", 3]]}), "no table of sides"),
        (large("LocalBayes", **{**LOCAL, "patch": [[0.1, 3]] * 2000}), "2000 noise levels"),
        (large("LocalBayes", **{**LOCAL, "rule": "global"}), "local or equivariant"),
        (large("LocalBayes", **{**LOCAL, "boundary": "wrap"}), "have no border"),
        (large("MaskedBayes", **{**MASKED, "shape": [10**6, 8, 8, 1]}), "not those"),
        (large("MaskedBayes", **{**MASKED, "kept": 65}), "no such number"),
        (large("MaskedBayes", **{**MASKED, "threshold": 1.0}), "no such threshold"),
        (large("Wiener", sigma=1.0, shape=[10**9, 1, 1, 1]), "not those"),
        (large("Wiener", sigma=1.0, shape=[1, 1]), "its shape is not"),
        (large("GaussianMixture", sigma=1.0, shape=[10**9, 4, 4, 1, 1]), "not those"),
        (large("GaussianMixture", sigma=1.0, shape=[2, 4, 4, 1]), "its shape is not"),
        (large("GaussianMixture", sigma=1.0, shape=[2, 4, 4, 1, 0]), "at least 1"),
        (
            large(
                "OracleThresholding",
                sigma=None,
                image_shape=[10**6, 10**6, 1],
                basis="dct",
                rule="threshold",
                clean=True,
            ),
            "not those",
        ),
    ],
)
def test_networks_that_are_not_in_the_file(with_parts, configuration, says):
    with_parts(says, config_json=json.dumps(configuration))


def test_bases_of_images_that_no_weights_vouch_for(tmp_path):
    with pytest.raises(InputError, match="at most 4096 pixels"):
        OracleThresholding((10**6, 8, 1))


def changed_weights(content, change):
    file = io.BytesIO(content)
    with h5py.File(file, "a") as weights:
        change(weights["layers"], weights)
    return file.getvalue()


def replace(**options):
    """A function that puts another dataset in the place of the first kernel."""

    def change(layers, weights):
        group = layers["conv2d/vars"]
        del group["0"]
        group.create_dataset("0", shape=(3, 3, 1, 2), **options)

    return change


def virtual(layers, weights):
    layout = h5py.VirtualLayout(shape=(3, 3, 1, 2), dtype="f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", shape=(3, 3, 1, 2))
    del layers["conv2d/vars"]["0"]
    layers["conv2d/vars"].create_virtual_dataset("0", layout)


def linked(link):
    def change(layers, weights):
        del layers["conv2d/vars"]["0"]
        layers["conv2d/vars"]["0"] = link

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (replace(dtype="f4"), "no plain array"),
        (replace(data=np.ones((3, 3, 1, 2), "f4"), compression="gzip"), "no plain array"),
        (replace(data=np.ones((3, 3, 1, 2), "f4"), chunks=True), "no plain array"),
        (replace(dtype="f4", external=[("/etc/hostname", 0, 72)]), "no plain array"),
        (replace(dtype="S8"), "no plain array"),
        (virtual, "no plain array"),
        (linked(h5py.SoftLink("/layers/conv2d_1/vars/0")), "has a link"),
        (linked(h5py.SoftLink("/layers/conv2d/vars/0")), "has a link"),
        (linked(h5py.ExternalLink("/etc/hostname", "/")), "has a link"),
        (lambda layers, weights: layers.__setitem__("again", weights), "'layers' twice|twice"),
        (lambda layers, weights: layers.__setitem__("\x1bmore", np.ones(3)), "not those"),
        (lambda layers, weights: layers.__delitem__("conv2d"), "not those"),
        (lambda layers, weights: weights.__setitem__("type", np.dtype("f4")), "no plain array"),
    ],
)
def test_weights_that_are_not_plain(with_parts, parts, change, says):
    with_parts(says, model_weights_h5=changed_weights(parts[WEIGHTS], change))


def test_weights_in_another_place(tmp_path, parts):
    content = changed_weights(
        parts[WEIGHTS], lambda layers, weights: layers.move("conv2d", "other")
    )
    path = written(tmp_path / "x.keras", parts | {WEIGHTS: content})
    with pytest.raises(InputError, match="cannot be read as a denoiser"):
        load_denoiser(path)


def test_weights_that_are_damaged(with_parts, parts):
    for content in (b"", b"no HDF5", parts[WEIGHTS][:-1000]):
        with_parts("cannot be read as a denoiser", model_weights_h5=content)


@needs_pipes
def test_what_is_no_file(tmp_path, refused):
    os.mkfifo(tmp_path / "pipe.keras")
    refused("is a pipe", tmp_path / "pipe.keras")
    (tmp_path / "folder.keras").mkdir()
    refused("folder", tmp_path / "folder.keras")
    (tmp_path / "device.keras").symlink_to("/dev/zero")
    refused("is a device", tmp_path / "device.keras")
    refused("does not exist", tmp_path / "missing.keras")
