"""HTML report of an evaluation, as one self-contained page."""

from __future__ import annotations

import functools
import json
import math
import os
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from milplib.arguments import checked, given
from milplib.errors import ParameterError
from milplib.evaluation.policy_summary import ITERATION_SHIFT, TITLES, PolicySummary
from milplib.evaluation.resampling import ENOUGH_INSTANCES
from milplib.evaluation.results import Evaluation
from milplib.evaluation.statistics import (
    NODE_SHIFT,
    RESAMPLES,
    TIME_SHIFT,
    RatioEstimate,
)
from milplib.evaluation.summary import ALL, Summary
from milplib.evaluation.verdicts import SIGNIFICANT, verdict
from milplib.files import atomic_write
from milplib.report import figures
from milplib.report.figures.heat_map import columns, heat
from milplib.report.picks import pick_counts
from milplib.report.text import (
    count,
    headline,
    judgement,
    listing,
    number,
    p_value,
    percent,
    ratio,
    signed_rank_of,
    verdict_lines,
)
from milplib.style import page_style

if TYPE_CHECKING:
    import jinja2


__all__ = ["report_plots", "write_report"]


@checked
def write_report(results: Evaluation, path: str | os.PathLike[str]) -> Path:
    """Write the report of an evaluation as one HTML page.

    Parameters
    ----------
    results
        Results to report. The page says if runs are missing.
    path
        Page to write. It works from the disk and loads nothing.

    Returns
    -------
    Path
        Path of the page.

    Raises
    ------
    OutputError
        If the page cannot be written.

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
    check_results(results)
    page = _page(results).encode()
    path = Path(path)
    with atomic_write(path) as stream:
        stream.write(page)
    return path


def report_plots(results: Evaluation, summary: Summary | None = None) -> dict[str, figures.Plot]:
    """Prepare the figures of an evaluation's report.

    Parameters
    ----------
    results
        Results to plot.
    summary
        Summary of the results, if it is already known.

    Returns
    -------
    dict
        Plots by name, without those that have nothing to show.
    """
    summary = results.summary() if summary is None else summary
    runs = results.runs
    baseline = results.baseline
    plots = (
        figures.profile_plot(runs),
        figures.ratio_plot(summary),
        figures.scatter_plot(runs, baseline=baseline, what="time"),
        figures.scatter_plot(runs, baseline=baseline, what="nodes"),
        figures.seed_plot(runs, baseline=baseline),
        figures.gap_plot(results),
        figures.time_split_plot(figures.time_split(results.table, results.policies)),
        figures.heat_map_plot(summary.matrix),
    )
    return {plot.name: plot for plot in plots if plot is not None}


def check_results(results: object) -> None:
    """Raise a `ParameterError` unless the argument is an evaluation."""
    if not isinstance(results, Evaluation):
        raise ParameterError(
            f"the results are {given(results)}; give an Evaluation, such as Evaluation.load(folder)"
        )


@functools.cache
def _template() -> jinja2.Template:
    import jinja2

    # Only this text is a template; all values in it are escaped.
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters |= {
        "heat": heat,
        "number": number,
        "p_value": p_value,
        "percent": percent,
        "ratio": ratio,
        "side": _side,
    }
    environment.tests["finite"] = math.isfinite
    return environment.from_string(
        files("milplib.report").joinpath("report.html.j2").read_text(encoding="utf-8")
    )


def _side(estimate: RatioEstimate) -> str:
    return verdict(estimate).side


def _page(results: Evaluation) -> str:
    summary = results.summary()
    others = [policy for policy in results.policies if policy != results.baseline]
    every = summary.rows_of(summary.distributions[0]) if summary.distributions else ()
    matrix = summary.matrix
    return (
        _template().render(
            title=_title(others, results.baseline),
            style=page_style(),
            overview=_overview(summary, results.config),
            headline=headline(summary),
            lines=verdict_lines(summary),
            every=every,
            judgements={row.policy: judgement(summary, row) for row in every},
            bars=_bars(every),
            test_of=lambda row: signed_rank_of(summary, row.policy, row.distribution),
            summary=summary,
            work_titles=TITLES,
            all=ALL,
            figures={name: plot.svg() for name, plot in report_plots(results, summary).items()},
            split=figures.time_split(results.table, results.policies),
            picks=pick_counts(results.table),
            heat_columns=columns(matrix) if matrix and matrix.policies else {},
            unshifted=[row for row in summary.rows if row.against_baseline is not None],
            policies=_policies(results.config["policies"]),
            instances=_instances(results.config["instances"]),
            settings=_settings(results),
            software=dict(sorted(results.software.items())),
            time_shift=f"{TIME_SHIFT:g}",
            node_shift=f"{NODE_SHIFT:g}",
            iteration_shift=f"{ITERATION_SHIFT:g}",
            resamples=f"{RESAMPLES:,}",
            enough=ENOUGH_INSTANCES,
            significant=f"{SIGNIFICANT:g}",
            time_limit=f"{results.config['time_limit']:g}",
        )
        + "\n"
    )


def _title(others: Sequence[str], baseline: str) -> str:
    if not others:
        return baseline
    who = listing(others) if len(others) <= 3 else count(len(others), "policy", "policies")
    return f"{who} against {baseline}"


def _overview(summary: Summary, config: Mapping[str, Any]) -> str:
    n_instances = max(summary.instances.values(), default=0)
    return (
        f"{count(len(summary.policies), 'policy', 'policies')} on "
        f"{count(n_instances, 'instance')} with {count(len(config['seeds']), 'seed')} each: "
        f"{count(summary.runs, 'run')}, paired; "
        f"setting {config['setting']}, limit {config['time_limit']:g} s."
    )


def _bars(rows: Sequence[PolicySummary]) -> dict[str, dict[str, float]]:
    """Return the positions of time ratios and their intervals on an axis from 0 to 100, by policy.

    The axis is logarithmic with the ratio 1 in the middle, and reaches slightly beyond the
    ratios. Longer intervals are cut off.
    """
    estimates = {row.policy: row.against_baseline.time for row in rows if row.against_baseline}
    finite = {p: e for p, e in estimates.items() if math.isfinite(e.value) and e.value > 0}
    reach = 1.25 * max((abs(math.log(e.value)) for e in finite.values()), default=0.0) + 0.2

    def place(value: float) -> float:
        log = math.log(value) if value > 0 else -math.inf
        return round(50 + 50 * min(max(log / reach, -1.0), 1.0), 2)

    return {
        policy: {
            "low": place(e.low if e.has_interval else e.value),
            "value": place(e.value),
            "high": place(e.high if e.has_interval else e.value),
        }
        for policy, e in finite.items()
    }


def _policies(listed: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return the manifest's entries of the policies, all with the same names."""
    names = _names(listed)
    return [{name: _text(policy.get(name)) for name in names} for policy in listed]


