"""Policy files: exact round trips, and one clear error for everything else."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from milplib.errors import PolicyError
from milplib.policies import load_policy, read_policy, write_policy

from .conftest import PSEUDOCOST, noise


def test_what_is_written_is_read_to_the_bit(tmp_path: Path) -> None:
    content = noise(blocks=(PSEUDOCOST,))
    write_policy(tmp_path / "a.safetensors", content)
    found = read_policy(tmp_path / "a.safetensors")
    assert found.tensors.keys() == content.tensors.keys()
    for name, tensor in content.tensors.items():
        assert found.tensors[name].tobytes() == tensor.tobytes()
    for field in dataclasses.fields(content):
        if field.name != "tensors":
            assert getattr(found, field.name) == getattr(content, field.name)
    write_policy(tmp_path / "b.safetensors", found)
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_a_policy_is_read_without_torch(noise_file: Path) -> None:
    code = (
        "import sys, milplib; policy = milplib.load_policy(sys.argv[1]); "
        "assert policy.name == 'noise'; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(noise_file)], check=True)


def test_a_file_cut_off_anywhere_is_refused(noise_file: Path, tmp_path: Path) -> None:
    content = noise_file.read_bytes()
    for length in (0, 3, 8, 100, len(content) // 2, len(content) - 1):
        (tmp_path / "cut.safetensors").write_bytes(content[:length])
        with pytest.raises(PolicyError, match=r"cut\.safetensors"):
            read_policy(tmp_path / "cut.safetensors")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x93NUMPY not a policy at all", "not a policy file"),
        (b"\xff" * 64, "not a policy file"),
        (b"\x80\x04\x95pickle", "not a policy file"),
    ],
)
def test_garbage_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(PolicyError, match=message):
        load_policy(tmp_path / "x.safetensors")


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="there is no policy file"):
        load_policy(tmp_path / "x.safetensors")
    with pytest.raises(PolicyError, match="is a folder"):
        load_policy(tmp_path)


def with_header(path: Path, **changes: Any) -> Path:
    header = {
        "format": "milplib-policy",
        "version": 1,
        "architecture": "gcnn",
        "hyperparameters": {"hidden": 16},
        "blocks": [],
        "provenance": {},
        "state_version": 1,
        "scip_major": read_policy(path).scip_major,
    }
    header = {key: value for key, value in (header | changes).items() if value is not None}
    target = path.with_name("changed.safetensors")
    save_file(dict(read_policy(path).tensors), target, metadata={"milplib": json.dumps(header)})
    return target


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "other"}, "not a milplib policy"),
        ({"version": 2}, "policy format 2"),
        ({"state_version": 0}, "state version 0"),
        ({"scip_major": 8}, "scip major 8"),
        ({"architecture": "transformer"}, "architecture 'transformer'"),
        ({"hyperparameters": {}}, "None hidden units"),
        ({"hyperparameters": {"hidden": -1}}, "-1 hidden units"),
        ({"hyperparameters": {"hidden": 32}}, "has shape"),
        ({"hyperparameters": None}, "header of .* is damaged"),
        ({"blocks": [{"name": "mine", "version": 1, "columns": ["a"]}]}, "block 'mine'"),
        ({"blocks": 3}, "header of .* is damaged"),
    ],
)
def test_a_header_that_does_not_fit_is_named(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    write_policy(tmp_path / "noise.safetensors", noise())
    with pytest.raises(PolicyError, match=message):
        load_policy(with_header(tmp_path / "noise.safetensors", **changes))


def test_weights_that_are_not_finite_or_not_float32_are_refused(tmp_path: Path) -> None:
    content = noise()
    tensors: dict[str, Any] = dict(content.tensors)
    tensors["head.0.bias"] = tensors["head.0.bias"].copy()
    tensors["head.0.bias"][1] = np.nan
    target = tmp_path / "nan.safetensors"
    with pytest.raises(PolicyError, match=r"'head\.0\.bias' .* not finite"):
        write_policy(target, dataclasses.replace(content, tensors=tensors))
    assert not target.exists()
    tensors["head.0.bias"] = np.zeros(16)
    with pytest.raises(PolicyError, match="float64"):
        write_policy(target, dataclasses.replace(content, tensors=tensors))
