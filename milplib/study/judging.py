"""The fourth and fifth stages: rivals chosen among SCIP's rules, and policies judged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from milplib.errors import ResultsError
from milplib.evaluation import Evaluation, evaluate
from milplib.evaluation.best_rule import BestNative
from milplib.evaluation.natives import BEST_NATIVE
from milplib.evaluation.results import EvaluationManifest
from milplib.evaluation.table import read_table
from milplib.files import file_sha256, make_folder
from milplib.policies import AUTO
from milplib.policies.pretrained import auto_digest, pretrained_or_given
from milplib.scip.versions import scip_version
from milplib.study.instances import InstancePiece, split_of
from milplib.study.piece import Bench, Made, Piece, digest_of

if TYPE_CHECKING:
    from milplib.evaluation import EvaluationProgress

__all__ = ["ChoicePiece", "EvaluatePiece", "RulesPiece", "merged_evaluation"]

_RESULTS = "results"


@dataclass(frozen=True, kw_only=True, eq=False)
class EvaluatePiece(Piece):
    """Policies judged on some instances with one seed of SCIP's.

    Parameters
    ----------
    instances
        The instances.
    setting, time_limit, grace, seed, baseline
        As in `milplib.evaluate`.
    made
        Policies that other pieces make, by their name in the results.
    given
        Rules, policy files and Python's policies.
    """

    instances: InstancePiece
    setting: str
    time_limit: float
    grace: float
    seed: int
    baseline: str
    made: tuple[tuple[str, Piece], ...] = ()
    given: tuple[str, ...]

    stage = "evaluate"
    is_spread = True
    is_isolating = True

    @property
    def label(self) -> str:
        """Instances, seed and setting."""
        return f"{self.instances.label}, seed {self.seed} ({self.setting})"

    @property
    def inputs(self) -> tuple[Piece, ...]:
        """Instances, and policies that are made."""
        return (self.instances, *(piece for _, piece in self.made))

    def recipe(self) -> dict[str, Any]:
        """Names of the policies, limits, seed, and SCIP's version."""
        return {
            "setting": self.setting,
            "time_limit": self.time_limit,
            "seed": self.seed,
            "baseline": _identity(self.baseline),
            "made": [name for name, _ in self.made],
            "given": [_identity(policy) for policy in self.given],
            "scip": scip_version(),
        }

    @property
    def _file(self) -> str:
        found = self.instances
        numbers = f"{found.start:05d}-{found.stop - 1:05d}"
        return f"{self.setting}/{found.of.name}-{found.split}-{numbers}-seed{self.seed}"

    @property
    def outputs(self) -> dict[str, str]:
        """The table of runs, and what it is of."""
        return {
            f"{_RESULTS}/runs.parquet": f"{self._kind}/{self._file}.parquet",
            f"{_RESULTS}/manifest.json": f"{self._kind}/{self._file}.json",
        }

    _kind = "runs"

    @property
    def cost_key(self) -> str:
        """Distribution and setting."""
        return f"{self.instances.of.name} {self.setting}"

    @property
    def units(self) -> float:
        """Number of runs."""
        has_baseline = self.baseline in self.given
        return self.instances.units * (len(self.made) + len(self.given) + (not has_baseline))

    def work(self, bench: Bench) -> Made:
        """Make the runs that are not there."""

        def show(progress: EvaluationProgress) -> None:
            note = f"{progress.failed} failed" if progress.failed else ""
            bench.say(progress.done, progress.total, note)

        results = evaluate(
            split_of(self.instances, bench),
            policies=[*self._policies(bench), *self.given],
            baseline=self.baseline,
            seeds=[self.seed],
            time_limit=self.time_limit,
            setting=self.setting,
            execution=bench.execution,
            grace=self.grace,
            out=bench.folder(self) / _RESULTS,
            on_progress=show,
        )
        failures = [kind for kind in results.table.column("failure").to_pylist() if kind]
        return Made(
            digest=file_sha256(bench.folder(self) / _RESULTS / "runs.parquet"),
            facts={
                "runs": len(results.table),
                "failures": {kind: failures.count(kind) for kind in sorted(set(failures))},
            },
            units=float(len(results.table)),
        )

    def _policies(self, bench: Bench) -> list[Path]:
        """Copy policy files under their names in the results."""
        folder = bench.folder(self) / "policies"
        make_folder(folder)
        files = []
        for name, piece in self.made:
            (committed,) = piece.outputs.values()
            source = bench.results / committed
            target = folder / f"{name}{source.suffix}"
            if not (target.exists() and file_sha256(target) == file_sha256(source)):
                shutil.copyfile(source, target)
            files.append(target)
        return files


