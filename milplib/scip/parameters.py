"""Parameters of SCIP's branching rules as SCIP itself describes them: kinds, ranges, meanings."""

from __future__ import annotations

import math
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from milplib.errors import ParameterError, UnknownNameError

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


@dataclass(frozen=True, kw_only=True)
class BranchingParameter:
    """A parameter of a branching rule.

    Parameters
    ----------
    name
        ``rule/parameter``, SCIP's own name without ``branching/``.
    kind
        SCIP's: ``bool``, ``int``, ``longint``, ``real`` or ``char``.
    low, high
        The smallest and the largest value of a number.
    letters
        The values of a ``char``.
    default
        SCIP's default, as it writes it.
    meaning
        What it does, in SCIP's words.
    """

    name: str
    kind: str
    low: float
    high: float
    letters: str
    default: str
    meaning: str

    def value(self, given: ParameterValue) -> ParameterValue:
        """Give a value the parameter's type; text is read as SCIP writes it.

        Raises
        ------
        ParameterError
            If it has another kind of value, or is out of range.

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
        if self.kind == "bool":
            if text.lower() not in _TRUTH:
                raise ValueError(text)
            return _TRUTH[text.lower()]
        if self.kind == "char":
            if len(text) != 1 or (self.letters and text not in self.letters):
                raise ValueError(text)
            return text
        number = float(text) if self.kind == "real" else int(text)
        # SCIP's infinity is a finite number; a value beyond it would mean nothing.
        if not (math.isfinite(number) and self.low <= number <= self.high):
            raise ValueError(text)
        return number

    def _domain(self) -> str:
        if self.kind == "bool":
            return "true or false"
        if self.kind == "char":
            return f"one of the letters {', '.join(self.letters)}"
        noun = "a number" if self.kind == "real" else "a whole number"
        bounds = [
            f"{word} {bound:g}"
            for word, bound in (("from", self.low), ("to", self.high))
            if abs(bound) < 2**31 - 1
        ]
        return " ".join([noun, *bounds])


def branching_parameters(model: pyscipopt.Model, rule: str) -> Mapping[str, BranchingParameter]:
    """Describe the parameters of a branching rule of a model's, by name.

    Parameters
    ----------
    model
        The model, which may have rules beside SCIP's own.
    rule
        Name of the rule.

    Returns
    -------
    mapping of str to BranchingParameter
        By the name below ``branching/<rule>/``; empty for a rule that is not there.

    Examples
    --------
    >>> import pyscipopt
    >>> branching_parameters(pyscipopt.Model(), "relpscost")["maxreliable"].default
    '5'
    """
    # The values alone can be asked for; kinds and ranges SCIP tells in a settings file only.
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "all.set"
        model.writeParams(str(path), comments=True, onlychanged=False, verbose=False)
        text = path.read_text(encoding="utf-8", errors="replace")
    found = (match for match in _DESCRIPTION.finditer(text) if match["rule"] == rule)
    return {match["name"]: _described(match) for match in found}


def _described(match: re.Match[str]) -> BranchingParameter:
    low, high, letters = -math.inf, math.inf, ""
    if match["kind"] == "char":
        letters = match["range"].strip("{}")
    elif match["kind"] != "bool":
        low, high = (float(bound) for bound in match["range"].strip("[]").split(","))
    return BranchingParameter(
        name=f"{match['rule']}/{match['name']}",
        kind=match["kind"],
        low=low,
        high=high,
        letters=letters,
        default=match["default"],
        meaning=match["meaning"],
    )


def parameter_text(value: ParameterValue) -> str:
    """Write a value the shortest way: equal values of any type give equal texts.

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
    """Look a parameter of a rule up.

    Raises
    ------
    UnknownNameError
        If the rule has none of that name; the message suggests the nearest ones.
    """
    if name not in known:
        raise UnknownNameError(f"parameter of the rule {rule}", name, known)
    return known[name]
