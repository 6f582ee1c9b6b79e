"""Protocol of policies, and the simplest ones: a SCIP rule and a Python function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Protocol, runtime_checkable

import numpy.typing as npt

from milplib.arguments import checked, given
from milplib.display import Shown
from milplib.errors import ParameterError
from milplib.scip.blocks import load_state_functions
from milplib.scip.parameters import ParameterValue, parameter_text
from milplib.scip.state import BranchingState
from milplib.scip.state_functions import StateFunction

__all__ = ["FunctionPolicy", "Policy", "ScipRule"]


@runtime_checkable
class Policy(Protocol):
    """Anything that scores the candidates of a branching state.

    Examples
    --------
    >>> import numpy as np
    >>> from milplib.scip import VariableFeature
    >>> class MostFractional:
    ...     name = "most fractional"
    ...     state_functions = ()
    ...
    ...     def score(self, state):
    ...         fraction = state.variable_features[
    ...             state.candidates, VariableFeature.FRACTIONALITY]
    ...         return np.minimum(fraction, 1 - fraction)
    >>> isinstance(MostFractional(), Policy)
    True
    """

    @property
    def name(self) -> str:
        """Name for results."""
        ...

    @property
    def state_functions(self) -> tuple[StateFunction, ...]:
        """State functions whose blocks the policy reads from `BranchingState.blocks`."""
        ...

    def score(self, state: BranchingState) -> npt.ArrayLike:
        """Score the candidates; higher is better. Shape (k,), finite."""
        ...


class ScipRule(Shown):
    """A SCIP rule by name, which SCIP itself runs.

    Parameters
    ----------
    rule
        Name of the rule, such as ``"relpscost"``, ``"pscost"`` or ``"random"``.
    parameters
        Values of the rule's parameters by SCIP's names below ``branching/<rule>/``. Other
        parameters keep the model's values. Names are checked when the rule is added to a model.

    Examples
    --------
    >>> ScipRule("pscost").name
    'pscost'
    >>> ScipRule("relpscost", parameters={"maxreliable": 1, "initcand": 10}).name
    'relpscost:initcand=10,maxreliable=1'
    """

    name: str
    """Name for results, from which `milplib.load_policy` makes the same rule."""

    @checked
    def __init__(
        self, rule: str, *, parameters: Mapping[str, ParameterValue] = MappingProxyType({})
    ) -> None:
        if not isinstance(parameters, Mapping):
            raise ParameterError(
                f"the parameters of a rule are {given(parameters)}; give a dict of values by name"
            )
        self.rule = rule
        self.parameters = dict(sorted(parameters.items()))
        words = ",".join(f"{name}={parameter_text(v)}" for name, v in self.parameters.items())
        self.name = f"{rule}:{words}" if words else rule

    def _facts(self) -> dict[str, object]:
        return {"name": self.name}


class FunctionPolicy(Shown):
    """A Python function of the state as a policy.

    Parameters
    ----------
    function
        Function that takes a `milplib.scip.BranchingState` and returns the scores of its
        candidates.
    name
        Name for results. Default: the name of the function.
    blocks
        Blocks that the function reads: names in `milplib.scip.BLOCKS` or state functions.

    Examples
    --------
    >>> def lowest_column(state):
    ...     return -state.candidates
    >>> FunctionPolicy(lowest_column).name
    'lowest_column'
    """

    name: str

    @checked
    def __init__(
        self,
        function: Callable[[BranchingState], npt.ArrayLike],
        *,
        name: str | None = None,
        blocks: Iterable[str | StateFunction] = (),
    ) -> None:
        self.function = function
        self.name = name or str(getattr(function, "__name__", type(function).__name__))
        self.state_functions = load_state_functions(blocks)

    def _facts(self) -> dict[str, object]:
        blocks = [function.name for function in self.state_functions]
        return {"name": self.name, "blocks": blocks}

    def score(self, state: BranchingState) -> npt.ArrayLike:
        """Call the function."""
        return self.function(state)
