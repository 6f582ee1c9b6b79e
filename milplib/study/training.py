"""Third stage of a study: training of policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, cast

from milplib.errors import MilplibError
from milplib.files import atomic_write_json, file_sha256
from milplib.parsing import read_json
from milplib.policies import find_model_kind
from milplib.policies.pretrained import pretrained_or_given
from milplib.policies.provenance import TrainingRecord
from milplib.schema import conforming
from milplib.study.collecting import CollectTask, samples_folder
from milplib.study.errors import StudyError
from milplib.study.models import Model
from milplib.study.task import Stage, Task, TaskResult, Workspace, differing

if TYPE_CHECKING:
    from milplib.learn import TrainingResult
    from milplib.learn.training import TrainingProgress
    from milplib.learn.training.metrics import Metrics

__all__ = ["POLICY", "TrainTask", "TrainingFacts"]

POLICY = "policy.safetensors"
"""Name of the policy file in the folder of work."""
_METRICS = "metrics.json"
"""Name of the file with the metrics of the policy, which is written before the policy."""


class _RunOptions(TypedDict, total=False):
    device: str


class TrainingFacts(TypedDict, total=False):
    """Facts that a training reports for the tables."""

    samples: int
    validation: dict[str, float]
    by_distribution: dict[str, dict[str, float]]
    epochs: int


_INITIAL = "initial_policy"


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainTask(Task):
    """Task that trains a policy.

    Parameters
    ----------
    name
        Stem of the policy file.
    model
        Model to train.
    seed
        Seed of the training.
    setting
        SCIP setting of the samples; ``all`` for those of all settings of a study.
    training, validation
        Tasks of the training and validation samples. Without validation samples, some training
        instances are held out.
    device
        Device of the training of networks.
    """

    name: str
    model: Model
    seed: int
    setting: str
    training: tuple[CollectTask, ...]
    validation: tuple[CollectTask, ...]
    device: str = "auto"

    stage = Stage.TRAIN
    may_lack_files = True

    @property
    def label(self) -> str:
        """Name and setting."""
        return f"{self.name} ({self.setting})"

    @property
    def inputs(self) -> tuple[Task, ...]:
        """Tasks of the samples."""
        return (*self.training, *self.validation)

    def request(self) -> dict[str, object]:
        """Return the model, its options and the seed; the device does not matter."""
        return self._request(differing(self.model.options))

    def _request(self, options: Mapping[str, object]) -> dict[str, object]:
        return {
            "kind": self.model.kind,
            "options": options,
            "seed": self.seed,
            "training_sets": len(self.training),
        }

    def recipe(self) -> dict[str, object]:
        """Return the request with the digest of the initial policy."""
        options = differing(self.model.options)
        if initial := options.get(_INITIAL):
            options[_INITIAL] = file_sha256(str(pretrained_or_given(initial)))
        return self._request(options)

    def matches(self, content: Mapping[str, Any]) -> bool:
        """Whether recorded content has the same request; any initial policy matches."""
        options = dict(content.get("options", {}))
        own = differing(self.model.options)
        if _INITIAL in options and _INITIAL in own:
            options[_INITIAL] = own[_INITIAL]
        return super().matches({**content, "options": options})

    @property
    def outputs(self) -> dict[str, str]:
        """Policy file."""
        return {POLICY: f"policies/{self.setting}/{self.name}.safetensors"}

    @property
    def distributions(self) -> tuple[str, ...]:
        """Names of the training distributions."""
        return tuple(dict.fromkeys(task.instances.of.name for task in self.training))

    @property
    def cost_key(self) -> str:
        """Kind and size of the model, and distributions."""
        size = getattr(self.model.options, "hidden", "")
        return f"{self.model.kind}{size} {' '.join(sorted(self.distributions))}"

    @property
    def units(self) -> float:
        """Number of samples that the model sees, over all epochs."""
        samples = sum(task.units for task in self.training)
        return samples * self._passes(samples, epochs=None)

    def _passes(self, samples: float, *, epochs: int | None) -> float:
        """Return the number of passes over the samples; an estimate if `epochs` is None."""
        options = self.model.options
        if not hasattr(options, "epochs"):
            return 1.0
        if epochs is None:
            epochs = min(options.epochs, 3 * options.stop_after)
        seen = options.batch_size * options.batches_per_epoch
        return float(epochs * min(1.0, seen / max(samples, 1)))

    def run(self, workspace: Workspace) -> TaskResult:
        """Train the policy, or resume its training."""
        out = workspace.folder(self) / POLICY
        checkpoint = out.with_name(f"{POLICY}.training") / "checkpoint.safetensors"
        if checkpoint.exists():
            out.unlink(missing_ok=True)  # the training was killed before its cleanup
        is_trained_now = not _is_whole(out) or self._metrics(workspace) is None
        if is_trained_now:
            out.unlink(missing_ok=True)
            self._train(out, workspace)
        provenance = _provenance(out)
        validation = dict(provenance.get("validation", {}))
        samples = sum(s["samples"] for s in provenance["data"]["training"])
        epochs = provenance.get("epochs")
        facts: TrainingFacts = {
            "samples": samples,
            "validation": validation,
            "by_distribution": self._metrics(workspace) or {},
        }
        if epochs:
            facts["epochs"] = epochs
        return TaskResult(
            digest=file_sha256(out),
            facts=facts,
            units=samples * self._passes(samples, epochs=epochs) if is_trained_now else None,
        )

    def _metrics(self, workspace: Workspace) -> dict[str, dict[str, float]] | None:
        """Return the metrics of the policy by distribution; None if they were not kept."""
        try:
            content = read_json(workspace.folder(self) / _METRICS)
            return conforming(content, dict[str, dict[str, float]])
        except (OSError, ValueError):
            return None

    def _train(self, out: Path, workspace: Workspace) -> None:
        from milplib.learn import train

        def show(progress: TrainingProgress) -> None:
            workspace.report(progress.done, progress.total, progress.note or progress.phase)

        folders = _folders(self.training, workspace)
        if not folders:
            raise StudyError(
                f"none of the instances of {', '.join(self.distributions)} gave a sample to train "
                "on: SCIP solves them without branching; use harder ones"
            )
        has_device = hasattr(find_model_kind(self.model.kind).run_options(), "device")
        where: _RunOptions = {"device": self.device} if has_device else {}

        def keep(result: TrainingResult) -> None:
            metrics = self._by_distribution(result.by_set)
            atomic_write_json(workspace.folder(self) / _METRICS, metrics)

        train(
            folders,
            out=out,
            model=self.model.kind,
            options=self.model.options,
            validation=_folders(self.validation, workspace),
            seed=self.seed,
            on_progress=show,
            on_result=keep,
            **where,
        )

    def _by_distribution(
        self, by_set: Sequence[tuple[str, Metrics]]
    ) -> dict[str, dict[str, float]]:
        """Average the metrics of each distribution's sets, weighted by sample count."""
        judged = self.validation or self.training
        of_set = {task.set_name: task.instances.of.name for task in judged}
        sums: dict[str, dict[str, float]] = {}
        for name, metrics in by_set:
            values = metrics.as_dict()
            total = sums.setdefault(of_set[name], {"samples": 0.0})
            for key, value in values.items():
                weight = 1 if key == "samples" else values["samples"]
                total[key] = total.get(key, 0.0) + weight * value
        return {
            distribution: {
                key: int(value) if key == "samples" else value / total["samples"]
                for key, value in total.items()
                if value == value  # not NaN: rankers of trees have no loss
            }
            for distribution, total in sums.items()
        }


def _folders(tasks: Sequence[CollectTask], workspace: Workspace) -> list[Path]:
    """Return the folders that hold samples."""
    from milplib.learn.samples.shards import Manifest

    folders = [samples_folder(task, workspace) for task in tasks]
    return [folder for folder in folders if Manifest.load(folder).shards]


def _provenance(path: Path) -> TrainingRecord:
    from milplib.policies.file import read_policy

    return cast(TrainingRecord, read_policy(path).provenance)


def _is_whole(path: Path) -> bool:
    try:
        _provenance(path)
    except (MilplibError, OSError):
        return False
    return True
