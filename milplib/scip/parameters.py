"""Parameters of SCIP's branching rules: types, ranges and meanings, as SCIP describes them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from milplib.errors import ParameterError, UnknownNameError
from milplib.outcomes import Word
from milplib.scip.written import written_by_scip

if TYPE_CHECKING:
    import pyscipopt

__all__ = ["BranchingParameter", "ParameterValue", "branching_parameters", "parameter_text"]

ParameterValue = bool | int | float | str

_DESCRIPTION = re.compile(
    r"^# (?P<meaning>.*)\n"
    r"# \[type: (?P<kind>\w+), advanced: \w+, range: (?P<range>.*), default: (?P<default>.*)\]\n"
    r"branching/(?P<rule>[^/\s]+)/(?P<name>\S+) = ",
    re.MULTILINE,
)
_TRUTH = {"true": True, "false": False}


class ParameterKind(Word):
    """Type of a SCIP parameter, in SCIP's words."""

    BOOL = "bool"
    INT = "int"
    LONGINT = "longint"
    REAL = "real"
    CHAR = "char"
    STRING = "string"


@dataclass(frozen=True, kw_only=True)
class BranchingParameter:
    """A parameter of a branching rule.

    Parameters
    ----------
    name
        ``rule/parameter``, that is, SCIP's name without ``branching/``.
    kind
        SCIP's type.
    low, high
        Smallest and largest value of a number.
    letters
        Values of a ``char``.
    default
        Default value, as SCIP writes it.
    meaning
        SCIP's description.
    """

    name: str
    kind: ParameterKind
    low: float
    high: float
    letters: str
    default: str
    meaning: str

    def value(self, given: ParameterValue) -> ParameterValue:
        """Convert a value to the parameter's type; text is read as SCIP writes it.

        Raises
        ------
        ParameterError
            If the value has another type or is out of range.

        Examples
        --------
        >>> import pyscipopt
        >>> known = branching_parameters(pyscipopt.Model(), "relpscost")
        >>> known["initcand"].value("10"), known["maxreliable"].value(1)
        (10, 1.0)
        """
        try:
            return self._converted(given)
        except (TypeError, ValueError, OverflowError):
            raise ParameterError(
                f"the parameter {self.name} is {parameter_text(given)!r}; it must be "
                f"{self._domain()} (SCIP: {self.meaning}; default {self.default})"
            ) from None

    def _converted(self, given: ParameterValue) -> ParameterValue:
        text = parameter_text(given)
        if self.kind is ParameterKind.BOOL:
            if text.lower() not in _TRUTH:
                raise ValueError(text)
            return _TRUTH[text.lower()]
        if self.kind is ParameterKind.CHAR:
            if len(text) != 1 or (self.letters and text not in self.letters):
                raise ValueError(text)
            return text
        number = float(text) if self.kind is ParameterKind.REAL else int(text)
        # SCIP's infinity is a finite number; values beyond it are meaningless.
        if not (math.isfinite(number) and self.low <= number <= self.high):
            raise ValueError(text)
        return number

    def _domain(self) -> str:
        if self.kind is ParameterKind.BOOL:
            return "true or false"
        if self.kind is ParameterKind.CHAR:
            return f"one of the letters {', '.join(self.letters)}"
        noun = "a number" if self.kind is ParameterKind.REAL else "a whole number"
        bounds = [
            f"{word} {bound:g}"
            for word, bound in (("from", self.low), ("to", self.high))
            if abs(bound) < 2**31 - 1
        ]
        return " ".join([noun, *bounds])


def branching_parameters(model: pyscipopt.Model, rule: str) -> Mapping[str, BranchingParameter]:
    """Describe the parameters of a branching rule in a model.

    Parameters
    ----------
    model
        Model, which may have further rules in addition to SCIP's.
    rule
        Name of the rule.

    Returns
    -------
    mapping of str to BranchingParameter
        Parameters by their names below ``branching/<rule>/``; empty for an unknown rule.

    Examples
    --------
    >>> import pyscipopt
    >>> branching_parameters(pyscipopt.Model(), "relpscost")["maxreliable"].default
    '5'
    """
    # SCIP writes types and ranges only to a settings file.
    written = written_by_scip(
        lambda path: model.writeParams(path, comments=True, onlychanged=False, verbose=False)
    )
    text = written.decode("utf-8", "replace")
    matches = (match for match in _DESCRIPTION.finditer(text) if match["rule"] == rule)
    return {match["name"]: _described(match) for match in matches}


def _described(match: re.Match[str]) -> BranchingParameter:
    low, high, letters = -math.inf, math.inf, ""
    kind = ParameterKind(match["kind"])
    if kind is ParameterKind.CHAR:
        letters = match["range"].strip("{}")
    elif kind is not ParameterKind.BOOL:
        low, high = (float(bound) for bound in match["range"].strip("[]").split(","))
    return BranchingParameter(
        name=f"{match['rule']}/{match['name']}",
        kind=kind,
        low=low,
        high=high,
        letters=letters,
        default=match["default"],
        meaning=match["meaning"],
    )


def parameter_text(value: ParameterValue) -> str:
    """Write a value in its shortest form, equal for equal values of any type.

    Examples
    --------
    >>> parameter_text(True), parameter_text(1.0), parameter_text(1), parameter_text(0.25)
    ('true', '1', '1', '0.25')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return str(value)


def known_parameter(
    known: Mapping[str, BranchingParameter], rule: str, name: str
) -> BranchingParameter:
    """Look up a parameter of a rule.

    Raises
    ------
    UnknownNameError
        If the rule has no such parameter; the message suggests similar names.
    """
    if name not in known:
        raise UnknownNameError(f"parameter of the rule {rule}", name, known)
    return known[name]
