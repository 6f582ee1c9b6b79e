"""SCIP's counts and times of its branching rules, whatever the names in the model."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypedDict, cast

import pyscipopt

from milplib.scip.written import written_by_scip

__all__ = ["RuleStatistics", "branching_statistics"]

_TABLE = "table/branchrules/active"
_FIRST = b'"plugins": {'
_NUMBER = rb"-?[0-9][-+.0-9eE]*"
# SCIP does not escape the names and descriptions of plugins, so that a rule of the user's can break
# the syntax of the file. The numbers after them cannot.
_RULE = re.compile(
    rb'(?:\{|, )"(?P<name>[^"]*+(?:"(?!: \{"description": ")[^"]*+)*+)": '
    rb'\{"description": ".*?", "time": (?P<time>' + _NUMBER + rb")"
    rb'(?P<counts>(?:, "\w+": ' + _NUMBER + rb")+)\}",
    re.DOTALL,
)
_COUNT = re.compile(rb'"(\w+)": (' + _NUMBER + rb")")


class RuleStatistics(TypedDict):
    """Counts and times in seconds of a branching rule, under SCIP's names."""

    time: float
    setuptime: float
    nlpcalls: int
    nexterncalls: int
    npscalls: int
    ncutoffs: int
    ndomreds: int
    ncutsfound: int
    nconssfound: int
    nchildren: int


def branching_statistics(model: pyscipopt.Model) -> dict[str, RuleStatistics]:
    """Return SCIP's counts and times of every branching rule.

    Returns
    -------
    dict
        Statistics by the name of the rule; empty if SCIP stopped before the search began.

    Examples
    --------
    >>> from milplib.generators import SetCover
    >>> model = SetCover(n_rows=50, n_columns=60, density=0.1).generate(seed=0).to_scip()
    >>> model.hideOutput()
    >>> model.optimize()
    >>> branching_statistics(model)["relpscost"]["nlpcalls"] >= 0
    True
    """
    with _only_branching_rules(model):
        written = written_by_scip(model.writeStatisticsJson)
    rules = {}
    for rule in _RULE.finditer(written, max(written.find(_FIRST), 0) + len(_FIRST) - 1):
        counts = [(b"time", rule["time"]), *_COUNT.findall(rule["counts"])]
        values = {name.decode(): _value(name, value) for name, value in counts}
        name = rule["name"].decode("utf-8", "surrogateescape")
        rules[name] = cast(RuleStatistics, values)
    return rules


def _value(name: bytes, text: bytes) -> float:
    return float(text) if name.endswith(b"time") else int(text)


@contextmanager
def _only_branching_rules(model: pyscipopt.Model) -> Iterator[None]:
    """Switch off the other tables, which hold the names of the problem."""
    before = {
        name: value
        for name, value in model.getParams().items()
        if name.startswith("table/") and name.endswith("/active")
    }
    try:
        for name in before:
            model.setParam(name, name == _TABLE)
        yield
    finally:
        for name, value in before.items():
            model.setParam(name, value)
