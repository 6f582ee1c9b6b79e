"""SCIP's own branching rules by name, with parameters: ``relpscost:initcand=10,maxreliable=1``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

import pyscipopt

from milplib.errors import ParameterError, UnknownNameError
from milplib.policies.policy import ScipRule
from milplib.scip.parameters import (
    BranchingParameter,
    ParameterValue,
    branching_parameters,
    known_parameter,
)
from milplib.scip.settings import branching_rule_names

__all__ = ["TUNED_RELPSCOST", "find_rule", "rule_values", "scip_rule_names"]

TUNED_RELPSCOST: tuple[str, ...] = (
    "relpscost:maxreliable=1",
    "relpscost:initcand=10,maxreliable=1",
    "relpscost:initcand=10",
    "relpscost:maxlookahead=4",
    "relpscost:sbiterofs=1000,sbiterquot=0.1",
    "relpscost:maxproprounds=0",
    "relpscost:maxlookahead=18,maxreliable=10",
    "relpscost:dynamiclookahead=true",
)
"""Settings of SCIP's default rule that are worth a trial on a family of instances.

Reliability branching (Achterberg, Koch & Martin, "Branching rules revisited", Operations Research
Letters 33, 2005) tries candidates by strong branching until enough was seen of them, and trusts
their pseudocosts then. Its default suits hard, mixed instances; a family may want less or more:

- ``maxreliable=1`` trusts a candidate after one trial in each direction, not 5;
- ``initcand=10,maxreliable=1`` tries no more than 10 candidates a node, too, not 100;
- ``initcand=10`` limits the candidates alone;
- ``maxlookahead=4`` stops after 4 candidates in a row that are no better, not 9;
- ``sbiterofs=1000,sbiterquot=0.1`` allows strong branching 1,000 iterations and a tenth of the
  nodes' own, not 100,000 and half;
- ``maxproprounds=0`` does without propagation before a trial's LP;
- ``maxlookahead=18,maxreliable=10`` tries twice as much;
- ``dynamiclookahead=true`` lets an estimate of the tree's size say when to stop.
"""

_OURS = ("priority", "maxdepth", "maxbounddist")
"""Parameters of every rule by which milplib makes it the one that decides."""


@cache
def scip_rule_names() -> tuple[str, ...]:
    """Names of the branching rules that SCIP comes with.

    Examples
    --------
    >>> "relpscost" in scip_rule_names()
    True
    """
    return branching_rule_names(pyscipopt.Model())


@cache
def _scip_parameters(rule: str) -> Mapping[str, BranchingParameter]:
    return MappingProxyType(branching_parameters(pyscipopt.Model(), rule))


def find_rule(text: str) -> ScipRule | None:
    """Read the name of one of SCIP's rules, with parameters or without.

    Parameters
    ----------
    text
        ``rule`` or ``rule:parameter=value,parameter=value``; the parameters are SCIP's own names
        below ``branching/<rule>/``.

    Returns
    -------
    ScipRule or None
        None if the text does not look like either; its ``name`` is the same for the same
        parameters in any order.

    Raises
    ------
    UnknownNameError
        If SCIP has no such rule, or the rule no such parameter.
    ParameterError
        If a value is outside its parameter's domain, or one is given twice or is milplib's own.

    Examples
    --------
    >>> find_rule("relpscost:maxreliable=1.0,initcand=10").name
    'relpscost:initcand=10,maxreliable=1'
    >>> find_rule("gcnn.safetensors") is None
    True
    """
    rule, colon, tail = text.partition(":")
    is_known = rule in scip_rule_names()
    if is_known and not colon:
        return ScipRule(rule)
    if "=" not in tail:
        # A module may have a rule's name, as Python's own `random` has.
        if not (is_known and find_spec(rule) is None):
            return None
    elif not is_known:
        if not rule.isidentifier() or Path(text).exists() or os.sep in text:
            return None
        raise UnknownNameError("policy", rule, scip_rule_names())
    given: dict[str, str] = {}
    for part in tail.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value):
            raise ParameterError(
                f"'{part}' in '{text}' sets no parameter: write {rule}:parameter=value, with "
                "commas between several"
            )
        if name in given:
            raise ParameterError(f"'{text}' sets {name} twice")
        given[name] = value
    values = _checked(ScipRule(rule, parameters=given), _scip_parameters(rule))
    return ScipRule(rule, parameters=values)


def rule_values(model: pyscipopt.Model, rule: ScipRule) -> dict[str, ParameterValue]:
    """Give SCIP's full names and values of a rule's parameters, for a model.

    Raises
    ------
    UnknownNameError, ParameterError
        If the model has no such rule, or its parameters are none of the rule's.

    Examples
    --------
    >>> rule_values(pyscipopt.Model(), ScipRule("relpscost", parameters={"initcand": 10}))
    {'branching/relpscost/initcand': 10}
    """
    known = branching_rule_names(model)
    if rule.rule not in known:
        raise UnknownNameError("policy", rule.rule, known)
    if not rule.parameters:
        return {}
    values = _checked(rule, branching_parameters(model, rule.rule))
    return {f"branching/{rule.rule}/{name}": value for name, value in values.items()}


def _checked(rule: ScipRule, known: Mapping[str, BranchingParameter]) -> dict[str, ParameterValue]:
    for name in _OURS:
        if name in rule.parameters:
            raise ParameterError(
                f"the parameter {name} of {rule.rule} is milplib's to set: by it the rule is put "
                "before all others, at every node"
            )
    return {
        name: known_parameter(known, rule.rule, name).value(value)
        for name, value in rule.parameters.items()
    }
