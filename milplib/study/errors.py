"""What can be wrong with a study: its file, or the folders that it works in."""

from __future__ import annotations

from milplib.errors import MilplibError, ParameterError

__all__ = ["FieldError", "StudyError"]


class StudyError(MilplibError):
    """A study file that cannot be run as it stands; the message names the file and the line."""


class FieldError(ParameterError):
    """A field of a study outside its domain.

    Parameters
    ----------
    field
        Its name.
    message
        What is wrong with it.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(field, message)
        self.field, self.message = field, message

    def __str__(self) -> str:
        return f"{self.field} is {self.message}"
