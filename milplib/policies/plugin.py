"""Inclusion of a policy as the branching rule of a PySCIPOpt model."""

from __future__ import annotations

from typing import Literal

import pyscipopt

from milplib.arguments import checked
from milplib.errors import ParameterError
from milplib.policies.attachment import RULE_NAME, attachment_of
from milplib.policies.loading import load_policy
from milplib.policies.use import POLICY_PRIORITY, OnError, PolicyOptions, PolicyUse
from milplib.scip.native import native_module

__all__ = ["RULE_NAME", "OnError", "PolicyUse", "include_policy", "included_policy"]


@checked
def include_policy(
    model: pyscipopt.Model,
    policy: object,
    *,
    max_depth: int | None = None,
    on_error: OnError | Literal["fallback", "raise"] = OnError.FALLBACK,
    priority: int = POLICY_PRIORITY,
) -> PolicyUse:
    """Let a policy branch in a PySCIPOpt model.

    The model may come from any source, and its problem may be read or built before or after this
    call. The policy decides at nodes with a fractional LP solution, before SCIP's own rules. It
    stays through ``freeTransform`` and ``freeProb`` until it is removed.

    Parameters
    ----------
    model
        The model.
    policy
        Policy, or any value that `milplib.load_policy` accepts: the path of a policy file, the name
        of a SCIP rule with or without parameters, a function of the branching state.
    max_depth
        Largest depth at which the policy decides (the root has depth 0). None means no limit, or
        for a SCIP rule the ``maxdepth`` that the model has.
    on_error
        Reaction if the policy raises an exception, or does not return one finite score per
        candidate. With ``"fallback"``, SCIP's own rule decides at this node; failures are
        counted, and the first one is logged. With ``"raise"``, the solve is interrupted, and
        ``model.optimize()`` raises the error with its traceback.
    priority
        Priority among the branching rules of the model; SCIP calls the rule of highest priority
        first. Default: before all others. A rule of your own that should come first needs a
        higher one. A warning is logged if a rule keeps another one from running.

    Returns
    -------
    PolicyUse
        Handle with counts and times, which can remove or replace the policy. It does not keep the
        model alive.

    Raises
    ------
    UnknownNameError, PolicyError, ParameterError
        If the policy is invalid, an option is outside its domain, or the model already has a
        policy.
    StageError
        If the model is transformed, presolved, solved or freed.

    Notes
    -----
    Sub-SCIPs, in which heuristics solve smaller copies, use SCIP's own rules, as do copies of the
    model (``Model(sourceModel=…)``, ``solveConcurrent``). In a `Switch` or
    a `Portfolio`, SCIP itself runs a SCIP rule; milplib raises its priority at its nodes.

    Examples
    --------
    >>> import pyscipopt
    >>> from milplib.generators import CombinatorialAuction
    >>> from milplib.scip import VariableFeature
    >>> model = CombinatorialAuction(n_items=60, n_bids=250).generate(seed=1).to_scip()
    >>> model.hideOutput()
    >>> def most_fractional(state):
    ...     fraction = state.variable_features[state.candidates, VariableFeature.FRACTIONALITY]
    ...     return 0.5 - abs(fraction - 0.5)
    >>> use = include_policy(model, most_fractional)
    >>> model.optimize()
    >>> use.calls > 0, use.errors
    (True, 0)
    """
    options = PolicyOptions(max_depth=max_depth, on_error=on_error, priority=priority)
    loaded = load_policy(policy)
    native_module()  # report broken native code before the solve starts
    attachment = attachment_of(model)
    if attachment.use is not None:
        raise ParameterError(
            f"this model has a milplib policy already, '{attachment.use.policy.name}': call "
            "replace(policy) or remove() of the handle that include_policy returned (also "
            "milplib.policies.included_policy(model)), or combine policies with Switch or Portfolio"
        )
    return attachment.include(loaded, options)


def included_policy(model: pyscipopt.Model) -> PolicyUse | None:
    """Return the handle of a model's policy; None if it has none.

    Examples
    --------
    >>> model = pyscipopt.Model()
    >>> use = include_policy(model, "pscost")
    >>> included_policy(model) is use
    True
    >>> use.remove()
    >>> included_policy(model) is None
    True
    """
    return attachment_of(model).use
