"""The command line in a process of its own, forked from one that has the packages imported.

Importing what a command needs takes longer than most commands. A server process does so once;
every command then is a fork of it, with a folder, an environment and streams of its own.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

TIME_LIMIT = 300.0
STREAMS = ("stdout", "stderr")

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(
    [
        "milplib.cli.app",
        "milplib.evaluation",
        "milplib.generators",
        "milplib.hardness",
        "milplib.learn.training",  # torch, the longest of all
        "milplib.report",
        "milplib.study",
        "matplotlib.backends.backend_svg",
        "matplotlib.figure",
        "pandas",
        "scipy.stats",
    ]
)


def run_afresh(
    *arguments: object, cwd: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run ``milplib`` in a new interpreter, with more environment variables."""
    return subprocess.run(
        [sys.executable, "-m", "milplib.cli", *map(str, arguments)],
        cwd=cwd,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT,
        check=False,
    )


def run_forked(
    *arguments: object,
    cwd: Path | None = None,
    warnings_are_errors: bool = False,
    modules: Path | None = None,
    code: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run ``milplib`` with arguments, in a folder; give its exit code and what it printed.

    It can import from a folder of modules. With code, run that with these arguments instead.
    """
    words = [str(argument) for argument in arguments]
    with tempfile.TemporaryDirectory() as folder:
        process = start_forked(
            *arguments,
            streams=Path(folder),
            cwd=cwd,
            warnings_are_errors=warnings_are_errors,
            modules=modules,
            code=code,
        )
        process.join(TIME_LIMIT)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(words, TIME_LIMIT)
        stdout, stderr = (Path(folder, name).read_text() for name in STREAMS)
        return subprocess.CompletedProcess(words, process.exitcode, stdout, stderr)


def start_forked(
    *arguments: object,
    streams: Path,
    cwd: Path | None = None,
    warnings_are_errors: bool = False,
    modules: Path | None = None,
    code: str | None = None,
) -> BaseProcess:
    """Start what `run_forked` runs; its output goes to the files STREAMS of a folder."""
    process = _SERVER.Process(
        target=_run_here,
        args=(
            [str(argument) for argument in arguments],
            cwd or Path.cwd(),
            dict(os.environ),
            [streams / name for name in STREAMS],
            warnings_are_errors,
            modules,
            code,
        ),
    )
    process.start()
    return process


def _run_here(
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    streams: Sequence[Path],
    warnings_are_errors: bool,
    modules: Path | None,
    code: str | None,
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for descriptor, path in enumerate(streams, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOCTTY), descriptor)
    # The server's own streams remember that they can seek, which a terminal cannot.
    sys.stdout, sys.stderr = (
        io.TextIOWrapper(io.BufferedWriter(io.FileIO(n, "w", closefd=False)), encoding="utf-8")
        for n in (1, 2)
    )
    if warnings_are_errors:
        warnings.simplefilter("error")
    if modules:
        sys.path.insert(0, str(modules))
    if code is not None:
        sys.argv = ["-c", *arguments]
        exec(code, {"__name__": "__main__"})
        return
    from milplib.cli import main

    main(arguments)
