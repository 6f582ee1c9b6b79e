"""Make ``milplib/policies/shipped`` of what ``shipped.toml`` names: policies, cards, families.

``.venv/bin/python experiments/ship.py [--out FOLDER]``
"""

from __future__ import annotations

import argparse
import re
import shutil
import textwrap
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from milplib.evaluation import Evaluation
from milplib.evaluation.words import with_interval
from milplib.files import atomic_write, file_sha256
from milplib.library import generate_instance
from milplib.policies import Family, read_policy, write_families
from milplib.study import load_study, study_evaluation

HERE = Path(__file__).parent
SHIPPED = HERE.parent / "milplib" / "policies" / "shipped"
EXAMPLES = 40
"""Training instances of each distribution that a family is made of."""


def family(name: str, entry: Mapping[str, Any]) -> Family:
    """Make a family of the first training instances of its distributions."""
    instances = (
        generate_instance(source, split="train", index=index)
        for source in entry["distributions"]
        for index in range(EXAMPLES)
    )
    return Family.of(name, entry["policy"], instances)


def card(name: str, entry: Mapping[str, Any]) -> str:
    """Write what a user should know of a policy before using it."""
    return "\n".join((*_training(name, entry), *_results(entry), *_limits(entry))) + "\n"


def _training(name: str, entry: Mapping[str, Any]) -> Iterator[str]:
    path = HERE / entry["file"]
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
    found = made["validation"]
    yield ""
    yield (
        f"Validation: accuracy {found['accuracy_1']:.2f} (a choice as good as the expert's), "
        f"{found['accuracy_5']:.2f} among its first five;"
    )
    yield f"regret {found['regret']:.2f} of the expert's score."


def _by_origin(sources: Iterable[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
    """Sum instances and samples of sets that are pieces of the same samples of a study."""
    found: dict[str, tuple[int, int]] = {}
    for source in sources:
        name = Path(source["name"]).stem
        piece = re.fullmatch(r"(.+)-(?:train|val)-\d+-\d+-(.+)", name)
        origin = f"{piece[1]}, {piece[2]}" if piece else name
        instances, samples = found.get(origin, (0, 0))
        found[origin] = (instances + source["instances"], samples + source["samples"])
    return found


def _evaluations(entry: Mapping[str, Any]) -> Iterator[tuple[Evaluation, str]]:
    """Give the evaluations of a policy, and the folder of each one's runs."""
    if "results" in entry:
        yield Evaluation.load(HERE / entry["results"]), entry["results"]
        return
    file, scale = entry["study"], entry["scale"]
    study = load_study(HERE / file, scale=scale)
    parts = ("", "transfer") if any(d.policies_of for d in study.judged) else ("",)
    for setting in study.settings:
        for part in parts:
            found = study_evaluation(HERE / file, scale=scale, setting=setting, part=part)
            yield found, f"{Path(file).stem}/{scale}/runs/{setting}"


def _results(entry: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", "## Results", "")
    yield "Unseen instances, one thread, paired with the baseline. Times are wall time, with what"
    yield "the policy takes: shifted geometric means, intervals of 95 %."
    for evaluation, runs in _evaluations(entry):
        yield from _table(entry, evaluation, runs)


def _table(entry: Mapping[str, Any], evaluation: Evaluation, runs: str) -> Iterator[str]:
    config = evaluation.config
    rows = [
        row
        for row in evaluation.summary().rows
        if row.policy == entry["label"]
        and row.against_baseline is not None
        and ("distributions" not in entry or row.distribution in entry["distributions"])
    ]
    if not rows:
        return
    yield ""
    seeds = len(config["seeds"])
    yield f"Setting `{config['setting']}`, against `{config['baseline']}`, {seeds} seeds of SCIP's"
    yield f"an instance, at most {config['time_limit']:g} s. Runs: `experiments/{runs}`."
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
    """Write everything, and remove what is no longer shipped."""
    content = tomllib.loads((HERE / "shipped.toml").read_text(encoding="utf-8"))
    out.mkdir(parents=True, exist_ok=True)
    for name, entry in content["policies"].items():
        shutil.copyfile(HERE / entry["file"], out / f"{name}.safetensors")
        with atomic_write(out / f"{name}.md") as stream:
            stream.write(card(name, entry).encode())
    families = [family(name, entry) for name, entry in content["families"].items()]
    write_families(out / "families.json", families)
    for path in out.iterdir():
        if path.stem not in (*content["policies"], "families"):
            path.unlink()


def main() -> None:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=SHIPPED, metavar="FOLDER")
    ship(parser.parse_args().out)


if __name__ == "__main__":
    main()
