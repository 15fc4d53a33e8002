"""Imports point one way, and only some rooms may import some libraries."""

import ast
import re
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.one_backend

ROOT = Path(__file__).resolve().parents[1]

RANKS = [
    {"errors", "quoting", "within", "__init__"},
    {
        "cache_folder",
        "figure_files",
        "files",
        "folder_tree",
        "heap",
        "impostors",
        "memory",
        "names",
        "pickles",
        "pixel_limit",
        "progress_bar",
        "signals",
    },
    {"progress", "result"},
    {"hub", "json_file", "options", "pretrained"},
    {"checkpoint_address", "model_address"},
    {"backend_choice"},
    {"before_keras"},
    {"_backend"},
    {"noise"},
    {"datasets"},
    {"denoisers"},
    {"baselines"},
    {"psnr", "ssim"},
    {"sampling"},
    {"analysis", "denoising"},
    {"training"},
    {"restoration"},
    {"plot"},
    {"report"},
    {"runs"},
    {"publishing", "view"},
    {"reproduction"},
    {"experiments"},
    {"commands"},
    {"__main__"},
]
"""Rooms (or single files) of the package from the ground up; none imports from its own rank or above."""

ONLY_IN = {
    "jax": {"_backend"},
    "tensorflow": {"_backend"},
    "torch": {"_backend"},
    "diffusers": {"_backend"},
    # Results say that they return its figures, and import nothing.
    "matplotlib": {"plot", "result"},
    "typer": {"commands"},
    "huggingface_hub": {"hub"},
    "mlflow": {"training"},
    "trackio": {"training"},
    "wandb": {"training"},
}


NAMED_BY_USERS = ROOT / "keras_gahr" / "denoisers" / "foreign" / "importing.py"
"""The one file that imports what a user has typed."""


def room_of(path):
    """The room of a file: "denoisers", "noise", or "weights_convert"."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[1] if parts[0] == "keras_gahr" else parts[0]


def folder_of(room):
    """Where the files of a room are."""
    return ROOT / room if room == "weights_convert" else ROOT / "keras_gahr" / room


def imports_of(path):
    """Absolute names of all modules that a file imports, wherever in it."""
    yield from imports_in(ast.parse(path.read_text("utf-8")), path)


def imports_in(tree, path):
    """The same for a part of the file."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) + 1 - node.level]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif (
            isinstance(node, ast.Call)
            and called(node) in {"import_module", "__import__"}
            and path != NAMED_BY_USERS
        ):
            yield named_by_string(node.args[0], package)


def imports_at_once(path):
    """The same for what is imported with the file itself."""
    body = ast.parse(path.read_text("utf-8")).body
    statements = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    return list(imports_in(ast.Module(statements, []), path))


def called(call):
    """The name of what is called, without where it is from."""
    return getattr(call.func, "attr", getattr(call.func, "id", None))


def named_by_string(name, package):
    """The module that an import by string names: a constant, or one of the package that imports it."""
    if isinstance(name, ast.Constant):
        relative = len(name.value) - len(name.value.lstrip("."))
        base = package[: len(package) + 1 - relative] if relative else ()
        return ".".join([*base, name.value.lstrip(".")])
    first = name.values[0] if isinstance(name, ast.JoinedStr) else None
    within = isinstance(first, ast.FormattedValue) and ast.unparse(first.value) == "__name__"
    dotted = within and str(getattr(name.values[1], "value", "")).startswith(".")
    assert dotted, f"{ast.unparse(name)}: nobody can tell what that imports"
    return ".".join(package)


WHEN_CALLED = {
    "keras_gahr/denoisers/configuration.py": {"keras_gahr.baselines"},
    "keras_gahr/denoisers/foreign/weights.py": {"weights_convert.read.open_checkpoint"},
    "keras_gahr/denoisers/loading.py": {
        "weights_convert.loading.is_published",
        "weights_convert.loading.load_published",
    },
    "keras_gahr/publishing/revision.py": {
        "weights_convert.export.export_denoiser",
        "weights_convert.export.has_published_state",
    },
}
"""What a file or a name may turn out to be is only known when it is asked for: the climbs that are allowed,
within functions. A denoiser may be one of a room above, or somebody's checkpoint."""

