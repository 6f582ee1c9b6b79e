"""What tests know and the type checker cannot: that a value is there, and of which class."""

from __future__ import annotations

from typing import Any, TypeVar

from milplib import Instance

T = TypeVar("T")


def present(value: T | None) -> T:
    """Give a value that must be there."""
    assert value is not None
    return value


def of_class(value: object, expected: type[T]) -> T:
    """Give a value that must be of a class."""
    assert isinstance(value, expected)
    return value


def instance_from(**content: Any) -> Instance:
    """Give an instance of lists, which become its arrays."""
    return Instance(**content)
