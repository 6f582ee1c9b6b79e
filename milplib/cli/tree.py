"""The command ``tree``."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Literal

import milplib
from milplib.cli.console import Blocks, Networks, WholeNumber, allow_modules_here, print_pairs
from milplib.cli.names import PolicyName
from milplib.outcomes import SolveStatus

__all__ = ["tree"]


def tree(
    file: Path,
    /,
    *,
    policy: PolicyName = "relpscost",
    network: Networks = (),
    blocks: Blocks = (),
    time_limit: float | None = None,
    setting: Literal["default", "learn2branch", "clean"] = "default",
    seed: WholeNumber = 0,
    reference_objective: float | None = None,
    out: Path = Path("tree.svg"),
) -> int:
    """Solve an instance and draw its branch-and-bound tree.

    Colours show how each node ended: branched, feasible, infeasible or cut off by its bound. In
    .svg and .html files, hover over a node to see its branching and its bound.

    Parameters
    ----------
    file
        Instance file: .lp, .mps, .lp.gz or .mps.gz.
    policy
        The policy.
    network
        Torch modules of your own that policy files are of, as package.module:Net.
    blocks
        State functions of your own that policy files read, as package.module:Name.
    time_limit
        Wall-clock limit in seconds.
    setting
        ``default``: SCIP's default settings. ``learn2branch``: no cuts below the root and no
        restarts. ``clean``: no heuristics, and a cut-off just worse than the known optimum.
    seed
        Seed of SCIP.
    reference_objective
        Known optimum, required by the setting ``clean``.
    out
        Output file: .svg, .html, .png or .pdf.
    """
    from milplib.tree.drawing import check_format, draw_tree, explanation
    from milplib.tree.record import record_tree
    from milplib.tree.search_tree import STATUSES

    check_format(out)  # before a possibly long solve
    allow_modules_here(policy, *network, *blocks)
    recorded = record_tree(
        milplib.read(file),
        policy=milplib.load_policy(policy, models=network, blocks=blocks),
        time_limit=time_limit,
        setting=setting,
        seed=seed,
        reference_objective=reference_objective,
    )
    draw_tree(recorded, out)
    counts = Counter(STATUSES[status] for status in recorded.status.tolist())
    print_pairs(
        {
            "solved": f"{recorded.title}: {recorded.solve_status}",
            "nodes": ", ".join(f"{counts[s]:,} {s}" for s in STATUSES if counts[s]) or "none",
            "count": explanation(recorded),
            "tree": str(out),
        }
    )
    return 130 if recorded.solve_status == SolveStatus.INTERRUPTED else 0
