"""What must not stand in a tracked file, and what documents must agree on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

# Written so that no pattern matches its own text here.
FORBIDDEN = {
    "a path of one machine": r"(?<![\w.~$})-])/(?:home|root|Users|work|opt|mnt|srv|scratch)/\w",
    "a package index": r"index[-_]url|find[-_]links|trusted[-_]host|python[h]osted|artifac[t]ory"
    r"|py[p]i\.org/simple|download\.py[t]orch",
    "unfinished work": r"\b(?:TO[D]O|FIX[M]E|X[X]X)\b",
}

# Phrases that read like a translation; `CONTRIBUTING.md` describes the style.
PHRASES = (
    "an own",
    "as it comes",
    "goes on where",
    "is told",
    "nobody asks",
    "of which each",
    "one's own",
    "so many",
    "stand to",
    "stands to",
    "what is wrong with",
)
PROSE = (".cpp", ".h", ".j2", ".md", ".py")
"""Suffixes of the files that are held to the phrases."""

LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)")


@pytest.fixture(scope="module")
def texts(root: Path, tracked_files: list[Path]) -> dict[Path, str]:
    """The text of every tracked file that is one."""
    found = {}
    for path in tracked_files:
        content = (root / path).read_bytes()
        if b"\0" not in content[:1024] and path.suffix != ".gz":
            found[path] = content.decode()
    return found


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_tracked_file_holds(what: str, texts: dict[Path, str]) -> None:
    found = [
        f"{path}:{number}: {line.strip()}"
        for path, text in texts.items()
        for number, line in enumerate(text.splitlines(), start=1)
        if re.search(FORBIDDEN[what], line)
    ]

    assert not found


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("a path of one machine", "data = '/" + "home/ann/data'"),
        ("a package index", "pip install --index" + "-url x"),
        ("unfinished work", "# TO" + "DO: later"),
    ],
)
def test_the_check_sees_a_forbidden_text(what: str, line: str) -> None:
    assert re.search(FORBIDDEN[what], line)


@pytest.mark.parametrize("phrase", PHRASES)
def test_no_text_holds_the_phrase(phrase: str, texts: dict[Path, str]) -> None:
    found = [
        f"{path}:{text.count(chr(10), 0, match.start()) + 1}"
        for path, text in texts.items()
        if path.suffix in PROSE and path.name != Path(__file__).name
        for match in _pattern_of(phrase).finditer(text)
    ]

    assert not found


def test_a_phrase_is_seen_in_capitals_and_across_lines() -> None:
    assert _pattern_of("so many").search("workers: So\nmany as")
    assert not _pattern_of("an own").search("than owned")


def _pattern_of(phrase: str) -> re.Pattern[str]:
    return re.compile(rf"\b{phrase}\b".replace(" ", r"\s+"), re.IGNORECASE)


def test_links_between_documents_lead_to_a_file_and_a_heading(
    root: Path, texts: dict[Path, str]
) -> None:
    documents = {path: text for path, text in texts.items() if path.suffix == ".md"}
    links = [(path, *link) for path, text in documents.items() for link in LINK.findall(text)]
    wrong = [
        f"{path}: {target}#{heading}"
        for path, target, heading in links
        if not _leads_somewhere((root / path).parent / target if target else root / path, heading)
    ]

    assert links
    assert not wrong


def _leads_somewhere(file: Path, heading: str) -> bool:
    """Whether a file exists and has a heading with this anchor, if one is asked for."""
    if not heading:
        return file.exists()
    titles = re.findall(r"^#+ (.+)$", file.read_text(), re.MULTILINE) if file.is_file() else []
    return heading in [re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in titles]


def test_texts_end_with_one_newline_and_have_no_trailing_space(texts: dict[Path, str]) -> None:
    # Instances and pages stay as their writers made them
    texts = {
        path: text for path, text in texts.items() if path.suffix not in (".mps", ".lp", ".html")
    }
    wrong = [
        str(path)
        for path, text in texts.items()
        if text and (not re.search(r"\S\n\Z", text) or re.search(r"[ \t]$", text, re.MULTILINE))
    ]

    assert not wrong


def test_contributing_gives_a_reason_for_every_dependency(
    root: Path, pyproject: dict[str, Any]
) -> None:
    text = (root / "CONTRIBUTING.md").read_text()
    rows = re.findall(r"^\| `([\w-]+)` \| (\w+) \| (\S.*) \|$", text, re.MULTILINE)
    project = pyproject["project"]
    groups = {"core": project["dependencies"], **project["optional-dependencies"]}
    declared = [
        (Requirement(text).name, group)
        for group, texts in groups.items()
        if group != "all"
        for text in texts
    ]

    assert sorted((name, group) for name, group, _ in rows) == sorted(declared)


def test_the_version_is_the_same_everywhere(root: Path, pyproject: dict[str, Any]) -> None:
    version = pyproject["project"]["version"]

    assert f'__version__ = "{version}"' in (root / "milplib" / "version.py").read_text()
    assert f"\nversion: {version}\n" in (root / "CITATION.cff").read_text()
