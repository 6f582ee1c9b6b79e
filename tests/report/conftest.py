"""Planted runs, whose figures are known."""

from __future__ import annotations

from typing import Any

import pytest


def planted_rows(planted_run: Any, *, instances: int = 3) -> Any:
    return [
        planted_run(policy, f"{family}/{n}.lp", seed, time=time, nodes=nodes, fair_nodes=nodes)
        for family in ("ca", "sc")
        for n in range(instances)
        for seed in (0, 1)
        for policy, time, nodes in (
            ("mine", 2.0 + 0.1 * n, 30),
            ("<other> & co", 3.0, 40),
            ("base", 5.0 + n, 90),
        )
    ]


@pytest.fixture
def rows(planted_run: Any) -> Any:
    return planted_rows(planted_run)