def _names(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names that occur in any entry, its own name first, because files keep no order."""
    names = {name for entry in entries for name in entry}
    return sorted(names, key=lambda name: (name not in ("label", "name"), name))


def _instances(listed: Sequence[Any]) -> list[dict[str, str]]:
    """Return the manifest's entries of the instances, without empty columns."""
    entries = [entry if isinstance(entry, Mapping) else {"name": entry} for entry in listed]
    names = _names(entries)
    rows = [{name: _text(entry.get(name)) for name in names} for entry in entries]
    return [{n: v for n, v in row.items() if any(r[n] for r in rows)} for row in rows]


def _settings(results: Evaluation) -> dict[str, str]:
    """Return the other arguments, and the machines and versions that the runs report."""
    config = results.config
    units = {"time_limit": " s"}
    settings = {
        name.replace("_", " "): f"{_text(value)}{units.get(name, '')}"
        for name, value in sorted(config.items())
        if name not in ("policies", "instances")
    }
    table = results.table
    names = {"distributions": "distribution", "machine": "host", "SCIP": "scip_version"}
    for name, column in names.items():
        values = sorted(filter(None, set(table.column(column).to_pylist())))
        settings[name] = ", ".join(values) or "unknown"
    return {"instances": str(len(config["instances"]))} | settings


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, list) and not any(isinstance(item, (list, dict)) for item in value):
        return ", ".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
