"""Make ``milplib/policies/shipped`` of what ``shipped.toml`` names: policies, cards, families.

``.venv/bin/python experiments/ship.py [--out FOLDER]``
"""

from __future__ import annotations

import argparse
import shutil
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from milplib.evaluation import Evaluation
from milplib.files import atomic_write, file_sha256
from milplib.library import generate_instance
from milplib.policies import Family, read_policy, write_families

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
    validation = {source["name"]: source["samples"] for source in data["validation"]}
    for source in data["training"]:
        cells = (source["instances"], source["samples"], validation.get(source["name"], 0))
        yield f"| {Path(source['name']).stem} | {' | '.join(f'{cell:,}' for cell in cells)} |"
    found = made["validation"]
    yield ""
    yield (
        f"Validation: accuracy {found['accuracy_1']:.2f} (a choice as good as the expert's), "
        f"{found['accuracy_5']:.2f} among its first five;"
    )
    yield f"regret {found['regret']:.2f} of the expert's score."


def _results(entry: Mapping[str, Any]) -> Iterator[str]:
    evaluation = Evaluation.load(HERE / entry["results"])
    summary = evaluation.summary()
    config = evaluation.config
    yield from ("", "## Results", "")
    yield f"Unseen instances, {len(config['seeds'])} seeds of SCIP's each, paired with"
    yield f"`{config['baseline']}`, one thread, setting `{config['setting']}`, at most"
    yield f"{config['time_limit']:g} s; wall time, the policy's included. Shifted geometric means;"
    yield f"intervals of 95 %. Runs: `experiments/{entry['results']}`."
    yield from ("", "| instances of | runs | time | ratio | nodes | fair nodes | solved |")
    yield "|---|--:|--:|--:|--:|--:|--:|"
    for row in summary.rows:
        if row.policy != entry["label"] or row.against_baseline is None:
            continue
        ratio = row.against_baseline.time
        cells = (
            row.distribution or "all",
            str(row.runs),
            f"{row.time:.2f} s",
            f"{ratio.value:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]",
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
