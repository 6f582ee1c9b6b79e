"""SCIP rules by name and parameters, as in ``relpscost:initcand=10,maxreliable=1``."""

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
"""Settings of SCIP's default rule that may suit a family of instances better.

Reliability branching (Achterberg, Koch & Martin, "Branching rules revisited", Operations Research
Letters 33, 2005) evaluates candidates by strong branching until their pseudocosts are reliable. Its
defaults suit hard, mixed instances; a family may need less or more strong branching:

- ``maxreliable=1`` trusts a candidate after one evaluation in each direction instead of 5;
- ``initcand=10,maxreliable=1`` also evaluates at most 10 candidates per node instead of 100;
- ``initcand=10`` limits only the candidates;
- ``maxlookahead=4`` stops after 4 successive candidates without improvement instead of 9;
- ``sbiterofs=1000,sbiterquot=0.1`` allows strong branching 1,000 iterations plus a tenth of the
  nodes' iterations instead of 100,000 plus half;
- ``maxproprounds=0`` switches off propagation before strong branching LPs;
- ``maxlookahead=18,maxreliable=10`` doubles the effort;
- ``dynamiclookahead=true`` stops by an estimate of the tree's size.
"""

_OURS = ("priority", "maxdepth", "maxbounddist")
"""Parameters that milplib sets to make a rule decide at every node."""


@cache
def scip_rule_names() -> tuple[str, ...]:
    """List the names of SCIP's branching rules.

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
    """Parse the name of a SCIP rule with optional parameters.

    Parameters
    ----------
    text
        ``rule`` or ``rule:parameter=value,parameter=value``, with SCIP's names of the parameters
        below ``branching/<rule>/``.

    Returns
    -------
    ScipRule or None
        The rule, or None if the text has neither form. The order of the parameters does not change
        its ``name``.

    Raises
    ------
    UnknownNameError
        If SCIP has no such rule, or the rule has no such parameter.
    ParameterError
        If a value is outside the domain of its parameter, or a parameter occurs twice or is
        reserved for milplib.

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
        # A module may have the name of a rule, as Python's `random` has.
        if not (is_known and find_spec(rule) is None):
            return None
    elif not is_known:
        if not rule.isidentifier() or Path(text).exists() or os.sep in text:
            return None
        raise UnknownNameError("policy", rule, scip_rule_names())
    texts: dict[str, str] = {}
    for part in tail.split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value):
            raise ParameterError(
                f"'{part}' in '{text}' sets no parameter: write {rule}:parameter=value, with "
                "commas between several"
            )
        if name in texts:
            raise ParameterError(f"'{text}' sets {name} twice")
        texts[name] = value
    values = _checked(ScipRule(rule, parameters=texts), _scip_parameters(rule))
    return ScipRule(rule, parameters=values)


def rule_values(model: pyscipopt.Model, rule: ScipRule) -> dict[str, ParameterValue]:
    """Return the full names and checked values of a rule's parameters in a model.

    Raises
    ------
    UnknownNameError, ParameterError
        If the model has no such rule, or a parameter is unknown or outside its domain.

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
                f"the parameter {name} of {rule.rule} is milplib's to set, to make the rule decide "
                "at every node: leave it out"
            )
    return {
        name: known_parameter(known, rule.rule, name).value(value)
        for name, value in rule.parameters.items()
    }
