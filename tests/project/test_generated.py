"""Files that `make renew` writes say what their sources say."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from slow_parameters import slow_except

FILES = {
    "native/feature_columns.h": "fractionality = 9",
    "docs/state.md": "`FRACTIONALITY`",
    "docs/candidate_features.md": "`SLACK`",
}
"""What is generated, and a word that stands there."""


def test_the_header_and_the_tables_of_features_are_those_of_the_enums(
    root: Path, run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    run(sys.executable, root / "tools" / "feature_columns.py", "--check", cwd=root)


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    """The script and what it writes, elsewhere."""
    for name in ("tools/feature_columns.py", *FILES):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(root / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("name", slow_except(["docs/state.md"], FILES))
def test_a_stale_file_is_named_and_renewed(
    name: str, copy: Path, run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    script, path = copy / "tools" / "feature_columns.py", copy / name
    expected = path.read_text()
    assert FILES[name] in expected
    path.write_text(expected.replace(FILES[name], "something else"))

    done = run(sys.executable, script, "--check", cwd=copy, check=False)
    assert done.returncode == 1
    assert f"{name}; run `make renew`" in done.stdout

    assert f"wrote {name}" in run(sys.executable, script, cwd=copy).stdout
    assert path.read_text() == expected
