"""The page of a branch-and-bound tree as a browser shows it."""

from __future__ import annotations

from typing import Any

import pytest
from market_split import market_split

from milplib.tree.drawing import draw_tree
from milplib.tree.record import record_tree

from .page_checks import ENOUGH_FOR_TEXT, PHONE, TEXTS

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A tree and its page."""
    instance = market_split(1, n_columns=12)
    tree = record_tree(instance, policy="pscost", setting="learn2branch", seed=3)
    return tree, draw_tree(tree, tmp_path_factory.mktemp("tree") / "tree.html")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_can_be_read_and_does_not_scroll_sideways(
    open_page: Any, drawn: Any, scheme: str
) -> None:
    page = open_page(drawn[1], scheme=scheme, size=PHONE)
    page.evaluate("window.scrollTo(500, 0)")
    assert page.evaluate("window.scrollX") == 0
    assert [text for text in page.evaluate(TEXTS) if text[0] < ENOUGH_FOR_TEXT] == []


def test_a_pointer_on_a_node_is_told_what_it_is(open_page: Any, drawn: Any) -> None:
    tree, path = drawn
    page = open_page(path)
    nodes = page.locator("circle")
    assert nodes.count() == len(tree) > 10
    for node in (0, len(tree) - 1):
        place = nodes.nth(node).bounding_box()
        told = page.evaluate(
            "([x, y]) => document.elementFromPoint(x, y).querySelector('title').textContent",
            [place["x"] + place["width"] / 2, place["y"] + place["height"] / 2],
        )
        assert f"depth {tree.depth[node]}" in told
        assert tree.branching[node] in told
