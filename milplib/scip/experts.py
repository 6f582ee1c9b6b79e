"""Experts by name: full strong branching, and cheaper ones that change it in a stated way."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from milplib.errors import ParameterError, StateError, UnknownNameError
from milplib.named import named_object
from milplib.scip.limited_strong_branching import LimitedStrongBranching, Screening
from milplib.scip.strong_branching import StrongBranchingResult, strong_branching

if TYPE_CHECKING:
    import pyscipopt

__all__ = [
    "EXPERTS",
    "Expert",
    "FullStrongBranching",
    "ask_expert",
    "load_expert",
    "resolved_name",
]


@runtime_checkable
class Expert(Protocol):
    """Anything that scores the candidates of a node for a sample.

    It must leave the node as it is, and depend on nothing but the solve: neither on the clock nor
    on what it has said before.

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
        """A name for messages."""
        ...

    def label(
        self, model: pyscipopt.Model, candidates: list[pyscipopt.Variable]
    ) -> StrongBranchingResult:
        """Score the candidates of the current node, or some of them.

        Parameters
        ----------
        model
            A model being solved, inside a branching rule's ``branchexeclp``.
        candidates
            The candidates, at least one.

        Returns
        -------
        StrongBranchingResult
            The scores, with False in ``valid`` for every candidate that has none.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class FullStrongBranching:
    """The default expert: both children of every candidate to the end, as SCIP's own rule.

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
"""The experts that have a name of their own; docs/experts.md says what each costs and gives."""

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


def load_expert(name: str) -> Expert:
    """Make an expert from its name.

    Parameters
    ----------
    name
        A name in `EXPERTS`, limits as in ``shortlist:50+screen:20/8`` (see
        `LimitedStrongBranching`), or ``"package.module:Name"`` for a class or an object of a
        user's own.

    Raises
    ------
    UnknownNameError
        If the name is in none of these forms.
    ParameterError
        If a limit is out of range, a user's own cannot be imported, or is no expert.

    Examples
    --------
    >>> load_expert("shortlist:10")
    LimitedStrongBranching(shortlist=10, screening=None, lookahead=None, iterations=None)
    >>> load_expert("screen:20/8+lookahead:3").name
    'screen:20/8+lookahead:3'
    """
    if name in EXPERTS:
        return EXPERTS[name]
    limited = _limited(name)
    if limited is not None:
        return limited
    module, colon, attribute = name.partition(":")
    if not (colon and attribute.isidentifier()) or module in _LIMITS:
        raise UnknownNameError("expert", name, EXPERTS, hint=_LISTED)
    found: Any = named_object(name, kind="expert", instantiate=True)
    if not isinstance(found, Expert) or not isinstance(found.name, str):
        raise ParameterError(
            f"{name} is not an expert: it needs a name and a method label (milplib.scip.Expert)"
        )
    return found


def _limited(name: str) -> LimitedStrongBranching | None:
    """Read limits; None where the name has another form."""
    parts = name.split("+")
    given: dict[str, tuple[int, ...]] = {}
    for part in parts:
        key = part.partition(":")[0]
        match = _LIMITS[key].fullmatch(part) if key in _LIMITS else None
        if match is None:
            return None
        given[key] = tuple(map(int, match.groups()))
    if list(given) != [key for key in _LIMITS if key in given] or len(given) < len(parts):
        return None
    screen = given.pop("screen", None)
    limits = {key: numbers[0] for key, numbers in given.items()}
    return LimitedStrongBranching(
        shortlist=limits.get("shortlist"),
        screening=None if screen is None else Screening(iterations=screen[0], keep=screen[1]),
        lookahead=limits.get("lookahead"),
        iterations=limits.get("iterations"),
    )


def resolved_name(name: str) -> str:
    """Give the name that says what an expert does, whatever a plain name stands for later.

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
    """Let an expert label the current node, and check what it says.

    Raises
    ------
    StateError
        If it breaks its promise: that says how.
    """
    result: Any = expert.label(model, candidates)  # whatever a stranger gives
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
