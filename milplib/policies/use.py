"""Handle of a policy in a model: its counts and times, removal and replacement."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Literal, Protocol

from milplib.arguments import check_fields, given
from milplib.errors import ParameterError
from milplib.outcomes import Word
from milplib.policies.combinations import AnyPolicy
from milplib.policies.picked import Picked
from milplib.scip.rule import PRIORITY

__all__ = ["POLICY_PRIORITY", "OnError", "PolicyOptions", "PolicyUse"]

POLICY_PRIORITY = PRIORITY - 1
"""Default priority of a policy. SCIP gives the highest one to ``nodereopt``, which restores the
nodes of earlier solves in a reoptimisation and leaves all others to the next rule."""

_MAX_DEPTH = 65_534
"""Largest depth of a tree of SCIP."""


class OnError(Word):
    """Reaction to a failure of a policy at a node."""

    FALLBACK = "fallback"
    """SCIP's own rule decides at this node."""
    RAISE = "raise"
    """The solve stops, and the error is raised."""


@dataclass(frozen=True, kw_only=True)
class PolicyOptions:
    """Options of a policy in a model, see `milplib.include_policy`.

    Raises
    ------
    ParameterError
        If an option is outside its domain.
    """

    max_depth: int | None = None
    on_error: OnError | Literal["fallback", "raise"] = OnError.FALLBACK
    priority: int = POLICY_PRIORITY

    def __post_init__(self) -> None:
        if not isinstance(self.on_error, str) or self.on_error not in tuple(OnError):
            raise ParameterError(
                f"on_error is {given(self.on_error)}; it must be 'fallback' or 'raise'"
            )
        object.__setattr__(self, "on_error", OnError(self.on_error))
        check_fields(self)  # SCIP takes no numbers of NumPy's
        if self.max_depth is not None and not 0 <= self.max_depth <= _MAX_DEPTH:
            raise ParameterError(
                f"the largest depth is {self.max_depth}; it must not be negative or above "
                f"{_MAX_DEPTH}"
            )
        if not -PRIORITY <= self.priority <= PRIORITY:
            raise ParameterError(
                f"the priority is {self.priority}; it must be between {-PRIORITY} and {PRIORITY}"
            )


class Place(Protocol):
    """What holds a policy in a model."""

    def remove(self) -> None:
        """Take the policy out of the model."""
        ...

    def replace(self, policy: object) -> None:
        """Put another policy in its place, which the same handle stands for."""
        ...


@dataclass
class PolicyUse:
    """Handle of a policy in a model, with counts and times that the solve updates.

    Parameters
    ----------
    policy
        The policy.
    calls
        Number of nodes at which the policy branched. Nodes of SCIP rules in a combination do not
        count.
    errors
        Number of nodes at which the policy failed, so that SCIP's own rule decided.
    first_error, first_traceback
        First error, and its traceback as text. Its frames would keep the model alive.
    observe_time, score_time, branch_time
        Wall-clock seconds spent on extracting states, on scoring and choosing, and on branching.
    picked
        What a portfolio such as ``auto`` picked, and why; None before the first node, and for other
        policies. If several portfolios are combined, the last pick.
    """

    policy: AnyPolicy
    calls: int = 0
    errors: int = 0
    first_error: Exception | None = field(default=None, repr=False)
    first_traceback: str = field(default="", repr=False)
    observe_time: float = 0.0
    score_time: float = 0.0
    branch_time: float = 0.0
    picked: Picked | None = None
    _place: Place | None = field(default=None, repr=False, compare=False)

    @property
    def time(self) -> float:
        """Wall-clock seconds spent in the policy's callbacks."""
        return self.observe_time + self.score_time + self.branch_time

    @property
    def is_included(self) -> bool:
        """Whether the policy is in its model: not removed."""
        return self._place is not None

    def remove(self) -> None:
        """Take the policy out of its model, and restore the model's parameters.

        A parameter that milplib changed gets its previous value, unless you have changed it since.
        SCIP cannot remove a plugin: milplib's stays in the model, below all rules, and does
        nothing. The counts remain. Removing a policy twice does nothing. The model may be at any
        stage.

        Examples
        --------
        >>> import pyscipopt, milplib
        >>> model = pyscipopt.Model()
        >>> before = model.getParam("branching/pscost/priority")
        >>> use = milplib.include_policy(model, "pscost")
        >>> use.remove()
        >>> model.getParam("branching/pscost/priority") == before
        True
        """
        if self._place is not None:
            self._place.remove()
            self._place = None

    def replace(self, policy: object) -> PolicyUse:
        """Put another policy in the place of this one, with the same options.

        Parameters
        ----------
        policy
            Policy, as for `milplib.include_policy`.

        Returns
        -------
        PolicyUse
            This handle. It stands for the new policy, and its counts start again.

        Raises
        ------
        UnknownNameError, PolicyError, ParameterError
            If the policy is invalid or was removed. The previous policy then stays.
        StageError
            If the model is transformed: call its ``freeTransform`` first.

        Examples
        --------
        >>> import pyscipopt, milplib
        >>> model = pyscipopt.Model()
        >>> use = milplib.include_policy(model, "pscost")
        >>> use.replace("mostinf").policy.name
        'mostinf'
        """
        if self._place is None:
            raise ParameterError(
                f"the policy '{self.policy.name}' was removed from its model: call include_policy"
            )
        self._place.replace(policy)
        return self

    def restart(self, policy: AnyPolicy) -> None:
        """Stand for another policy, with new counts and times."""
        fresh = PolicyUse(policy, _place=self._place)
        for each in fields(self):
            setattr(self, each.name, getattr(fresh, each.name))
