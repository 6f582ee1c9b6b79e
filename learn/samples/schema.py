"""The form of a sample shard: an Arrow file, a record batch a tree, a line a node.

A batch holds one tree, or one part of it: a restart of the solve begins a new part. Its first
line is the part's root state (the first branching node that was seen), labelled or not; the
lines after it are labelled nodes. What never changes within the part stands in the first line
alone: the static features of the columns, and a pool of all rows that any of the nodes has. A
node names its rows by their places in the pool, and holds only what a node can change.

Positions that mostly ascend (the columns of the pool's entries, a node's rows) are kept as steps,
each from the position before it, the first from 0: these compress better.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa

from milplib.errors import SampleError
from milplib.learn.samples.features import (
    NODE_ROWS,
    NODE_VARIABLES,
    POOL_ROWS,
    STATIC_VARIABLES,
)
from milplib.scip import STATE_VERSION, BlockSchema, StateFunction
from milplib.scip.versions import is_compatible, scip_major_version

__all__ = [
    "SAMPLE_VERSION",
    "SampleSchema",
]

SAMPLE_VERSION = 2
"""Raised whenever the form of a shard changes."""

FORMAT = "milplib-samples"
_METADATA_KEY = b"milplib"


@dataclass(frozen=True)
class SampleSchema:
    """What a shard's samples consist of, with the versions of every part.

    Parameters
    ----------
    blocks
        The blocks recorded beside the state.
    sample_version
        `SAMPLE_VERSION` when it was written.
    state_version
        `milplib.scip.STATE_VERSION` when it was written.
    scip_major
        Major version of the SCIP that the states come from, whose meaning of some features
        (implied integers) depends on it.
    """

    blocks: tuple[BlockSchema, ...] = ()
    sample_version: int = SAMPLE_VERSION
    state_version: int = STATE_VERSION
    scip_major: int = field(default_factory=scip_major_version)

    @classmethod
    def of(cls, functions: Iterable[StateFunction]) -> SampleSchema:
        """Describe samples with the blocks of these state functions."""
        return cls(blocks=tuple(BlockSchema.of(function) for function in functions))

    def arrow(self) -> pa.Schema:
        """Arrow's schema of a shard, with this description in its metadata."""
        static = [
            pa.field(name, kind)
            for name, kind in (
                ("instance", pa.string()),
                ("instance_hash", pa.string()),
                ("episode", pa.int32()),
                ("scip_seed", pa.int32()),
                ("part", pa.int32()),
                ("pool_length", pa.list_(pa.int32())),
                ("pool_column_steps", pa.list_(pa.int32())),
                ("pool_value", pa.list_(pa.float32())),
            )
        ]
        static += [*STATIC_VARIABLES.fields(nullable=True), *POOL_ROWS.fields(nullable=True)]
        node = [
            pa.field(name, kind, nullable=False)
            for name, kind in (
                ("node", pa.int64()),
                ("parent", pa.int64()),
                ("depth", pa.int32()),
                ("is_child_of_labelled", pa.bool_()),
                ("has_incumbent", pa.bool_()),
                ("candidates", pa.list_(pa.int32())),
                ("row_steps", pa.list_(pa.int32())),
                *((f"block_{block.name}", pa.list_(pa.float32())) for block in self.blocks),
            )
        ]
        node += [*NODE_VARIABLES.fields(nullable=False), *NODE_ROWS.fields(nullable=False)]
        label = [
            pa.field("scores", pa.list_(pa.float64())),
            pa.field("valid", pa.list_(pa.bool_())),
            pa.field("chosen", pa.int32()),
        ]
        return pa.schema(
            [*static, *node, *label],
            metadata={_METADATA_KEY: json.dumps(self.as_json(), sort_keys=True)},
        )

    def as_json(self) -> dict[str, Any]:
        """Give the description as JSON values."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_json(cls, found: Any, *, where: str) -> SampleSchema:
        """Read a description and check that this milplib understands it.

        Raises
        ------
        SampleError
            If it is none, or of other versions than this milplib and its SCIP.
        """
        try:
            if found["format"] != FORMAT:
                raise KeyError("format")
            description = cls(
                blocks=tuple(map(BlockSchema.from_json, found["blocks"])),
                sample_version=int(found["sample_version"]),
                state_version=int(found["state_version"]),
                scip_major=int(found["scip_major"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise SampleError(f"{where} does not describe milplib samples") from error
        description._check_versions(where)
        return description

    @classmethod
    def from_arrow(cls, schema: pa.Schema, *, where: str) -> SampleSchema:
        """Read the description of a shard and check it, as `from_json` does, and the columns."""
        try:
            found = json.loads((schema.metadata or {})[_METADATA_KEY])
        except (KeyError, ValueError) as error:
            raise SampleError(f"{where} is not a shard of milplib samples") from error
        description = cls.from_json(found, where=where)
        if not schema.equals(description.arrow(), check_metadata=False):
            raise SampleError(f"{where} has other columns than its schema version says")
        return description

    def _check_versions(self, where: str) -> None:
        ours = SampleSchema()
        for key, meaning in (
            ("sample_version", "sample schema version"),
            ("state_version", "state schema version"),
            ("scip_major", "SCIP major version"),
        ):
            written = getattr(self, key)
            is_readable = (
                is_compatible(written) if key == "scip_major" else written == getattr(ours, key)
            )
            if not is_readable:
                raise SampleError(
                    f"{where} has {meaning} {written}, this milplib reads "
                    f"{getattr(ours, key)}: collect again, or install the milplib and SCIP that "
                    "wrote it"
                )
