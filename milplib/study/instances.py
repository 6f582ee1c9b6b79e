"""The first stage: instances of a split, some at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from milplib.errors import ParameterError
from milplib.files import file_sha256
from milplib.library import (
    Distribution,
    InstanceFile,
    Split,
    distribution,
    generator_of,
    generator_parameters,
    load,
)
from milplib.library.generation import generate_instances
from milplib.library.splits import ListedFiles
from milplib.study.checks import own_folder
from milplib.study.piece import Bench, Made, Piece, digest_of
from milplib.study.study import StudyDistribution

__all__ = ["InstancePiece", "split_of"]


@dataclass(frozen=True, kw_only=True, eq=False)
class InstancePiece(Piece):
    """Instances of a split, from one number up to another.

    Parameters
    ----------
    of
        The distribution.
    split
        ``train``, ``val`` or ``test``.
    start, stop
        The first one, and the one behind the last, counted from 0.
    """

    of: StudyDistribution
    split: str
    start: int
    stop: int

    stage = "generate"

    @property
    def label(self) -> str:
        """Distribution, split and numbers."""
        return f"{self.of.name} {self.split} {self.start}-{self.stop - 1}"

    def recipe(self) -> dict[str, Any]:
        """Source, split and numbers."""
        return {
            "distribution": self.of.name,
            "source": self._source(),
            "split": self.split,
            "indices": [self.start, self.stop],
        }

    def _source(self) -> dict[str, Any]:
        folder = own_folder(self.of)
        if folder is not None and folder.is_dir():
            return {"kind": "folder", "sha256": [file_sha256(file.path) for file in self._given()]}
        if folder is not None:
            return {"kind": "archive", "sha256": file_sha256(folder)}
        if self.of.source != "generator":
            entry = distribution(self.of.name)
            sha256 = entry.published.sha256.get(self.split, "") if entry.published else ""
            return {"kind": self.of.source, "sha256": sha256}
        return {"kind": "generator", "seed": self.of.seed, **_generator(self.of.name)}

    @property
    def cost_key(self) -> str:
        """The distribution."""
        return self.of.name

    @property
    def units(self) -> float:
        """Number of instances."""
        return self.stop - self.start

    def work(self, bench: Bench) -> Made:
        """Generate, fetch or find them."""
        files = split_of(self, bench)
        return Made(
            digest=digest_of([file.content_hash for file in files]),
            facts={"instances": len(files)},
            units=float(len(files)),
        )

    def _given(self) -> Split:
        """Instances that are not generated."""
        folder = own_folder(self.of)
        if folder is not None and folder.is_dir():
            found = Distribution.from_folder(folder, name=self.of.name)
        else:
            found = load(self.of.name, source=self.of.source)
        split = found.split(self.split)
        if len(split) < self.stop:
            raise ParameterError(
                f"{self.of.name} is to give {self.stop} instances for '{self.split}', and its "
                f"source has {len(split)}"
            )
        return split[self.start : self.stop]


@cache
def _generator(name: str) -> dict[str, Any]:
    generator = generator_of(distribution(name))
    return {
        "family": type(generator).__name__,
        "generator_version": generator.generator_version,
        "parameters": generator_parameters(generator),
    }


def split_of(piece: InstancePiece, bench: Bench) -> Split:
    """Give the instances of a piece, generated or fetched if need be.

    Their names in results say nothing of where they lie.
    """
    name = piece.of.name
    if piece.of.source == "generator":
        out = bench.folder(piece)
        records = generate_instances(
            distribution(name),
            split=piece.split,
            indices=range(piece.start, piece.stop),
            seed=piece.of.seed,
            out=out,
        )
        files = [
            InstanceFile(
                f"{name}/{piece.split}/{record.file}",
                out / piece.split / record.file,
                record.content_hash,
                name,
            )
            for record in records
        ]
    else:
        files = [
            InstanceFile(
                f"{name}/{piece.split}/{file.path.name}",
                file.path,
                file.content_hash or file.read().content_hash,
                name,
            )
            for file in piece._given()
        ]
    return Split(ListedFiles(files), distribution=name, domain=name, name=piece.split)
