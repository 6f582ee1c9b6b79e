"""The command line in a process of its own, forked from one that has the packages imported.

Importing what a command needs takes longer than most commands. A server process does so once;
every command then is a fork of it, with a folder, an environment and streams of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

TIME_LIMIT = 300.0

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(
    ["milplib.cli.app", "milplib.evaluation", "milplib.generators", "milplib.learn", "pandas"]
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
    *arguments: object, cwd: Path | None = None, warnings_are_errors: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run ``milplib`` with arguments, in a folder; give its exit code and what it printed."""
    words = [str(argument) for argument in arguments]
    with tempfile.TemporaryDirectory() as folder:
        streams = Path(folder, "stdout"), Path(folder, "stderr")
        process = _SERVER.Process(
            target=_run_here,
            args=(words, cwd or Path.cwd(), dict(os.environ), streams, warnings_are_errors),
        )
        process.start()
        process.join(TIME_LIMIT)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(words, TIME_LIMIT)
        stdout, stderr = (stream.read_text() for stream in streams)
        return subprocess.CompletedProcess(words, process.exitcode, stdout, stderr)


def _run_here(
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    streams: Sequence[Path],
    warnings_are_errors: bool,
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    for descriptor, path in enumerate(streams, start=1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), descriptor)
    if warnings_are_errors:
        warnings.simplefilter("error")
    from milplib.cli import main

    main(arguments)
