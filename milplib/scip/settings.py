"""Named SCIP settings, so that a result can say which one it used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyscipopt import SCIP_PARAMSETTING

from milplib.errors import ParameterError, UnknownNameError
from milplib.scip.rule import PRIORITY

if TYPE_CHECKING:
    import pyscipopt

__all__ = ["SETTINGS", "apply_setting", "branching_rule_names", "use_branching_rule"]

_SETTINGS: dict[str, dict[str, object]] = {
    "default": {},
    "learn2branch": {"separating/maxrounds": 0, "presolving/maxrestarts": 0},
    "clean": {},
}

SETTINGS: tuple[str, ...] = tuple(_SETTINGS)
"""Names of the settings: ``default`` is SCIP as it comes, ``learn2branch`` that of Gasse et al.
2019 (no cuts below the root, no restarts), ``clean`` a pure test of branching: no heuristics, and a
cut-off just worse than the optimum, which has to be known."""

CLEAN_SLACK = 1e-5
"""How much worse than the optimum the cut-off of ``clean`` is, relative to max(1, |optimum|)."""

MAX_SEED = 2**31 - 1
"""The largest seed that SCIP takes."""


def apply_setting(
    model: pyscipopt.Model, setting: str, *, seed: int, reference_objective: float | None = None
) -> None:
    """Set a model's parameters to a named setting with a seed, for one thread.

    The seed permutes the problem's variables and drives SCIP's own random decisions, so runs
    that differ in nothing but the branching rule are paired.

    Parameters
    ----------
    model
        The model; its other parameters stay as they are. With ``clean`` its problem must be
        there.
    setting
        One of `SETTINGS`.
    seed
        0 to 2**31 - 1.
    reference_objective
        The optimum, for ``clean``.

    Raises
    ------
    UnknownNameError
        If there is no such setting.
    ParameterError
        If the seed is out of range, or the optimum is missing, or given where it means nothing.

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
