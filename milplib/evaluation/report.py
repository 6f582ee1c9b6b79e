"""The report: one page that needs nothing else."""

from __future__ import annotations

import math
import os
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from milplib.evaluation.paired import PairedRuns
from milplib.evaluation.statistics import (
    ENOUGH_INSTANCES,
    NODE_SHIFT,
    RESAMPLES,
    TIME_SHIFT,
    RatioEstimate,
)
from milplib.evaluation.summary import ALL, Summary
from milplib.files import atomic_write

if TYPE_CHECKING:
    from milplib.evaluation.results import Evaluation

__all__ = ["number", "verdict", "verdict_lines", "write_report"]


def write_report(results: Evaluation, path: str | os.PathLike[str]) -> Path:
    """Write the report of an evaluation as one HTML page.

    Parameters
    ----------
    results
        The results; if runs are missing, the page says so.
    path
        The page to write; it works from the disk and loads nothing.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    OutputError
        If it cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from milplib.evaluation import evaluate
    >>> from milplib.generators import CombinatorialAuction
    >>> folder = tempfile.mkdtemp()
    >>> CombinatorialAuction(n_items=30, n_bids=100).generate(seed=0).write(folder + "/a.lp")
    >>> results = evaluate([folder], policies=["pscost"], time_limit=60, out=folder + "/results")
    >>> write_report(results, folder + "/page.html").read_text()[:15]
    '<!DOCTYPE html>'
    """
    page = _page(results).encode()
    path = Path(path)
    with atomic_write(path) as stream:
        stream.write(page)
    return path


def _page(results: Evaluation) -> str:
    import jinja2

    from milplib.evaluation.figures import ratio_figure, scatter_figure

    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters |= {"number": number, "percent": _percent, "verdict": verdict}
    environment.tests["finite"] = math.isfinite
    template = files("milplib.evaluation").joinpath("report.html.j2").read_text(encoding="utf-8")
    summary = results.summary()
    runs = PairedRuns.of(results.table, results.policies)
    others = [policy for policy in results.policies if policy != results.baseline]
    figures = {"ratios": ratio_figure(summary)} | {
        what: scatter_figure(runs, baseline=results.baseline, what=what)
        for what in ("time", "nodes")
    }
    compared = [row for row in summary.rows if row.against_baseline is not None]
    return (
        environment.from_string(template).render(
            title=f"{', '.join(others)} against {results.baseline}" if others else results.baseline,
            overview=_overview(summary, results.config),
            verdicts=verdict_lines(summary),
            summary=summary,
            all=ALL,
            figures=figures,
            unshifted=compared,
            details=_details(results),
            time_shift=f"{TIME_SHIFT:g}",
            node_shift=f"{NODE_SHIFT:g}",
            resamples=f"{RESAMPLES:,}",
            enough=ENOUGH_INSTANCES,
            time_limit=f"{results.config['time_limit']:g}",
        )
        + "\n"
    )


def number(value: float) -> str:
    """Write a number with three digits, or a dash for none.

    Examples
    --------
    >>> number(0.12345), number(1234.5), number(float("nan"))
    ('0.123', '1,234', '–')
    """
    if math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    digits = 2 if abs(value) >= 1 else 3
    return f"{value:.{digits}f}" if abs(value) < 10 else f"{value:.1f}"


def _percent(value: float) -> str:
    return "–" if math.isnan(value) else f"{100 * value:.1f} %"


def verdict(estimate: RatioEstimate) -> str:
    """``better`` or ``worse`` where the interval excludes 1, else nothing.

    Examples
    --------
    >>> from milplib.evaluation import compare
    >>> import numpy as np
    >>> verdict(compare(np.full((5, 1), 1.0), np.full((5, 1), 9.0), shift=1.0))
    'better'
    """
    if estimate.high < 1:
        return "better"
    return "worse" if estimate.low > 1 else ""


def verdict_lines(summary: Summary) -> list[str]:
    """Say in a sentence a policy how it stands to the baseline on all instances."""
    if not summary.distributions:
        return ["No policy ran on any instance."]
    lines = []
    for row in summary.rows_of(summary.distributions[0]):
        if row.against_baseline is None:
            continue
        parts = [f"{row.solved} of {row.runs} runs solved"]
        for what, words, estimate in (
            ("time", ("faster", "slower"), row.against_baseline.time),
            ("nodes", ("fewer", "more"), row.against_baseline.nodes),
        ):
            if not math.isfinite(estimate.value):
                continue
            sure = dict(zip(("better", "worse"), words, strict=True))
            word = sure.get(verdict(estimate), "not told apart")
            interval = (
                f" ({number(estimate.low)} to {number(estimate.high)}: {word})"
                if estimate.method != "none"
                else ""
            )
            parts.append(f"{what} {number(estimate.value)} × {summary.baseline}{interval}")
        lines.append(f"{row.policy}: {'; '.join(parts)}.")
    return lines


def _overview(summary: Summary, config: dict[str, Any]) -> str:
    n_instances = max(summary.instances.values(), default=0)
    policies = _count(len(summary.policies), "policy", "policies")
    return (
        f"{policies} on {_count(n_instances, 'instance')} with "
        f"{_count(len(config['seeds']), 'seed')} each: {_count(summary.runs, 'run')}, paired; "
        f"setting {config['setting']}, limit {config['time_limit']:g} s."
    )


def _count(number_of: int, noun: str, plural: str = "") -> str:
    return f"{number_of} {noun if number_of == 1 else plural or noun + 's'}"


def _details(results: Evaluation) -> dict[str, str]:
    table = results.table
    config = results.config
    hosts = sorted(filter(None, set(table.column("host").to_pylist())))
    details = {
        "policies": "; ".join(
            policy["label"]
            + (f" ({policy['kind']}, {policy['sha256'][:12]})" if policy["sha256"] else "")
            for policy in config["policies"]
        ),
        "baseline": results.baseline,
        "distributions": ", ".join(dict.fromkeys(table.column("distribution").to_pylist())),
        "instances": str(len(config["instances"])),
        "SCIP seeds": ", ".join(map(str, config["seeds"])),
        "setting": config["setting"],
        "time limit": f"{config['time_limit']:g} s",
        "machine": ", ".join(hosts),
    }
    return details | {name: str(version) for name, version in sorted(results.software.items())}
