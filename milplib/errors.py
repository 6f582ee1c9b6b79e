"""Errors and warnings of milplib; each message says what failed, where, and what to do."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "BranchingError",
    "FieldError",
    "InstanceError",
    "MilplibError",
    "MilplibWarning",
    "MissingPackageError",
    "NativeError",
    "NoGeneratorError",
    "NoSpaceError",
    "OutputError",
    "ParameterError",
    "PolicyError",
    "ResultsError",
    "SampleError",
    "SourceError",
    "SourceUnavailableError",
    "StageError",
    "StateError",
    "UnknownNameError",
    "warn_caller",
]


class MilplibError(Exception):
    """Base class of all errors that users of milplib can cause or must handle."""


class MilplibWarning(UserWarning):
    """Base class of warnings about a call that succeeded in an unexpected way."""


def warn_caller(message: str, category: type[MilplibWarning]) -> None:
    """Issue a warning at the line outside milplib that made the call."""
    frame, level = sys._getframe(1), 2
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] == "milplib":
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


class BranchingError(MilplibError):
    """SCIP failed to branch on the chosen variable."""


class InstanceError(MilplibError):
    """An instance that cannot be read, written or represented."""


class MissingPackageError(MilplibError, ImportError):
    """A call needs an optional package that is not installed."""


class NativeError(MilplibError, ImportError):
    """A call needs native code that was not built or does not work."""


class ParameterError(MilplibError, ValueError):
    """A parameter outside its domain."""


class FieldError(ParameterError):
    """An option that is unknown or outside its domain.

    Parameters
    ----------
    field
        Name of the option.
    message
        Rest of the sentence "<field> is …".
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(field, message)
        self.field, self.message = field, message

    def __str__(self) -> str:
        return f"{self.field} is {self.message}"


class OutputError(MilplibError):
    """An output path that cannot or must not be written."""


class NoSpaceError(OutputError):
    """A file that cannot be written because the disk or quota is full."""


class ResultsError(MilplibError):
    """A folder or table of results that is damaged, foreign or of another version."""


class SampleError(MilplibError):
    """A sample file that is damaged, foreign or of another schema version."""


class SourceError(MilplibError):
    """A source of published instances that is damaged, unsafe or changed."""


class SourceUnavailableError(SourceError):
    """A source that is missing or unreachable; another source may work."""


class StageError(MilplibError):
    """A call on a model at a stage of its solve that does not allow it."""


class StateError(MilplibError):
    """A branching state that does not exist or is inconsistent."""


class PolicyError(MilplibError):
    """A branching rule or state function that failed or returned an invalid value."""


class NoGeneratorError(MilplibError):
    """A distribution without an installed generator."""

    def __init__(self, name: str, others: Iterable[str]) -> None:
        self.name, self.others = name, list(others)
        known = f"generators of its domain: {', '.join(self.others)}"
        super().__init__(
            f"'{name}' cannot be generated: milplib has no generator for it, only its authors' "
            f"files; {known if self.others else 'none for its domain either'}"
        )

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.name, self.others)


class UnknownNameError(MilplibError, LookupError):
    """A name that is not registered; the message suggests similar names.

    Parameters
    ----------
    kind
        Kind of the named object, in the singular (``"distribution"``).
    name
        The unknown name.
    known
        All known names.
    hint
        Further advice, appended to the message.
    """

    def __init__(self, kind: str, name: object, known: Iterable[str], *, hint: str = "") -> None:
        if not isinstance(name, str):  # a user may pass anything for a name
            name = " ".join(repr(name).split())[:80]
        self.kind, self.name, self.known = kind, name, sorted(known)
        folded = {candidate.casefold(): candidate for candidate in self.known}
        near = [folded[key] for key in get_close_matches(name.casefold(), folded, n=3, cutoff=0.5)]
        if near:
            suggestion = f"did you mean {' or '.join(near)}?"
        else:
            suggestion = f"known: {', '.join(self.known)}" if self.known else f"no {kind} is known"
        message = f"unknown {kind} '{name}': {suggestion}"
        super().__init__(f"{message} {hint}" if hint else message)
        self._arguments = (kind, name, tuple(self.known), hint)

    def __reduce__(self) -> tuple[object, ...]:
        # Worker processes pickle errors; by default a pickle holds the message alone.
        return _unknown_name, self._arguments


def _unknown_name(kind: str, name: str, known: tuple[str, ...], hint: str) -> UnknownNameError:
    return UnknownNameError(kind, name, known, hint=hint)
