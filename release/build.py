"""Builds the sdist and the wheel of the last commit, looks what they hold, and tries both.

    python release/build.py --out dist

Each is installed where nothing else is: the wheel with each backend, whose `gahr demo` must draw its page,
and the sdist with PyTorch, where tests run from what it holds. Only then does the folder get them.

On the index of packages the README's links lead nowhere unless they are absolute: `--source` is the address
that they begin with, of the same commit. Notebooks on GitHub then have badges that open them on Colab.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

BACKENDS = ("torch", "tensorflow", "jax")

PACKAGES = ("keras_gahr/", "weights_convert/")
"""What the wheel holds."""

SDIST_TESTS = ("tests/test_files.py", "tests/sampling")
"""Tests that need helpers, golden files and a backend, and take less than a minute or two."""

_RELATIVE_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)")

_NOTEBOOK_LINK = re.compile(r"\]\(https://github\.com/([^)\s]+\.ipynb)\)")
_COLAB = "https://colab.research.google.com"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--out", type=Path, default=Path("dist"), help="folder, which must be empty"
    )
    parser.add_argument(
        "--source", help="address of the files of this commit, for the README's links"
    )
    parser.add_argument("--version", help="what it must be, such as that of a tag: v0.2.0")
    parser.add_argument(
        "--backend", action="append", choices=BACKENDS, help="to be tried; repeatable; default: all"
    )
    chosen = parser.parse_args()
    if chosen.out.exists() and any(chosen.out.iterdir()):
        parser.error(f"received --out {chosen.out}, which holds files already")
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch, "tree")
        tracked = check_out(tree)
        version = version_of(tree)
        if chosen.version and chosen.version.removeprefix("v") != version:
            sys.exit(f"received --version {chosen.version}, and this is {version}")
        if chosen.source:
            make_links_absolute(tree / "README.md", chosen.source)
        else:
            print("no --source: the README's links stay relative", file=sys.stderr)
        built = Path(scratch, "dist")
        run("-m", "build", "--outdir", built, tree)
        run("-m", "twine", "check", "--strict", *built.iterdir())
        (sdist,), (wheel,) = built.glob("*.tar.gz"), built.glob("*.whl")
        check_contents(sdist, wheel, tracked)
        for backend in chosen.backend or BACKENDS:
            try_wheel(wheel, tree, Path(scratch, backend), backend)
        try_sdist(sdist, tree, Path(scratch, "sdist"))
        hand_over(built, chosen.out)
    print(f"good: {chosen.out / sdist.name}, {chosen.out / wheel.name}")


def check_out(tree):
    """Writes the files of the last commit; returns their names."""
    archive = tree.with_suffix(".tar")
    subprocess.run(["git", "archive", "--output", archive, "HEAD"], check=True)
    with tarfile.open(archive) as files:
        files.extractall(tree, filter="data")
        return {member.name for member in files if member.isfile()}


def version_of(tree):
    text = (tree / "keras_gahr" / "__init__.py").read_text(encoding="utf-8")
    return re.search(r'^__version__ = "(.*)"$', text, re.MULTILINE)[1]


def hand_over(built, out):
    """Lets a folder appear with all that was built, at once."""
    out = out.resolve()
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".", dir=out.parent) as beside:
        whole = shutil.copytree(built, Path(beside, "dist"))
        if out.exists():
            out.rmdir()
        whole.rename(out)


def make_links_absolute(page, source):
    """Lets the relative links of a Markdown page begin with an address.

    Notebooks on GitHub get a badge that opens them on Colab, where their first cell installs the package.
    """
    text = _RELATIVE_LINK.sub(source.rstrip("/") + "/", page.read_text(encoding="utf-8"))
    badge = rf"[![Open in Colab]({_COLAB}/assets/colab-badge.svg)]({_COLAB}/github/\1)"
    page.write_text(_NOTEBOOK_LINK.sub(rf"\g<0> {badge}", text), encoding="utf-8")


def check_contents(sdist, wheel, tracked):
    """Ends the program if one of the two lacks a tracked file, or has another one."""
    with tarfile.open(sdist) as files:
        held = {member.name.partition("/")[2] for member in files if member.isfile()}
    # Made by setuptools.
    made = {"PKG-INFO", "setup.cfg"} | {name for name in held if ".egg-info/" in name}
    compare(sdist, held - made, tracked)
    with zipfile.ZipFile(wheel) as files:
        held = {name for name in files.namelist() if ".dist-info/" not in name}
    compare(wheel, held, {name for name in tracked if name.startswith(PACKAGES)})


def compare(archive, held, expected):
    for what, names in (("lacks", expected - held), ("holds besides", held - expected)):
        if names:
            sys.exit(f"{archive} {what}: {', '.join(sorted(names))}")


def try_wheel(wheel, tree, folder, backend):
    """Installs the wheel with one backend, and runs its demo."""
    python = installed(folder, tree, f"{wheel}[{backend}]")
    run("-m", "keras_gahr", "demo", python=python, cwd=folder)
    if not (folder / "gahr-demo" / "demo.png").stat().st_size:
        sys.exit(f"{wheel.name} on {backend}: an empty demo.png")


def try_sdist(sdist, tree, folder):
    """Installs the sdist with PyTorch, and runs some of its tests."""
    python = installed(folder, tree, f"{sdist}[torch,dev]")
    with tarfile.open(sdist) as files:
        files.extractall(folder / "unpacked", filter="data")
    (unpacked,) = (folder / "unpacked").iterdir()
    tests = ("-m", "pytest", "-q", "-m", "not slow and not timed", *SDIST_TESTS)
    # Tests may import Keras before what chooses the backend that is installed.
    run(*tests, python=python, cwd=unpacked, KERAS_BACKEND="torch")


def installed(folder, tree, what):
    """The interpreter of an environment of its own, with a package."""
    venv.create(folder / "env", with_pip=True)
    python = folder / "env" / ("Scripts" if os.name == "nt" else "bin") / "python"
    run("-m", "pip", "install", "-q", "-c", tree / "constraints.txt", what, python=python)
    return python


def run(*arguments, python=sys.executable, cwd=None, **variables):
    # The backend is the one that is installed.
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    environment |= variables
    subprocess.run([python, *map(str, arguments)], cwd=cwd, env=environment, check=True)


if __name__ == "__main__":
    main()
