"""Compare cheaper experts with full strong branching for the tables of ``docs/experts.md``.

``.venv/bin/python benchmarks/labels.py [DISTRIBUTION ...]`` compares the experts of
`milplib.scip.EXPERTS` and similar ones with full strong branching, on one core and by processor
time:

- At the same nodes: seconds per label, agreement of the choice, and regret by the full scores.
  Every node asks all experts in random order. Their calls are idempotent, and SCIP resets the LP
  basis before every child. Only the first call at a node is slower and differs in the last digits;
  the random order spreads this evenly.
- By models learned from their labels: each expert collects on the same instances for the same
  processor time. A linear ranker is trained on all of its samples, and on as many as the full
  expert has. Samples of other instances, labelled by the full expert, evaluate the ranker.

Results are saved to ``benchmarks/labels.json`` immediately. Saved results are measured again only
if their distribution is named. The tables show the saved results.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from labels_at_nodes import COMPARED, LIMITED, nodes_of
from labels_learned import TRAINED, compare_learned, difference

from milplib.files import atomic_write, atomic_write_json
from milplib.scip.versions import scip_version

ROOT = Path(__file__).resolve().parents[1]
DISTRIBUTIONS = ("CA-very-easy", "SC-milplib-small", "GISP-milplib-easy", "CFLP-milplib-small")
MARKS = ("<!-- {}: written by benchmarks/labels.py -->", "<!-- end of {} -->")


def cost_lines(results: dict[str, Any]) -> Iterator[str]:
    """Yield the table of the full expert's costs."""
    yield (
        "| distribution | nodes | candidates | seconds a label | of that inside SCIP | if each LP "
        "is stopped after 1 iteration | iterations an LP | cheaper experts after / before it |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|--:|"
    for name, by_instance in results["nodes"].items():
        nodes = [node for part in by_instance.values() for node in part]
        if not nodes:
            continue
        seconds = [node["full"]["seconds"] for node in nodes]
        inside = sum(node["in_scip"] for node in nodes) / sum(seconds)
        started = sum(node["iterations:1"]["seconds"] for node in nodes) / sum(seconds)
        candidates = [node["candidates"] for node in nodes]
        iterations = sum(node["iterations"] for node in nodes) / sum(candidates)
        yield (
            f"| `{name}` | {len(nodes)} | {statistics.mean(candidates):.1f} | "
            f"{statistics.mean(seconds):.3f} | {inside:.1%} | {started:.1%} | {iterations:.0f} | "
            f"{after_by_before(nodes):.2f} |"
        )


def after_by_before(nodes: list[dict[str, Any]]) -> float:
    """Return the relative time of cheaper experts after the full expert's call at a node.

    Times are relative to the full expert's time, and normalised by the mean of each expert. The
    result is the mean of times after the full expert divided by the mean of times before it.
    """
    relative: dict[bool, list[float]] = {True: [], False: []}
    for expert in LIMITED:
        shares = [node[expert]["seconds"] / node["full"]["seconds"] for node in nodes]
        mean = statistics.mean(shares)
        for node, share in zip(nodes, shares, strict=True):
            after = node["order"].index(expert) > node["order"].index("full")
            relative[after].append(share / mean)
    if not (relative[True] and relative[False]):
        return math.nan
    return statistics.mean(relative[True]) / statistics.mean(relative[False])


def node_lines(results: dict[str, Any]) -> Iterator[str]:
    """Yield the table of the experts at the same nodes."""
    yield "| distribution | expert | seconds a label | faster | top-1 | top-5 | regret | scored |"
    yield "|---|---|--:|--:|--:|--:|--:|--:|"
    for name, by_instance in results["nodes"].items():
        nodes = [node for part in by_instance.values() for node in part]
        if not nodes:
            continue
        full = statistics.mean(node["full"]["seconds"] for node in nodes)
        candidates = statistics.mean(node["candidates"] for node in nodes)
        for number, expert in enumerate(COMPARED):
            mean = {
                key: statistics.mean(node[expert][key] for node in nodes)
                for key in ("seconds", "top_1", "top_5", "regret", "scored")
            }
            about = f"`{name}`, {len(nodes)} nodes" if not number else ""
            yield (
                f"| {about} | `{expert}` | {mean['seconds']:.4f} | {full / mean['seconds']:.2f} | "
                f"{mean['top_1']:.2f} | {mean['top_5']:.2f} | {mean['regret']:.3f} | "
                f"{mean['scored']:.1f} of {candidates:.1f} |"
            )


def policy_lines(results: dict[str, Any]) -> Iterator[str]:
    """Yield the table of the rankers learned from each expert's labels."""
    yield (
        "| distribution | expert | samples | seconds a sample | accuracy@1, equal time | "
        "minus full's | accuracy@1, equal samples | minus full's |"
    )
    yield "|---|---|--:|--:|--:|--:|--:|--:|"
    for name, learned in results["policies"].items():
        judged, experts = learned["judged"], learned["experts"]
        about = f"`{name}`, {learned['budget']:g} s each, {sum(judged)} samples judged"
        for expert in filter(experts.get, TRAINED):
            whole = experts[expert]["equal time"]
            cells = [about, f"`{expert}`", str(whole["samples"])]
            cells.append(f"{whole['seconds'] / whole['samples']:.3f}")
            for equal in ("equal time", "equal samples"):
                run = experts[expert][equal]
                cells.append(f"{statistics.mean(run['hits']):.3f}")
                cells.append(difference(run, experts["full"][equal], judged))
            yield f"| {' | '.join(cells)} |"
            about = ""


def page(text: str, results: dict[str, Any]) -> str:
    """Return the text with its tables replaced."""
    tables = {
        "cost": cost_lines(results),
        "nodes": node_lines(results),
        "policies": policy_lines(results),
    }
    for table, lines in tables.items():
        begin, end = (mark.format(table) for mark in MARKS)
        if begin not in text or end not in text:
            text += f"\n{begin}\n{end}\n"
        before, _, rest = text.partition(begin)
        after = rest.partition(end)[2]
        text = "\n".join((before + begin, "", *lines, "", end + after))
    return text


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="DISTRIBUTION", help="measure these again")
    parser.add_argument("--only", choices=("nodes", "policies"), help="run only this comparison")
    parser.add_argument("--instances", type=int, default=8, help="compared at (default 8)")
    parser.add_argument("--nodes", type=int, default=8, help="of each instance (default 8)")
    parser.add_argument("--budget", type=float, default=30.0, help="collecting seconds (30)")
    parser.add_argument("--validation", type=int, default=12, help="validation instances (12)")
    parser.add_argument(
        "--results", type=Path, default=ROOT / "benchmarks" / "labels.json", metavar="FILE"
    )
    parser.add_argument("--table", type=Path, default=ROOT / "docs" / "experts.md", metavar="FILE")
    parser.add_argument(
        "--folder", type=Path, default=ROOT / "data" / "labels", help="for instances and samples"
    )
    options = parser.parse_args()
    settings = {"nodes": options.nodes, "scip": scip_version()}
    parts = (options.only,) if options.only else ("nodes", "policies")
    results: dict[str, Any] = {"nodes": {}, "policies": {}}
    if options.results.exists():
        results = json.loads(options.results.read_text(encoding="utf-8"))
        if results["settings"] != settings:
            parser.error(
                f"{options.results} was measured with {results['settings']}: remove it first"
            )
    results["settings"] = settings
    for name in options.names:
        for part in parts:
            results[part].pop(name, None)

    def keep() -> None:
        atomic_write_json(options.results, results)
        text = options.table.read_text(encoding="utf-8") if options.table.exists() else ""
        with atomic_write(options.table) as stream:
            stream.write(page(text, results).encode())

    names = options.names or DISTRIBUTIONS
    for name in names if "nodes" in parts else ():
        by_instance = results["nodes"].setdefault(name, {})
        for index in range(options.instances):
            if str(index) not in by_instance:
                by_instance[str(index)] = nodes_of(name, index, nodes=options.nodes)
                print(f"{name} {index}: {len(by_instance[str(index)])} nodes", file=sys.stderr)
                keep()
    for name in names if "policies" in parts else ():
        sizes = {"budget": options.budget, "validation": options.validation}
        learned = results["policies"].setdefault(name, sizes | {"judged": [], "experts": {}})
        compare_learned(name, learned, folder=options.folder, keep=keep)
    keep()


if __name__ == "__main__":
    main()
