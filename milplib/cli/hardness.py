"""The command ``measure``."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from milplib.cli.console import (
    HERE,
    ExecutionOptions,
    WholeNumber,
    complain,
    output,
    print_json,
    print_pairs,
    progress_bar,
    say,
)
from milplib.cli.tables import Column, print_table
from milplib.outcomes import SolveFailure, SolveStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from milplib.hardness import FolderSummary, HardnessProgress, HardnessResults

__all__ = ["measure"]


def measure(
    folders: list[Path],
    /,
    *,
    split: Literal["train", "val", "test"] = "test",
    solver: Literal["scip", "highs"] = "scip",
    time_limit: float = 60.0,
    seed: WholeNumber = 0,
    execution: ExecutionOptions = HERE,
    out: Path | None = None,
    easy: float = 100.0,
    medium: float = 1000.0,
    hard: float = 3600.0,
    gap: float = 0.1,
    expert_probability: float = 0.05,
    samples_per_instance: WholeNumber | None = None,
    statistics_only: Annotated[bool, Parameter(negative="")] = False,
    grace: float = 60.0,
    force: Annotated[bool, Parameter(negative="")] = False,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> None:
    """Measure how hard instances are for a solver, and count their rows and columns.

    Solves each instance once, in a fresh process on one thread. The levels hold for this solver and
    version on this machine; published levels are Gurobi's. Writes hardness.csv and statistics.png
    to OUT. With OUT, run an interrupted command again to continue it; other thresholds need no
    new solves.

    Parameters
    ----------
    folders
        Folders of instances, or folders with split folders.
    split
        Split folder to use in a folder with split folders.
    solver
        SCIP in its default settings, or HiGHS (pip install 'milplib[highs]').
    time_limit
        Wall-clock limit of a solve in seconds.
    seed
        Seed of the solver.
    out
        Output folder. Without it, results are only printed.
    easy
        Instances solved in fewer seconds are easy.
    medium
        Instances solved in fewer seconds are medium, in more are hard.
    hard
        Instances not solved in this many seconds are very-hard or ext-hard.
    gap
        Largest final gap of very-hard instances, as a fraction.
    expert_probability
        Probability of asking the expert at a branching node, for the estimated number of samples
        of an episode of ``collect``.
    samples_per_instance
        Maximum number of samples of such an episode.
    statistics_only
        Count rows and columns only; solve nothing.
    grace
        Kill a solve this many seconds after its limit.
    force
        Replace another measurement in OUT.
    as_json
        Print JSON.
    """
    from milplib.hardness import LevelThresholds
    from milplib.hardness import measure as measure_instances

    with progress_bar("measuring") as bar:

        def show(progress: HardnessProgress) -> None:
            note = f"{progress.failed} not solved" if progress.failed else ""
            bar.update(progress.done, progress.total, note)

        results = measure_instances(
            folders,
            split=split,
            solver=None if statistics_only else solver,
            time_limit=time_limit,
            seed=seed,
            execution=execution.execution(),
            thresholds=LevelThresholds(easy=easy, medium=medium, limit=hard, gap=gap),
            expert_probability=expert_probability,
            samples_per_instance=samples_per_instance,
            out=out,
            grace=grace,
            force=force,
            on_progress=show,
        )
    if as_json:
        print_json(_as_json(results))
    else:
        print_results(results)
        if out is not None:
            output().print(f"table: {out / 'hardness.csv'}", markup=False)
            output().print(f"figure: {out / 'statistics.png'}", markup=False)
    for instance, why in results.unread.items():
        complain(f"not measured: {instance}: {why}")


def print_results(results: HardnessResults) -> None:
    """Print a row for each instance, and a summary for each folder."""
    console = output()
    if results.by:
        limit, seed = results.config["time_limit"], results.config["seed"]
        say(f"solved by {results.by}, one thread, limit {limit:g} s, seed {seed}", style="bold")
    _print_instances(results)
    for summary in results.summaries():
        console.print()
        _print_summary(summary, results)
    if results.by and any(row["expected_samples"] is not None for row in results.rows):
        judging = results.judging
        capped = judging.samples_per_instance
        say(
            f"samples: an estimate for an episode of collect, branchings × "
            f"{judging.expert_probability:g}" + (f", at most {capped}" if capped else ""),
            style="dim",
        )


def _print_instances(results: HardnessResults) -> None:
    columns = [
        Column(heading="instance", is_key=True),
        *(Column(heading=heading) for heading in ("rows", "columns", "nonzeros", "density")),
    ]
    if not results.by:
        columns += [Column(heading=heading) for heading in ("binary", "integer", "continuous")]
    else:
        headings = ("time s", "nodes", "gap %", "integral %·s", "samples")
        columns += [Column(heading=heading, part=1) for heading in headings]
        columns.append(Column(heading=f"level by {results.by}", is_text=True, part=1))
    readable = [row for row in results.rows if row["failure"] != SolveFailure.UNREADABLE]
    print_table(columns, [_cells(row, bool(results.by)) for row in readable])


def _cells(row: Mapping[str, Any], is_solved_for: bool) -> list[str]:
    cells = [row["instance"], *(_number(row[name]) for name in ("rows", "columns", "nonzeros"))]
    cells.append("–" if row["density"] is None else f"{row['density']:.3g}")
    if not is_solved_for:
        return cells + [_number(row[name]) for name in ("binary", "integer", "continuous")]
    gap = None if row["gap"] is None else 100 * row["gap"]
    shown = (row["time"], row["nodes"], gap, row["primal_dual_integral"], row["expected_samples"])
    is_implied = row["status"] in (SolveStatus.OPTIMAL, SolveStatus.TIME_LIMIT)  # by the level
    status = "" if is_implied else f" ({row['status']})"
    level = row["level"] or f"none: {row['failure']}"
    return cells + [_number(value) for value in shown] + [f"{level}{status}"]


def _print_summary(summary: FolderSummary, results: HardnessResults) -> None:
    count = summary.instances
    say(
        f"{summary.distribution}: {count} instance{'s' * (count != 1)}"
        + (f", {summary.unread} more cannot be read" if summary.unread else ""),
        style="bold",
    )
    lines = {}
    if results.by:
        levels = ", ".join(f"{number} {level}" for level, number in summary.levels.items())
        failed = f"; {summary.failed} failed, without a level" if summary.failed else ""
        lines[f"levels by {results.by}"] = (levels or "none") + failed
        most = {"mixed": "no level has more than half", "": "none"}
        lines[f"the majority by {results.by}"] = most.get(summary.majority, summary.majority)
        lines["time s"] = (
            f"median {_number(summary.time_median)}, shifted geometric mean "
            f"{_number(summary.time_mean)} (shift 1 s; not solved counts as the limit)"
        )
        lines["nodes"] = (
            f"median {_number(summary.nodes_median)}, shifted geometric mean "
            f"{_number(summary.nodes_mean)} (shift 10; of {summary.solved} solved)"
        )
    sizes = {name: value for name, value in summary.sizes.items() if name != "density"}
    lines["median size"] = ", ".join(f"{_number(value)} {name}" for name, value in sizes.items())
    lines["columns"] = _shares(summary.column_kinds)
    lines["rows"] = _shares(summary.row_kinds)
    print_pairs(lines, indent=2)


def _shares(kinds: Mapping[str, float]) -> str:
    largest = sorted(kinds.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{100 * share:.3g} % {name.replace('_', ' ')}" for name, share in largest)


def _number(value: float | None) -> str:
    from milplib.report.text import number

    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else number(value)


def _as_json(results: HardnessResults) -> dict[str, object]:
    content = {
        "by": results.by,
        "config": {name: v for name, v in results.config.items() if name != "instances"},
        "software": results.software,
        "folders": [asdict(summary) for summary in results.summaries()],
        "instances": list(results.rows),
    }
    return {name: _finite(value) for name, value in content.items()}


def _finite(value: object) -> object:
    """Replace numbers that JSON does not have by null."""
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
