"""The report's page as a browser shows it: light and dark, wide and narrow, on paper."""

from __future__ import annotations

import functools
import re
from collections import Counter
from typing import Any

import pytest
from slow_parameters import slow

from .page_checks import (
    COLOURS,
    ENOUGH_FOR_GRAPHICS,
    ENOUGH_FOR_TEXT,
    PHONE,
    SHEET,
    STROKES,
    TEXTS,
)

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(open_page: Any, report: Any) -> Any:
    """Open the report."""
    return functools.partial(open_page, report)


def test_the_page_opens_from_the_disk_with_all_of_its_parts(opened: Any) -> None:
    page = opened()
    assert page.title() == "5 policies against relpscost"
    headings = page.locator("h2").all_text_contents()
    for expected in (
        "Findings",
        "Performance profiles",
        "Run by run",
        "Spread over seeds",
        "Gap over time",
        "Time in the policy",
        "Policies by distribution",
        "Failures",
        "Settings and versions",
    ):
        assert expected in headings
    assert page.locator("figure svg").count() == 7
    # The markup in a policy's name is shown, not obeyed.
    assert page.locator("tbody b").count() == 0
    assert page.locator("th", has_text="<b>linear</b> & co").count() > 0


@pytest.mark.slow
def test_the_summary_comes_before_anything_else(opened: Any) -> None:
    page = opened(size=PHONE)
    box = page.locator(".summary").bounding_box()
    assert box["y"] < PHONE["height"]
    assert "is faster than relpscost" in page.locator(".claim").text_content()


@pytest.mark.parametrize("scheme", ["light", slow("dark")])
def test_every_text_can_be_read_on_what_is_behind_it(opened: Any, scheme: str) -> None:
    page = opened(scheme=scheme)
    is_dark = page.evaluate(f"() => {{ {COLOURS} return luminance(behind(document.body)) < 0.2 }}")
    assert is_dark == (scheme == "dark")
    texts = page.evaluate(TEXTS)
    assert len(texts) > 300
    assert [text for text in texts if text[0] < ENOUGH_FOR_TEXT] == []
    lines = page.evaluate(STROKES)
    assert len(lines) == 6
    assert [line for line in lines if line[0] < ENOUGH_FOR_GRAPHICS] == []


@pytest.mark.parametrize("width", [320, slow(390), slow(768)])
def test_a_narrow_page_never_scrolls_sideways_but_its_tables_do(opened: Any, width: int) -> None:
    page = opened(size={"width": width, "height": 844})
    page.evaluate("window.scrollTo(500, 0)")
    assert page.evaluate("window.scrollX") == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    outside = page.evaluate(
        "() => [...document.querySelectorAll('table, figure svg')]"
        ".filter((e) => !e.closest('.wide')).map((e) => e.outerHTML.slice(0, 60))"
    )
    assert outside == []
    boxes = page.evaluate(
        "() => [...document.querySelectorAll('.wide')].map((e) => {"
        " const box = e.getBoundingClientRect();"
        " e.scrollLeft = 40;"
        " return [box.left, box.right, e.scrollWidth - e.clientWidth, e.scrollLeft]; })"
    )
    assert all(left >= 0 and right <= width for left, right, _, _ in boxes)
    assert any(hidden > 40 and scrolled == 40 for _, _, hidden, scrolled in boxes)


@pytest.mark.slow
def test_a_wide_page_shows_whole_figures(opened: Any) -> None:
    page = opened()
    hidden = page.evaluate(
        "() => [...document.querySelectorAll('figure .wide')]"
        ".filter((e) => e.scrollWidth > e.clientWidth).length"
    )
    assert hidden == 0


@pytest.mark.slow
def test_images_figures_regions_and_links_have_names(opened: Any) -> None:
    page = opened()
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    named = [
        (node["role"]["value"], node.get("name", {}).get("value", "").strip())
        for node in nodes
        if not node["ignored"]
        and node["role"]["value"] in ("image", "img", "figure", "region", "link", "heading")
    ]
    kinds = Counter(kind for kind, _ in named)
    assert kinds["image"] + kinds["img"] >= 7
    assert kinds["region"] > 7
    assert [kind for kind, name in named if not name] == []


def test_no_id_occurs_twice_and_every_reference_has_its_target(opened: Any) -> None:
    page = opened()
    ids = page.evaluate("() => [...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert [name for name, count in Counter(ids).items() if count > 1] == []
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', page.content()))
    assert used
    assert used <= set(ids)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_printing_gives_sheets_with_everything_on_white(opened: Any, scheme: str) -> None:
    page = opened(scheme=scheme, size=SHEET, media="print")
    cut_off = page.evaluate(
        "(width) => [...document.querySelectorAll('table, figure svg')]"
        ".filter((e) => e.getBoundingClientRect().right > width + 1)"
        ".map((e) => e.closest('.wide').ariaLabel)",
        SHEET["width"],
    )
    assert cut_off == []
    texts = page.evaluate(TEXTS)
    assert [text for text in texts if text[0] < ENOUGH_FOR_TEXT] == []
    assert page.evaluate(f"() => {{ {COLOURS} return luminance(behind(document.body)) }}") == 1
    sheets = page.pdf(prefer_css_page_size=True)
    assert sheets.startswith(b"%PDF")
    assert sheets.count(b"/Type /Page\n") > 2
