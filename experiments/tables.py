"""Rebuild the tables of studies and of texts such as RESULTS.md from the committed runs.

``.venv/bin/python experiments/tables.py [--check] [FILE]...``

The tables of a study are the CSV files beside its runs. A table of a text is enclosed in
``<!-- table: STUDY SCALE SETTING PART -->`` and ``<!-- end -->``, where PART is

- ``usual`` or ``transfer``: results of policies, on the distributions of their training or on
  others;
- ``sets`` or ``transfer-sets``: comparison of training sets;
- ``training``: training data and results of models;
- ``auto``: choices of the policy ``auto``;
- ``brief``: ratios of ``auto`` only, with several settings separated by commas.

``<!-- table: FOLDER -->`` shows the evaluation in a subfolder of this folder, and
``<!-- table: FOLDER medians -->`` the baseline's medians in each evaluation below it.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from statistics import fmean

from milplib.evaluation import Evaluation, Summary
from milplib.evaluation.policy_summary import PolicySummary
from milplib.evaluation.summary import ALL
from milplib.files import atomic_write
from milplib.library import generate_instance
from milplib.policies import AUTO, Portfolio, load_policy
from milplib.report.text import p_value, signed_rank_of, with_interval
from milplib.study import study_evaluation, study_scales, study_tables
from milplib.study.merging import BEST, EARLIER_BEST

HERE = Path(__file__).parent
TEXTS = (
    HERE.parent / "README.md",
    HERE.parent / "RESULTS.md",
    *sorted((HERE.parent / "docs" / "results").glob("*.md")),
    HERE / "verdict" / "README.md",
)
STUDIES = tuple(sorted(HERE.glob("*.yaml")))
_QUARTILES = (0.25, 0.5, 0.75)
_TABLE = re.compile(r"(<!-- table: (?P<of>.+?) -->\n).*?(?=<!-- end -->)", re.DOTALL)


def with_tables(text: str) -> str:
    """Return a text with rebuilt tables."""
    return _TABLE.sub(
        lambda table: "\n".join((table[1], *_lines(*table["of"].split()), "", "")), text
    )


def _lines(study: str, scale: str = "", setting: str = "", part: str = "") -> Iterator[str]:
    if not scale:
        yield from _of_policies(Evaluation.load(HERE / study).summary())
    elif scale == "medians":
        folders = sorted((HERE / study).iterdir(), reverse=True)  # learn2branch comes first
        yield from _of_medians({each.name: Evaluation.load(each) for each in folders})
    elif part.endswith("sets"):
        prefix = f"{setting}-transfer" if part.startswith("transfer") else setting
        yield from _of_sets(HERE / study / scale / f"{prefix}-training-sets.csv")
    elif part == "training":
        yield from _of_training(
            HERE / study / scale, setting, _judged(study, scale, setting, "")[1]
        )
    else:
        kept = "transfer" if part == "transfer" else ""
        judged = {each: _judged(study, scale, each, kept) for each in setting.split(",")}
        if part == "brief":
            yield from _of_ratios({each: summary for each, (_, summary) in judged.items()})
        else:
            results, summary = judged[setting]
            yield from _of_auto(results, summary) if part == AUTO else _of_policies(summary)


@cache
def _judged(study: str, scale: str, setting: str, part: str) -> tuple[Evaluation, Summary]:
    path = HERE / f"{study}.yaml"
    results = study_evaluation(path, scale=scale, setting=setting, part=part)
    return results, results.summary()


def _of_ratios(summaries: Mapping[str, Summary]) -> Iterator[str]:
    """Yield a line per distribution: the times of ``auto`` relative to its rivals, by setting."""
    columns = [
        (setting, summary, rival)
        for setting, summary in summaries.items()
        for rival in _rivals(summary)
    ]
    yield _row("instances of", *(f"`{setting}`: / {rival}" for setting, _, rival in columns))
    yield _row("---", *["--:"] * len(columns))
    for name in next(iter(summaries.values())).distributions:
        pairs = (summary.comparisons[name][AUTO, rival] for _, summary, rival in columns)
        yield _row(name or "all", *(with_interval(pair.time) for pair in pairs))


def _of_medians(evaluations: Mapping[str, Evaluation]) -> Iterator[str]:
    """Yield a line per distribution: the baseline's median time and nodes, by setting."""
    yield _row(
        "instances of",
        *(f"`{name}`: {figure}" for name in evaluations for figure in ("time", "nodes")),
    )
    yield _row("---", *["--:"] * 2 * len(evaluations))
    cells: dict[str, list[str]] = defaultdict(list)
    for results in evaluations.values():
        runs = results.table.to_pandas()
        runs = runs[runs["policy"] == results.baseline]
        for name, of in runs.groupby("distribution", sort=False):
            time, nodes = of["time"].quantile(_QUARTILES), of["nodes"].quantile(_QUARTILES)
            cells[name] += ["{1:.1f} s ({0:.1f} to {2:.1f})".format(*time)]
            cells[name] += ["{1:,.0f} ({0:,.0f} to {2:,.0f})".format(*nodes)]
    for name, values in cells.items():
        yield _row(name, *values)


