"""What the tests of samples share: states to record, and sets of samples on disk."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from milplib.files import file_sha256
from milplib.scip import (
    BranchingState,
    load_state_functions,
)

FUNCTIONS = load_state_functions(["pseudocost", "tree"])


def assert_equal_states(one: BranchingState, other: BranchingState) -> None:
    for name in ("variable_features", "row_features", "edge_index", "edge_features", "candidates"):
        left, right = getattr(one, name), getattr(other, name)
        assert left.dtype == right.dtype, name
        assert np.array_equal(left, right), name
    assert one.has_incumbent == other.has_incumbent
    assert one.blocks.keys() == other.blocks.keys()
    for name in one.blocks:
        assert np.array_equal(one.blocks[name], other.blocks[name]), name


def rewrite(folder: Path, change: Callable[..., Any]) -> None:
    """Change a column of the first batch, and the checksums with it: a hostile file."""
    path = folder / "shard-00000.arrow"
    with pa.ipc.open_file(pa.BufferReader(path.read_bytes())) as file:
        batches = [file.get_batch(number) for number in range(file.num_record_batches)]
        schema = file.schema
    columns = {name: batches[0].column(name).to_pylist() for name in schema.names}
    change(columns)
    batches[0] = pa.record_batch(
        [pa.array(columns[field.name], type=field.type) for field in schema], schema=schema
    )
    with pa.ipc.new_file(path, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["shards"][0]["bytes"] = path.stat().st_size
    manifest["shards"][0]["sha256"] = file_sha256(path)
    (folder / "manifest.json").write_text(json.dumps(manifest))
