"""The fourth and fifth stages: SCIP's rules tried and the best chosen, and policies evaluated."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from milplib.evaluation import evaluate
from milplib.evaluation.best_scip_rule import BEST_SCIP_RULE, BestScipRule
from milplib.files import file_sha256, make_folder
from milplib.policies import AUTO
from milplib.policies.pretrained import auto_digest, pretrained_or_given
from milplib.scip.versions import scip_version
from milplib.study.instances import InstanceTask, split_of
from milplib.study.merging import BEST, EARLIER_BEST, joined_evaluation
from milplib.study.store import StudyFiles
from milplib.study.task import Task, TaskResult, Workspace

if TYPE_CHECKING:
    from milplib.evaluation import EvaluationProgress

__all__ = ["EvaluateTask", "RuleChoiceTask", "RuleTrialTask"]

_RESULTS = "results"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True, eq=False)
class EvaluateTask(Task):
    """Policies evaluated on some instances with one seed of SCIP's.

    Parameters
    ----------
    instances
        The instances.
    setting, time_limit, grace, seed, baseline
        As in `milplib.evaluate`.
    trained
        Policies that other tasks make, by their name in the results.
    listed
        Rules, policy files and Python's policies that the study file lists.
    models
        Kinds of models of the user's own that policy files may be of, by name.
    """

    instances: InstanceTask
    setting: str
    time_limit: float
    grace: float
    seed: int
    baseline: str
    trained: tuple[tuple[str, Task], ...] = ()
    listed: tuple[str, ...]
    models: tuple[str, ...] = ()

    stage = "evaluate"
    is_spread = True
    is_isolating = True

    @property
    def label(self) -> str:
        """Instances, seed and setting."""
        return f"{self.instances.label}, seed {self.seed} ({self.setting})"

    @property
    def inputs(self) -> tuple[Task, ...]:
        """Instances, and policies that are trained or chosen."""
        return (self.instances, *(task for _, task in self.trained))

    def request(self) -> dict[str, Any]:
        """Names of the policies, limits and seed."""
        return {
            "setting": self.setting,
            "time_limit": self.time_limit,
            "seed": self.seed,
            "baseline": self.baseline,
            "made": [EARLIER_BEST if name == BEST else name for name, _ in self.trained],
            "given": list(self.listed),
        }

    def recipe(self) -> dict[str, Any]:
        """What is asked for, with the content of policy files, and SCIP's version."""
        return {
            **self.request(),
            "baseline": _content_of(self.baseline),
            "given": [_content_of(policy) for policy in self.listed],
            "scip": scip_version(),
        }

    def matches(self, content: Mapping[str, Any]) -> bool:
        """Whether recorded content has these policies, by name where it has no file's digest."""
        recorded = [content["baseline"], *content["given"]]
        request = self.request()
        names = [request.pop("baseline"), *request.pop("given")]
        return (
            len(names) == len(recorded)
            and all(
                one == other or _SHA256.fullmatch(other)
                for one, other in zip(names, recorded, strict=True)
            )
            and all(content[name] == value for name, value in request.items())
        )

    _folder = "runs"

    @property
    def outputs(self) -> dict[str, str]:
        """The table of runs, and its manifest."""
        name = f"{self._folder}/{self.setting}/{self.instances.file_stem}-seed{self.seed}"
        return {
            f"{_RESULTS}/runs.parquet": f"{name}.parquet",
            f"{_RESULTS}/manifest.json": f"{name}.json",
        }

    @property
    def cost_key(self) -> str:
        """Distribution and setting."""
        return f"{self.instances.of.name} {self.setting}"

    @property
    def units(self) -> float:
        """Number of runs."""
        has_baseline = self.baseline in self.listed
        return self.instances.units * (len(self.trained) + len(self.listed) + (not has_baseline))

    def run(self, workspace: Workspace) -> TaskResult:
        """Make the runs that are not there."""

        def show(progress: EvaluationProgress) -> None:
            note = f"{progress.failed} failed" if progress.failed else ""
            workspace.report(progress.done, progress.total, note)

        results = evaluate(
            split_of(self.instances, workspace),
            policies=[*self._policy_files(workspace), *self.listed],
            models=self.models,
            baseline=self.baseline,
            seeds=[self.seed],
            time_limit=self.time_limit,
            setting=self.setting,
            execution=workspace.execution,
            grace=self.grace,
            out=workspace.folder(self) / _RESULTS,
            on_progress=show,
        )
        failures = [failure for failure in results.table.column("failure").to_pylist() if failure]
        return TaskResult(
            digest=file_sha256(workspace.folder(self) / _RESULTS / "runs.parquet"),
            facts={
                "runs": len(results.table),
                "failures": {name: failures.count(name) for name in sorted(set(failures))},
            },
            units=float(len(results.table)),
        )

    def _policy_files(self, workspace: Workspace) -> list[Path]:
        """Copy policy files under their names in the results."""
        folder = workspace.folder(self) / "policies"
        make_folder(folder)
        files = []
        for name, task in self.trained:
            ((in_work, committed),) = task.outputs.items()
            source = workspace.results / committed
            if isinstance(task, RuleChoiceTask):
                source = workspace.folder(task) / in_work
            target = folder / f"{name}{source.suffix}"
            if not (target.exists() and file_sha256(target) == file_sha256(source)):
                shutil.copyfile(source, target)
            files.append(target)
        return files


def _content_of(policy: str) -> str:
    """What a policy is told by: its name, or the digest of its file, or of all that are shipped."""
    if policy == AUTO:
        return auto_digest()
    file = Path(str(pretrained_or_given(policy)))
    return file_sha256(file) if file.is_file() else policy


@dataclass(frozen=True, kw_only=True, eq=False)
class RuleTrialTask(EvaluateTask):
    """SCIP's rules tried on some validation instances."""

    stage = "rules"
    _folder = "rules"


@dataclass(frozen=True, kw_only=True, eq=False)
class RuleChoiceTask(Task):
    """The best of SCIP's rules for a distribution.

    Parameters
    ----------
    judged
        The distribution that it is for: the one that the rules were tried on, or one on which its
        policies are evaluated, too.
    tried
        The runs that it is chosen by.
    """

    judged: str
    tried: tuple[RuleTrialTask, ...]

    stage = "rules"

    @property
    def label(self) -> str:
        """Distribution and setting."""
        return f"the best rule for {self.judged} ({self.tried[0].setting})"

    @property
    def inputs(self) -> tuple[Task, ...]:
        """The runs."""
        return self.tried

    def request(self) -> dict[str, Any]:
        """The distribution."""
        return {"for": self.judged}

    @property
    def outputs(self) -> dict[str, str]:
        """The choice."""
        return {BEST_SCIP_RULE: f"rules/{self.tried[0].setting}/{self.judged}-best.json"}

    @property
    def units(self) -> float:
        """Nothing to speak of."""
        return 0.0

    def run(self, workspace: Workspace) -> TaskResult:
        """Choose."""
        files = StudyFiles(workspace.results)
        best = BestScipRule.of(joined_evaluation([task.address for task in self.tried], files))
        (rule,) = best.rules.values()
        best = replace(best, rules={self.judged: rule})
        best.write(workspace.folder(self) / BEST_SCIP_RULE)
        return TaskResult(digest=best.digest, facts={"rule": rule})
