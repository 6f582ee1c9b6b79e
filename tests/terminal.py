"""The command line in a terminal of a given width."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import tempfile
import termios
import threading
from pathlib import Path

import pytest
from command_line import STREAMS, TIME_LIMIT, start_forked

_SIZES = ("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR")
_STYLE = re.compile(r"\x1b\[[0-9;]*m")


def run_in_terminal(
    *arguments: object, columns: int = 80, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``milplib`` with a terminal as stdout; give what it shows, without styles."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    shown: list[bytes] = []
    reader = threading.Thread(target=_read_all, args=(master, shown))
    reader.start()
    try:
        with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
            for name in _SIZES:
                patch.delenv(name, raising=False)
            patch.setenv("TERM", "xterm")
            stdout, stderr = (Path(folder, name) for name in STREAMS)
            stdout.symlink_to(os.ttyname(slave))
            process = start_forked(*arguments, streams=Path(folder), cwd=cwd)
            process.join(TIME_LIMIT)
            if process.exitcode is None:
                process.kill()
                process.join()
                raise subprocess.TimeoutExpired([str(a) for a in arguments], TIME_LIMIT)
            errors = stderr.read_text()
    finally:
        os.close(slave)  # the reader sees the end once no process has the terminal
        reader.join()
        os.close(master)
    text = _STYLE.sub("", b"".join(shown).decode()).replace("\r\n", "\n")
    return subprocess.CompletedProcess([*map(str, arguments)], process.exitcode, text, errors)


def _read_all(descriptor: int, parts: list[bytes]) -> None:
    try:
        while part := os.read(descriptor, 65536):
            parts.append(part)
    except OSError:  # how Linux tells the end of a terminal
        return