FILES = sorted([*ROOT.glob("keras_gahr/**/*.py"), *ROOT.glob("weights_convert/**/*.py")])


def rank_of(room):
    return next(i for i, rooms in enumerate(RANKS) if room in rooms)


def imported_first(path):
    """The first module from outside Python that is imported with a file."""
    names = (
        name for name in imports_at_once(path) if name.split(".")[0] not in sys.stdlib_module_names
    )
    return next(names, None)


def test_rooms_look_for_a_backend_before_they_import_keras():
    """Whichever of their files somebody imports first."""
    told = "keras_gahr.before_keras"
    rooms = {
        path if path.parent == ROOT / "keras_gahr" else folder_of(room_of(path)) / "__init__.py"
        for path in FILES
        if any(name.split(".")[0] == "keras" for name in imports_at_once(path))
    }
    assert len(rooms) > 8
    assert {room for room in rooms if imported_first(room) != told} == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way(path):
    room = room_of(path)
    for name in set(imports_of(path)) - WHEN_CALLED.get(path.relative_to(ROOT).as_posix(), set()):
        top, *rest = name.split(".")
        assert room in ONLY_IN.get(top, {room}), f"{name} is not for {room}"
        if top == "weights_convert":
            assert room in {"weights_convert", "commands"}, f"{name} is not for {room}"
        if top != "keras_gahr":
            continue
        other = rest[0] if rest and any(rest[0] in rooms for rooms in RANKS) else "__init__"
        if room == "weights_convert":
            ground = {
                "cache_folder",
                "checkpoint_address",
                "errors",
                "files",
                "folder_tree",
                "impostors",
                "json_file",
                "names",
                "pickles",
                "pretrained",
                "quoting",
            }
            assert other in {"denoisers", "before_keras", "__init__"} | ground, (
                f"{name} from {room}"
            )
        elif (room, other) == ("result", "plot"):
            # How results are drawn is reached when one is, so that whoever has one need not know.
            continue
        elif other != room:
            assert rank_of(other) < rank_of(room), f"{name} from {room}"


def test_results_reach_plots_only_when_they_are_drawn():
    tree = ast.parse((ROOT / "keras_gahr" / "result.py").read_text("utf-8"))
    at_once = [ast.unparse(node) for node in tree.body if "Import" in type(node).__name__]
    assert at_once and not any("plot" in line or "matplotlib" in line for line in at_once)


PRIVATE = {
    "keras_gahr/_backend/steps.py": {"_run_through_graph"},
    "keras_gahr/_backend/convolution/torch.py": {"_is_mkldnn_bf16_supported", "_is_view"},
    "keras_gahr/_backend/convolution/torch_packed.py": {
        "_convolution_pointwise",
        "_convolution_transpose_pointwise",
        "_get_mkldnn_serialized_md",
        "_reorder_convolution_transpose_weight",
        "_reorder_convolution_weight",
    },
    "keras_gahr/training/adam.py": {"_get_variable_index", "_momentums", "_velocities"},
    "keras_gahr/training/running_values.py": {"_flatten_layers"},
}
"""Names that Keras and PyTorch may take away, each in one function; `tests/denoisers/test_private_names.py`
says what that would break."""

PUBLIC_ALL_THE_SAME = {"_exit", "_make", "_replace", "_asdict", "_fields"}
"""Of `os` and of named tuples, whose documentation has them."""


def own_names(paths):
    """All private names that these files define, in any way."""
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                yield node.name
            elif isinstance(node, ast.arg):
                yield node.arg
            elif isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Store):
                yield node.id if isinstance(node, ast.Name) else node.attr
            elif isinstance(node, ast.alias):
                yield (node.asname or node.name).split(".")[-1]


