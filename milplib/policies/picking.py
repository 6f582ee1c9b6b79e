"""Pick of a portfolio in a PySCIPOpt model, whatever the model holds."""

from __future__ import annotations

from functools import cache

import pyscipopt

from milplib.formats.scip_fields import scip_fields
from milplib.instance import Instance
from milplib.policies.combinations import AnyPolicy, ExplainedPick, Portfolio
from milplib.policies.picked import SCIPS_OWN, Picked, PickReason

__all__ = ["beyond_rows", "explained_in_model"]


def explained_in_model(
    portfolio: Portfolio, model: pyscipopt.Model
) -> tuple[AnyPolicy | None, Picked]:
    """Pick the policy for the original problem of a model, and say why.

    Names of variables and constraints do not matter and may repeat.

    Returns
    -------
    policy : AnyPolicy or None
        Policy; None if the portfolio steps aside, so that the rules of the model decide.
    picked : Picked
        Record of the pick.

    Raises
    ------
    Exception
        Whatever a user's function raises, and a PolicyError if it returns no key of the portfolio.

    Examples
    --------
    >>> model = pyscipopt.Model()
    >>> x = [model.addVar("x", vtype="B") for _ in range(2)]
    >>> _ = model.addConsSOS1(x)
    >>> portfolio = Portfolio(lambda instance: "any", {"any": "pscost"})
    >>> policy, picked = explained_in_model(portfolio, model)
    >>> policy is None, str(picked)
    (True, "SCIP's own rule (not only linear rows: constraints of the kind SOS1)")
    """
    reason, detail = PickReason.BEYOND_ROWS, beyond_rows(model)
    if not detail:
        try:
            instance = Instance(**scip_fields(model, keep_names=False))
        except Exception as error:  # numbers that no instance may have
            reason, detail = PickReason.UNREADABLE, " ".join(str(error).split())
        else:
            policy, picked = portfolio.explained(instance)
            if picked.reason == PickReason.NO_FAMILY:
                return _aside(portfolio, PickReason.NO_FAMILY, picked.detail)
            return policy, picked
    return _aside(portfolio, reason, detail)


def _aside(
    portfolio: Portfolio, reason: PickReason, detail: str
) -> tuple[AnyPolicy | None, Picked]:
    key = portfolio.pick.aside if isinstance(portfolio.pick, ExplainedPick) else None
    policy = None if key is None else portfolio.policies[key]
    name = SCIPS_OWN if policy is None else policy.name
    return policy, Picked(policy=name, reason=reason, detail=detail)


def beyond_rows(model: pyscipopt.Model) -> str:
    """Describe what a model has besides linear rows; return an empty text for a MILP.

    Heuristics, separators, propagators and event handlers do not change the problem and do not
    count.

    Examples
    --------
    >>> beyond_rows(pyscipopt.Model())
    ''
    """
    for parameter in model.getParams():
        group, _, name = parameter.partition("/")
        name = name.partition("/")[0]
        if group == "pricers":
            return f"the pricer '{name}'"
        if group == "constraints" and name not in _scips_handlers():
            return f"the constraint handler '{name}'"
        if group == "relaxing" and name not in _scips_relaxations():
            return f"the relaxation '{name}'"
    if model.getParam("constraints/benders/active"):
        return "a Benders decomposition"
    for constraint in model.getConss(transformed=False):
        kind = constraint.getConshdlrName()
        if kind != "linear":
            return f"constraints of the kind {kind}"
    return ""


@cache
def _scips(group: str) -> frozenset[str]:
    names = (name.split("/") for name in pyscipopt.Model().getParams())
    return frozenset(name[1] for name in names if name[0] == group)


def _scips_handlers() -> frozenset[str]:
    return _scips("constraints")


def _scips_relaxations() -> frozenset[str]:
    return _scips("relaxing")
