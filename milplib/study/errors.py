"""Errors of studies."""

from __future__ import annotations

from milplib.errors import FieldError, MilplibError

__all__ = ["FieldError", "StudyError"]


class StudyError(MilplibError):
    """Error in a study file, or in running it; the message names the file and line, or the task."""
