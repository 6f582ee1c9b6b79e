"""The command ``best-scip-rule``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from milplib.cli.console import WholeNumber, evaluation_bar, output
from milplib.cli.tables import Column, print_table

if TYPE_CHECKING:
    from milplib.evaluation import BestScipRule

__all__ = ["best_scip_rule"]


def best_scip_rule(
    folders: list[Path],
    /,
    *,
    out: Path,
    rules: Annotated[tuple[str, ...], Parameter(consume_multiple=True, negative="")] = (),
    seeds: WholeNumber = 1,
    time_limit: float = 800.0,
    setting: Literal["default", "learn2branch", "clean"] = "default",
    workers: WholeNumber = 1,
    grace: float = 60.0,
    force: Annotated[bool, Parameter(negative="")] = False,
) -> None:
    """Choose the fastest of SCIP's own rules for each distribution, on validation instances.

    OUT gets the results of an evaluation of the rules, as ``evaluate`` writes them, and
    best-scip-rule.json: a policy for ``evaluate --policy`` and ``--baseline``, which solves each
    instance with the rule of its distribution. Run an interrupted command again to continue it.

    Parameters
    ----------
    folders
        Folders of validation instances. In a folder with split folders, ``val`` is used.
    out
        Output folder.
    rules
        SCIP rules, with or without parameters, such as ``relpscost:maxreliable=1``. Default:
        relpscost, pscost, vanillafullstrong, mostinf, random, and tuned settings of relpscost.
    seeds
        Number of SCIP seeds, starting from 0.
    time_limit
        Wall-clock limit of a solve in seconds. A failure counts as the limit.
    setting
        ``default``: SCIP's default settings. ``learn2branch``: no cuts below the root and no
        restarts. ``clean``: the known optimum as cut-off and no heuristics. Use the setting of the
        later evaluation.
    workers
        Number of parallel runs; use no more than cores.
    grace
        Kill a run this many seconds after its limit.
    force
        Replace another evaluation in OUT.
    """
    from milplib.evaluation import SCIP_RULES
    from milplib.evaluation import best_scip_rule as search
    from milplib.evaluation.best_scip_rule import BEST_SCIP_RULE

    with evaluation_bar("trying SCIP's rules") as show:
        best = search(
            folders,
            rules=rules or SCIP_RULES,
            seeds=seeds,
            time_limit=time_limit,
            setting=setting,
            workers=workers,
            out=out,
            grace=grace,
            force=force,
            on_progress=show,
        )
    _print(best)
    output().print(f"policy: {out / BEST_SCIP_RULE}; report: {out / 'report.html'}", markup=False)


def _print(best: BestScipRule) -> None:
    from milplib.report.text import number

    lines = []
    for distribution, rule in best.rules.items():
        rows = [row for row in best.table if row.distribution == distribution]
        for row in sorted(rows, key=lambda row: row.time):
            mark = "best" if row.rule == rule else ""
            solved = f"{row.solved}/{row.runs}"
            lines.append([distribution, row.rule, number(row.time), solved, mark])
    print_table(
        [
            Column(heading="distribution", is_key=True),
            Column(heading="rule", is_key=True),
            Column(heading="time s"),
            Column(heading="solved"),
            Column(heading="", is_text=True),
        ],
        lines,
    )
