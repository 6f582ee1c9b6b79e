"""Names of a family's distributions."""

from __future__ import annotations

from milplib.library import Distribution, InstanceGenerator, Provenance

__all__ = ["named"]


def named(level: str, generator: InstanceGenerator, provenance: Provenance) -> Distribution:
    """Make a distribution named ``{domain}-{level}``; those of milplib have the level ``milplib``.

    Examples
    --------
    >>> from milplib.generators import SetCover
    >>> small = SetCover(n_rows=10, n_columns=20, density=0.2)
    >>> named("milplib-tiny", small, "milplib").name
    'SC-milplib-tiny'
    """
    return Distribution(
        name=f"{generator.domain}-{level}",
        domain=generator.domain,
        level="milplib" if provenance == "milplib" else level,
        generator=generator,
        provenance=provenance,
    )
