"""Print the table of README.md beside this file, from ``results``."""

from __future__ import annotations

from pathlib import Path

from milplib.evaluation import Evaluation
from milplib.evaluation.words import with_interval


def main() -> None:
    """Read the results, print a line a policy and distribution."""
    summary = Evaluation.load(Path(__file__).with_name("results")).summary()
    headings = ("", "policy", "ratio of times to relpscost", "time", "nodes", "fair nodes")
    print(f"| {' | '.join((*headings, 'solved', 'in policy'))} |")
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    for row in summary.rows:
        found = row.against_baseline
        ratio = with_interval(found.time) if found else "1"
        cells = (
            row.distribution,
            f"`{row.policy}`",
            ratio,
            f"{row.time:.2f} s",
            f"{row.nodes:,.0f}",
            f"{row.fair_nodes:,.0f}",
            f"{row.solved} of {row.runs}",
            f"{100 * row.policy_share:.1f} %",
        )
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
