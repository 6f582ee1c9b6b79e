"""The program ``milplib``: its commands and exit codes."""

from __future__ import annotations

import io
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter

from milplib.cli import best_scip_rule, hardness, instances, status, study, system
from milplib.errors import MilplibError, MilplibWarning
from milplib.escaping import terminal_safe
from milplib.version import __version__

__all__ = ["LAZY", "main"]

app = App(
    name="milplib",
    help="Learning to branch in mixed-integer programming.",
    version=__version__,
    suppress_keyboard_interrupt=False,  # reported below in one line
)
for command in (
    instances.generate,
    instances.fetch,
    instances.list_distributions,
    instances.info,
    hardness.measure,
    best_scip_rule.best_scip_rule,
    study.run,
    status.status,
    system.doctor,
):
    app.command(command, name="list" if command is instances.list_distributions else None)
app.command(best_scip_rule.best_scip_rule, name="natives", show=False)  # its earlier name
# Imported on use: their help names the declared kinds of models, the shipped policies and the
# blocks, whose packages take long to import and may be broken when `doctor` is asked.
LAZY = {
    "milplib.cli.training:train": "Train a policy on folders of samples.",
    "milplib.cli.samples:collect": "Collect strong-branching samples from folders of instances.",
    "milplib.cli.samples:samples_app": "Inspect folders of samples.",
    "milplib.cli.solving:solve": "Solve an instance and print the result.",
    "milplib.cli.solving:policy_app": "Inspect shipped policies and policy files.",
    "milplib.cli.evaluation:evaluate": ("Compare policies on folders of instances by paired runs."),
    "milplib.cli.evaluation:report": "Write the report of a finished or running evaluation.",
    "milplib.cli.tree:tree": "Solve an instance and draw its branch-and-bound tree.",
}
"""First lines of the help of commands that are imported on use, by where they are."""
for place, about in LAZY.items():
    app.command(place, name=place.partition(":")[2].removesuffix("_app"), help=about)


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
    except Exception as error:  # a defect; --debug shows its traceback
        return _complain(error, debug=debug, code=1)
    except KeyboardInterrupt:
        print("milplib: interrupted; what was finished is kept", file=sys.stderr)
        return 130
    return result if isinstance(result, int) else 0


def _complain(error: Exception, *, debug: bool, code: int) -> int:
    """Print an error as one line, with `debug` after its traceback; return the exit code."""
    if debug:
        traceback.print_exception(error)
    message = terminal_safe(" ".join(str(error).split()))
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
    """Format milplib's own warnings as one line without a place in the code."""
    if issubclass(category, MilplibWarning):
        return f"milplib: warning: {terminal_safe(' '.join(str(message).split()))}\n"
    return f"{filename}:{lineno}: {category.__name__}: {message}\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program and exit with 0 (done), 2 (bad input), 130 (interrupted) or 1 (otherwise).

    Parameters
    ----------
    arguments
        Command line without the name of the program. Default: ``sys.argv[1:]``.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # some names cannot be encoded
    warnings.formatwarning = _warning_line
    if sys.stdout is None:  # closed by the caller
        sys.stdout = io.StringIO()
    try:
        code = app.meta(
            arguments, exit_on_error=False, print_error=False, result_action="return_value"
        )
        sys.stdout.flush()
    except (CycloptsError, MilplibError) as error:  # includes a broken model of a third party
        code = _complain(error, debug=False, code=2)
    except BrokenPipeError:
        # The reader of the output has closed it (`milplib list | head`): not an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)
