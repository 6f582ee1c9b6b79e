"""Results that are made by hand, and policies that misbehave in processes of their own."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import pytest

from milplib.evaluation import Evaluation
from milplib.evaluation.table import check_table, run_table


def planted_run(policy: str, instance: str, seed: int = 0, **fields: Any) -> dict[str, Any]:
    """A row of a run that went well, but for what is said."""
    return {
        "policy": policy,
        "instance": instance,
        "distribution": instance.split("/")[0],
        "seed": seed,
        "setting": "default",
        "status": "optimal",
        "failure": "",
        "objective": 5.0,
        "gap": 0.0,
        "time": 1.0,
        "policy_time": 0.0,
        "policy_calls": 10,
        "nodes": 20,
        "fair_nodes": 20,
        "time_limit": 60.0,
        "instance_hash": f"hash of {instance}",
        "milplib_version": "1",
        "scip_version": "10",
        "host": "here",
    } | fields


def planted_results(rows: list[Any], *, expected_runs: int | None = None) -> Evaluation:
    table = check_table(run_table(rows), where="the rows")
    policies = tuple(dict.fromkeys(row["policy"] for row in rows))
    config: Any = {  # without what the report does not need
        "policies": [{"label": p, "kind": "rule", "sha256": ""} for p in policies],
        "instances": [
            {
                "name": name,
                "distribution": distribution,
                "sha256": "",
                "known_status": "",
                "known_objective": None,
            }
            for name, distribution in sorted({(r["instance"], r["distribution"]) for r in rows})
        ],
        "seeds": sorted({row["seed"] for row in rows}),
        "setting": "default",
        "time_limit": 60.0,
    }
    return Evaluation(
        table=table,
        policies=policies,
        baseline=policies[-1],
        config=config,
        software={"milplib": "1"},
        expected_runs=len(rows) if expected_runs is None else expected_runs,
    )


@pytest.fixture(name="planted_run")
def planted_run_fixture() -> Callable[..., Any]:
    return planted_run


@pytest.fixture(name="planted_results")
def planted_results_fixture() -> Callable[..., Any]:
    return planted_results


@pytest.fixture
def misbehaving(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> str:
    """Name of a module of policies: a good one, and one for each way to go wrong."""
    folder = tmp_path_factory.mktemp("policies")
    (folder / "milplib_test_policies.py").write_text(
        textwrap.dedent(
            """
            import os, signal, time
            import numpy as np
            from milplib.scip import VariableFeature

            def good(state):
                features = state.variable_features[state.candidates]
                return -np.abs(features[:, VariableFeature.FRACTIONALITY] - 0.5)

            def killed(state):
                os.kill(os.getpid(), signal.SIGSEGV)

            def left(state):
                os._exit(7)

            def hangs(state):
                time.sleep(3600)

            def raises(state):
                return {}["no such key"]

            def without_memory(state):
                raise MemoryError("no more")

            def not_finite(state):
                return np.full(len(state.candidates), np.nan)

            def too_short(state):
                return np.zeros(len(state.candidates) + 1)
            """
        )
    )
    monkeypatch.syspath_prepend(folder)
    return "milplib_test_policies"