def _identity(policy: str) -> str:
    """What a policy is told by: its name, or the digest of its file, or of all that are shipped."""
    if policy == AUTO:
        return auto_digest()
    file = Path(str(pretrained_or_given(policy)))
    return file_sha256(file) if file.is_file() else policy


@dataclass(frozen=True, kw_only=True, eq=False)
class RulesPiece(EvaluatePiece):
    """SCIP's rules tried on some validation instances."""

    stage = "natives"
    _kind = "natives"


@dataclass(frozen=True, kw_only=True, eq=False)
class ChoicePiece(Piece):
    """The best of SCIP's rules for a distribution.

    Parameters
    ----------
    judged
        The distribution that it is for: the one that the rules were tried on, or one judged
        by its policies.
    tried
        The runs that it is chosen by.
    """

    judged: str
    tried: tuple[RulesPiece, ...]

    stage = "natives"

    @property
    def label(self) -> str:
        """Distribution and setting."""
        return f"the best rule for {self.judged} ({self.tried[0].setting})"

    @property
    def inputs(self) -> tuple[Piece, ...]:
        """The runs."""
        return self.tried

    def recipe(self) -> dict[str, Any]:
        """The distribution."""
        return {"for": self.judged}

    @property
    def outputs(self) -> dict[str, str]:
        """The choice."""
        return {BEST_NATIVE: f"natives/{self.tried[0].setting}/{self.judged}-best.json"}

    @property
    def units(self) -> float:
        """Nothing to speak of."""
        return 0.0

    def work(self, bench: Bench) -> Made:
        """Choose."""
        found = BestNative.of(merged_evaluation(self.tried, bench))
        (rule,) = found.rules.values()
        best = replace(found, rules={self.judged: rule})
        best.write(bench.folder(self) / BEST_NATIVE)
        return Made(digest=best.digest, facts={"rule": rule})


def merged_evaluation(pieces: Sequence[EvaluatePiece], bench: Bench) -> Evaluation:
    """Join the runs of pieces of one setting into one evaluation.

    Raises
    ------
    ResultsError
        If the runs of a piece are missing or damaged.
    """
    tables: list[pa.Table] = []
    configs: list[dict[str, Any]] = []
    software: dict[str, str] = {}
    for piece in pieces:
        runs, manifest = (bench.results / path for path in piece.outputs.values())
        tables.append(read_table(runs))
        try:
            content = json.loads(manifest.read_bytes())
            EvaluationManifest.check_config(content["config"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ResultsError(f"cannot read {manifest}: {error!r}") from error
        configs.append(content["config"])
        software |= content["software"]
    joined = EvaluationManifest(
        config={
            "policies": _unique(configs, "policies", "label"),
            "baseline": configs[0]["baseline"],
            "instances": _unique(configs, "instances", "name"),
            "seeds": sorted({seed for config in configs for seed in config["seeds"]}),
            "setting": configs[0]["setting"],
            "time_limit": max(config["time_limit"] for config in configs),
        },
        software=software,
    )
    return Evaluation.of(joined, _of_one_policy(pa.concat_tables(tables)))


def _of_one_policy(table: pa.Table) -> pa.Table:
    """Give a policy that is another file on every distribution one digest, of all these files.

    Two files on one distribution stay what they are, a contradiction.
    """
    columns = ("policy", "distribution", "policy_hash")
    rows = list(zip(*(table.column(name).to_pylist() for name in columns), strict=True))
    files: dict[str, dict[str, set[str]]] = {}
    for policy, distribution, sha256 in rows:
        if sha256:
            files.setdefault(policy, {}).setdefault(distribution, set()).add(sha256)
    digests = {
        policy: digest_of({name: sorted(found) for name, found in of.items()})
        for policy, of in files.items()
        if len(set().union(*of.values())) > 1 and all(len(found) == 1 for found in of.values())
    }
    hashes = [digests.get(policy, sha256) for policy, _, sha256 in rows]
    place = table.column_names.index("policy_hash")
    return table.set_column(place, table.schema.field(place), pa.array(hashes, pa.string()))


def _unique(configs: Sequence[Mapping[str, Any]], name: str, key: str) -> list[dict[str, Any]]:
    """Join lists; of entries with one key the first."""
    found: dict[str, dict[str, Any]] = {}
    for config in configs:
        for entry in config[name]:
            found.setdefault(entry[key], entry)
    return list(found.values())