def _rivals(summary: Summary) -> list[str]:
    return [summary.baseline, *(name for name in summary.policies if name in (BEST, EARLIER_BEST))]


def _of_auto(results: Evaluation, summary: Summary) -> Iterator[str]:
    """Yield a line per distribution: the choices of ``auto`` and their result."""
    yield _row(
        "instances of",
        "picked",
        "handed to SCIP",
        f"faster than {summary.baseline}",
        f"time / {summary.baseline}'s",
        "time / that of the best policy of the distribution",
        "time / that of the fastest run of each pair",
    )
    yield _row("---", "---", *["--:"] * 5)
    for name in summary.distributions:
        if name == ALL:
            continue
        picked = _picked(name, summary.instances[name])
        best = min(summary.rows_of(name), key=lambda row: row.time).policy
        pairs = summary.comparisons[name]
        times = _times(results, name)
        pairs_won = sum(of[AUTO] < of[summary.baseline] for of in times)
        to_best = f"{with_interval(pairs[AUTO, best].time)}, `{best}`" if best != AUTO else "1"
        yield _row(
            name,
            ", ".join(f"`{policy}` {count}" for policy, count in picked.most_common()),
            f"{picked[summary.baseline] / picked.total():.0%}",
            f"in {pairs_won} of {len(times)} pairs",
            with_interval(pairs[AUTO, summary.baseline].time),
            to_best,
            with_interval(summary.virtual_best[name].ratios[AUTO].time),
        )


@cache
def _picked(distribution: str, instances: int) -> Counter[str]:
    """Count the policies that ``auto`` picks for the first test instances."""
    auto = load_policy(AUTO)
    assert isinstance(auto, Portfolio)
    return Counter(
        auto.picked(generate_instance(distribution, split="test", index=index)).name
        for index in range(instances)
    )


def _times(results: Evaluation, distribution: str) -> list[dict[str, float]]:
    """Return the seconds of each pair of instance and seed, by policy."""
    times: dict[tuple[str, int], dict[str, float]] = defaultdict(dict)
    for row in results.table.to_pylist():
        if row["distribution"] == distribution:
            times[row["instance"], row["seed"]][row["policy"]] = row["time"]
    return list(times.values())


def _of_policies(summary: Summary) -> Iterator[str]:
    """Yield a line per policy and distribution: its results and ratios to its rivals."""
    rivals = _rivals(summary)
    yield _row(
        "instances of",
        "policy",
        "time",
        *(f"time / {rival}'s" for rival in rivals),
        "corrected p",
        "nodes",
        "nodes ratio",
        "fair nodes ratio",
        "solved",
        "in policy",
    )
    yield _row("---", "---", *["--:"] * (len(rivals) + 7))
    for row in summary.rows:
        yield _row(*_cells(summary, row, rivals))


def _cells(summary: Summary, row: PolicySummary, rivals: Sequence[str]) -> Iterator[str]:
    yield from (row.distribution or "all", f"`{row.policy}`", f"{row.time:.2f} s")
    by_pair = summary.comparisons[row.distribution]
    pairs = [by_pair.get((row.policy, rival)) for rival in rivals]
    yield from (with_interval(pair.time) if pair else "" for pair in pairs)
    test = signed_rank_of(summary, row.policy, row.distribution)
    yield p_value(test.corrected) if test else ""
    yield f"{row.nodes:,.0f}"
    yield with_interval(pairs[0].nodes) if pairs[0] else ""
    yield with_interval(pairs[0].fair_nodes) if pairs[0] else ""
    yield from (f"{row.solved} of {row.runs}", f"{row.policy_share:.0%}")


