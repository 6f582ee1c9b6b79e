"""Measure the difficulty of generated distributions for the table of ``generators/README.md``.

``.venv/bin/python benchmarks/difficulty.py [NAME ...]`` solves the first test instances of each
distribution with SCIP's rules ``relpscost`` and ``pscost``, each solve in a separate process. It
solves more instances of distributions that milplib itself calls easy, to confirm the name. Of
distributions that are hard by name, only the root node is measured. Results are saved to
``benchmarks/difficulty.json`` immediately. A saved instance is measured again only if its
distribution is named or its family has a new generator_version. The table shows the saved results.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import milplib
from milplib.execution.isolation import run_isolated
from milplib.files import atomic_write, atomic_write_json
from milplib.library import Distribution, find_generator, generate_instance
from milplib.scip import apply_setting
from milplib.scip.versions import scip_version
from milplib.solving import branching_statistics

ROOT = Path(__file__).resolve().parents[1]
RULES = ("relpscost", "pscost")
EXPERT_PROBABILITY = 0.05  # the default of `milplib collect`


@dataclass(frozen=True)
class Run:
    """A solve of an instance, or of its root node if no rule is set."""

    distribution: str
    index: int
    rule: str
    time_limit: float


def run(task: Run) -> dict[str, Any]:
    """Generate an instance and solve it, or only its root."""
    instance = generate_instance(task.distribution, split="test", index=task.index)
    model = instance.to_scip()
    model.hideOutput()
    apply_setting(model, "default", seed=0)
    # Processor time depends little on other load of the machine.
    model.setParam("timing/clocktype", 1)
    model.setParam("limits/time", task.time_limit)
    if task.rule:
        milplib.include_policy(model, task.rule)
    else:
        model.setParam("limits/nodes", 1)
    model.optimize()
    bound = model.getDualbound()
    return {
        "rows": instance.n_rows,
        "columns": instance.n_columns,
        "nonzeros": instance.n_nonzeros,
        "status": model.getStatus(),
        "objective": model.getObjVal() if model.getNSols() else None,
        "bound": bound if abs(bound) < model.infinity() else None,
        "nodes": model.getNTotalNodes(),
        "time": model.getSolvingTime(),
        "branchings": sum(rule["nchildren"] for rule in branching_statistics(model).values()) // 2,
    }


def is_hard(entry: Distribution) -> bool:
    """Whether a distribution is hard by name, so that only its root is measured."""
    return "hard" in entry.name or "medium" in entry.level


def is_called_easy(entry: Distribution) -> bool:
    """Whether milplib itself calls a distribution easy."""
    return entry.provenance == "milplib" and "easy" in entry.name


def measured(entry: Distribution, index: int, *, time_limit: float) -> dict[str, Any]:
    """Measure one instance of a distribution."""
    row: dict[str, Any] = {}
    for rule in ("", *(() if is_hard(entry) else RULES)):
        task = Run(entry.name, index, rule, time_limit)
        row[rule or "root"] = run_isolated(run, task, time_limit=10 * time_limit + 300)
    return row


def root_gap(row: dict[str, Any]) -> float:
    """Return the gap in per cent between the root's bound and the best solution of all runs."""
    bound = row["root"]["bound"]
    known = [run["objective"] for run in row.values() if run["objective"] is not None]
    if bound is None or not known:
        return math.nan
    best = min(known, key=lambda objective: abs(objective - bound))
    largest = max(abs(best), abs(bound))
    return 100 * abs(best - bound) / largest if largest else 0.0


def cells(entry: Distribution, rows: list[dict[str, Any]], time_limit: float) -> Iterator[str]:
    """Yield the cells of a distribution's line of the table."""
    yield entry.domain
    yield f"`{entry.name}`"
    for size in ("rows", "columns", "nonzeros"):
        yield f"{statistics.mean(row['root'][size] for row in rows):,.0f}"
    gaps = [gap for gap in map(root_gap, rows) if not math.isnan(gap)]
    yield f"{float(f'{statistics.median(gaps):.2g}'):g} %" if gaps else "no solution"
    for rule in RULES:
        if rule not in rows[0]:
            yield from ("", "")
            continue
        times = [row[rule]["time"] for row in rows]
        open_ones = sum(row[rule]["status"] == "timelimit" for row in rows)
        nodes = f"{statistics.median(row[rule]['nodes'] for row in rows):,.0f}"
        yield f"{'> ' if 2 * open_ones > len(rows) else ''}{nodes}"
        yield f"{statistics.median(times):.1f} s" + (f" ({open_ones} open)" if open_ones else "")
    if "pscost" in rows[0]:
        branchings = statistics.median(row["pscost"]["branchings"] for row in rows)
        yield f"{EXPERT_PROBABILITY * branchings:,.1f}"
    else:
        yield ""
    yield entry.provenance


