"""The formats that milplib reads: valid inputs, how they are read, and what they say.

A format gives back what milplib read. What its file says by an independent reader is compared with
it: an input is refused, or nothing in it is lost or changed.
"""

from __future__ import annotations

import csv
import io
import json
import shutil
import tomllib
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
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
from milplib.library.sources.csv_rows import csv_instances
from milplib.parsing import parse_toml
from milplib.policies import read_policy
from milplib.policies.families import read_families
from milplib.runs import run_status
from milplib.study import load_study
from milplib.study.costs import Costs
from milplib.study.document import Entry, Section
from milplib.study.store import StudyFiles
from milplib.study.yaml_file import read_document

__all__ = ["FORMATS", "Format"]

EARLIER = Path(__file__).parents[1] / "data" / "earlier"
SHIPPED = Path(milplib.__file__).parent / "policies" / "shipped"


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format, or several files that are read together.

    Parameters
    ----------
    write
        Writes valid inputs into an empty folder.
    files
        Names of the files to mutate.
    read
        Reads the folder, and returns all that milplib makes of the mutated file.
    said
        Returns what the mutated file says, in the form of `read`; None compares nothing, and asks
        only that the input is read or refused.
    """

    name: str
    write: Callable[[Path], None]
    files: tuple[str, ...]
    read: Callable[[Path, str], Any]
    said: Callable[[Path, str], Any] | None = None
    is_text: bool = True


def _copy(source: Path) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        shutil.copytree(source, folder, dirs_exist_ok=True)

    return write


def _copy_file(source: Path, name: str) -> Callable[[Path], None]:
    return lambda folder: shutil.copyfile(source, folder / name) and None


def _json(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_bytes().decode("utf-8-sig"))


# Results of evaluations and measurements


def _read_results(folder: Path, name: str) -> Any:
    results = Evaluation.load(folder)
    results.summary()
    whole = results.table.to_pylist(), results.traces and results.traces.to_pylist()
    manifest = {"config": results.config, "software": results.software}
    return manifest if name == "manifest.json" else whole


def _said_by_results(folder: Path, name: str) -> Any:
    if name == "manifest.json":
        document = _json(folder, name)
        return {key: document[key] for key in ("config", "software")}
    results = Evaluation.load(EARLIER / "results")  # a checksum must catch every change
    return results.table.to_pylist(), results.traces and results.traces.to_pylist()


def _write_hardness(folder: Path) -> None:
    (folder / "i").mkdir()
    for seed in range(2):
        market_split(seed).write(folder / "i" / f"{seed}.lp")
    measure([folder / "i"], solver=None, out=folder / "h")


def _read_hardness(folder: Path, name: str) -> Any:
    results = HardnessResults.load(folder / "h")
    results.summaries()
    if name.endswith(".json"):
        return {"config": results.config, "software": results.software}
    return [dict(row) for row in results.rows]


def _said_by_hardness(folder: Path, name: str) -> Any:
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


def _write_unfinished(folder: Path) -> None:
    inside = folder / "unfinished"
    shutil.copytree(EARLIER / "results", inside)
    manifest = _json(inside, "manifest.json")
    (inside / "manifest.json").write_text(json.dumps(manifest | {"files": {}}))
    rows = Evaluation.load(EARLIER / "results").table.to_pylist()
    (inside / "000000.json").write_text(json.dumps({"rows": rows, "failure": ""}))
    progress = {"format": "milplib-progress", "version": 1, "seconds": 2.0, "tasks": 1}
    progress["stretch"] = {"seconds": 2.0, "tasks": 1}
    (inside / "progress.json").write_text(json.dumps(progress))


def _read_unfinished(folder: Path, name: str) -> Any:
    status = run_status(folder)
    _ = status.remaining_seconds, status.failure_counts
    return Evaluation.load(folder).summary()


def _read_best(folder: Path, name: str) -> Any:
    content = json.loads(json.dumps(asdict(BestScipRule.load(folder / name))))
    del content["name"]
    return content


def _said_by_best(folder: Path, name: str) -> Any:
    document = _json(folder, name)
    del document["format"], document["version"]
    # A name that is left out has its default.
    return {"table": [], "instances": [], "config": None, "software": None} | document


# Samples, policies


def _read_samples(folder: Path, name: str) -> Any:
    samples = SampleSet(folder)
    scores = [(sample.node, sample.scores.tolist(), sample.chosen) for sample in samples]
    manifest = samples.manifest
    about = {"config": manifest.config, "software": manifest.software}
    return about | {"instances": list(manifest.instances)}, scores


def _said_by_samples(folder: Path, name: str) -> Any:
    document = _json(folder, "manifest.json")
    return {key: document[key] for key in ("config", "software", "instances")}, [
        (sample.node, sample.scores.tolist(), sample.chosen)
        for sample in SampleSet(EARLIER / "samples")
    ]


def _read_unverified(folder: Path, name: str) -> Any:
    samples = SampleSet(folder, verify=False)
    return [samples.root_state(place) and samples[place] for place in range(len(samples))]


def _read_policy(folder: Path, name: str) -> Any:
    content = read_policy(folder / name)
    milplib.load_policy(folder / name)
    about = {"architecture": content.architecture, "hyperparameters": content.hyperparameters}
    about |= {"provenance": content.provenance}
    return about, {key: tensor.tobytes() for key, tensor in content.tensors.items()}


def _said_by_policy(folder: Path, name: str) -> Any:
    data = (folder / name).read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["milplib"])
    names = ("architecture", "hyperparameters", "provenance")
    tensors = {key: tensor.tobytes() for key, tensor in load(data).items()}
    return {key: header[key] for key in names}, tensors


def _read_families(folder: Path, name: str) -> Any:
    return [
        (family.name, family.policy, family.lower.tolist(), family.upper.tolist())
        for family in read_families(folder / name)
    ]


def _said_by_families(folder: Path, name: str) -> Any:
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


def _write_split(folder: Path) -> None:
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


def _read_split(folder: Path, name: str) -> Any:
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


def _said_by_split(folder: Path, name: str) -> Any:
    document = _json(folder, name)
    document["instances"].sort(key=lambda entry: entry["file"])
    del document["format"]
    return {"broken": [], "complete": True} | document  # names that may be left out


def _read_optima(folder: Path, name: str) -> Any:
    return {
        instance.path.name: (instance.known_status, instance.known_objective)
        for instance in evaluated_instances([folder])
    }


def _said_by_optima(folder: Path, name: str) -> Any:
    text = (folder / name).read_bytes().decode("utf-8-sig")
    known = {
        row["instance"]: (row["status"], float(row["objective"]) if row["objective"] else None)
        for row in csv.DictReader(io.StringIO(text, newline=""))
    }
    return {f"{seed}.lp": known.get(f"{seed}", ("", None)) for seed in range(3)}


def _write_hashes(folder: Path) -> None:
    (folder / "file.zip").write_bytes(b"bytes")
    Cache(folder).check(folder / "file.zip", "a key")


def _read_hashes(folder: Path, name: str) -> Any:
    (folder / "file.zip").write_bytes(b"bytes")
    return Cache(folder).check(folder / "file.zip", "a key")


def _write_mirror(folder: Path) -> None:
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


def _read_study(folder: Path, name: str) -> Any:
    load_study(folder / name)
    return _plain(read_document(folder / name))


def _said_by_study(folder: Path, name: str) -> Any:
    node = yaml.safe_load((folder / name).read_bytes().decode("utf-8-sig"))
    return json.loads(json.dumps(node))


def _write_record(folder: Path) -> None:
    shutil.copytree(EARLIER / "study" / "full", folder, dirs_exist_ok=True)
    StudyFiles(folder).write()


def _read_record(folder: Path, name: str) -> Any:
    files = StudyFiles(folder)
    whole = {address for address in files.entries if files.is_whole(address)}
    rows = {address: files.rows(address) for address in whole}
    entries = {a: json.loads(json.dumps(asdict(files.entries[a]))) for a in files.entries}
    return entries, {a: table and table.to_pylist() for a, table in rows.items()}


def _said_by_record(folder: Path, name: str) -> Any:
    entries = _json(folder, "study.json")["tasks"]
    valid = folder.with_name("valid")
    rows = _read_record(valid, name)[1]
    mine = _read_record(folder, name)[1]
    return entries, {a: rows.get(a) for a in mine}  # rows are whole as they were, or not whole


def _read_costs(folder: Path, name: str) -> Any:
    Costs(folder / name)


def _read_instance(folder: Path, name: str) -> Any:
    return milplib.read(folder / name).content_hash


def _write_instance(folder: Path) -> None:
    for name in ("a.lp", "a.mps"):
        market_split(1).write(folder / name)


def _read_toml(folder: Path, name: str) -> Any:
    try:
        return parse_toml((folder / name).read_bytes())
    except ValueError as error:  # the loader's own error, which its callers turn into theirs
        raise MilplibError(str(error)) from error


def _ignoring(read: Callable[[Path, str], Any]) -> Callable[[Path, str], Any]:
    def quiet(folder: Path, name: str) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read(folder, name)

    return quiet


_MANIFEST = ("manifest.json",)
FORMATS = {
    form.name: form
    for form in (
        Format(name="results", write=_copy(EARLIER / "results"), files=_MANIFEST,
               read=_read_results, said=_said_by_results),
        Format(name="runs", write=_copy(EARLIER / "results"),
               files=("runs.parquet", "traces.parquet"), read=_read_results,
               said=_said_by_results, is_text=False),
        Format(name="unfinished", write=_write_unfinished, read=_read_unfinished,
               files=tuple(f"unfinished/{name}.json"
                           for name in ("manifest", "000000", "environment", "progress"))),
        Format(name="hardness", write=_write_hardness,
               files=("h/manifest.json", "h/hardness.csv"), read=_read_hardness,
               said=_said_by_hardness),
        Format(name="best rule", write=_copy_file(EARLIER / "best-native.json", "best.json"),
               files=("best.json",), read=_read_best, said=_said_by_best),
        Format(name="samples", write=_copy(EARLIER / "samples"),
               files=("manifest.json", "shard-00000.arrow"), read=_ignoring(_read_samples),
               said=_said_by_samples),
        Format(name="shards", write=_copy(EARLIER / "samples"), files=("shard-00000.arrow",),
               read=_ignoring(_read_unverified), is_text=False),
        Format(name="policy", read=_read_policy, said=_said_by_policy, is_text=False,
               write=_copy_file(SHIPPED / "gcnn-set-covers.safetensors", "a.safetensors"),
               files=("a.safetensors",)),
        Format(name="families", write=_copy_file(SHIPPED / "families.json", "f.json"),
               files=("f.json",), read=_read_families, said=_said_by_families),
        Format(name="split", write=_write_split, files=_MANIFEST, read=_read_split,
               said=_said_by_split),
        Format(name="optima", write=_write_split, files=("optima.csv",), read=_read_optima,
               said=_said_by_optima),
        Format(name="checksums", write=_write_hashes, files=("hashes.json",), read=_read_hashes),
        Format(name="mirror", write=_write_mirror, files=("train.csv",),
               read=lambda folder, name: list(csv_instances(folder / name))),
        Format(name="study", write=_copy_file(EARLIER / "study.yaml", "study.yaml"),
               files=("study.yaml",), read=_read_study, said=_said_by_study),
        Format(name="record", write=_write_record, files=("study.json", "runs.parquet"),
               read=_read_record, said=_said_by_record),
        Format(name="costs", read=_read_costs, files=("costs.json",),
               write=lambda folder: (folder / "costs.json").write_text(
                   '{"format": "milplib-study-costs", "seconds": {"train": {"gcnn": [0.5, 1]}}}'
               ) and None),
        Format(name="toml", read=_read_toml, files=("catalogue.toml",),
               write=_copy_file(Path(milplib.__file__).parent / "library/catalogue.toml",
                                "catalogue.toml"),
               said=lambda folder, name: tomllib.loads((folder / name).read_text("utf-8"))),
        # Without `said`: set it to compare the arrays with those of an independent reader.
        Format(name="instance", write=_write_instance, files=("a.lp", "a.mps"),
               read=_read_instance),
    )
}  # fmt: skip
