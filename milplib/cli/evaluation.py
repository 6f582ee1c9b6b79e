"""Commands about results: ``evaluate`` and ``report``."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from milplib.cli.console import (
    HERE,
    Blocks,
    ExecutionOptions,
    Networks,
    WholeNumber,
    allow_modules_here,
    evaluation_bar,
    output,
    say,
)
from milplib.cli.names import POLICIES
from milplib.cli.tables import Column, print_table
from milplib.escaping import terminal_safe

if TYPE_CHECKING:
    from milplib.evaluation import (
        Evaluation,
        PolicySummary,
        RatioEstimate,
        Summary,
    )

__all__ = ["evaluate", "report"]


def evaluate(
    folders: list[Path],
    /,
    *,
    policy: Annotated[
        list[str],
        Parameter(
            consume_multiple=True,
            negative="",
            help=f"Policies: {POLICIES}; the best-scip-rule.json that ``best-scip-rule`` wrote.",
        ),
    ],
    out: Path,
    network: Networks = (),
    blocks: Blocks = (),
    baseline: str = "relpscost",
    seeds: WholeNumber = 1,
    time_limit: float = 800.0,
    setting: Literal["default", "learn2branch", "clean"] = "default",
    execution: ExecutionOptions = HERE,
    grace: float = 60.0,
    force: Annotated[bool, Parameter(negative="")] = False,
    track: Annotated[bool, Parameter(negative="")] = False,
    project: str = "milplib",
) -> int:
    """Compare policies on folders of instances by paired runs.

    All policies run back to back in random order on every instance with every seed, each in a
    fresh process. Writes runs.parquet, runs.csv, traces.parquet and report.html to OUT. Run an
    interrupted command again to continue it. The exit code is 1 if two runs contradict each other,
    for example by two optimal values.

    Parameters
    ----------
    folders
        Folders of instances. In a folder with split folders, ``test`` is used.
    policy
        Policies.
    out
        Output folder.
    network
        Torch modules of your own that policy files are of, as package.module:Net.
    blocks
        State functions of your own that policy files read, as package.module:Name.
    baseline
        Policy to compare the others with, named as in --policy. It runs as well.
    seeds
        Number of SCIP seeds, starting from 0.
    time_limit
        Wall-clock limit of a solve in seconds. A failure counts as the limit.
    setting
        ``default``: SCIP's default settings. ``learn2branch``: no cuts below the root and no
        restarts. ``clean``: the known optimum as cut-off and no heuristics.
    grace
        Kill a run this many seconds after its limit.
    force
        Replace another evaluation in OUT.
    track
        Report the summary and the page to Weights & Biases (respects WANDB_MODE).
    project
        Project name in Weights & Biases.
    """
    from milplib.evaluation import evaluate as evaluate_policies

    if track:
        from milplib.learn.tracking import import_wandb, track_evaluation

        import_wandb()  # report a missing package before the first run

    allow_modules_here(*policy, baseline, *network, *blocks)
    with evaluation_bar("evaluating") as show:
        results = evaluate_policies(
            folders,
            policies=policy,
            models=network,
            blocks=blocks,
            baseline=baseline,
            seeds=seeds,
            time_limit=time_limit,
            setting=setting,
            execution=execution.execution(),
            out=out,
            grace=grace,
            force=force,
            on_progress=show,
        )
    if track:
        track_evaluation(out, project=project)
    code = print_summary(results)
    output().print(f"report: {out / 'report.html'}", markup=False)
    return code


def report(results: Path, /) -> int:
    """Write the report of a finished or running evaluation.

    Writes to RESULTS: report.html, a self-contained page; figures/ with every figure as PNG and
    PDF; summary.csv with a row for each policy and distribution; summary.tex, a LaTeX table.

    Parameters
    ----------
    results
        Folder that ``evaluate`` wrote.
    """
    from milplib.evaluation import Evaluation
    from milplib.report import write_exports, write_report

    evaluation = Evaluation.load(results)
    page = write_report(evaluation, results / "report.html")
    table, latex, *figures = write_exports(evaluation, results)
    code = print_summary(evaluation)
    output().print(f"report: {page}", markup=False)
    output().print(f"tables: {table}, {latex}", markup=False)
    if figures:
        output().print(f"figures: {figures[0].parent}", markup=False)
    return code


def print_summary(results: Evaluation) -> int:
    """Print the summary of an evaluation; return exit code 1 if runs contradict each other."""
    summary = results.summary()
    console = output()
    if not summary.is_complete:
        say(f"not finished: {summary.runs} of {summary.expected_runs} runs are there")
    for name in summary.distributions:
        count = summary.instances[name]
        title = "all distributions" if name == "all" else name
        say(
            f"{title}: {count} instance{'s' * (count != 1)}, {len(summary.seeds)} "
            f"seed{'s' * (len(summary.seeds) != 1)}, ratios to {summary.baseline}",
            style="bold",
        )
        _print_policies(summary, name)
        console.print()
    _print_first_against_others(summary)
    kinds = Counter((failure.policy, failure.kind) for failure in summary.failures)
    for (policy, kind), count in kinds.items():
        example = next(f for f in summary.failures if (f.policy, f.kind) == (policy, kind))
        say(
            f"  failed: {policy}: {count} {kind}, such as {example.instance}, seed "
            f"{example.seed}: {example.detail}".rstrip(": "),
            hanging=4,
        )
    for instance, why in summary.unread.items():
        say(f"  no policy ran on {instance}: {why}", hanging=4)
    for finding in summary.findings:
        if not finding.is_error:
            say(f"  note: {finding.message}", hanging=4)
    for message in summary.errors:
        print(f"milplib: error: {terminal_safe(message)}", file=sys.stderr)
    return 1 if summary.errors else 0


def _print_policies(summary: Summary, distribution: str) -> None:
    rows = summary.rows_of(distribution)
    columns = [
        Column(heading="policy", is_key=True),
        Column(heading="solved"),
        Column(heading="time s"),
        Column(heading="time ratio", break_at=" ("),
        Column(heading="p"),
        Column(heading="nodes", part=1),
        Column(heading="node ratio", break_at=" (", part=1),
        Column(heading="of", part=1),
        Column(heading="wins", part=2),
        Column(heading="in policy", part=2),
    ]
    cells = [_cells(summary, row) for row in rows]
    if any(row.failures for row in rows):
        columns.append(Column(heading="failures", is_text=True, part=3))
        cells = [[*line, _counts(row.failures)] for line, row in zip(cells, rows, strict=True)]
    print_table(columns, cells)


def _cells(summary: Summary, row: PolicySummary) -> list[str]:
    from milplib.report.text import number, p_value, signed_rank_of

    test = signed_rank_of(summary, row.policy, row.distribution)
    compared = row.against_baseline
    share = "–" if row.policy_share != row.policy_share else f"{row.policy_share:.1%}"
    return [
        row.policy,
        f"{row.solved}/{row.runs}",
        number(row.time),
        _ratio(compared.time) if compared else "1",
        p_value(test.corrected) if test else "",
        number(row.nodes),
        _ratio(compared.nodes) if compared else "1",
        str(compared.nodes.instances) if compared else "",
        str(row.wins),
        share,
    ]


def _counts(failures: dict[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in failures.items())


def _ratio(estimate: RatioEstimate) -> str:
    from milplib.report.text import ratio

    if estimate.value != estimate.value:
        return "–"
    if not estimate.has_interval:
        return ratio(estimate.value)
    return f"{ratio(estimate.value)} ({ratio(estimate.low)} to {ratio(estimate.high)})"


def _print_first_against_others(summary: Summary) -> None:
    """Print the comparison of the first policy with each of the others."""
    first = next((p for p in summary.policies if p != summary.baseline), None)
    others = [policy for policy in summary.policies if policy != first]
    if first is None or len(others) < 2 or not summary.distributions:
        return
    compared = summary.comparisons[summary.distributions[0]]
    say(f"{first} against each, ratios below 1 speak for it", style="bold")
    rows = []
    for other in others:
        ratios = compared[first, other]
        count = str(ratios.nodes.instances)
        rows.append(
            [other, _ratio(ratios.time), _ratio(ratios.nodes), count, _ratio(ratios.fair_nodes)]
        )
    print_table(
        [
            Column(heading="against", is_key=True),
            Column(heading="time ratio", break_at=" ("),
            Column(heading="node ratio", break_at=" ("),
            Column(heading="of"),
            Column(heading="fair-node ratio", break_at=" ("),
        ],
        rows,
    )
    say(
        "shifted geometric means: time (1 s) with failures at the limit, nodes (10) where both "
        "solved; of: instances; in brackets 95 % intervals; p: of Wilcoxon's test of the times, "
        "corrected by Holm's method",
        style="dim",
    )
