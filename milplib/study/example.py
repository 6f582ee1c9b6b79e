"""Example of a study, small enough to run in a few seconds."""

from __future__ import annotations

from pathlib import Path

__all__ = ["write_example"]

_STUDY = """\
distributions:
  MIS-milplib-small: {test: 1}
evaluation:
  policies: [pscost]
  time_limit: 60
"""


def write_example(folder: Path) -> Path:
    """Write the example ``rules.yaml`` into a folder, and return its path.

    It evaluates pseudocost branching on one instance, beside SCIP's default rule.

    Examples
    --------
    >>> import tempfile
    >>> print(write_example(Path(tempfile.mkdtemp())).read_text())
    distributions:
      MIS-milplib-small: {test: 1}
    evaluation:
      policies: [pscost]
      time_limit: 60
    <BLANKLINE>
    """
    path = folder / "rules.yaml"
    path.write_text(_STUDY)
    return path
