"""Outcomes of collecting from an instance."""

from __future__ import annotations

from milplib.outcomes import Word

__all__ = ["CollectOutcome"]


class CollectOutcome(Word):
    """Outcome of collecting from an instance."""

    COMPLETE = "complete"
    """As many samples as wanted."""
    FEWER = "fewer"
    """Some samples, but fewer than wanted."""
    NONE = "none"
    """Solved without a node to label."""
    DUPLICATE = "duplicate"
    """Left out because another file has the same content."""
    UNREADABLE = "unreadable"
    FAILED = "failed"
    """Every episode failed, or the worker process died."""
