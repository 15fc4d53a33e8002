"""Annotations of everything that users call, for type checkers; `tox -e lint` runs one."""

import ast
import inspect
import tomllib
import typing
from pathlib import Path

import pytest

import keras_gahr as kg

pytestmark = pytest.mark.one_backend

ROOT = Path(__file__).resolve().parents[1]


def public():
    """Every function, class and method that users call, by its name."""
    found = {name: getattr(kg, name) for name in kg._HOMES}
    for room in kg._ROOMS:
        module = getattr(kg, room)
        exported = getattr(module, "__all__", ())
        found |= {f"{room}.{name}": getattr(module, name) for name in exported}
    for name, value in list(found.items()):
        if inspect.isclass(value) and value.__module__.startswith("keras_gahr"):
            for method, member in vars(value).items():
                member = getattr(member, "__func__", getattr(member, "fget", member))
                if inspect.isfunction(member) and (method == "__init__" or method[0] != "_"):
                    found[f"{name}.{method}"] = member
    return {name: value for name, value in found.items() if inspect.isfunction(value)}


@pytest.mark.parametrize("name", public())
def test_it_is_annotated(name):
    function = public()[name]
    for each in typing.get_overloads(inspect.unwrap(function)) or [function]:
        signature = inspect.signature(each)
        if name.endswith(".__init__") and not each.__module__.startswith("keras_gahr"):
            continue
        if "<string>" in each.__code__.co_filename:  # A dataclass made it.
            continue
        empty = inspect.Signature.empty
        assert signature.return_annotation is not empty
        untyped = [p.name for p in signature.parameters.values() if p.annotation is empty]
        assert set(untyped) <= {"self", "cls"}


def test_the_stub_says_what_is_found():
    stub = ast.parse((ROOT / "keras_gahr" / "__init__.pyi").read_text("utf-8"))
    imported = {
        alias.asname: node.module
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert set(imported) == {*kg._HOMES, *kg._ROOMS}
    assert {name: imported[name] for name in kg._HOMES} == kg._HOMES


def test_a_type_checker_reads_every_name_that_a_notebook_starts_with():
    program = ast.parse((ROOT / "tests" / "typed_surface.py").read_text("utf-8"))
    used = {
        node.attr
        for node in ast.walk(program)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        if node.value.id == "kg"
    }
    assert used == {*kg.__all__}


def test_the_package_ships_its_types():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    shipped = project["tool"]["setuptools"]["package-data"]["keras_gahr"]
    assert {"py.typed", "__init__.pyi"} <= set(shipped)
    assert all((ROOT / "keras_gahr" / name).is_file() for name in shipped)
