"""Small studies, run for real."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RULES = """\
settings: [default]
distributions:
  GISP-milplib-small: {val: 1, test: 2}
evaluation:
  policies: [pscost]
  best_scip_rule: {rules: [pscost, mostinf], instances: 1}
  time_limit: 60
  instances_per_task: 1
scales:
  one:
    distributions:
      GISP-milplib-small: {test: 1}
"""

LEARNED = """\
distributions:
  MIS-milplib-small: {train: 2, val: 1, test: 1}
  GISP-milplib-small: {train: 2, val: 1, test: 1}
collection:
  samples_per_instance: 1
  expert_probability: 1.0
  max_episodes: 2
  instances_per_task: 2
models:
  linear: {}
  gcnn: {epochs: 1, hidden: 8, batches_per_epoch: 1}
training:
  sets: [homogeneous, mixed]
evaluation:
  policies: [pscost]
  time_limit: 60
"""


@pytest.fixture(scope="session")
def rules() -> str:
    """Give the text of a study of rules alone."""
    return RULES


@pytest.fixture(scope="session")
def learned() -> str:
    """Give the text of a study that trains policies."""
    return LEARNED


@pytest.fixture
def study(tmp_path: Path) -> Callable[..., Any]:
    """Write a study file."""

    def write(text: str, name: str = "study.yaml") -> Any:
        path = tmp_path / name
        path.write_text(text)
        return path

    return write
