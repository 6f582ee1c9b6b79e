"""A module holds one concept, so it is short."""

from __future__ import annotations

from pathlib import Path

LINES = 350
FOLDERS = ("milplib", "learn", "generators", "tests", "benchmarks", "experiments")


def test_no_module_is_longer_than_can_be_read_at_once(root: Path) -> None:
    modules = [path for folder in FOLDERS for path in (root / folder).rglob("*.py")]
    lengths = {str(path.relative_to(root)): len(path.read_text().splitlines()) for path in modules}

    assert len(lengths) > 300
    assert not {name: length for name, length in lengths.items() if length > LINES}
