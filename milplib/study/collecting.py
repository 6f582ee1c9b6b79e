"""The second stage: samples of some instances."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from milplib.scip import load_state_functions
from milplib.scip.experts import resolved_name
from milplib.scip.versions import scip_version
from milplib.study.instances import InstancePiece, split_of
from milplib.study.piece import Bench, Made, Piece, differing, digest_of
from milplib.study.study import Collection

if TYPE_CHECKING:
    from milplib.learn.collect import Progress

__all__ = ["CollectPiece", "samples_folder"]


@dataclass(frozen=True, kw_only=True, eq=False)
class CollectPiece(Piece):
    """Samples of a piece of instances.

    Parameters
    ----------
    instances
        The instances.
    setting
        SCIP's setting.
    collection
        How to collect.
    samples_per_instance
        Samples wanted from each.
    """

    instances: InstancePiece
    setting: str
    collection: Collection
    samples_per_instance: int

    stage = "collect"
    is_spread = True

    @property
    def label(self) -> str:
        """Instances, setting and number of samples."""
        return f"{self.instances.label}, {self.samples_per_instance} each ({self.setting})"

    @property
    def inputs(self) -> tuple[Piece, ...]:
        """The instances."""
        return (self.instances,)

    @property
    def set_name(self) -> str:
        """What its folder of samples is called."""
        found = self.instances
        numbers = f"{found.start:05d}-{found.stop - 1:05d}"
        return f"{found.of.name}-{found.split}-{numbers}-{self.setting}"

    def recipe(self) -> dict[str, Any]:
        """Arguments of the collection, its blocks' versions, and SCIP's."""
        own = ("samples_per_instance", "instances_a_piece", "blocks", "expert")
        return {
            "setting": self.setting,
            "samples_per_instance": self.samples_per_instance,
            "expert": resolved_name(self.collection.expert),
            "blocks": [
                [function.name, function.version]
                for function in load_state_functions(self.collection.blocks)
            ],
            "options": differing(self.collection, leave_out=own),
            "scip": scip_version(),
        }

    @property
    def cost_key(self) -> str:
        """Distribution, setting and expert."""
        return f"{self.instances.of.name} {self.setting} {self.collection.expert}"

    @property
    def units(self) -> float:
        """Number of samples."""
        return self.instances.units * self.samples_per_instance

    def work(self, bench: Bench) -> Made:
        """Collect what is not there."""
        from milplib.learn import collect

        def show(progress: Progress) -> None:
            bench.say(progress.done, progress.total, f"{progress.samples} samples")

        how = self.collection
        samples = collect(
            split_of(self.instances, bench),
            out=samples_folder(self, bench),
            samples_per_instance=self.samples_per_instance,
            seed=how.seed,
            execution=bench.execution,
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
        return Made(
            digest=digest_of([shard.sha256 for shard in samples.manifest.shards]),
            facts={
                "samples": len(samples),
                "outcomes": {name: outcomes.count(name) for name in sorted(set(outcomes))},
            },
            units=float(len(samples)) or None,
        )


def samples_folder(piece: CollectPiece, bench: Bench) -> Path:
    """Folder of the samples of a piece; its name stands in policy files."""
    return bench.folder(piece) / piece.set_name
