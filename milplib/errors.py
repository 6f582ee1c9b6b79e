"""The errors that milplib raises: one base class, each saying what, where and what to do."""

from __future__ import annotations

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
    "StateError",
    "UnknownNameError",
]


class MilplibError(Exception):
    """Base class of every error that a user of milplib can cause or must know of."""


class MilplibWarning(UserWarning):
    """Base class of the warnings: what was asked for was done, but not as one would expect."""


class BranchingError(MilplibError):
    """SCIP itself failed to branch on the variable chosen."""


class InstanceError(MilplibError):
    """An instance that cannot be read, written or represented."""


class MissingPackageError(MilplibError, ImportError):
    """An optional package that is needed for what was asked, and not installed."""


class NativeError(MilplibError, ImportError):
    """The native code asked for where it was not built or does not work."""


class ParameterError(MilplibError, ValueError):
    """A parameter outside its domain."""


class FieldError(ParameterError):
    """An option outside its domain, or unknown.

    Parameters
    ----------
    field
        Its name.
    message
        What is wrong, to follow the name and "is".
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(field, message)
        self.field, self.message = field, message

    def __str__(self) -> str:
        return f"{self.field} is {self.message}"


class OutputError(MilplibError):
    """An output path that cannot be written, or must not be."""


class NoSpaceError(OutputError):
    """A file that cannot be written, since there is no room for it."""


class ResultsError(MilplibError):
    """A folder or table of results that is damaged, foreign or of another version."""


class SampleError(MilplibError):
    """A sample file that is damaged, foreign or of another schema version."""


class SourceError(MilplibError):
    """A source of published instances that is damaged, unsafe, or not what it was before."""


class SourceUnavailableError(SourceError):
    """A source that is not there or cannot be reached; another one may serve."""


class StateError(MilplibError):
    """A branching state asked for where there is none, or one that breaks its own rules."""


class PolicyError(MilplibError):
    """A branching rule or state function that failed or gave what it must not give."""


class NoGeneratorError(MilplibError):
    """A distribution that no installed family generates."""

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
    """A name that is not in its registry; the message suggests the nearest ones.

    Parameters
    ----------
    kind
        What the name was looked up as, in the singular (``"distribution"``).
    name
        The name that was not found.
    known
        The names there are.
    hint
        What else to do about it, a sentence; appended to the message.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], *, hint: str = "") -> None:
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
        # Worker processes send errors as pickles, which by default hold the message alone.
        return _unknown_name, self._arguments


def _unknown_name(kind: str, name: str, known: tuple[str, ...], hint: str) -> UnknownNameError:
    return UnknownNameError(kind, name, known, hint=hint)
