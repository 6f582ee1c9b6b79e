"""Fourth and fifth stages of a study: choice of the best SCIP rule, and evaluation of policies."""

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
from milplib.study.task import Stage, Task, TaskResult, Workspace

if TYPE_CHECKING:
    from milplib.evaluation import EvaluationProgress

__all__ = ["EvaluateTask", "RuleChoiceTask", "RuleTrialTask"]

_RESULTS = "results"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, kw_only=True, eq=False)
class EvaluateTask(Task):
    """Task that evaluates policies on some instances with one SCIP seed.

    Parameters
    ----------
    instances
        Task of the instances.
    setting, time_limit, grace, seed, baseline
        As in `milplib.evaluate`.
    trained
        Names in the results, and tasks, of the policies that other tasks produce.
    listed
        Rules, policy files and Python policies that the study file lists.
    models
        Names of the user's kinds of models that policy files may be of.
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

    stage = Stage.EVALUATE
    is_spread = True
    is_isolating = True

    @property
    def label(self) -> str:
        """Instances, seed and setting."""
        return f"{self.instances.label}, seed {self.seed} ({self.setting})"

    @property
    def inputs(self) -> tuple[Task, ...]:
        """Tasks of the instances, and of the policies that are trained or chosen."""
        return (self.instances, *(task for _, task in self.trained))

    def request(self) -> dict[str, object]:
        """Return the names of the policies, the limit and the seed."""
        return {
            "setting": self.setting,
            "time_limit": self.time_limit,
            "seed": self.seed,
            "baseline": self.baseline,
            "made": [EARLIER_BEST if name == BEST else name for name, _ in self.trained],
            "given": list(self.listed),
        }

    def recipe(self) -> dict[str, object]:
        """Return the request with the digests of policy files and the version of SCIP."""
        return {
            **self.request(),
            "baseline": _content_of(self.baseline),
            "given": [_content_of(policy) for policy in self.listed],
            "scip": scip_version(),
        }

    def matches(self, content: Mapping[str, Any]) -> bool:
        """Whether recorded content has the same policies, by name; any file digest matches."""
        recorded = [content["baseline"], *content["given"]]
        names = [self.baseline, *self.listed]
        request = self.request()
        del request["baseline"], request["given"]
        return (
            len(names) == len(recorded)
            and all(
                name == known or _SHA256.fullmatch(known)
                for name, known in zip(names, recorded, strict=True)
            )
            and all(content[name] == value for name, value in request.items())
        )

    _folder = "runs"

    @property
    def outputs(self) -> dict[str, str]:
        """Table of runs, and its manifest."""
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
        """Do the runs that are missing."""

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
    """Return the digest of a policy file, or of all shipped policies, or else the policy's name."""
    if policy == AUTO:
        return auto_digest()
    file = Path(str(pretrained_or_given(policy)))
    return file_sha256(file) if file.is_file() else policy


@dataclass(frozen=True, kw_only=True, eq=False)
class RuleTrialTask(EvaluateTask):
    """Task that tries SCIP rules on some validation instances."""

    stage = Stage.RULES
    _folder = "rules"


@dataclass(frozen=True, kw_only=True, eq=False)
class RuleChoiceTask(Task):
    """Task that chooses the best SCIP rule for a distribution.

    Parameters
    ----------
    judged
        Distribution to choose a rule for: the one that the rules were tried on, or one on which
        its policies are evaluated, too.
    tried
        Runs to choose by.
    """

    judged: str
    tried: tuple[RuleTrialTask, ...]

    stage = Stage.RULES

    @property
    def label(self) -> str:
        """Distribution and setting."""
        return f"the best rule for {self.judged} ({self.tried[0].setting})"

    @property
    def inputs(self) -> tuple[Task, ...]:
        """Tasks of the runs."""
        return self.tried

    def request(self) -> dict[str, object]:
        """Return the distribution."""
        return {"for": self.judged}

    @property
    def outputs(self) -> dict[str, str]:
        """File of the choice."""
        return {BEST_SCIP_RULE: f"rules/{self.tried[0].setting}/{self.judged}-best.json"}

    @property
    def units(self) -> float:
        """0: the work is negligible."""
        return 0.0

    def run(self, workspace: Workspace) -> TaskResult:
        """Choose the rule."""
        files = StudyFiles(workspace.results)
        best = BestScipRule.of(joined_evaluation([task.address for task in self.tried], files))
        (rule,) = best.rules.values()
        best = replace(best, rules={self.judged: rule})
        best.write(workspace.folder(self) / BEST_SCIP_RULE)
        return TaskResult(digest=best.digest, facts={"rule": rule})
