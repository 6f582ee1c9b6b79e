"""The form of a sample shard: an Arrow file, a record batch a tree, a line a node.

A batch holds one tree, or one part of it: a restart of the solve begins a new part. Its first
line is the part's root state (the first branching node that was seen), labelled or not; the
lines after it are labelled nodes. What never changes within the part stands in the first line
alone: the static features of the columns, and a pool of all rows that any of the nodes has. A
node names its rows by their places in the pool, and holds only what a node can change.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

import pyarrow as pa

from milplib.errors import SampleError
from milplib.scip import (
    ROW_FEATURES,
    STATE_VERSION,
    VARIABLE_FEATURES,
    BlockSchema,
    StateFunction,
)
from milplib.scip.versions import scip_major_version

__all__ = [
    "NODE_ROW_COLUMNS",
    "NODE_VARIABLE_COLUMNS",
    "POOL_ROW_COLUMNS",
    "SAMPLE_VERSION",
    "STATIC_VARIABLE_COLUMNS",
    "SampleSchema",
]

SAMPLE_VERSION = 1
"""Raised whenever the form of a shard changes."""

FORMAT = "milplib-samples"
_METADATA_KEY = b"milplib"

STATIC_VARIABLE_COLUMNS = VARIABLE_FEATURES[:5]
"""Variable features that do not change within a part of a tree."""
NODE_VARIABLE_COLUMNS = VARIABLE_FEATURES[5:]
"""Variable features of a node."""
POOL_ROW_COLUMNS = ROW_FEATURES[:2]
"""Row features that belong to a row of the pool, as its edges do."""
NODE_ROW_COLUMNS = ROW_FEATURES[2:]
"""Row features of a node."""

_FLAGS = ("has_", "is_")


def _feature_type(name: str) -> pa.DataType:
    # A flag is one bit in Arrow: a set cover's 10 flags shrink to a third of a float.
    return pa.list_(pa.bool_() if name.startswith(_FLAGS) else pa.float32())


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
            ("instance", pa.string()),
            ("instance_hash", pa.string()),
            ("episode", pa.int32()),
            ("scip_seed", pa.int32()),
            ("part", pa.int32()),
            *((f"static_{name}", _feature_type(name)) for name in STATIC_VARIABLE_COLUMNS),
            ("pool_start", pa.list_(pa.int32())),
            ("pool_column", pa.list_(pa.int32())),
            ("pool_value", pa.list_(pa.float32())),
            *((f"pool_{name}", _feature_type(name)) for name in POOL_ROW_COLUMNS),
        ]
        node = [
            ("node", pa.int64()),
            ("parent", pa.int64()),
            ("depth", pa.int32()),
            ("is_child_of_labelled", pa.bool_()),
            ("has_incumbent", pa.bool_()),
            ("candidates", pa.list_(pa.int32())),
            ("rows", pa.list_(pa.int32())),
            *((f"variable_{name}", _feature_type(name)) for name in NODE_VARIABLE_COLUMNS),
            *((f"row_{name}", _feature_type(name)) for name in NODE_ROW_COLUMNS),
            *((f"block_{block.name}", pa.list_(pa.float32())) for block in self.blocks),
        ]
        label = [
            ("scores", pa.list_(pa.float64())),
            ("valid", pa.list_(pa.bool_())),
            ("chosen", pa.int32()),
        ]
        fields = [pa.field(name, kind, nullable=True) for name, kind in static]
        fields += [pa.field(name, kind, nullable=False) for name, kind in node]
        fields += [pa.field(name, kind, nullable=True) for name, kind in label]
        return pa.schema(
            fields, metadata={_METADATA_KEY: json.dumps(self.as_json(), sort_keys=True)}
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
            if getattr(self, key) != getattr(ours, key):
                raise SampleError(
                    f"{where} has {meaning} {getattr(self, key)}, this milplib reads "
                    f"{getattr(ours, key)}: collect again, or install the milplib and SCIP that "
                    "wrote it"
                )
