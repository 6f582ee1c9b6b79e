"""Ways of training compared, on numbers that can be worked out by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from milplib.evaluation.results import Evaluation
from milplib.evaluation.table import run_table
from milplib.study.training_sets import PolicyGroup, compare_groups, resampled_group_ratios


def evaluation(times: dict[str, list[int]]) -> Evaluation:
    """An evaluation of one seed, of seconds by policy and instance."""
    rows = [
        {
            "policy": policy,
            "instance": f"{place}",
            "distribution": "D",
            "seed": 0,
            "setting": "default",
            "status": "optimal",
            "failure": "",
            "time": float(seconds),
            "time_limit": 100.0,
            "nodes": 1,
        }
        for policy, listed in times.items()
        for place, seconds in enumerate(listed)
    ]
    no_config: Any = {}
    return Evaluation(
        table=run_table(rows),
        policies=tuple(times),
        baseline="relpscost",
        config=no_config,
        software={},
        expected_runs=len(rows),
    )


def groups() -> list[PolicyGroup]:
    return [
        PolicyGroup(
            model="m", budget="8", training_set=kind, policies=(f"m-{kind}-0", f"m-{kind}-1")
        )
        for kind in ("homogeneous", "mixed")
    ]


def test_the_ratio_is_of_geometric_means_over_training_seeds_and_instances() -> None:
    found = compare_groups(
        evaluation(
            {
                "m-homogeneous-0": [3, 7],
                "m-homogeneous-1": [1, 3],
                "m-mixed-0": [1, 1],
                "m-mixed-1": [1, 1],
                "relpscost": [7, 7],
            }
        ),
        groups(),
    )
    ratios = {(row["training_set"], row["against"]): row["time_ratio"] for row in found}

    # (4 · 8 · 2 · 4) ** (1/4) - 1 seconds on average, and 1 second by the mixture.
    single = 256 ** (1 / 4) - 1
    assert ratios[("mixed", "homogeneous")] == pytest.approx(1 / single)
    assert ratios[("mixed", "relpscost")] == pytest.approx(1 / 7)
    assert ratios[("homogeneous", "relpscost")] == pytest.approx(single / 7)
    assert {row["training_seeds"] for row in found} == {2}
    assert {row["instances"] for row in found} == {2}


def test_the_interval_grows_with_the_spread_of_training_seeds() -> None:
    instances = np.log(np.linspace(2.0, 8.0, 30))
    other = instances[None, :]
    widths = []
    for spread in (0.0, 0.5):
        one = instances + spread * np.array([[-1.0], [0.0], [1.0]])
        ratios = resampled_group_ratios(one, other, 0.0, resamples=2000)
        widths.append(math.log(np.quantile(ratios, 0.975) / np.quantile(ratios, 0.025)))

    assert widths[0] == pytest.approx(0.0, abs=1e-9)  # paired: instances cancel
    assert widths[1] > 0.5
