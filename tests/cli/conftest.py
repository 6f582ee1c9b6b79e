"""The command line in a process of its own, as a user runs it."""

from __future__ import annotations

import subprocess
import sys


def run(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "milplib.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        **options,
    )


def succeed(*arguments):
    done = run(*arguments)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout


def fail(*arguments, naming):
    """Exit code 2, and one line on stderr that names the culprit."""
    done = run(*arguments)
    assert done.returncode == 2, (done.stdout, done.stderr)
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("milplib: error: ")
    assert naming in lines[0]
    return lines[0]
