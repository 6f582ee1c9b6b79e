"""The checkout, as the tests of the project see it."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from slow_parameters import slow_where

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("milplib", "generators", "learn")


def _module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts if parts[0] == "milplib" else ("milplib", *parts)
    return ".".join(part for part in parts if part != "__init__")


MODULES = {
    _module_name(path): path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for `each_module` once a module of milplib, by imported name."""
    if "each_module" in metafunc.fixturenames:
        long = getattr(metafunc.module, "LONG", ())
        metafunc.parametrize("each_module", slow_where(long, MODULES))


@pytest.fixture(scope="session")
def modules() -> dict[str, Path]:
    """The files of milplib's modules, by imported name."""
    return MODULES


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout's folder."""
    return ROOT


@pytest.fixture(scope="session")
def pyproject() -> dict[str, Any]:
    """The content of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="session")
def tracked_files() -> list[Path]:
    """Files that git tracks or would track, relative to the checkout."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip(f"not a git checkout: {listed.stderr.strip()}")
    names = filter(None, listed.stdout.split("\0"))
    return [Path(name) for name in names if (ROOT / name).is_file()]


@pytest.fixture(scope="session")
def committed_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what HEAD holds, without git's own files."""
    folder = tmp_path_factory.mktemp("committed")
    archive = folder.with_suffix(".tar")
    command = ["git", "archive", "--output", str(archive), "HEAD"]
    archived = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if archived.returncode != 0:
        pytest.skip(f"not a git checkout: {archived.stderr.strip()}")
    with tarfile.open(archive) as stream:
        stream.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="session")
def run() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command with this environment's commands first in PATH; its output is text.

    The command must succeed, unless ``check=False``. Keywords beside `cwd` and `check` are
    environment variables.
    """

    def run_command(
        *command: str | os.PathLike[str], cwd: Path, check: bool = True, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**os.environ, "PATH": path, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if check and done.returncode != 0:
            words = " ".join(map(str, command))
            pytest.fail(f"{words}: exit code {done.returncode}\n{done.stdout}", pytrace=False)
        return done

    return run_command
