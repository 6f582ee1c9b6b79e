"""Limits of sources that protect disk and memory."""

from __future__ import annotations

from dataclasses import dataclass

from milplib.formats.text import DEFAULT_MAX_BYTES

__all__ = ["SourceLimits"]


@dataclass(frozen=True, kw_only=True)
class SourceLimits:
    """Limits of a source that protect disk and memory.

    An archive beyond a limit is refused. An instance beyond a limit that shows only when its gzip
    stream is unpacked, or in a folder or a CSV file, is a broken instance.

    Parameters
    ----------
    files
        Maximum number of entries of an archive, or of instances of a split.
    file_bytes, total_bytes
        Maximum unpacked bytes of an instance, and of all instances of an archive.
    ratio
        Maximum ratio of unpacked to packed size of an instance above 16 MiB. Typical ratios of
        instance files are 5 to 50.
    field_bytes
        Maximum bytes of a field of a CSV file of the mirror. A row takes up to four times as much
        memory.

    Examples
    --------
    >>> SourceLimits().explosion(500 << 20, packed=1 << 20)
    'it would grow 500-fold, above 250, the limit of ratio'
    """

    files: int = 200_000
    file_bytes: int = DEFAULT_MAX_BYTES
    total_bytes: int = 256 << 30
    ratio: float = 250.0
    field_bytes: int = 192 << 20

    @classmethod
    def of_instance(cls, file_bytes: int) -> SourceLimits:
        """Return limits for a known size of the largest instance, whatever its ratio."""
        # The repr of a byte has up to four characters.
        return cls(file_bytes=file_bytes, field_bytes=4 * file_bytes + 3, ratio=float("inf"))

    def explosion(self, size: int, *, packed: int) -> str:
        """Return why an instance is too large; empty if it is within the limits."""
        ratio = size / max(packed, 1)
        if size > self.file_bytes:
            return (
                f"it would have more than {self.file_bytes / 1e6:,.0f} MB, the limit of file_bytes"
            )
        if size > 16 << 20 and ratio > self.ratio:
            return f"it would grow {ratio:.0f}-fold, above {self.ratio:g}, the limit of ratio"
        return ""
