"""Names to choose from in a training."""

from __future__ import annotations

from milplib.outcomes import Word

__all__ = ["LossName", "Mixture", "Precision"]


class Mixture(Word):
    """Way to mix data sets."""

    BALANCED = "balanced"
    """All data sets have equal weights."""
    PROPORTIONAL = "proportional"
    """All samples have equal weights."""


class LossName(Word):
    """Loss of milplib's own; a user's loss is named ``package.module:Name``."""

    HARD = "hard"
    """Cross-entropy against the expert's best candidates."""
    SOFT = "soft"
    """Cross-entropy against targets that fall off with the expert's scores."""


class Precision(Word):
    """Precision of the matrix products of a training."""

    FLOAT32 = "float32"
    BFLOAT16 = "bfloat16"
    """Automatic mixed precision."""
