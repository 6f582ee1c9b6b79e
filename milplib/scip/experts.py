"""Experts by name: full strong branching, and cheaper variants with limits."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from milplib.errors import ParameterError, StateError, UnknownNameError
from milplib.named import load_object
from milplib.scip.limited_strong_branching import LimitedStrongBranching, Screening
from milplib.scip.strong_branching import StrongBranchingResult, strong_branching

if TYPE_CHECKING:
    import pyscipopt

__all__ = [
    "EXPERTS",
    "Expert",
    "FullStrongBranching",
    "FunctionExpert",
    "ask_expert",
    "load_expert",
    "resolved_name",
]


@runtime_checkable
class Expert(Protocol):
    """Anything that scores the candidates of a node for a sample.

    An expert must not change the node. Its scores must depend on nothing but the solve, so neither
    on the clock nor on earlier calls.

    Examples
    --------
    >>> class Mine:
    ...     name = "mine"
    ...
    ...     def label(self, model, candidates):
    ...         ...
    >>> isinstance(Mine(), Expert)
    True
    """

    @property
    def name(self) -> str:
        """Name for error messages."""
        ...

    def label(
        self, model: pyscipopt.Model, candidates: list[pyscipopt.Variable]
    ) -> StrongBranchingResult:
        """Score the candidates of the current node, or some of them.

        Parameters
        ----------
        model
            Model being solved, inside the ``branchexeclp`` of a branching rule.
        candidates
            The candidates, at least one.

        Returns
        -------
        StrongBranchingResult
            Scores; ``valid`` is False for candidates without a score.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class FullStrongBranching:
    """Full strong branching, the default expert, which solves all child LPs to the end.

    Examples
    --------
    >>> FullStrongBranching().name
    'full'
    """

    @property
    def name(self) -> str:
        """``full``."""
        return "full"

    def label(
        self, model: pyscipopt.Model, candidates: list[pyscipopt.Variable]
    ) -> StrongBranchingResult:
        """Score all candidates; see `milplib.scip.strong_branching`."""
        return strong_branching(model, candidates)


EXPERTS: MappingProxyType[str, Expert] = MappingProxyType(
    {
        "full": FullStrongBranching(),
        "fast": LimitedStrongBranching(screening=Screening(iterations=20, keep=8)),
        "faster": LimitedStrongBranching(shortlist=20, screening=Screening(iterations=20, keep=4)),
    }
)
"""Predefined experts by name; docs/experts.md describes their costs and accuracy."""

_NUMBER = r"(\d{1,10})"
_LIMITS = {
    "shortlist": re.compile(f"shortlist:{_NUMBER}", re.ASCII),
    "screen": re.compile(f"screen:{_NUMBER}/{_NUMBER}", re.ASCII),
    "lookahead": re.compile(f"lookahead:{_NUMBER}", re.ASCII),
    "iterations": re.compile(f"iterations:{_NUMBER}", re.ASCII),
}
_LISTED = (
    f"(experts: {', '.join(EXPERTS)}; limits, in this order and joined by '+': shortlist:N, "
    "screen:ITERATIONS/KEPT, lookahead:N, iterations:N; one of your own: package.module:Name)"
)


class FunctionExpert:
    """A Python function as an expert.

    Parameters
    ----------
    function
        Function of a model and the candidates that returns a `StrongBranchingResult`.

    Examples
    --------
    >>> def mine(model, candidates):
    ...     ...
    >>> FunctionExpert(mine).name
    'mine'
    """

    name: str

    def __init__(
        self,
        function: Callable[[pyscipopt.Model, list[pyscipopt.Variable]], StrongBranchingResult],
    ) -> None:
        self.function = function
        self.name = str(getattr(function, "__name__", type(function).__name__))

    def label(
        self, model: pyscipopt.Model, candidates: list[pyscipopt.Variable]
    ) -> StrongBranchingResult:
        """Call the function."""
        return self.function(model, candidates)


