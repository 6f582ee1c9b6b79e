"""Call in a child process of a Dask worker. Without Dask imports, so that it starts quickly."""

from __future__ import annotations

import os
import sys
from typing import Any

from milplib.execution.processes import described_error

__all__ = ["make_call"]


def make_call(call: bytes, path: tuple[str, ...], folder: str) -> bytes:
    """Make a call as the run's own process would.

    Parameters
    ----------
    call
        Pickled function and argument.
    path, folder
        Module search path and working directory of the run's process, used where they exist.

    Returns
    -------
    bytes
        Pickled tuple: whether the call succeeded, its result or error, and the error's traceback.

    Examples
    --------
    >>> import cloudpickle
    >>> cloudpickle.loads(make_call(cloudpickle.dumps((abs, -1)), (), os.getcwd()))
    (True, 1, '')
    """
    import cloudpickle

    sys.path += [entry for entry in path if entry not in sys.path and os.path.exists(entry)]
    if os.path.isdir(folder):
        os.chdir(folder)
    outcome: tuple[bool, Any, str]
    try:
        function, argument = cloudpickle.loads(call)
        outcome = (True, function(argument), "")
        return bytes(cloudpickle.dumps(outcome))
    except (MemoryError, SystemExit):
        raise  # the parent reports how the process ended
    except BaseException as error:  # the run's process handles every other error
        return bytes(cloudpickle.dumps((False, *described_error(error))))
