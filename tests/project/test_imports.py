"""What modules import from other projects (CONTRIBUTING, "Architecture"), and what that costs."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator, Set
from pathlib import Path
from typing import NamedTuple

import pytest


class Packages(NamedTuple):
    """What modules may import beside the standard library and milplib itself."""

    anywhere: Set[str]
    """What may be imported anywhere; everything below a name is meant too."""
    lazily: Set[str] = frozenset()
    """What may be imported inside functions, or for types, only."""


# A package that is not listed may import what "milplib" may; test_layers.py holds the order of
# milplib's own packages.
ALLOWED = {
    "milplib": Packages({"numpy", "scipy", "pyscipopt"}),
    "milplib.files": Packages({"filelock"}),
    "milplib.parsing": Packages({"numpy"}, lazily={"yaml"}),
    "milplib.progress": Packages(set(), lazily={"rich", "IPython"}),
    "milplib.execution": Packages({"cloudpickle"}, lazily={"dask", "distributed"}),
    "milplib.cli": Packages(
        {"cyclopts", "rich"},
        lazily={"milplib.generators", "milplib.learn", "numpy", "pyscipopt"},
    ),
    "milplib.study": Packages(
        {"numpy", "pyscipopt", "pyarrow", "yaml"}, lazily={"milplib.learn", "pandas"}
    ),
    "milplib.evaluation": Packages({"numpy", "scipy", "pyscipopt", "pyarrow"}, lazily={"pandas"}),
    "milplib.report": Packages(
        {"numpy", "scipy", "pyarrow"}, lazily={"jinja2", "matplotlib", "pandas"}
    ),
    "milplib.runs": Packages(set()),
    "milplib.style": Packages({"numpy"}, lazily={"matplotlib"}),
    "milplib.tree": Packages({"numpy", "pyscipopt"}, lazily={"jinja2", "matplotlib"}),
    "milplib.hardness": Packages({"numpy", "scipy", "pyscipopt"}, lazily={"highspy", "matplotlib"}),
    "milplib.library": Packages({"numpy", "scipy", "platformdirs"}, lazily={"huggingface_hub"}),
    "milplib.generators": Packages(
        {"numpy", "scipy", "networkx", "safetensors"}, lazily={"matpowercaseframes"}
    ),
    "milplib.policies": Packages({"numpy", "scipy", "pyscipopt", "safetensors"}),
    "milplib.learn": Packages(
        {"numpy", "scipy", "pyscipopt", "pyarrow", "safetensors", "rich"}
        | {"torch", "torch_geometric", "wandb"},
        lazily={"matplotlib", "lightgbm", "sklearn", "pandas"},
    ),
}


class Import(NamedTuple):
    """One imported name."""

    name: str
    line: int
    lazy: bool


def _packages(module: str) -> Packages:
    package = ".".join(module.split(".")[:2])
    return ALLOWED.get(package, ALLOWED["milplib"])


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
    allowed = _packages(module)
    if imported.name.split(".")[0] in sys.stdlib_module_names:
        return True
    if _is_below(imported.name, allowed.lazily):
        return imported.lazy
    return _is_below(imported.name, {"milplib", *allowed.anywhere})


def test_a_module_imports_only_what_its_package_may(
    each_module: str, modules: dict[str, Path], root: Path
) -> None:
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
        ("milplib.instance", "from . import errors"),
        ("milplib.cli", "import milplib.learn"),
        ("milplib.runs.kind", "import numpy"),
        ("milplib.hardness.figure", "import matplotlib"),
        ("milplib.generators.graphs", "from pyscipopt import Model"),
        ("milplib.learn.samples", "import pandas"),
    ],
)
def test_the_check_sees_a_wrong_import(module: str, line: str) -> None:
    (imported,) = _imports(ast.parse(line))

    assert not _is_allowed(imported, module)


@pytest.mark.parametrize("place", ["def f():", "if TYPE_CHECKING:"])
def test_the_command_line_may_reach_learn_without_loading_it(place: str) -> None:
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


LIGHT = (
    "milplib",
    "milplib.cli",
    "milplib.evaluation",
    "milplib.report",
    "milplib.tree",
    "milplib.runs",
    "milplib.structure",
    "milplib.style",
    "milplib.generators",
    "milplib.hardness",
    "milplib.study",
    "milplib.execution",
    "milplib.learn",
    "milplib.library",
    "milplib.policies",
    "milplib.scip",
    "milplib.solving",
)


def test_imports_stay_light(
    run: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    run(sys.executable, "-c", f"{WATCH}import {', '.join(LIGHT)}", cwd=tmp_path)


def test_the_status_of_a_collection_does_not_load_the_code_that_collects(
    run: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    script = (
        "import sys; from milplib.runs.kind import find_run_kind; "
        "assert find_run_kind('milplib-sample-set').noun == 'collection'; "
        "print(*(name for name in sys.modules if name.startswith('milplib.learn')))"
    )
    loaded = run(sys.executable, "-c", script, cwd=tmp_path).stdout.split()

    collecting = "milplib.learn.collecting"
    own = [f"{collecting}.{name}" for name in ("outcome", "run_kind")]
    assert sorted(loaded) == ["milplib.learn", collecting, *own]


def test_the_watch_sees_a_heavy_import(
    run: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    done = run(sys.executable, "-c", f"{WATCH}import torch.nn", cwd=tmp_path, check=False)

    assert done.stdout.strip() == "imports torch"
    assert done.returncode == 1
