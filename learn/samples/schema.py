"""Format of a sample shard: an Arrow file with a record batch per tree and a line per node.

A batch holds one tree, or one part of it: a restart of the solve starts a new part. The first
line of a batch is the root state of the part (its first branching node), labelled or not. All
other lines are labelled nodes. Data that are constant within the part are in the first line only:
the static features of the columns, and a pool of all rows of its nodes. A node refers to its rows
by their positions in the pool, and holds only the features that change from node to node.

Positions that mostly ascend (the columns of the pool's entries, a node's rows) are stored as
steps, each from the previous position and the first from 0, because steps compress better.
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
from milplib.parsing import parse_json
from milplib.schema import conforming
from milplib.scip import STATE_VERSION, BlockSchema, StateFunction
from milplib.scip.versions import is_compatible, scip_major_version

__all__ = [
    "SAMPLE_VERSION",
    "SampleSchema",
]

SAMPLE_VERSION = 2
"""Version of the shard format; raised with every change."""

FORMAT = "milplib-samples"
_METADATA_KEY = b"milplib"


@dataclass(frozen=True)
class SampleSchema:
    """Schema of the samples of a shard, with its versions.

    Parameters
    ----------
    blocks
        Blocks recorded beside the state.
    sample_version
        `SAMPLE_VERSION` of the writer.
    state_version
        `milplib.scip.STATE_VERSION` of the writer.
    scip_major
        Major version of the writer's SCIP. The meaning of some features (implied integers)
        depends on it.
    """

    blocks: tuple[BlockSchema, ...] = ()
    sample_version: int = SAMPLE_VERSION
    state_version: int = STATE_VERSION
    scip_major: int = field(default_factory=scip_major_version)

    @classmethod
    def of(cls, functions: Iterable[StateFunction]) -> SampleSchema:
        """Return the schema of samples with the blocks of state functions."""
        return cls(blocks=tuple(BlockSchema.of(function) for function in functions))

    def arrow(self) -> pa.Schema:
        """Return the Arrow schema of a shard, with this schema in its metadata."""
        static = [
            pa.field(name, arrow_type)
            for name, arrow_type in (
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
            pa.field(name, arrow_type, nullable=False)
            for name, arrow_type in (
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

    def as_json(self) -> dict[str, object]:
        """Return the schema as JSON values."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_json(cls, values: Any, *, where: str) -> SampleSchema:
        """Read a schema and check that this milplib understands it.

        Raises
        ------
        SampleError
            If `values` is not a schema, or its versions are not those of this milplib and SCIP.
        """
        try:
            if values["format"] != FORMAT:
                raise KeyError("format")
            description = cls(
                blocks=tuple(map(BlockSchema.from_json, values["blocks"])),
                sample_version=conforming(values["sample_version"], int),
                state_version=conforming(values["state_version"], int),
                scip_major=conforming(values["scip_major"], int),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise SampleError(f"{where} does not describe milplib samples") from error
        description._check_versions(where)
        return description

    @classmethod
    def from_arrow(cls, schema: pa.Schema, *, where: str) -> SampleSchema:
        """Read the schema of a shard and check it like `from_json`; check its columns, too."""
        try:
            values = parse_json((schema.metadata or {})[_METADATA_KEY])
        except (KeyError, ValueError) as error:
            raise SampleError(f"{where} is not a shard of milplib samples") from error
        description = cls.from_json(values, where=where)
        if not schema.equals(description.arrow(), check_metadata=False):
            raise SampleError(f"{where} does not have the columns of its schema: collect again")
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