def page(results: dict[str, Any]) -> str:
    """Return the page with a section per family and a line per distribution."""
    settings = results["settings"]
    about = (
        "Each problem family is one module. [docs/generators.md](../docs/generators.md) shows its "
        "matrices; the docstring of its class describes the rows and gives the source of the "
        "problem.",
        f"The table holds medians over the first {settings['instances']} test instances of each "
        f"distribution (seed 0), {settings['easy_instances']} for those that milplib itself calls "
        f"easy. SCIP {settings['scip']} ran in its default settings on one thread, with "
        f"{settings['time_limit']:g} s of processor time a solve. A solve that reached its limit "
        "counts as it stopped. The root gap is the gap between the bound of the root and the best "
        f"solution found. Samples are {EXPERT_PROBABILITY:g} of the branchings with `pscost`, the "
        "order of magnitude of an episode of `milplib collect`. Distributions that are medium or "
        "hard by their name were measured at the root only.",
    )
    lines = [
        "# The generators",
        "",
        *(line for text in about for line in (*textwrap.wrap(text, 100), "")),
        "```sh",
        "make renew               # measures missing distributions",
        "make renew ONLY=SC-easy  # measures one distribution again",
        "```",
        "",
        "| family | distribution | rows | columns | nonzeros | root gap | relpscost nodes | time | "
        "pscost nodes | time | samples | provenance |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    for entry in milplib.distributions():
        rows = results["distributions"].get(entry.name)
        if entry.generator is not None and rows:
            lines.append(f"| {' | '.join(cells(entry, rows, settings['time_limit']))} |")
    return "\n".join(lines) + "\n"


def write(results: dict[str, Any], *, to: Path, table: Path) -> None:
    atomic_write_json(to, results)
    with atomic_write(table) as stream:
        stream.write(page(results).encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="distributions to measure again")
    parser.add_argument("--instances", type=int, default=5, help="of each distribution (default 5)")
    parser.add_argument(
        "--easy-instances", type=int, default=20, help="of milplib's own easy ones (default 20)"
    )
    parser.add_argument("--time-limit", type=float, default=60.0, help="seconds (default 60)")
    parser.add_argument(
        "--results", type=Path, default=ROOT / "benchmarks" / "difficulty.json", metavar="FILE"
    )
    parser.add_argument(
        "--table", type=Path, default=ROOT / "generators" / "README.md", metavar="FILE"
    )
    options = parser.parse_args()
    settings = {
        "instances": options.instances,
        "easy_instances": options.easy_instances,
        "time_limit": options.time_limit,
        "scip": scip_version(),
    }
    results: dict[str, Any] = {"distributions": {}}
    if options.results.exists():
        results = json.loads(options.results.read_text(encoding="utf-8"))
        if results["settings"] != settings:
            parser.error(
                f"{options.results} was measured with {results['settings']}: remove it first"
            )
    results["settings"] = settings
    known, versions = results["distributions"], results.setdefault("generator_versions", {})
    for entry in milplib.distributions():
        if entry.generator is None or (options.names and entry.name not in options.names):
            continue
        version = find_generator(entry).generator_version
        if options.names or versions.get(entry.name, version) != version:
            known[entry.name] = []
        versions[entry.name] = version
        rows = known.setdefault(entry.name, [])
        wanted = options.easy_instances if is_called_easy(entry) else options.instances
        for index in range(len(rows), wanted):
            print(f"{entry.name}: instance {index + 1} of {wanted}", file=sys.stderr, flush=True)
            rows.append(measured(entry, index, time_limit=options.time_limit))
            write(results, to=options.results, table=options.table)
    write(results, to=options.results, table=options.table)


if __name__ == "__main__":
    main()
