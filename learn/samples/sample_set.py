"""Read access to a folder of samples: each sample is a branching state with its labels."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, overload

import numpy as np
import numpy.typing as npt

from milplib.arguments import checked
from milplib.display import Shown
from milplib.errors import MilplibWarning, SampleError, warn_caller
from milplib.learn.samples.decoding import DecodedPart
from milplib.learn.samples.recorder import NodePosition
from milplib.learn.samples.shards import Manifest, Shard, ShardEntry, TreeEntry
from milplib.policies.choice import tied_with_best
from milplib.scip import BlockSchema, BranchingState

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DamagedShard", "DamagedShardWarning", "Sample", "SampleSet", "tied_with_best"]

_TREES_IN_MEMORY = 64
_OPEN_SHARDS = 16


class DamagedShardWarning(MilplibWarning):
    """Warning that unusable shards of a folder of samples were left out."""


@dataclass(frozen=True, kw_only=True)
class DamagedShard:
    """Shard that was left out.

    Parameters
    ----------
    file
        Name of the file.
    reason
        Reason why the shard is unusable.
    samples, trees
        Numbers of samples and trees in the shard, according to the manifest.
    """

    file: str
    reason: str
    samples: int
    trees: int


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class Sample(Shown):
    """Labelled branching node.

    Parameters
    ----------
    state
        State of the node, float32.
    scores
        Scores of the expert in the order of ``state.candidates``, 0 where not valid. Shape (k,),
        float64.
    valid
        Whether each candidate has a score. Shape (k,), bool.
    chosen
        Position of the expert's choice among the candidates.
    node, parent, depth
        SCIP's numbers of the node and its parent (-1 at the root), and the depth of the node.
    is_child_of_labelled
        Whether the node was labelled because its parent had been.
    tree
        Tree of the node.
    scip_seed
        Seed of SCIP in that tree.
    """

    state: BranchingState
    scores: npt.NDArray[np.float64]
    valid: npt.NDArray[np.bool_]
    chosen: int
    node: int
    parent: int
    depth: int
    is_child_of_labelled: bool
    tree: TreeEntry
    scip_seed: int

    @property
    def tied(self) -> npt.NDArray[np.bool_]:
        """Whether each candidate is among the expert's best, ties included. Shape (k,), bool."""
        return tied_with_best(self.scores, self.valid)


def sample_row(sample: Sample) -> dict[str, object]:
    """Describe a sample: its place in its tree, its sizes, and the expert's choice.

    ``best_score`` is the highest score, NaN without any, ``scored`` the number of candidates with
    a score, and ``tied`` the number of those among the best.
    """
    scores = sample.scores[sample.valid]
    return {
        "instance": sample.tree.instance,
        "episode": sample.tree.episode,
        "scip_seed": sample.scip_seed,
        "node": sample.node,
        "parent": sample.parent,
        "depth": sample.depth,
        "is_child_of_labelled": sample.is_child_of_labelled,
        "variables": sample.state.n_variables,
        "row_sides": sample.state.n_rows,
        "edges": int(sample.state.edge_index.shape[1]),
        "candidates": len(sample.scores),
        "scored": len(scores),
        "tied": int(sample.tied.sum()),
        "chosen": sample.chosen,
        "best_score": float(scores.max()) if len(scores) else float("nan"),
    }


