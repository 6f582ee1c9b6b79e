"""The tree of a solve: every node that SCIP counts, what became of it, and how it is drawn."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from slow_parameters import slow_except

import milplib
from milplib.errors import OutputError, ParameterError, UnknownNameError
from milplib.generators import CombinatorialAuction, GeneralizedIndependentSet, SetCover
from milplib.tree.drawing import draw_tree, explanation, tree_svg
from milplib.tree.layout import tree_layout
from milplib.tree.record import record_tree
from milplib.tree.search_tree import STATUSES, SearchTree

INSTANCES = {
    "maximised": (CombinatorialAuction(n_items=50, n_bids=200).generate(seed=2), "learn2branch"),
    "minimised": (
        SetCover(n_rows=150, n_columns=200, density=0.05).generate(seed=2),
        "learn2branch",
    ),
    "negative": (GeneralizedIndependentSet(n_nodes=40).generate(seed=1), "learn2branch"),
}
TOLERANCE = 1e-6  # SCIP's own for bounds and objectives, relative


@pytest.fixture(scope="module", params=slow_except(["minimised"], INSTANCES))
def solved(request: pytest.FixtureRequest) -> tuple[Any, ...]:
    """A tree, its instance, and the same solve without anybody watching."""
    instance, setting = INSTANCES[request.param]
    tree = record_tree(instance, policy="pscost", setting=setting, seed=3)
    return tree, instance, milplib.solve(instance, policy="pscost", setting=setting, seed=3)


def planted_tree(
    parent: list[int], *, order: list[int] | None = None, status: list[int] | None = None
) -> SearchTree:
    parents = np.array(parent, dtype=np.int64)
    depth = np.zeros(len(parent), dtype=np.int64)
    for node, above in enumerate(parent):
        depth[node] = 0 if above < 0 else depth[above] + 1
    n = len(parent)
    return SearchTree(
        parent=parents,
        depth=depth,
        order=np.arange(1, n + 1) if order is None else np.array(order, dtype=np.int64),
        status=np.zeros(n, dtype=np.int8) if status is None else np.array(status, dtype=np.int8),
        bound=np.arange(n, dtype=np.float64),
        branching=tuple("" if above < 0 else f"x{node} ≤ 0" for node, above in enumerate(parent)),
        scip_nodes=n,
        solve_status="optimal",
        objective=1.0,
        title="planted <&> with pscost",
    )


def test_every_node_that_scip_counts_is_there_and_the_solve_is_the_same(
    solved: tuple[Any, ...],
) -> None:
    tree, _, result = solved
    assert tree.processed == tree.scip_nodes == result.nodes
    assert tree.objective == pytest.approx(result.objective, rel=TOLERANCE)
    assert tree.solve_status == result.status == "optimal"
    assert sorted(tree.order[tree.order > 0]) == list(range(1, tree.processed + 1))
    assert tree.count("branched") > 5
    assert tree.count("open") == 0


def test_a_branched_node_has_children_below_it_and_no_other_has(solved: tuple[Any, ...]) -> None:
    tree, _, _ = solved
    has_children = np.zeros(len(tree), dtype=bool)
    below = tree.parent >= 0
    has_children[tree.parent[below]] = True
    assert (has_children == (tree.status == STATUSES.index("branched"))).all()
    assert (tree.depth[below] == tree.depth[tree.parent[below]] + 1).all()
    later = below & (tree.order > 0)
    assert (tree.order[later] > tree.order[tree.parent[later]]).all()
    assert all(re.fullmatch(r"\S+ [≤≥] \S+", text) for text in np.array(tree.branching)[below])


def test_bounds_are_the_instances_own_and_get_no_better_downwards(solved: tuple[Any, ...]) -> None:
    tree, instance, result = solved
    sense = 1 if instance.sense == "minimize" else -1
    below = (tree.parent >= 0) & ~np.isnan(tree.bound)
    steps = sense * (tree.bound[below] - tree.bound[tree.parent[below]])
    size = max(1.0, abs(result.objective))
    assert (steps > -TOLERANCE * size).all()
    assert steps.max() > 0
    branched = tree.status == STATUSES.index("branched")
    root = sense * (tree.bound[branched][0] - result.objective)
    assert -size < root < TOLERANCE * size


def test_a_solve_that_stops_leaves_open_nodes() -> None:
    instance = SetCover(n_rows=400, n_columns=600, density=0.05).generate(seed=0)
    tree = record_tree(instance, policy="random", setting="learn2branch", time_limit=1.5)
    assert tree.solve_status == "timelimit"
    assert tree.processed == tree.scip_nodes
    assert tree.count("open") > 0


def test_an_unknown_policy_and_an_impossible_limit_are_refused() -> None:
    instance, _ = INSTANCES["maximised"]
    with pytest.raises(UnknownNameError, match="pscots"):
        record_tree(instance, policy="pscots")
    with pytest.raises(ParameterError, match="positive"):
        record_tree(instance, time_limit=-1)


def test_parents_stand_over_the_middle_of_their_children_and_no_two_nodes_meet(
    solved: tuple[Any, ...],
) -> None:
    for tree in (solved[0], planted_tree([-1, 0, 0, 1, 1, 2, 2, 4, 4, -1, 9, 9])):
        x, y = tree_layout(tree)
        assert (y == tree.depth).all()
        for depth in range(int(tree.depth.max()) + 1):
            assert (np.diff(np.sort(x[tree.depth == depth])) >= 1 - 1e-9).all()
        for node in np.unique(tree.parent[tree.parent >= 0]):
            children = x[tree.parent == node]
            assert x[node] == pytest.approx((children.min() + children.max()) / 2)


def test_siblings_stand_in_the_order_in_which_they_were_processed() -> None:
    tree = planted_tree([-1, 0, 0, 0, 1], order=[1, 3, 0, 2, 4])
    x, _ = tree_layout(tree)
    assert x[3] < x[1] < x[2]


def test_a_tree_of_thousands_of_nodes_and_one_of_none_are_laid_out() -> None:
    random = np.random.RandomState(0)
    parent = [-1, *(random.randint(max(0, node - 40), node) for node in range(1, 5000))]
    tree = planted_tree(parent)
    x, _ = tree_layout(tree)
    leaves = len(tree) - len(set(parent[1:]))
    assert x.max() == pytest.approx(leaves - 1)
    assert tree_svg(tree).count("<circle") == 5000
    assert "<svg" in tree_svg(planted_tree([]))


@pytest.mark.parametrize("form", ["svg", "html", "png", "pdf"])
def test_a_tree_is_drawn_in_every_form(tmp_path: Path, form: str) -> None:
    statuses = [0, 0, 3, 1, 3, 2, 4]
    tree = planted_tree([-1, 0, 0, 1, 1, 2, 2], order=[1, 2, 3, 4, 0, 5, 6], status=statuses)
    content = draw_tree(tree, tmp_path / f"tree.{form}").read_bytes()
    if form in ("png", "pdf"):
        assert content.startswith({"png": b"\x89PNG", "pdf": b"%PDF"}[form])
        return
    text = content.decode()
    assert text.count("<circle") == text.count("<title>") - (form == "html") == len(tree)
    assert f"{tree.count('branched'):,} branched" in text
    assert text.count(" paper") == 1
    assert "processed as number 4; x3 ≤ 0; depth 2; feasible; bound 3" in text
    assert "<script" not in text
    assert draw_tree(tree, tmp_path / f"again.{form}").read_bytes() == content


def test_names_are_shown_and_not_obeyed() -> None:
    text = tree_svg(planted_tree([-1, 0]))
    assert "planted &lt;&amp;&gt; with pscost" in text
    assert "<&>" not in text


def test_the_number_of_nodes_is_explained() -> None:
    tree = planted_tree([-1, 0, 0], order=[1, 2, 0])
    assert "Processed: 2 nodes; SCIP counts 3" in explanation(tree)
    assert "Hollow: 1 more" in explanation(tree)
    restarted = planted_tree([-1, -1], status=[STATUSES.index("restarted"), 0])
    assert "SCIP restarted: 1 of the nodes" in explanation(restarted)


def test_a_name_that_says_nothing_and_a_missing_folder_are_errors(tmp_path: Path) -> None:
    tree = planted_tree([-1])
    with pytest.raises(ParameterError, match=r"\.svg, \.png, \.pdf or \.html"):
        draw_tree(tree, tmp_path / "tree.jpg")
    with pytest.raises(OutputError, match="cannot write"):
        draw_tree(tree, tmp_path / "nowhere" / "tree.svg")
