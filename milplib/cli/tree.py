"""The command ``tree``: the branch-and-bound tree of a solve, drawn."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Literal

import milplib
from milplib.cli.console import WholeNumber, allow_modules_here, print_pairs

__all__ = ["tree"]


def tree(
    file: Path,
    /,
    *,
    policy: str = "relpscost",
    time_limit: float | None = None,
    setting: Literal["default", "learn2branch", "clean"] = "default",
    seed: WholeNumber = 0,
    reference_objective: float | None = None,
    out: Path = Path("tree.svg"),
) -> int:
    """Solve an instance and draw its branch-and-bound tree.

    Every node is coloured by what became of it: branched, feasible, infeasible, cut off by its
    bound. In .svg and .html a pointer that rests on a node is told its branching and its bound.

    Parameters
    ----------
    file
        The instance: .lp, .mps, .lp.gz or .mps.gz.
    policy
        Name of a branching rule of SCIP's, a policy file, or ``package.module:name``.
    time_limit
        Wall-clock seconds.
    setting
        SCIP as it comes; without cuts below the root and without restarts; or without heuristics
        and with a cut-off just worse than the known optimum.
    seed
        Of SCIP's random decisions.
    reference_objective
        The known optimum, which the setting ``clean`` needs.
    out
        The drawing: .svg, .html, .png or .pdf.
    """
    from milplib.tree.drawing import check_format, draw_tree, explanation
    from milplib.tree.record import record_tree
    from milplib.tree.search_tree import STATUSES

    check_format(out)  # before a solve of hours
    allow_modules_here(policy)
    found = record_tree(
        milplib.read(file),
        policy=policy,
        time_limit=time_limit,
        setting=setting,
        seed=seed,
        reference_objective=reference_objective,
    )
    draw_tree(found, out)
    counts = Counter(STATUSES[status] for status in found.status.tolist())
    print_pairs(
        {
            "solved": f"{found.title}: {found.solve_status}",
            "nodes": ", ".join(f"{counts[s]:,} {s}" for s in STATUSES if counts[s]) or "none",
            "count": explanation(found),
            "tree": str(out),
        }
    )
    return 130 if found.solve_status == "userinterrupt" else 0
