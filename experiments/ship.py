"""Write the policies, cards and families of ``shipped.toml`` to ``milplib/policies/shipped``.

``.venv/bin/python experiments/ship.py [--out FOLDER]``
"""

from __future__ import annotations

import argparse
import re
import shutil
import textwrap
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from milplib.errors import ResultsError
from milplib.evaluation import Evaluation, Summary
from milplib.files import atomic_write, file_sha256
from milplib.library import generate_instance
from milplib.policies import Family, read_policy, write_families
from milplib.report.text import with_interval
from milplib.study import load_study, study_evaluation
from milplib.study.store import RUNS, StudyFiles

HERE = Path(__file__).parent
SHIPPED = HERE.parent / "milplib" / "policies" / "shipped"
EXAMPLES = 40
"""Number of training instances of each distribution in a family."""


def family(name: str, entry: Mapping[str, Any]) -> Family:
    """Make a family of the first training instances of its distributions."""
    instances = (
        generate_instance(source, split="train", index=index)
        for source in entry["distributions"]
        for index in range(EXAMPLES)
    )
    return Family.of(name, entry["policy"], instances)


def card(name: str, entry: Mapping[str, Any]) -> str:
    """Write the card of a policy: training, results, limits."""
    return "\n".join((*_training(name, entry), *_results(entry), *_limits(entry))) + "\n"


def policy_file(name: str, entry: Mapping[str, Any]) -> Path:
    """Return the file of a policy: the trained file, or the shipped one if that is missing.

    Raises
    ------
    SystemExit
        If the trained file is missing and the shipped file is not that of the study.
    """
    trained: Path = HERE / entry["file"]
    shipped = SHIPPED / f"{name}.safetensors"
    if trained.is_file():
        return trained
    results = HERE / entry["study"] / entry["scale"]
    path = trained.relative_to(results).as_posix()
    known = {
        task.files[path] for task in StudyFiles(results).entries.values() if path in task.files
    }
    if not (shipped.is_file() and file_sha256(shipped) in known):
        raise SystemExit(
            f"{trained} is missing and {shipped} is not that of the study: train it with "
            f"milplib run experiments/{entry['study']}.yaml --scale {entry['scale']} --only train"
        )
    return shipped


def _training(name: str, entry: Mapping[str, Any]) -> Iterator[str]:
    path = policy_file(name, entry)
    policy = read_policy(path)
    made, data = policy.provenance, policy.provenance["data"]
    weights = sum(tensor.size for tensor in policy.tensors.values())
    sizes = ", ".join(f"{value} {key}" for key, value in policy.hyperparameters.items())
    yield from (f"# {name}", "")
    yield f"`milplib.load_policy({name!r})`: {policy.architecture} ({sizes}), {weights:,} weights,"
    yield f"{path.stat().st_size / 1e3:.0f} kB, for SCIP {policy.scip_major}; SHA-256 of the file"
    yield f"`{file_sha256(path)}`."
    yield from ("", "## Trained on", "", "| samples of | instances | samples | for validation |")
    yield "|---|--:|--:|--:|"
    training, validation = _by_origin(data["training"]), _by_origin(data["validation"])
    for origin, (instances, samples) in training.items():
        cells = (instances, samples, validation.get(origin, (0, 0))[1])
        yield f"| {origin} | {' | '.join(f'{cell:,}' for cell in cells)} |"
    validated = made["validation"]
    yield ""
    yield (
        f"Validation: accuracy {validated['accuracy_1']:.2f} (choices as good as the expert's), "
        f"{validated['accuracy_5']:.2f} among the first five;"
    )
    yield f"regret {validated['regret']:.2f} of the expert's score."


def _by_origin(sources: Iterable[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
    """Sum the instances and samples of sets from the same samples of a study."""
    sums: dict[str, tuple[int, int]] = {}
    for source in sources:
        name = Path(source["name"]).stem
        part = re.fullmatch(r"(.+)-(?:train|val)-\d+-\d+-(.+)", name)
        origin = f"{part[1]}, {part[2]}" if part else name
        instances, samples = sums.get(origin, (0, 0))
        sums[origin] = (instances + source["instances"], samples + source["samples"])
    return sums


def _results(entry: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", "## Results", "")
    yield "Runs on unseen instances, on one thread, paired with the baseline. Times are wall time"
    yield "and include the policy: shifted geometric means with 95 % intervals."
    try:
        for judged in _judged(*(entry.get(key, "") for key in ("results", "study", "scale"))):
            yield from _table(entry, judged)
    except ResultsError:
        # A policy that `auto` chooses is evaluated together with `auto`, after it was shipped.
        yield from ("", "Not judged yet.")


class _Judged(NamedTuple):
    config: Mapping[str, Any]
    summary: Summary
    runs: str


@cache
def _judged(results: str, study: str, scale: str) -> tuple[_Judged, ...]:
    """Read the evaluations of the policies."""
    if results:
        evaluations = [Evaluation.load(HERE / results)]
        runs = results
    else:
        path = HERE / f"{study}.yaml"
        known = load_study(path, scale=scale)
        parts = ("", "transfer") if any(d.policies_of for d in known.judged) else ("",)
        evaluations = [
            study_evaluation(path, scale=scale, setting=setting, part=part)
            for setting in known.settings
            for part in parts
        ]
        runs = f"{study}/{scale}/{RUNS}"
    return tuple(_Judged(each.config, each.summary(), runs) for each in evaluations)


def _table(entry: Mapping[str, Any], judged: _Judged) -> Iterator[str]:
    config = judged.config
    rows = [
        row
        for row in judged.summary.rows
        if row.policy == entry["label"]
        and row.against_baseline is not None
        and ("distributions" not in entry or row.distribution in entry["distributions"])
    ]
    if not rows:
        return
    yield ""
    seeds = len(config["seeds"])
    yield (
        f"Setting `{config['setting']}`, compared with `{config['baseline']}`: "
        f"{seeds} seeds an instance,"
    )
    yield f"at most {config['time_limit']:g} s a run (runs: `experiments/{judged.runs}`):"
    yield from ("", "| instances of | runs | time | ratio | nodes | fair nodes | solved |")
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for row in rows:
        assert row.against_baseline is not None
        cells = (
            row.distribution or "all",
            str(row.runs),
            f"{row.time:.2f} s",
            with_interval(row.against_baseline.time),
            f"{row.nodes:,.0f}",
            f"{row.fair_nodes:,.0f}",
            str(row.solved),
        )
        yield f"| {' | '.join(cells)} |"


def _limits(entry: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", "## Limits", "")
    yield from textwrap.wrap(entry["limits"], 100)


def ship(out: Path) -> None:
    """Write all files, and remove files that are no longer shipped."""
    content = tomllib.loads((HERE / "shipped.toml").read_text(encoding="utf-8"))
    out.mkdir(parents=True, exist_ok=True)
    for name, entry in content["policies"].items():
        file = policy_file(name, entry)
        if not (file.parent == out and file.stem == name):
            shutil.copyfile(file, out / f"{name}.safetensors")
        with atomic_write(out / f"{name}.md") as stream:
            stream.write(card(name, entry).encode())
    families = [family(name, entry) for name, entry in content["families"].items()]
    write_families(out / "families.json", families)
    for path in out.iterdir():
        if path.stem not in (*content["policies"], "families"):
            path.unlink()


def main() -> None:
    """Ship to the folder named by the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=SHIPPED, metavar="FOLDER")
    ship(parser.parse_args().out)


if __name__ == "__main__":
    main()
