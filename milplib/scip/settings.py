"""Named SCIP settings, so that a result can say which one it used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from milplib.errors import ParameterError, UnknownNameError
from milplib.scip.rule import PRIORITY

if TYPE_CHECKING:
    import pyscipopt

__all__ = ["SETTINGS", "apply_setting", "branching_rule_names", "use_branching_rule"]

_SETTINGS: dict[str, dict[str, object]] = {
    "default": {},
    "learn2branch": {"separating/maxrounds": 0, "presolving/maxrestarts": 0},
}

SETTINGS: tuple[str, ...] = tuple(_SETTINGS)
"""Names of the settings: ``default`` is SCIP as it comes, ``learn2branch`` that of Gasse et al.
2019 (no cuts below the root, no restarts)."""

MAX_SEED = 2**31 - 1
"""The largest seed that SCIP takes."""


def apply_setting(model: pyscipopt.Model, setting: str, *, seed: int) -> None:
    """Set a model's parameters to a named setting with a seed, for one thread.

    The seed permutes the problem's variables and drives SCIP's own random decisions, so runs
    that differ in nothing but the branching rule are paired.

    Parameters
    ----------
    model
        The model; its other parameters stay as they are.
    setting
        One of `SETTINGS`.
    seed
        0 to 2**31 - 1.

    Raises
    ------
    UnknownNameError
        If there is no such setting.
    ParameterError
        If the seed is out of range.

    Examples
    --------
    >>> import pyscipopt
    >>> model = pyscipopt.Model()
    >>> apply_setting(model, "learn2branch", seed=3)
    >>> model.getParam("separating/maxrounds"), model.getParam("randomization/randomseedshift")
    (0, 3)
    """
    if setting not in _SETTINGS:
        raise UnknownNameError("setting", setting, _SETTINGS)
    if not 0 <= seed <= MAX_SEED:
        raise ParameterError(f"the SCIP seed is {seed}; it must be between 0 and {MAX_SEED}")
    parameters = dict(_SETTINGS[setting])
    parameters |= {
        "randomization/permutevars": True,
        "randomization/permutationseed": seed,
        "randomization/randomseedshift": seed,
        "randomization/lpseed": seed,
        "lp/threads": 1,
        "parallel/maxnthreads": 1,
    }
    for name, value in parameters.items():
        model.setParam(name, value)


def branching_rule_names(model: pyscipopt.Model) -> tuple[str, ...]:
    """List the branching rules that a model has, SCIP's own and included ones, sorted.

    Examples
    --------
    >>> import pyscipopt
    >>> "relpscost" in branching_rule_names(pyscipopt.Model())
    True
    """
    names = (parameter.split("/") for parameter in model.getParams())
    return tuple(
        sorted(
            name[1]
            for name in names
            if len(name) == 3 and name[0] == "branching" and name[2] == "priority"
        )
    )


def use_branching_rule(model: pyscipopt.Model, name: str) -> None:
    """Make one of a model's own branching rules the first that is asked at every node.

    Raises
    ------
    UnknownNameError
        If the model has no such rule; the message suggests the nearest names.

    Examples
    --------
    >>> import pyscipopt
    >>> model = pyscipopt.Model()
    >>> use_branching_rule(model, "pscost")
    >>> model.getParam("branching/pscost/priority") > model.getParam("branching/relpscost/priority")
    True
    """
    known = branching_rule_names(model)
    if name not in known:
        raise UnknownNameError("policy", name, known)
    for key, value in {"priority": PRIORITY, "maxdepth": -1, "maxbounddist": 1.0}.items():
        model.setParam(f"branching/{name}/{key}", value)
