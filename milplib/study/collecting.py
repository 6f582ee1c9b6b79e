"""Second stage of a study: collection of samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from milplib.scip import load_state_functions
from milplib.scip.experts import resolved_name
from milplib.scip.versions import scip_version
from milplib.study.instances import InstanceTask, split_of
from milplib.study.study import Collection
from milplib.study.task import Stage, Task, TaskResult, Workspace, differing, digest_of

if TYPE_CHECKING:
    from milplib.learn.collecting import Progress

__all__ = ["CollectTask", "samples_folder"]


@dataclass(frozen=True, kw_only=True, eq=False)
class CollectTask(Task):
    """Task that collects the samples of some instances.

    Parameters
    ----------
    instances
        Task of the instances.
    setting
        SCIP setting.
    collection
        Parameters of the collection.
    samples_per_instance
        Number of samples wanted from each instance.
    """

    instances: InstanceTask
    setting: str
    collection: Collection
    samples_per_instance: int

    stage = Stage.COLLECT
    is_spread = True

    @property
    def label(self) -> str:
        """Instances, setting and number of samples."""
        return f"{self.instances.label}, {self.samples_per_instance} each ({self.setting})"

    @property
    def inputs(self) -> tuple[Task, ...]:
        """Task of the instances."""
        return (self.instances,)

    @property
    def set_name(self) -> str:
        """Name of the folder of the samples."""
        return f"{self.instances.file_stem}-{self.setting}"

    def request(self) -> dict[str, object]:
        """Return the arguments of the collection."""
        own = ("samples_per_instance", "instances_per_task", "blocks", "expert")
        return {
            "setting": self.setting,
            "samples_per_instance": self.samples_per_instance,
            "expert": resolved_name(self.collection.expert),
            "blocks": list(self.collection.blocks),
            "options": differing(self.collection, leave_out=own),
        }

    def recipe(self) -> dict[str, object]:
        """Return the arguments of the collection, and the versions of its blocks and of SCIP."""
        blocks = load_state_functions(self.collection.blocks)
        versions = [[function.name, function.version] for function in blocks]
        return {**self.request(), "blocks": versions, "scip": scip_version()}

    def matches(self, content: Mapping[str, Any]) -> bool:
        """Whether recorded content has the same arguments, and blocks of the same names."""
        return super().matches({**content, "blocks": [name for name, _ in content["blocks"]]})

    @property
    def cost_key(self) -> str:
        """Distribution, setting and expert."""
        return f"{self.instances.of.name} {self.setting} {self.collection.expert}"

    @property
    def units(self) -> float:
        """Number of samples."""
        return self.instances.units * self.samples_per_instance

    def run(self, workspace: Workspace) -> TaskResult:
        """Collect the samples that are missing."""
        from milplib.learn import collect

        def show(progress: Progress) -> None:
            workspace.report(progress.done, progress.total, f"{progress.samples} samples")

        how = self.collection
        samples = collect(
            split_of(self.instances, workspace),
            out=samples_folder(self, workspace),
            samples_per_instance=self.samples_per_instance,
            seed=how.seed,
            execution=workspace.execution,
            max_episodes=how.max_episodes,
            expert=how.expert,
            expert_probability=how.expert_probability,
            label_children=how.label_children,
            setting=self.setting,
            node_limit=how.node_limit,
            iteration_limit=how.iteration_limit,
            time_limit=how.time_limit,
            blocks=how.blocks,
            on_progress=show,
        )
        outcomes = [str(instance["outcome"]) for instance in samples.manifest.instances]
        return TaskResult(
            digest=digest_of([shard.sha256 for shard in samples.manifest.shards]),
            facts={
                "samples": len(samples),
                "outcomes": {name: outcomes.count(name) for name in sorted(set(outcomes))},
            },
            units=float(len(samples)) or None,
        )


def samples_folder(task: CollectTask, workspace: Workspace) -> Path:
    """Return the folder of the samples of a task; policy files contain its name."""
    return workspace.folder(task) / task.set_name