class SampleSet(Shown, Sequence[Sample]):
    """Samples of a folder that ``milplib collect`` wrote.

    Samples are read from their shards on demand, so memory does not grow by a Python object per
    sample or per tree.

    A shard that is missing, cut off, damaged or of another schema is left out, and the other
    shards are used. A `DamagedShardWarning` names it with the number of samples lost; `damaged`
    lists it, too. Damage that no checksum detects raises an error when the sample is read.

    Parameters
    ----------
    folder
        The folder.
    verify
        Whether to check every shard against the checksum in the manifest. The check takes about a
        second per gigabyte, and runs once per process as long as the file does not change.
    strict
        Whether an unusable shard is an error. Where other code opens the folder, as training does,
        ``warnings.simplefilter("error", DamagedShardWarning)`` has the same effect.
    finite
        Whether reading a feature that is not finite is an error. Set it to False only to inspect
        damaged samples.

    Raises
    ------
    SampleError
        If the folder holds no finished collection, if none of its shards is usable, or if
        `strict` is true and a shard is not; the message names the shard.

    Examples
    --------
    >>> import tempfile, milplib
    >>> from milplib.generators import GeneralizedIndependentSet
    >>> from milplib.learn import collect
    >>> folder = tempfile.mkdtemp()
    >>> GeneralizedIndependentSet(n_nodes=40).generate(seed=0).write(folder + "/a.lp")
    >>> _ = collect([folder], out=folder + "/samples", samples_per_instance=1,
    ...             expert_probability=1.0)
    >>> samples = SampleSet(folder + "/samples")
    >>> samples[0].state.variable_features.shape[1], len(samples[0].scores) > 1
    (19, True)
    >>> samples.damaged
    ()
    """

    @checked
    def __init__(
        self,
        folder: str | os.PathLike[str],
        *,
        verify: bool = True,
        strict: bool = False,
        finite: bool = True,
    ) -> None:
        self.folder = Path(folder)
        manifest = Manifest.load(self.folder)
        manifest.check_complete(self.folder)
        usable, damaged = [], []
        for entry in manifest.shards:
            try:
                self._check(entry, manifest, verify=verify)
                usable.append(entry)
            except SampleError as error:
                damaged.append(
                    DamagedShard(
                        file=entry.file,
                        reason=str(error),
                        samples=entry.trees.n_samples,
                        trees=len(entry.trees),
                    )
                )
        self.damaged = tuple(damaged)
        """Shards that were left out."""
        self.manifest = replace(manifest, shards=tuple(usable))
        """Manifest of the folder, without the shards that were left out."""
        trees = [entry.trees for entry in usable]
        self._first_tree = np.cumsum([0, *map(len, trees)])
        self._end = np.cumsum(
            np.concatenate([np.empty(0, np.int64), *(table.samples for table in trees)])
        )
        self._finite = finite
        self._shard = lru_cache(maxsize=_OPEN_SHARDS)(self._open_shard)
        self._part = lru_cache(maxsize=_TREES_IN_MEMORY)(self._decode_part)
        if damaged:
            self._report_damaged(strict=strict or not usable, samples=len(self))

    def _check(self, entry: ShardEntry, manifest: Manifest, *, verify: bool) -> None:
        # Opened first: another schema version is a clearer error than a wrong checksum.
        shard = Shard(self.folder / entry.file)
        if verify:
            entry.verify(self.folder)
        if len(shard) != len(entry.trees) or shard.schema != manifest.schema:
            raise SampleError(f"{shard.path} is not the shard that the manifest describes")

    def _report_damaged(self, *, strict: bool, samples: int) -> None:
        """Report unusable shards as an error or a warning."""
        reasons = "; ".join(shard.reason for shard in self.damaged[:3])
        if len(self.damaged) > 3:
            reasons += f"; and {len(self.damaged) - 3} more"
        if strict and len(self.damaged) == 1:
            raise SampleError(reasons)
        lost = sum(shard.samples for shard in self.damaged)
        shards = len(self.damaged) + len(self.manifest.shards)
        if strict:
            raise SampleError(
                f"{len(self.damaged)} of the {shards} shards in {self.folder} cannot be used "
                f"({lost} of {lost + samples} samples): {reasons}"
            )
        warn_caller(
            f"left out {len(self.damaged)} of the {shards} shards in {self.folder}, with {lost} of "
            f"{lost + samples} samples: {reasons}; restore them from a copy, or collect again",
            DamagedShardWarning,
        )

    def to_pandas(self) -> pd.DataFrame:
        """Return a pandas data frame with one row per sample, as `sample_row` describes it.

        Every sample is read, but only numbers about it are kept.
        """
        import pandas as pd

        return pd.DataFrame([sample_row(sample) for sample in self])

    def _facts(self) -> dict[str, object]:
        return {
            "folder": str(self.folder),
            "samples": len(self),
            "instances": len(self.manifest.instances),
            "trees": int(self._first_tree[-1]),
            "expert": self.manifest.config.get("expert", "full"),
            "blocks": [block.name for block in self.blocks],
            "damaged": len(self.damaged),
        }

    @property
    def blocks(self) -> tuple[BlockSchema, ...]:
        """Blocks recorded beside the state."""
        return self.manifest.schema.blocks

    def __len__(self) -> int:
        return int(self._end[-1]) if len(self._end) else 0

    def _place(self, index: int) -> tuple[int, int, int]:
        """Return the shard, record batch and line of a sample."""
        place = index + len(self) if index < 0 else index
        if not 0 <= place < len(self):
            raise IndexError(f"there is no sample {index} among {len(self)}")
        tree = int(np.searchsorted(self._end, place, side="right"))
        shard = int(np.searchsorted(self._first_tree, tree, side="right")) - 1
        batch = tree - int(self._first_tree[shard])
        table = self.manifest.shards[shard].trees
        line = place - int(self._end[tree]) + int(table.samples[batch])
        return shard, batch, line + (not table.root_labelled[batch])

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> list[Sample]: ...
    def __getitem__(self, index: int | slice) -> Sample | list[Sample]:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        shard, batch, line = self._place(index)
        tree = self.manifest.shards[shard].trees[batch]
        with self._naming(tree):
            part = self._part(shard, batch)
            return Sample(
                state=part.state(line),
                **part.label(line),
                **part.place(line),
                is_child_of_labelled=part.is_child_of_labelled(line),
                tree=tree,
                scip_seed=part.scip_seed,
            )

    def __iter__(self) -> Iterator[Sample]:
        return (self[position] for position in range(len(self)))

    def root_state(self, index: int) -> BranchingState:
        """Return the state of the root (first branching node) of the tree of a sample."""
        shard, batch, _ = self._place(index)
        with self._naming(self.manifest.shards[shard].trees[batch]):
            return self._part(shard, batch).state(0)

    def nodes_beside(self, index: int) -> list[NodePosition]:
        """Return the positions of all labelled nodes in the same part of the tree as a sample."""
        shard, batch, _ = self._place(index)
        table = self.manifest.shards[shard].trees
        with self._naming(table[batch]):
            part = self._part(shard, batch)
            first = int(not table.root_labelled[batch])
            places = map(part.place, range(first, first + int(table.samples[batch])))
            return [NodePosition(**place) for place in places]

    @contextmanager
    def _naming(self, tree: TreeEntry) -> Iterator[None]:
        try:
            yield
        except ValueError as error:
            raise SampleError(
                f"{self.folder} is damaged at {tree.instance}, episode {tree.episode}: {error}"
            ) from error

    def _open_shard(self, number: int) -> Shard:
        return Shard(self.folder / self.manifest.shards[number].file)

    def _decode_part(self, shard: int, number: int) -> DecodedPart:
        batch = self._shard(shard).batch(number)
        if TreeEntry.of(batch) != self.manifest.shards[shard].trees[number]:
            raise ValueError("it is not the tree that the manifest describes")
        return DecodedPart(batch, blocks=self.blocks, finite=self._finite)
