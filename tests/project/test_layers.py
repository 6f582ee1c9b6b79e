"""No cycles among milplib's modules, and no import against the order of its layers.

Imports inside functions and for types count: both tie modules together as firmly as others.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import grimp
import networkx as nx
import pytest

# From the top: a layer may import those below it. Members of one layer do not import each other,
# unless they are not independent.
LAYERS: tuple[grimp.Layer, ...] = (
    grimp.Layer("cli"),
    grimp.Layer("study"),
    grimp.Layer("learn", "hardness", "report", "tree", "generators"),
    grimp.Layer("evaluation"),
    grimp.Layer("runs"),
    grimp.Layer("library"),
    grimp.Layer("execution"),
    grimp.Layer("solving"),
    grimp.Layer("policies"),
    grimp.Layer("scip", "structure"),
    grimp.Layer("formats", "instance", independent=False),
    grimp.Layer("instance_arrays"),
    grimp.Layer("arguments", "display", "extensions", "files", "named", "progress", "style"),
    grimp.Layer(
        "errors",
        "escaping",
        "lazy_names",
        "outcomes",
        "parsing",
        "schema",
        "temporary",
        "version",
    ),
)


def _build_graph(package: str, folder: Path) -> grimp.ImportGraph:
    """Build the import graph of a package that lies in a folder."""
    with pytest.MonkeyPatch.context() as patch:
        # grimp asks Python where the package is; one that is imported already would be the answer.
        patch.delitem(sys.modules, package, raising=False)
        patch.syspath_prepend(folder)
        return grimp.build_graph(package, cache_dir=None)


@pytest.fixture(scope="module")
def graph(root: Path, tmp_path_factory: pytest.TempPathFactory) -> grimp.ImportGraph:
    """The import graph of milplib as it installs, with learn and generators below it."""
    package = tmp_path_factory.mktemp("links") / "milplib"
    package.mkdir()
    for path in [*(root / "milplib").iterdir(), root / "learn", root / "generators"]:
        (package / path.name).symlink_to(path)
    return _build_graph("milplib", package.parent)


def _ancestors(module: str) -> list[str]:
    """Packages below the top one that Python imports before a module."""
    parts = module.split(".")
    return [".".join(parts[:length]) for length in range(2, len(parts))]


def _cycles(graph: grimp.ImportGraph) -> list[str]:
    """Name a cycle of every group of modules that import each other."""
    arrows: nx.DiGraph[str] = nx.DiGraph()
    for module in sorted(graph.modules):
        for imported in sorted(graph.find_modules_directly_imported_by(module)):
            arrows.add_edge(module, imported)
            # Python runs a package's __init__ before the module, unless it is running already.
            others = set(_ancestors(imported)) - {module, *_ancestors(module)}
            arrows.add_edges_from((module, package) for package in others)
    groups = [group for group in nx.strongly_connected_components(arrows) if len(group) > 1]
    return [_in_words(nx.find_cycle(arrows.subgraph(group), min(group))) for group in groups]


def _in_words(cycle: Iterable[tuple[str, str]]) -> str:
    first, *others = cycle
    return " -> ".join([*first, *(imported for _, imported in others)])


def _wrong_arrows(graph: grimp.ImportGraph, layers: Iterable[grimp.Layer]) -> list[str]:
    """Name an import chain of every package that imports one above it."""
    found = graph.find_illegal_dependencies_for_layers(list(layers), containers={"milplib"})
    return [
        " -> ".join([sorted(route.heads)[0], *route.middle, sorted(route.tails)[0]])
        for wrong in found
        for route in wrong.routes
    ]


def test_no_module_imports_itself_through_others(graph: grimp.ImportGraph) -> None:
    assert not _cycles(graph)


def test_no_package_imports_one_above_it(graph: grimp.ImportGraph) -> None:
    assert not _wrong_arrows(graph, LAYERS)


def test_every_module_has_its_layer(graph: grimp.ImportGraph) -> None:
    layered = {f"milplib.{name}" for layer in LAYERS for name in layer.module_tails}

    assert layered == graph.find_children("milplib") - {"milplib._native"}


def test_the_contributing_page_shows_the_layers_that_are_tested(root: Path) -> None:
    text = (root / "CONTRIBUTING.md").read_text().partition("## Architecture")[2]
    shown = [set(line.split(" · ")) for line in text.split("```")[1].split("\n") if line]

    assert shown == [set(layer.module_tails) for layer in LAYERS]


LAZY = "def f():\n    from planted.upper import {}"
TYPED = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from planted.upper import {}"


@pytest.mark.parametrize("line", [LAZY, TYPED, "from planted.upper import {}"])
@pytest.mark.parametrize("imported", ["user", "other"])
def test_the_check_sees_a_planted_cycle(line: str, imported: str, tmp_path: Path) -> None:
    """`upper.other` imports nothing, but Python runs the package's __init__ before it."""
    modules = {
        "__init__": "",
        "lower": line.format(imported),
        "upper/__init__": "import planted.upper.user",
        "upper/user": "from planted.lower import f",
        "upper/other": "",
    }
    for name, text in modules.items():
        path = tmp_path / "planted" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (cycle,) = _cycles(_build_graph("planted", tmp_path))

    assert {"planted.lower", "planted.upper.user"} <= set(cycle.split(" -> "))


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("milplib.scip.state", "milplib.learn"),
        ("milplib.library.catalogue", "milplib.generators.set_cover"),
        ("milplib.instance", "milplib.cli"),
        ("milplib.learn.samples", "milplib.cli"),
        ("milplib.generators.graphs", "milplib.learn"),
        ("milplib.runs.kind", "milplib.evaluation.table"),
        ("milplib.evaluation.evaluation", "milplib.report.page"),
        ("milplib.policies.plugin", "milplib"),
    ],
)
def test_the_check_sees_a_planted_arrow(
    importer: str, imported: str, graph: grimp.ImportGraph
) -> None:
    graph.add_import(importer=importer, imported=imported)
    wrong = _wrong_arrows(graph, LAYERS)
    graph.remove_import(importer=importer, imported=imported)

    assert f"{importer} -> {imported}" in " ".join(wrong)
