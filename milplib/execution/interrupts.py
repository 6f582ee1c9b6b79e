"""Deferral of Ctrl-C while a finished task is being saved."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Self

__all__ = ["HeldInterrupts"]


class HeldInterrupts:
    """Context manager that defers Ctrl-C, except inside `allowed`.

    A second Ctrl-C always interrupts. The manager does nothing outside the main thread, or if the
    user has installed a handler for Ctrl-C.

    Examples
    --------
    >>> with HeldInterrupts() as interrupts:
    ...     signal.raise_signal(signal.SIGINT)
    ...     print("kept")
    ...     try:
    ...         with interrupts.allowed():
    ...             print("never printed")
    ...     except KeyboardInterrupt:
    ...         print("interrupted")
    kept
    interrupted
    """

    def __init__(self) -> None:
        self._is_allowed = self._is_pending = self._is_set = False

    def __enter__(self) -> Self:
        if (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        ):
            signal.signal(signal.SIGINT, self._on_interrupt)
            self._is_set = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._is_set:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if self._is_pending and kind is None:
            raise KeyboardInterrupt

    def _on_interrupt(self, number: int, frame: FrameType | None) -> None:
        if self._is_allowed or self._is_pending:
            raise KeyboardInterrupt
        self._is_pending = True

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Let Ctrl-C interrupt the block, at once if it came before."""
        self._is_allowed = True
        try:
            if self._is_pending:
                self._is_pending = False
                raise KeyboardInterrupt
            yield
        finally:
            self._is_allowed = False
