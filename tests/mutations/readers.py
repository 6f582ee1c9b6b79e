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

import yaml
from market_split import market_split
from safetensors.numpy import load

import milplib
from milplib.errors import MilplibError, ResultsError
from milplib.evaluation import BestScipRule, Evaluation
from milplib.hardness import HardnessResults, measure
from milplib.learn import SampleSet
from milplib.library.cache import Cache
from milplib.library.evaluated import evaluated_instances
from milplib.library.manifest import InstanceRecord, SplitManifest
from milplib.parsing import parse_toml
from milplib.policies import families as families_module
from milplib.policies import file as policy_file
from milplib.runs import run_status
from milplib.study import load_study
from milplib.study.costs import Costs
from milplib.study.document import Entry, Section
from milplib.study.store import StudyFiles
from milplib.study.yaml_file import read_document

__all__ = [
    "EARLIER",
    "SHIPPED",
    "copy",
    "copy_file",
    "ignoring",
    "read_best",
    "read_costs",
    "read_families",
    "read_hardness",
    "read_hashes",
    "read_instance",
    "read_optima",
    "read_policy",
    "read_record",
    "read_results",
    "read_samples",
    "read_split",
    "read_study",
    "read_toml",
    "read_unfinished",
    "read_unverified",
    "said_by_best",
    "said_by_families",
    "said_by_hardness",
    "said_by_optima",
    "said_by_policy",
    "said_by_record",
    "said_by_results",
    "said_by_samples",
    "said_by_split",
    "said_by_study",
    "write_hardness",
    "write_hashes",
    "write_instance",
    "write_mirror",
    "write_record",
    "write_split",
    "write_unfinished",
]

EARLIER = Path(__file__).parents[1] / "data" / "earlier"
SHIPPED = Path(milplib.__file__).parent / "policies" / "shipped"


def copy(source: Path) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        shutil.copytree(source, folder, dirs_exist_ok=True)

    return write


def copy_file(source: Path, name: str) -> Callable[[Path], None]:
    return lambda folder: shutil.copyfile(source, folder / name) and None


def _json(folder: Path, name: str) -> Any:
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
        document = _json(folder, name)
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
        document = _json(folder, name)
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
    manifest = _json(inside, "manifest.json")
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
    document = _json(folder, name)
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
    document = _json(folder, "manifest.json")
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
        for entry in _json(folder, name)["families"]
    ]


# The library


def write_split(folder: Path) -> None:
    records = {}
    for seed in range(3):
        path = folder / f"{seed}.lp"
        instance = market_split(seed)
        instance.write(path)
        records[path.name] = InstanceRecord.of(path, instance, seed=seed)
    config = {"distribution": "mine", "seed": 5}
    SplitManifest(config=config, records=records, complete=True).write(folder)
    (folder / "optima.csv").write_text(
        "instance,status,objective\n0,optimal,5\n1,optimal,1.5\n2,infeasible,\n"
    )


def read_split(folder: Path, name: str) -> Any:
    manifest = SplitManifest.load(folder)
    if manifest is None:
        raise ResultsError("no manifest")
    instances = [asdict(manifest.records[key]) for key in sorted(manifest.records)]
    broken = [asdict(entry) for entry in manifest.broken]
    return {
        "config": dict(manifest.config),
        "instances": instances,
        "broken": broken,
        "complete": manifest.complete,
    }


def said_by_split(folder: Path, name: str) -> Any:
    document = _json(folder, name)
    document["instances"] = sorted(
        ({"seed": None} | entry for entry in document["instances"]), key=lambda e: e["file"]
    )
    del document["format"]
    return {"broken": [], "complete": True} | document  # names that may be left out


def read_optima(folder: Path, name: str) -> Any:
    return {
        instance.path.name: (instance.known_status, instance.known_objective)
        for instance in evaluated_instances([folder])
    }


def said_by_optima(folder: Path, name: str) -> Any:
    text = (folder / name).read_bytes().decode("utf-8-sig")
    known = {
        row["instance"]: (row["status"], float(row["objective"]) if row["objective"] else None)
        for row in csv.DictReader(io.StringIO(text, newline=""))
    }
    return {f"{seed}.lp": known.get(f"{seed}", ("", None)) for seed in range(3)}


def write_hashes(folder: Path) -> None:
    (folder / "file.zip").write_bytes(b"bytes")
    Cache(folder).check(folder / "file.zip", "a key")


def read_hashes(folder: Path, name: str) -> Any:
    (folder / "file.zip").write_bytes(b"bytes")
    return Cache(folder).check(folder / "file.zip", "a key")


def write_mirror(folder: Path) -> None:
    with open(folder / "train.csv", "w", newline="", encoding="utf-8") as stream:
        rows = csv.writer(stream)
        rows.writerow(["", "MILP", "format"])
        for seed in range(2):
            market_split(seed).write(folder / f"{seed}.lp")
            rows.writerow([seed, repr((folder / f"{seed}.lp").read_bytes()), "lp"])


# Studies


def _plain(value: Any) -> Any:
    if isinstance(value, Entry):
        return _plain(value.value)
    if isinstance(value, Section):
        return {name: _plain(entry) for name, entry in value.entries.items()}
    return [_plain(entry) for entry in value] if isinstance(value, list) else value


def read_study(folder: Path, name: str) -> Any:
    load_study(folder / name)
    return _plain(read_document(folder / name))


def said_by_study(folder: Path, name: str) -> Any:
    node = yaml.safe_load((folder / name).read_bytes().decode("utf-8-sig"))
    return json.loads(json.dumps(node))


def write_record(folder: Path) -> None:
    shutil.copytree(EARLIER / "study" / "full", folder, dirs_exist_ok=True)
    StudyFiles(folder).write()


def read_record(folder: Path, name: str) -> Any:
    files = StudyFiles(folder)
    whole = {address for address in files.entries if files.is_whole(address)}
    rows = {address: files.rows(address) for address in whole}
    entries = {a: json.loads(json.dumps(asdict(files.entries[a]))) for a in files.entries}
    return entries, {a: table and table.to_pylist() for a, table in rows.items()}


def said_by_record(folder: Path, name: str) -> Any:
    entries = _json(folder, "study.json")["tasks"]
    valid = folder.with_name("valid")
    rows = read_record(valid, name)[1]
    mine = read_record(folder, name)[1]
    return entries, {a: rows.get(a) for a in mine}  # rows are whole as they were, or not whole


def read_costs(folder: Path, name: str) -> Any:
    Costs(folder / name)


def read_instance(folder: Path, name: str) -> Any:
    return milplib.read(folder / name).content_hash


def write_instance(folder: Path) -> None:
    for name in ("a.lp", "a.mps"):
        market_split(1).write(folder / name)


def read_toml(folder: Path, name: str) -> Any:
    try:
        return parse_toml((folder / name).read_bytes())
    except ValueError as error:  # the loader's own error, which its callers turn into theirs
        raise MilplibError(str(error)) from error


def ignoring(read: Callable[[Path, str], Any]) -> Callable[[Path, str], Any]:
    def quiet(folder: Path, name: str) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read(folder, name)

    return quiet