def private_names(path):
    """Private attributes that a file reaches, and private modules that it imports."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield node.attr
    for name in imports_of(path):
        top, *rest = name.split(".")
        if top not in {"keras_gahr", "weights_convert"}:
            yield from rest
            yield from ["_src"] * name.startswith("keras.src")


def test_files_can_be_imported_on_every_system():
    """What only Unix has is imported where it is needed, or in a `try`."""
    unix = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
    for folder in ("benchmarks", "keras_gahr", "release", "tests", "weights_convert"):
        for path in (ROOT / folder).rglob("*.py"):
            assert not unix & {name.split(".")[0] for name in imports_at_once(path)}, path


def test_no_other_librarys_private_names():
    ours = {*own_names(FILES), *PUBLIC_ALL_THE_SAME}
    for path in FILES:
        allowed = PRIVATE.get(path.relative_to(ROOT).as_posix(), set())
        private = {name for name in private_names(path) if re.match("_[a-z]", name)}
        assert private - ours == allowed, path


ALIKE = ("_backend", "commands", "experiments", "layouts", "reference")
"""Rooms whose modules have the same names on purpose: one for each backend, command, figure or layout. A
command bears the name of the function that it calls."""


def public_names(path):
    """The public functions and classes of a file."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node.name


def homes_of_names(paths):
    """The files that have a function or class of a name, by name."""
    homes = {}
    for path in paths:
        for name in public_names(path):
            homes.setdefault(name, set()).add(path.relative_to(ROOT).as_posix())
    return homes


def test_no_two_public_things_share_a_name():
    paths = [path for path in FILES if not {*ALIKE} & {*path.relative_to(ROOT).parts}]
    homes = homes_of_names(paths)
    assert len(homes) > 500
    assert not {name: files for name, files in homes.items() if len(files) > 1}


def test_nothing_shadows_a_module_beside_it():
    """Or `room.name` would be the module or the function, as it was imported last."""
    for path in FILES:
        if path.name != "__init__.py":
            continue
        modules = {beside.stem for beside in path.parent.iterdir()} - {"__init__"}
        bound = {*public_names(path)}
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                bound |= {alias.asname or alias.name for alias in node.names}
        assert not bound & modules, path


BACKENDS = "jax", "tensorflow", "torch"


def names_promised(path):
    """What a room with a module for each backend asks of these."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Call):
            of = getattr(node.value, "id", None) or called(node.value)
            if of in {"_module", "_fastest"}:
                yield node.attr


def names_bound(path):
    """What a file defines or imports at its top."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


@pytest.mark.parametrize("room", [".", "convolution", "convolution/winograd", "parallel"])
def test_every_backend_keeps_what_the_contract_promises(room):
    folder = ROOT / "keras_gahr" / "_backend" / room
    promised = {*names_promised(folder / "__init__.py")}
    assert promised
    for backend in BACKENDS:
        assert promised <= {*names_bound(folder / f"{backend}.py")}, backend
    described = {
        node.name
        for node in ast.parse((folder / "__init__.py").read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node)
    }
    # `convolve` says what `plain_convolve` is, too.
    functions = {name for name in promised if name.islower()} - {"plain_convolve"}
    assert functions <= described


def test_every_room_has_a_rank():
    for path in FILES:
        assert room_of(path) == "weights_convert" or rank_of(room_of(path)) is not None


def test_climbs_that_are_allowed_are_made_when_called():
    for place, climbs in WHEN_CALLED.items():
        path = ROOT / place
        statements = ast.parse(path.read_text("utf-8")).body
        at_once = [node for node in statements if isinstance(node, ast.Import | ast.ImportFrom)]
        assert climbs <= set(imports_of(path)), place
        assert climbs.isdisjoint(imports_in(ast.Module(at_once, []), path)), place


def test_the_test_sees_a_wrong_import(tmp_path, monkeypatch):
    """Negative control."""
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    wrong = tmp_path / "keras_gahr" / "datasets" / "wrong.py"
    wrong.parent.mkdir(parents=True)
    for line in (
        "from keras_gahr.training import train",
        "from ..sampling import x",
        "import torch",
        "import weights_convert",
        "importlib.import_module('keras_gahr.sampling')",
        "importlib.import_module('..sampling', __package__)",
        "from importlib import import_module; import_module(f'{room}.run')",
        "import_module(f'{__name__}{room}')",
        "__import__('torch')",
        "def later(): from keras_gahr import training",
    ):
        wrong.write_text(line)
        with pytest.raises(AssertionError):
            test_imports_point_one_way(wrong)
