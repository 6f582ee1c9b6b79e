"""What must not stand in a tracked file, and what documents must agree on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

# Written so that no pattern matches its own text here.
FORBIDDEN = {
    "a path of one machine": r"(?<![\w.~$})-])/(?:home|root|Users|work|opt|mnt|srv|scratch)/\w",
    "a package index": r"index[-_]url|find[-_]links|trusted[-_]host|python[h]osted|artifac[t]ory"
    r"|py[p]i\.org/simple|download\.py[t]orch",
    "unfinished work": r"\b(?:TO[D]O|FIX[M]E|X[X]X)\b",
}


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


def test_texts_end_with_one_newline_and_have_no_trailing_space(texts) -> None:
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


def test_contributing_gives_a_reason_for_every_dependency(root: Path, pyproject) -> None:
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


def test_the_version_is_the_same_everywhere(root: Path, pyproject) -> None:
    version = pyproject["project"]["version"]

    assert f'__version__ = "{version}"' in (root / "milplib" / "version.py").read_text()
    assert f"\nversion: {version}\n" in (root / "CITATION.cff").read_text()