def _of_training(folder: Path, setting: str, summary: Summary) -> Iterator[str]:
    """Yield a line per model and budget: samples, agreement with the expert, and results.

    Figures of several training seeds are means. The SCIP rules follow below.
    """
    trained: dict[tuple[str, ...], list[dict[str, str]]] = defaultdict(list)
    for row in _rows(folder / f"{setting}-training.csv"):
        if row["judged_on"] == row["trained_on"]:
            prefix = f"{row['model']}-{row['trained_on']}-"
            budget = row["policy"].removeprefix(prefix).rpartition("-seed")[0]
            trained[row["trained_on"], row["model"], budget].append(row)
    judged: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in _rows(folder / f"{setting}-training-sets.csv"):
        if row["training_set"] == "homogeneous" and row["against"] == summary.baseline:
            judged[row["distribution"]].append(row)
    measures = ("training_samples", "validation_accuracy_1", "validation_regret")
    yield _row(
        "instances of",
        "policy",
        "instances",
        "samples",
        "accuracy",
        "regret",
        f"time / {summary.baseline}'s",
    )
    yield _row("---", "---", *["--:"] * 5)
    for distribution, rows in judged.items():
        for row in rows:
            of = trained[distribution, row["model"], row["budget"]]
            samples, *measured = (fmean(float(each[name]) for each in of) for name in measures)
            yield _row(
                distribution,
                f"`{row['model']}`",
                row["budget"],
                f"{samples:,.0f}",
                *(f"{number:.2f}" for number in measured),
                _time_ratio(row),
            )
        for policy in summary.policies:
            pair = summary.comparisons[distribution].get((policy, summary.baseline))
            if pair and "-seed" not in policy:
                yield _row(distribution, f"`{policy}`", *[""] * 4, with_interval(pair.time))


def _of_sets(path: Path) -> Iterator[str]:
    """Yield a line per distribution and budget, with a column per pair of training sets."""
    of_budget: dict[tuple[str, ...], dict[tuple[str, str], str]] = defaultdict(dict)
    for row in _rows(path):
        line = of_budget[row["distribution"], row["budget"]]
        line[row["training_set"], row["against"]] = _time_ratio(row)
    pairs = list(dict.fromkeys(pair for line in of_budget.values() for pair in line))
    yield _row("instances of", "instances of each", *(f"{left} / {right}" for left, right in pairs))
    yield _row("---", *["--:"] * (len(pairs) + 1))
    for (distribution, budget), line in of_budget.items():
        yield _row(distribution, budget, *(line.get(pair, "") for pair in pairs))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _time_ratio(row: Mapping[str, str]) -> str:
    """Format a ratio with its interval, which a single instance does not have."""
    values = [row[f"time_ratio{end}"] for end in ("", "_low", "_high")]
    ratio, *bounds = (f"{float(number):.2f}" for number in values if number)
    return ratio + (f" [{', '.join(bounds)}]" if bounds else "")


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def renewed_tables(study: Path) -> Iterator[tuple[Path, str]]:
    """Yield the paths and tables of a study at all scales with results."""
    for scale in study_scales(study):
        folder = study.with_suffix("") / scale
        if folder.is_dir():
            for name, text in study_tables(study, scale=scale).items():
                yield folder / name, text


def main() -> None:
    """Rebuild or check the tables of the named files."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="only fail if a table is out of date")
    parser.add_argument("files", nargs="*", type=Path, help="studies or texts; without any, all")
    options = parser.parse_args()
    for file in options.files or (*STUDIES, *TEXTS):
        if file.suffix == ".yaml":
            renewed = renewed_tables(file)
        else:
            renewed = iter([(file, with_tables(file.read_text(encoding="utf-8")))])
        for path, text in renewed:
            if not options.check:
                with atomic_write(path) as stream:
                    stream.write(text.encode())
            elif not path.is_file() or path.read_bytes() != text.encode():
                raise SystemExit(
                    f"{path}: tables are not those of the runs; run experiments/tables.py"
                )


if __name__ == "__main__":
    main()
