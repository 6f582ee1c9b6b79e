"""Who may import whom (CONTRIBUTING, "Architecture"), and what an import costs."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Set
from pathlib import Path
from typing import NamedTuple

import pytest


class Room(NamedTuple):
    """A part of the project and what its modules may import beside the standard library."""

    names: Set[str]
    """What may be imported anywhere; everything below a name is meant too."""
    closed: Set[str] = frozenset()
    """What may not, although it is below one of the names."""
    lazy: Set[str] = frozenset()
    """What may be imported inside functions, or for types, only."""


ROOMS = {
    "milplib": Room(
        {"milplib", "numpy", "scipy", "pyscipopt", "filelock"},
        closed={"milplib.cli", "milplib.generators", "milplib.learn"},
    ),
    "milplib.execution": Room(
        {"milplib"},
        closed={"milplib.cli", "milplib.generators", "milplib.learn"},
        lazy={"dask", "distributed", "cloudpickle"},
    ),
    "milplib.cli": Room(
        {"milplib", "cyclopts", "rich"},
        closed={"milplib.generators", "milplib.learn"},
        lazy={"milplib.generators", "milplib.learn", "numpy", "pyscipopt"},
    ),
    "milplib.study": Room(
        {"milplib", "numpy", "pyscipopt", "pyarrow", "yaml"},
        closed={"milplib.cli", "milplib.generators", "milplib.learn"},
        lazy={"milplib.learn", "pandas"},
    ),
    "milplib.evaluation": Room(
        {"milplib", "numpy", "scipy", "pyscipopt", "pyarrow"},
        closed={"milplib.cli", "milplib.generators", "milplib.learn"},
        lazy={"jinja2", "matplotlib", "pandas"},
    ),
    "milplib.report": Room(
        {"milplib", "numpy", "scipy", "pyarrow"},
        closed={"milplib.cli", "milplib.generators", "milplib.learn"},
        lazy={"jinja2", "matplotlib", "pandas"},
    ),
    "milplib.tree": Room(
        {"milplib", "numpy", "pyscipopt"},
        closed={"milplib.cli", "milplib.generators", "milplib.learn"},
        lazy={"jinja2", "matplotlib"},
    ),
    "milplib.hardness": Room(
        {"milplib", "numpy", "scipy", "pyscipopt"},
        closed={"milplib.cli", "milplib.generators", "milplib.learn"},
        lazy={"highspy", "matplotlib"},
    ),
    "milplib.library": Room(
        {"milplib", "numpy", "scipy", "platformdirs"},
        closed={"milplib.cli", "milplib.generators", "milplib.learn"},
        lazy={"huggingface_hub"},
    ),
    "milplib.generators": Room(
        {"milplib", "numpy", "scipy", "networkx", "safetensors"},
        closed={"milplib.cli", "milplib.learn"},
        lazy={"matpowercaseframes"},
    ),
    "milplib.policies": Room(
        {"milplib", "numpy", "scipy", "pyscipopt", "safetensors"},
        closed={"milplib.cli", "milplib.generators", "milplib.learn"},
    ),
    "milplib.learn": Room(
        {"milplib", "numpy", "scipy", "pyscipopt", "pyarrow", "safetensors", "rich"}
        | {"torch", "torch_geometric", "wandb"},
        closed={"milplib.cli", "milplib.generators"},
        lazy={"matplotlib", "lightgbm", "sklearn"},
    ),
}


class Import(NamedTuple):
    """One imported name."""

    name: str
    line: int
    lazy: bool


def _room(module: str) -> Room:
    package = ".".join(module.split(".")[:2])
    return ROOMS.get(package, ROOMS["milplib"])


def _imports(node: ast.AST, *, lazy: bool = False) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, child.lineno, lazy) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            module = "." * child.level + (child.module or "")
            # "from milplib import learn" imports milplib.learn
            for alias in child.names:
                yield Import(f"{module}.{alias.name}", child.lineno, lazy)
        else:
            is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
            is_for_types = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
            yield from _imports(child, lazy=lazy or is_function or is_for_types)


def _is_below(name: str, parents: Set[str]) -> bool:
    return any(name == parent or name.startswith(f"{parent}.") for parent in parents)


def _is_allowed(imported: Import, module: str) -> bool:
    room = _room(module)
    if imported.name.split(".")[0] in sys.stdlib_module_names:
        return True
    if imported.lazy and _is_below(imported.name, room.lazy):
        return True
    return _is_below(imported.name, room.names) and not _is_below(imported.name, room.closed)


def test_a_module_imports_only_what_its_room_may(each_module: str, modules, root) -> None:
    path = modules[each_module]
    tree = ast.parse(path.read_text())
    wrong = [
        f"{path.relative_to(root)}:{imported.line} imports {imported.name}"
        for imported in _imports(tree)
        if not _is_allowed(imported, each_module)
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("milplib.scip.state", "import torch"),
        ("milplib.scip.state", "from milplib import learn"),
        ("milplib.library.catalogue", "from milplib.generators.set_cover import SetCover"),
        ("milplib.instance", "def f():\n    import milplib.cli"),
        ("milplib.instance", "from . import errors"),
        ("milplib.cli", "import milplib.learn"),
        ("milplib.generators.graphs", "from pyscipopt import Model"),
        ("milplib.generators.graphs", "if True:\n    import milplib.learn"),
        ("milplib.learn.samples", "from milplib.cli import main"),
        ("milplib.learn.samples", "import pandas"),
    ],
)
def test_the_check_sees_a_wrong_import(module: str, line: str) -> None:
    (imported,) = _imports(ast.parse(line))

    assert not _is_allowed(imported, module)


@pytest.mark.parametrize("place", ["def f():", "if TYPE_CHECKING:"])
def test_the_command_line_may_reach_other_rooms_without_loading_them(place: str) -> None:
    (imported,) = _imports(ast.parse(f"{place}\n    from milplib.learn import collect"))

    assert _is_allowed(imported, "milplib.cli.main")


HEAVY = {
    *("torch", "torch_geometric", "wandb", "matplotlib", "pandas", "highspy", "huggingface_hub"),
    *("lightgbm", "sklearn"),
}

# Asked before all other finders, so an attempt shows even where the package is not installed.
WATCH = f"""
import sys
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name in {HEAVY!r}:
            raise SystemExit("imports " + name)
sys.meta_path.insert(0, Watch())
"""


@pytest.mark.parametrize(
    "module",
    [
        "milplib",
        "milplib.cli",
        "milplib.evaluation",
        "milplib.report",
        "milplib.tree",
        "milplib.runs",
        "milplib.structure",
        "milplib.generators",
        "milplib.hardness",
        "milplib.study",
        "milplib.execution",
        "milplib.learn",
        "milplib.library",
        "milplib.policies",
        "milplib.scip",
        "milplib.solving",
    ],
)
def test_an_import_stays_light(module: str, run, tmp_path: Path) -> None:
    run(sys.executable, "-c", f"{WATCH}import {module}", cwd=tmp_path)


def test_the_watch_sees_a_heavy_import(run, tmp_path: Path) -> None:
    done = run(sys.executable, "-c", f"{WATCH}import torch.nn", cwd=tmp_path, check=False)

    assert done.stdout.strip() == "imports torch"
    assert done.returncode == 1
