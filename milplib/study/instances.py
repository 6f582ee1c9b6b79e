"""First stage of a study: instances of splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from milplib.errors import ParameterError
from milplib.files import file_sha256
from milplib.library import (
    Distribution,
    InstanceFile,
    Split,
    find_distribution,
    find_generator,
    generator_parameters,
    load,
)
from milplib.library.generation import generate_instances
from milplib.library.source_names import SourceName
from milplib.library.splits import ListedFiles
from milplib.study.checks import own_folder
from milplib.study.study import StudyDistribution
from milplib.study.task import Stage, Task, TaskResult, Workspace, digest_of

__all__ = ["InstanceTask", "split_of"]


@dataclass(frozen=True, kw_only=True, eq=False)
class InstanceTask(Task):
    """Task that provides a range of instances of a split.

    Parameters
    ----------
    of
        The distribution.
    split
        ``train``, ``val`` or ``test``.
    start, stop
        Range of the instances: numbers from 0, `stop` excluded.
    """

    of: StudyDistribution
    split: str
    start: int
    stop: int

    stage = Stage.GENERATE

    @property
    def label(self) -> str:
        """Distribution, split and numbers."""
        return f"{self.of.name} {self.split} {self.start}-{self.stop - 1}"

    @property
    def file_stem(self) -> str:
        """Distribution, split and numbers, for file names."""
        return f"{self.of.name}-{self.split}-{self.start:05d}-{self.stop - 1:05d}"

    def request(self) -> dict[str, object]:
        """Return the distribution, source, split and numbers."""
        return {
            "distribution": self.of.name,
            "source": self._source(),
            "split": self.split,
            "indices": [self.start, self.stop],
        }

    def _source(self) -> dict[str, object]:
        folder = own_folder(self.of)
        if folder is not None:
            return {"kind": "folder" if folder.is_dir() else "archive"}
        seed = {"seed": self.of.seed} if self.of.source == SourceName.GENERATOR else {}
        return {"kind": self.of.source, **seed}

    def recipe(self) -> dict[str, object]:
        """Return the request with the checksums of the files, or the generator's parameters."""
        return {**self.request(), "source": {**self._source(), **self._provenance()}}

    def matches(self, content: Mapping[str, Any]) -> bool:
        """Whether recorded content has the same source, split and numbers."""
        request, recorded = self.request(), content["source"]
        del request["source"]
        if own_folder(self.of) is not None:  # the folder need not exist any more
            is_same = recorded["kind"] in ("folder", "archive")
        else:
            is_same = all(recorded.get(name) == value for name, value in self._source().items())
        return is_same and all(content[name] == value for name, value in request.items())

    def _provenance(self) -> dict[str, object]:
        folder = own_folder(self.of)
        if folder is not None and folder.is_dir():
            return {"sha256": [file_sha256(file.path) for file in self._listed()]}
        if folder is not None:
            return {"sha256": file_sha256(folder)}
        if self.of.source != SourceName.GENERATOR:
            entry = find_distribution(self.of.name)
            return {"sha256": entry.published.sha256.get(self.split, "") if entry.published else ""}
        return dict(_generator(self.of.name))

    @property
    def cost_key(self) -> str:
        """Name of the distribution."""
        return self.of.name

    @property
    def units(self) -> float:
        """Number of instances."""
        return self.stop - self.start

    def run(self, workspace: Workspace) -> TaskResult:
        """Generate, fetch or find the instances."""
        files = split_of(self, workspace)
        return TaskResult(
            digest=digest_of([file.content_hash for file in files]),
            facts={"instances": len(files)},
            units=float(len(files)),
        )

    def _listed(self) -> Split:
        """Return the instances of a source other than the generator."""
        folder = own_folder(self.of)
        if folder is not None and folder.is_dir():
            source = Distribution.from_folder(folder, name=self.of.name)
        else:
            source = load(self.of.name, source=self.of.source)
        split = source.split(self.split)
        if len(split) < self.stop:
            raise ParameterError(
                f"{self.of.name}: {self.stop} instances are asked for '{self.split}', but its "
                f"source has {len(split)}"
            )
        return split[self.start : self.stop]


@cache
def _generator(name: str) -> dict[str, object]:
    generator = find_generator(find_distribution(name))
    return {
        "family": type(generator).__name__,
        "generator_version": generator.generator_version,
        "parameters": generator_parameters(generator),
    }


def split_of(task: InstanceTask, workspace: Workspace) -> Split:
    """Return the instances of a task; generate or fetch them if needed.

    Their names in results do not depend on where their files are.
    """
    name = task.of.name
    if task.of.source == SourceName.GENERATOR:
        out = workspace.folder(task)
        records = generate_instances(
            find_distribution(name),
            split=task.split,
            indices=range(task.start, task.stop),
            seed=task.of.seed,
            out=out,
        )
        files = [
            InstanceFile(
                f"{name}/{task.split}/{record.file}",
                out / task.split / record.file,
                record.content_hash,
                name,
            )
            for record in records
        ]
    else:
        files = [
            InstanceFile(
                f"{name}/{task.split}/{file.path.name}",
                file.path,
                file.content_hash or file.read().content_hash,
                name,
            )
            for file in task._listed()
        ]
    return Split(ListedFiles(files), distribution=name, domain=name, name=task.split)
