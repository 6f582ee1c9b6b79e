"""The same for formats of the library and of studies."""

from __future__ import annotations

import csv
import io
import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml
from market_split import market_split
from mutations.readers import EARLIER, parsed_json

from milplib.errors import MilplibError, ResultsError
from milplib.library.cache import Cache
from milplib.library.evaluated import evaluated_instances
from milplib.library.manifest import InstanceRecord, SplitManifest
from milplib.parsing import parse_toml
from milplib.study import load_study
from milplib.study.costs import Costs
from milplib.study.document import Entry, Section
from milplib.study.store import StudyFiles
from milplib.study.yaml_file import read_document

# The library


def write_split(folder: Path) -> None:
    records = {}
    for seed in range(3):
        path = folder / f"{seed}.lp"
        instance = market_split(seed)
        instance.write(path)
        records[path.name] = InstanceRecord.of(path, instance, seed=seed)
    config: Any = {"distribution": "mine", "seed": 5}
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
    document = parsed_json(folder, name)
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
    # Columns may come and go with the versions of milplib: a null says the same as no value.
    return entries, {
        a: table and [{k: v for k, v in row.items() if v is not None} for row in table.to_pylist()]
        for a, table in rows.items()
    }


def said_by_record(folder: Path, name: str) -> Any:
    entries = parsed_json(folder, "study.json")["tasks"]
    for entry in entries.values():
        entry["seconds"] = float(entry["seconds"])
    valid = folder.with_name("valid")
    rows = read_record(valid, name)[1]
    mine = read_record(folder, name)[1]
    return entries, {a: rows.get(a) for a in mine}  # rows are whole as they were, or not whole


def write_costs(folder: Path) -> None:
    (folder / "costs.json").write_text(
        '{"format": "milplib-study-costs", "seconds": {"train": {"gcnn": [0.5, 1]}}}'
    )


def read_costs(folder: Path, name: str) -> Any:
    Costs(folder / name)


def read_toml(folder: Path, name: str) -> Any:
    try:
        return parse_toml((folder / name).read_bytes())
    except ValueError as error:  # the loader's own error, which its callers turn into theirs
        raise MilplibError(str(error)) from error