def load_expert(name: object) -> Expert:
    """Load an expert from a name, an object or a function.

    Parameters
    ----------
    name
        Name in `EXPERTS`, limits such as ``shortlist:50+screen:20/8`` (see
        `LimitedStrongBranching`), or ``"package.module:Name"`` of a user-defined class or object.
        Also an expert, a class of experts, or a function of a model and its candidates.

    Raises
    ------
    UnknownNameError
        If the name has none of these forms.
    ParameterError
        If a limit is out of range, or a user-defined object cannot be imported or is not an
        expert.

    Examples
    --------
    >>> load_expert("shortlist:10")
    LimitedStrongBranching(shortlist=10, screening=None, lookahead=None, iterations=None)
    >>> load_expert("screen:20/8+lookahead:3").name
    'screen:20/8+lookahead:3'
    """
    if not isinstance(name, str):
        return _checked_expert(name)
    if name in EXPERTS:
        return EXPERTS[name]
    limited = _limited(name)
    if limited is not None:
        return limited
    module, colon, attribute = name.partition(":")
    if not (colon and attribute.isidentifier()) or module in _LIMITS:
        raise UnknownNameError("expert", name, EXPERTS, hint=_LISTED)
    return _checked_expert(load_object(name, role="expert", instantiate=True), shown=name)


def _checked_expert(given: object, *, shown: str = "") -> Expert:
    """Make an expert of an object, a class or a function; raise if it is none of these."""
    expert: Any = given
    if isinstance(given, type):
        try:
            expert = given()
        except Exception as error:  # a user's class may raise anything
            raise ParameterError(
                f"the expert {given.__name__} cannot be made: {type(error).__name__}: {error}"
            ) from error
    elif callable(given) and not isinstance(given, Expert):
        expert = FunctionExpert(given)
    if not isinstance(expert, Expert) or not isinstance(expert.name, str):
        raise ParameterError(
            f"{shown or repr(given)} is not an expert: it needs a name and a method label "
            "(milplib.scip.Expert)"
        )
    return expert


def _limited(name: str) -> LimitedStrongBranching | None:
    """Parse limits; return None if the name has another form."""
    parts = name.split("+")
    numbers_of: dict[str, tuple[int, ...]] = {}
    for part in parts:
        key = part.partition(":")[0]
        match = _LIMITS[key].fullmatch(part) if key in _LIMITS else None
        if match is None:
            return None
        numbers_of[key] = tuple(map(int, match.groups()))
    in_order = [key for key in _LIMITS if key in numbers_of]
    if list(numbers_of) != in_order or len(numbers_of) < len(parts):
        return None
    screen = numbers_of.pop("screen", None)
    limits = {key: numbers[0] for key, numbers in numbers_of.items()}
    return LimitedStrongBranching(
        shortlist=limits.get("shortlist"),
        screening=None if screen is None else Screening(iterations=screen[0], keep=screen[1]),
        lookahead=limits.get("lookahead"),
        iterations=limits.get("iterations"),
    )


def resolved_name(name: str) -> str:
    """Return the name that describes an expert's limits, even if its plain name changes meaning.

    Examples
    --------
    >>> resolved_name("full"), resolved_name("shortlist:010")
    ('full', 'shortlist:10')
    """
    expert = load_expert(name)
    is_ours = isinstance(expert, FullStrongBranching | LimitedStrongBranching)
    return expert.name if is_ours else name


def ask_expert(
    expert: Expert, model: pyscipopt.Model, candidates: list[pyscipopt.Variable]
) -> StrongBranchingResult:
    """Label the current node with an expert, and check the result.

    Raises
    ------
    StateError
        If the result is invalid.
    """
    result: Any = expert.label(model, candidates)  # a user's expert may return anything
    k = len(candidates)
    if not isinstance(result, StrongBranchingResult):
        problem = f"gave {type(result).__name__}, not a StrongBranchingResult"
    elif result.scores.shape != (k,) or result.valid.shape != (k,):
        problem = (
            f"gave scores and validity of shapes {result.scores.shape} and {result.valid.shape} "
            f"for {k} candidates"
        )
    elif result.scores.dtype != np.float64 or result.valid.dtype != np.bool_:
        problem = (
            f"gave scores and validity of {result.scores.dtype} and {result.valid.dtype}, not of "
            "float64 and bool"
        )
    elif not np.isfinite(result.scores).all():
        problem = "gave a score that is not finite; a candidate without one is not valid"
    elif result.valid.any() and not (0 <= result.best < k and result.valid[result.best]):
        problem = f"chose the candidate {result.best} of {k}, which has no score"
    else:
        checked: StrongBranchingResult = result
        return checked
    raise StateError(f"the expert '{expert.name}' {problem}")
