"""What can be wrong with a study: its file, or the folders that it works in."""

from __future__ import annotations

from milplib.errors import FieldError, MilplibError

__all__ = ["FieldError", "StudyError"]


class StudyError(MilplibError):
    """A study file that cannot be run as it stands; the message names the file and the line."""
