"""The command ``solve``."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import milplib
from milplib.cli.console import WholeNumber, print_pairs

__all__ = ["solve"]

# SCIP's own words, where a reader would stumble over them.
_STATUS = {
    "inforunbd": "infeasible or unbounded",
    "timelimit": "time limit",
    "userinterrupt": "interrupted",
}


def solve(
    file: Path,
    /,
    *,
    policy: str = "relpscost",
    time_limit: float | None = None,
    setting: Literal["default", "learn2branch"] = "default",
    seed: WholeNumber = 0,
) -> int:
    """Solve an instance and print how it ended.

    Parameters
    ----------
    file
        The instance: .lp, .mps, .lp.gz or .mps.gz.
    policy
        Name of a branching rule of SCIP's.
    time_limit
        Wall-clock seconds.
    setting
        SCIP as it comes, or without cuts below the root and without restarts.
    seed
        Of SCIP's random decisions.
    """
    from milplib.solving import solve as solve_instance

    instance = milplib.read(file)
    result = solve_instance(
        instance, policy=policy, time_limit=time_limit, setting=setting, seed=seed
    )
    objective = "none" if result.objective is None else f"{result.objective:.12g}"
    lines = {
        "instance": f"{instance.name} ({instance.n_rows} rows, {instance.n_columns} columns, "
        f"{instance.n_nonzeros} nonzeros, {instance.sense})",
        "status": _STATUS.get(result.status, result.status),
        "objective": objective,
        "dual bound": f"{result.dual_bound:.12g}",
        "gap": f"{100 * result.gap:.4g} %",
        "nodes": str(result.nodes),
        "LP iterations": str(result.lp_iterations),
        "time": f"{result.time:.2f} s",
        "policy": f"{result.policy} (setting {result.setting}, seed {result.seed})",
    }
    print_pairs(lines)
    return 130 if result.status == "userinterrupt" else 0
