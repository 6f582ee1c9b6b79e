"""Joining of the runs of many tasks into one evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from milplib.errors import ResultsError
from milplib.evaluation import Evaluation
from milplib.evaluation.best_scip_rule import BEST_SCIP_RULE
from milplib.evaluation.config import EvaluationConfig
from milplib.evaluation.results import EvaluationManifest
from milplib.study.store import StudyFiles
from milplib.study.task import digest_of

__all__ = ["BEST", "EARLIER_BEST", "joined_evaluation"]

Entry = TypeVar("Entry")

BEST = Path(BEST_SCIP_RULE).stem
"""Name of the best SCIP rule in results."""
EARLIER_BEST = "best-native"
"""Name in results of earlier versions, and in addresses, which must not change."""


def joined_evaluation(addresses: Sequence[str], files: StudyFiles) -> Evaluation:
    """Join the recorded runs of one setting into one evaluation.

    Raises
    ------
    ResultsError
        If runs are missing or damaged.
    """
    tables: list[pa.Table] = []
    configs: list[EvaluationConfig] = []
    software: dict[str, str] = {}
    for address in addresses:
        rows, entry = files.rows(address), files.entries.get(address)
        if rows is None or entry is None:
            raise ResultsError(f"{files.folder} has no runs of the task {address}: run the study")
        tables.append(rows)
        try:
            (manifest,) = entry.documents.values()
            EvaluationManifest.check_config(manifest["config"])
            configs.append(manifest["config"])
            software |= manifest["software"]
        except (ValueError, KeyError, TypeError) as error:
            raise ResultsError(
                f"{files.folder}: the manifest of '{entry.label}' is damaged: {error!r}"
            ) from error
    if EARLIER_BEST in _labels(configs) and BEST in _labels(configs):
        configs, tables = _with_present_label(configs), [_relabelled(table) for table in tables]
    joined = EvaluationManifest(
        config={
            "policies": _unique([(p["label"], p) for c in configs for p in c["policies"]]),
            "baseline": configs[0]["baseline"],
            "instances": _unique([(i["name"], i) for c in configs for i in c["instances"]]),
            "seeds": sorted({seed for config in configs for seed in config["seeds"]}),
            "setting": configs[0]["setting"],
            "time_limit": max(config["time_limit"] for config in configs),
        },
        software=software,
    )
    table = pa.concat_tables(tables, promote_options="default")
    return Evaluation.of(joined, _of_one_policy(table))


def _labels(configs: Sequence[EvaluationConfig]) -> set[str]:
    return {policy["label"] for config in configs for policy in config["policies"]}


def _with_present_label(configs: Sequence[EvaluationConfig]) -> list[EvaluationConfig]:
    """Return the configs with the present name of the best SCIP rule; older runs have another."""
    return [
        {
            **config,
            "policies": [
                {**policy, "label": BEST} if policy["label"] == EARLIER_BEST else policy
                for policy in config["policies"]
            ],
        }
        for config in configs
    ]


def _relabelled(table: pa.Table) -> pa.Table:
    names = [BEST if name == EARLIER_BEST else name for name in table.column("policy").to_pylist()]
    place = table.column_names.index("policy")
    return table.set_column(place, table.schema.field(place), pa.array(names, pa.string()))


def _of_one_policy(table: pa.Table) -> pa.Table:
    """Give one digest to a policy that has another file on each distribution.

    The digest is that of all its files. Two files on one distribution keep their digests, so that
    they show as a contradiction.
    """
    columns = ("policy", "distribution", "policy_hash")
    rows = list(zip(*(table.column(name).to_pylist() for name in columns), strict=True))
    files: dict[str, dict[str, set[str]]] = {}
    for policy, distribution, sha256 in rows:
        if sha256:
            files.setdefault(policy, {}).setdefault(distribution, set()).add(sha256)
    digests = {
        policy: digest_of({name: sorted(hashes) for name, hashes in of.items()})
        for policy, of in files.items()
        if len(set().union(*of.values())) > 1 and all(len(hashes) == 1 for hashes in of.values())
    }
    column = [digests.get(policy, sha256) for policy, _, sha256 in rows]
    place = table.column_names.index("policy_hash")
    return table.set_column(place, table.schema.field(place), pa.array(column, pa.string()))


def _unique(entries: Iterable[tuple[str, Entry]]) -> list[Entry]:
    """Of entries with the same key, keep the first."""
    by_key: dict[str, Entry] = {}
    for key, entry in entries:
        by_key.setdefault(key, entry)
    return list(by_key.values())
