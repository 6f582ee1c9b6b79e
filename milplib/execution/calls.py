"""Open calls of an executor: waiting or running, by their futures."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Lock
from typing import Any

__all__ = ["Call", "OpenCalls"]


@dataclass(eq=False)
class Call:
    """Call to a function in a worker process.

    Parameters
    ----------
    content
        Pickled function and arguments.
    future
        Future that receives the result.
    is_unwanted
        Whether the caller has abandoned the call.
    """

    content: bytes
    future: Future[Any]
    is_unwanted: bool = False


class OpenCalls:
    """Waiting and running calls. Hold the `lock` for `add` and `cancel_waiting`.

    Examples
    --------
    >>> calls, call = OpenCalls(), Call(b"", Future())
    >>> calls.add(call)
    >>> calls.n_waiting, calls.next() is call, calls.n_waiting, bool(calls)
    (1, True, 0, True)
    >>> calls.finish(call, result=1)
    >>> call.future.result(), bool(calls)
    (1, False)
    """

    def __init__(self) -> None:
        self.lock = Lock()
        self._waiting: deque[Call] = deque()
        self._open: dict[Future[Any], Call] = {}

    def __bool__(self) -> bool:
        return bool(self._open)

    @property
    def n_waiting(self) -> int:
        """Number of calls that have not started."""
        return len(self._waiting)

    def add(self, call: Call) -> None:
        """Append a call to the waiting ones; hold the lock."""
        self._waiting.append(call)
        self._open[call.future] = call

    def cancel_waiting(self) -> None:
        """Cancel all calls that have not started; hold the lock."""
        for call in self._waiting:
            call.future.cancel()

    def abandon(self, future: Future[Any]) -> bool:
        """Cancel a call. If it has started, mark it as unwanted and return True."""
        if future.cancel() or (call := self._open.get(future)) is None:
            return False
        call.is_unwanted = True
        return True

    def drop_cancelled(self) -> None:
        """Remove cancelled calls from the waiting ones."""
        with self.lock:
            for call in [call for call in self._waiting if call.future.cancelled()]:
                self._waiting.remove(call)
                self._open.pop(call.future, None)
                call.future.set_running_or_notify_cancel()

    def next(self) -> Call | None:
        """Take the first waiting call that was not cancelled; return None if there is none."""
        while self._waiting:
            call = self._waiting.popleft()
            if call.future.set_running_or_notify_cancel():
                return call
            self._open.pop(call.future, None)
        return None

    def fail_waiting(self, error: BaseException) -> None:
        """End all waiting calls with an error."""
        while self._waiting:
            self.finish(self._waiting.popleft(), error=error)

    def fail_all(self, error: BaseException) -> None:
        """End all calls with an error."""
        for call in list(self._open.values()):
            self.finish(call, error=error)

    def finish(self, call: Call, *, result: Any = None, error: BaseException | None = None) -> None:
        """End a call with its result or error."""
        self._open.pop(call.future, None)
        if not call.future.running() and not call.future.set_running_or_notify_cancel():
            return
        if error is None:
            call.future.set_result(result)
        else:
            call.future.set_exception(error)
