"""Mutated inputs in a process of its own: ``python -m mutations.harness SEED COUNT [FORMAT…]``.

It prints a line for each format, so that a crash shows in which one it was.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any

import numpy as np
from mutations.formats import FORMATS, Format
from mutations.mutate import mutated

from milplib.errors import MilplibError
from milplib.execution.memory import peak_memory

TIME_LIMIT = 10
"""Seconds that an input may take."""
MEMORY_LIMIT = 1000
"""MB that the process may have used at its largest."""


class HangError(Exception):
    pass


def _hang(*_: object) -> None:
    raise HangError


def canonical(value: object) -> str:
    """Values as JSON, in which 1, 1.0 and true differ."""
    return json.dumps(value, sort_keys=True, default=repr)


def _problem(form: Format, folder: Path, name: str) -> str | None:
    """Read a mutated file; return what is wrong, the empty text if it was refused, or None."""
    try:
        read = form.read(folder, name)
    except MilplibError as error:
        is_whole = str(error) and len(str(error)) < 5000
        return "" if is_whole else f"the message has {len(str(error))} characters"
    except HangError:
        return f"more than {TIME_LIMIT} s"
    except BaseException:
        return traceback.format_exc(limit=-4)
    if form.said is None:
        return None
    try:
        said = form.said(folder, name)
    except Exception as error:
        return f"accepted, but an independent reader refuses it: {error!r}"
    if canonical(read) != canonical(said):
        return "accepted, but something was lost or changed"
    return None


def run(form: Format, *, seed: int, count: int, place: Path) -> dict[str, Any]:
    """Read mutations of a format; return their numbers and what was wrong."""
    valid, folder = place / "valid", place / "mutated"
    for copy in (valid, folder):
        copy.mkdir()
        form.write(copy)
    originals = {name: (valid / name).read_bytes() for name in form.files}
    for name in form.files:
        assert _problem(form, folder, name) is None, f"{form.name}: {name} is not valid"
    signal.signal(signal.SIGALRM, _hang)
    refused, accepted, failures = 0, 0, []
    for number in range(count):
        draw = np.random.RandomState(np.random.MT19937(np.random.SeedSequence([seed, number])))
        name = form.files[number % len(form.files)]
        (folder / name).write_bytes(mutated(originals[name], draw, is_text=form.is_text))
        # The alarm wakes Python; a hang in C ends the process.
        faulthandler.dump_traceback_later(2 * TIME_LIMIT, exit=True)
        signal.alarm(TIME_LIMIT)
        problem = _problem(form, folder, name)
        signal.alarm(0)
        faulthandler.cancel_dump_traceback_later()
        refused, accepted = refused + (problem == ""), accepted + (problem is None)
        if problem:
            failures.append({"seed": seed, "number": number, "file": name, "problem": problem})
        (folder / name).write_bytes(originals[name])
    return {"refused": refused, "accepted": accepted, "failures": failures, "memory": peak_memory()}


def main() -> None:
    faulthandler.enable()
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    report = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # HiGHS prints its version on standard output
    for name in sys.argv[3:] or FORMATS:
        with tempfile.TemporaryDirectory() as place:
            found = run(FORMATS[name], seed=seed, count=count, place=Path(place))
        print(json.dumps({"format": name, **found}), file=report, flush=True)


if __name__ == "__main__":
    main()
