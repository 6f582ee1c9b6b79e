"""Valid inputs of every format, how milplib reads them, and what they say by other readers."""

from __future__ import annotations

import csv
import io
import json
import shutil
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from market_split import market_split
from safetensors.numpy import load

import milplib
from milplib.evaluation import BestScipRule, Evaluation
from milplib.hardness import HardnessResults, measure
from milplib.learn import SampleSet
from milplib.policies import families as families_module
from milplib.policies import file as policy_file
from milplib.runs import run_status

EARLIER = Path(__file__).parents[1] / "data" / "earlier"
SHIPPED = Path(milplib.__file__).parent / "policies" / "shipped"


def copy(source: Path) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        shutil.copytree(source, folder, dirs_exist_ok=True)

    return write


def copy_file(source: Path, name: str) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        shutil.copyfile(source, folder / name)

    return write


def parsed_json(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_bytes().decode("utf-8-sig"))


# Results of evaluations and measurements


def read_results(folder: Path, name: str) -> Any:
    results = Evaluation.load(folder)
    results.summary()
    whole = results.table.to_pylist(), results.traces and results.traces.to_pylist()
    manifest = {"config": results.config, "software": results.software}
    return manifest if name == "manifest.json" else whole


def said_by_results(folder: Path, name: str) -> Any:
    if name == "manifest.json":
        document = parsed_json(folder, name)
        return {key: document[key] for key in ("config", "software")}
    results = Evaluation.load(EARLIER / "results")  # a checksum must catch every change
    return results.table.to_pylist(), results.traces and results.traces.to_pylist()


def write_hardness(folder: Path) -> None:
    (folder / "i").mkdir()
    for seed in range(2):
        market_split(seed).write(folder / "i" / f"{seed}.lp")
    measure([folder / "i"], solver=None, out=folder / "h")


def read_hardness(folder: Path, name: str) -> Any:
    results = HardnessResults.load(folder / "h")
    results.summaries()
    if name.endswith(".json"):
        return {"config": results.config, "software": results.software}
    return [dict(row) for row in results.rows]


def said_by_hardness(folder: Path, name: str) -> Any:
    if name.endswith(".json"):
        document = parsed_json(folder, name)
        return {key: document[key] for key in ("config", "software")}
    text = (folder / name).read_bytes().decode()
    kinds = {key: kind for key, (kind, _) in milplib.hardness.COLUMNS.items()}
    return [
        {key: value if kinds[key] is str else kinds[key](value) if value else None
         for key, value in row.items()}
        for row in csv.DictReader(io.StringIO(text, newline=""))
    ]  # fmt: skip


def write_unfinished(folder: Path) -> None:
    inside = folder / "unfinished"
    shutil.copytree(EARLIER / "results", inside)
    manifest = parsed_json(inside, "manifest.json")
    (inside / "manifest.json").write_text(json.dumps(manifest | {"files": {}}))
    rows = Evaluation.load(EARLIER / "results").table.to_pylist()
    (inside / "000000.json").write_text(json.dumps({"rows": rows, "failure": ""}))
    progress = {"format": "milplib-progress", "version": 1, "seconds": 2.0, "tasks": 1}
    progress["stretch"] = {"seconds": 2.0, "tasks": 1}
    (inside / "progress.json").write_text(json.dumps(progress))


def read_unfinished(folder: Path, name: str) -> Any:
    status = run_status(folder)
    _ = status.remaining_seconds, status.failure_counts
    return Evaluation.load(folder).summary()


def read_best(folder: Path, name: str) -> Any:
    content = json.loads(json.dumps(asdict(BestScipRule.load(folder / name))))
    del content["name"]
    return content


def said_by_best(folder: Path, name: str) -> Any:
    document = parsed_json(folder, name)
    del document["format"], document["version"]
    # A name that is left out has its default.
    return {"table": [], "instances": [], "config": None, "software": None} | document


# Samples, policies


def read_samples(folder: Path, name: str) -> Any:
    samples = SampleSet(folder)
    scores = [(sample.node, sample.scores.tolist(), sample.chosen) for sample in samples]
    manifest = samples.manifest
    about = {"config": manifest.config, "software": manifest.software}
    return about | {"instances": list(manifest.instances)}, scores


def said_by_samples(folder: Path, name: str) -> Any:
    document = parsed_json(folder, "manifest.json")
    return {key: document[key] for key in ("config", "software", "instances")}, [
        (sample.node, sample.scores.tolist(), sample.chosen)
        for sample in SampleSet(EARLIER / "samples")
    ]


def read_unverified(folder: Path, name: str) -> Any:
    samples = SampleSet(folder, verify=False)
    return [samples.root_state(place) and samples[place] for place in range(len(samples))]


def read_policy(folder: Path, name: str) -> Any:
    content = policy_file.read_policy(folder / name)
    milplib.load_policy(folder / name)
    about = {"architecture": content.architecture, "hyperparameters": content.hyperparameters}
    about |= {"provenance": content.provenance}
    return about, {key: tensor.tobytes() for key, tensor in content.tensors.items()}


def said_by_policy(folder: Path, name: str) -> Any:
    data = (folder / name).read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["milplib"])
    names = ("architecture", "hyperparameters", "provenance")
    tensors = {key: tensor.tobytes() for key, tensor in load(data).items()}
    return {key: header[key] for key in names}, tensors


def read_families(folder: Path, name: str) -> Any:
    return [
        (family.name, family.policy, family.lower.tolist(), family.upper.tolist())
        for family in families_module.read_families(folder / name)
    ]


def said_by_families(folder: Path, name: str) -> Any:
    from milplib.structure.family_features import FAMILY_FEATURES

    return [
        (
            entry["name"],
            entry["policy"],
            *([float(entry[side][key]) for key in FAMILY_FEATURES] for side in ("lower", "upper")),
        )
        for entry in parsed_json(folder, name)["families"]
    ]


def ignoring(read: Callable[[Path, str], Any]) -> Callable[[Path, str], Any]:
    def quiet(folder: Path, name: str) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read(folder, name)

    return quiet
