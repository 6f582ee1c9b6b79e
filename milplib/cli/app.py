"""The program: its commands, and how it ends."""

from __future__ import annotations

import io
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter

from milplib.cli import (
    evaluation,
    hardness,
    instances,
    natives,
    samples,
    solving,
    status,
    study,
    system,
    training,
    tree,
)
from milplib.errors import MilplibError, MilplibWarning
from milplib.version import __version__

__all__ = ["main"]

app = App(
    name="milplib",
    help="Learning to branch in mixed-integer programming.",
    version=__version__,
    suppress_keyboard_interrupt=False,  # said below, in milplib's own words
)
for command in (
    instances.generate,
    instances.fetch,
    instances.list_distributions,
    instances.info,
    hardness.measure,
    samples.collect,
    solving.solve,
    training.train,
    natives.natives,
    evaluation.evaluate,
    evaluation.report,
    study.run,
    tree.tree,
    status.status,
    system.doctor,
):
    app.command(command, name="list" if command is instances.list_distributions else None)
app.command(samples.samples_app)
app.command(solving.policy_app)


@app.meta.default
def _launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    debug: Annotated[bool, Parameter(negative="")] = False,
) -> int:
    """Run a command.

    Parameters
    ----------
    debug
        Show the traceback of an error.
    """
    try:
        result = app(tokens, exit_on_error=False, print_error=False, result_action="return_value")
    except BrokenPipeError:
        raise
    except (CycloptsError, MilplibError) as error:
        return _complain(error, debug=debug, code=2)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        problem = MilplibError(f"{place}{error.strerror or error}")
        return _complain(problem.with_traceback(error.__traceback__), debug=debug, code=2)
    except Exception as error:  # a defect, but the user still gets one line, and a way to more
        return _complain(error, debug=debug, code=1)
    except KeyboardInterrupt:
        print("milplib: interrupted; what was finished is kept", file=sys.stderr)
        return 130
    return result if isinstance(result, int) else 0


def _complain(error: Exception, *, debug: bool, code: int) -> int:
    """Print an error as one line, after its traceback if that is wanted; give the exit code."""
    if debug:
        traceback.print_exception(error)
    message = " ".join(str(error).split())
    if code == 1:
        message = f"unexpected {type(error).__name__}: {message}; --debug shows where"
    print(f"milplib: error: {message}", file=sys.stderr)
    return code


def _warning_line(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    line: str | None = None,
) -> str:
    """Say milplib's own warnings as a line, without the place in the code that others have."""
    if issubclass(category, MilplibWarning):
        return f"milplib: warning: {' '.join(str(message).split())}\n"
    return f"{filename}:{lineno}: {category.__name__}: {message}\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program and exit: 0 done, 2 bad input, 130 interrupted, 1 anything else.

    Parameters
    ----------
    arguments
        The command line without the program's name; ``sys.argv[1:]`` if not given.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # names may hold what it cannot encode
    warnings.formatwarning = _warning_line
    if sys.stdout is None:  # closed by the caller
        sys.stdout = io.StringIO()
    try:
        code = app.meta(
            arguments, exit_on_error=False, print_error=False, result_action="return_value"
        )
        sys.stdout.flush()
    except CycloptsError as error:
        code = _complain(error, debug=False, code=2)
    except BrokenPipeError:
        # The reader of our output has left (`milplib list | head`): no error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)
