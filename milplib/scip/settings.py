"""Named SCIP settings, which results record."""

from __future__ import annotations

import pyscipopt
from pyscipopt import SCIP_PARAMSETTING

from milplib.arguments import checked
from milplib.errors import ParameterError, UnknownNameError
from milplib.scip.rule import PRIORITY

__all__ = ["SETTINGS", "apply_setting", "branching_rule_names", "use_branching_rule"]

_SETTINGS: dict[str, dict[str, object]] = {
    "default": {},
    "learn2branch": {"separating/maxrounds": 0, "presolving/maxrestarts": 0},
    "clean": {},
}

SETTINGS: tuple[str, ...] = tuple(_SETTINGS)
"""Names of the settings.

- ``default``: SCIP's defaults.
- ``learn2branch``: the setting of Gasse et al. 2019, without cuts below the root and without
  restarts.
- ``clean``: a pure test of branching, without heuristics and with a cut-off just worse than the
  known optimum.
"""

CLEAN_SLACK = 1e-5
"""Distance of the cut-off of ``clean`` from the optimum, relative to max(1, |optimum|)."""

MAX_SEED = 2**31 - 1
"""Largest seed of SCIP."""


@checked
def apply_setting(
    model: pyscipopt.Model, setting: str, *, seed: int, reference_objective: float | None = None
) -> None:
    """Apply a named setting and a seed to a model, for one thread.

    The seed permutes the problem's variables and controls SCIP's random decisions, so runs that
    differ only in the branching rule are paired.

    Parameters
    ----------
    model
        The model. Its other parameters keep their values. ``clean`` requires that its problem is
        already read or built.
    setting
        Name in `SETTINGS`.
    seed
        Seed, 0 to 2**31 - 1.
    reference_objective
        Optimal objective value, for ``clean`` only.

    Raises
    ------
    UnknownNameError
        If there is no such setting.
    ParameterError
        If the seed is out of range, or `reference_objective` is missing for ``clean`` or set for
        another setting.

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
    if (setting == "clean") != (reference_objective is not None):
        raise ParameterError(
            "the setting 'clean' needs the known optimum as reference_objective"
            if setting == "clean"
            else f"the setting '{setting}' takes no reference_objective"
        )
    if reference_objective is not None:
        slack = CLEAN_SLACK * max(1.0, abs(reference_objective))
        worse = -slack if model.getObjectiveSense() == "maximize" else slack
        model.setObjlimit(reference_objective + worse)
        model.setHeuristics(SCIP_PARAMSETTING.OFF)
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


@checked
def branching_rule_names(model: pyscipopt.Model) -> tuple[str, ...]:
    """List the names of a model's branching rules, SCIP's and included ones, sorted.

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


@checked
def use_branching_rule(model: pyscipopt.Model, name: str) -> None:
    """Make a branching rule of a model the first one at every node.

    Raises
    ------
    UnknownNameError
        If the model has no such rule; the message suggests similar names.

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
