"""Record of which policy a portfolio picked, and why."""

from __future__ import annotations

from dataclasses import dataclass

from milplib.outcomes import Word

__all__ = ["SCIPS_OWN", "PickReason", "Picked"]

SCIPS_OWN = "SCIP's own rule"
"""Name in a `Picked` of a portfolio that leaves branching to SCIP."""


class PickReason(Word):
    """Reason for the pick of a portfolio."""

    FAMILY = "family"
    """The instance belongs to a family, which the detail names."""
    NO_FAMILY = "no family"
    """The instance belongs to no family. The detail names the nearest."""
    BEYOND_ROWS = "not only linear rows"
    """The model has more than linear rows, such as the detail names: a pricer, a constraint of
    another kind, a constraint handler of the user's."""
    UNREADABLE = "unreadable"
    """The rows of the model cannot be read, for the reason in the detail."""
    FUNCTION = "function"
    """The function of the portfolio returned the key in the detail."""


@dataclass(frozen=True, kw_only=True)
class Picked:
    """Policy that a portfolio picked for an instance or a model, and the reason.

    Parameters
    ----------
    policy
        Name of the picked policy, or ``"SCIP's own rule"`` where the portfolio steps aside and
        leaves branching to the rules of the model.
    reason
        Reason of the pick.
    detail
        Further words.

    Examples
    --------
    >>> print(Picked(policy="gcnn-auctions", reason=PickReason.FAMILY, detail="CA"))
    gcnn-auctions (family: CA)
    """

    policy: str
    reason: PickReason
    detail: str = ""

    def __str__(self) -> str:
        detail = f": {self.detail}" if self.detail else ""
        return f"{self.policy} ({self.reason}{detail})"
