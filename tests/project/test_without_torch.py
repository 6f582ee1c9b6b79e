"""Everything but training works where torch is not installed."""

from __future__ import annotations

import subprocess
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from milplib.policies import PolicyFile, gcnn_shapes, write_policy

pytestmark = pytest.mark.slow

TORCH = ("torch", "functorch", "pyg_lib", "nvidia", "triton")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that holds all that this one holds, but torch and what stands on it."""
    folder = tmp_path_factory.mktemp("without-torch") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    (target,) = folder.glob("lib/python*/site-packages")
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not path.name.startswith(TORCH) and not (target / path.name).exists():
            (target / path.name).symlink_to(path)
    return folder


def test_all_commands_but_train(
    environment: Path, run: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    rng = np.random.RandomState(0)
    tensors = {
        name: rng.normal(scale=0.2, size=shape).astype(np.float32)
        for name, shape in gcnn_shapes(8).items()
    }
    write_policy(
        tmp_path / "drawn.safetensors",
        PolicyFile(architecture="gcnn", hyperparameters={"hidden": 8}, tensors=tensors),
    )
    python = environment / "bin" / "python"

    def milplib(*arguments: str, check: bool = True) -> Any:
        return run(python, "-m", "milplib.cli", *arguments, cwd=tmp_path, check=check)

    assert run(python, "-c", "import torch", cwd=tmp_path, check=False).returncode != 0
    for split in ("train", "test"):
        milplib("generate", "CA-milplib-small", "--split", split, "--count", "1", "--out", "ca")
    milplib("collect", "ca", "--out", "samples", "--samples-per-instance", "2",
            "--expert-probability", "1")  # fmt: skip
    milplib("samples", "inspect", "samples")
    milplib("policy", "info", "drawn.safetensors")
    (instance,) = (tmp_path / "ca" / "test").glob("*.lp")
    milplib("solve", str(instance), "--policy", "drawn.safetensors")
    milplib("evaluate", "ca", "--policy", "drawn.safetensors", "--out", "results")
    milplib("report", "results")
    assert (tmp_path / "results" / "report.html").stat().st_size > 1000
    assert '"torch": null' in milplib("doctor", "--json").stdout

    done = milplib("train", "samples", "--out", "gcnn.safetensors", check=False)
    assert done.returncode == 2
    assert 'pip install "milplib[learn]"' in done.stdout
    assert len(done.stdout.splitlines()) == 1
