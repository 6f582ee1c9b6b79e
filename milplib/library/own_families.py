"""Families of instances that a user defines in a script or a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from milplib.arguments import given
from milplib.errors import ParameterError
from milplib.formats.from_scip import from_scip
from milplib.formats.scip_fields import is_scip_model
from milplib.instance import Instance
from milplib.library.seeds import DEFAULT_COUNTS, instance_seed
from milplib.library.splits import InstanceFile, Split

__all__ = ["family_name", "generated_instance", "generated_splits", "instance_generator"]


class _FunctionFamily:
    """A function of a seed as a generator."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.__qualname__ = getattr(function, "__qualname__", type(function).__name__)

    def __repr__(self) -> str:
        return self.__qualname__

    def generate(self, seed: int) -> Any:
        """Call the function."""
        return self.function(seed)


def instance_generator(family: object) -> Any:
    """Make a generator of an object with ``generate(seed)``, its class, or a function of a seed.

    Raises
    ------
    ParameterError
        If it is none of these; the message names what is missing.

    Examples
    --------
    >>> instance_generator(42)
    Traceback (most recent call last):
    milplib.errors.ParameterError: 42 is no generator of instances: it has no method \
generate(seed) that returns a milplib.Instance
    """
    is_class = isinstance(family, type)
    if not callable(getattr(family, "generate", None)):
        if callable(family) and not is_class:
            return _FunctionFamily(family)
        shown = family.__name__ if isinstance(family, type) else given(family)
        raise ParameterError(
            f"{shown} is no generator of instances: it has no method generate(seed) that returns "
            "a milplib.Instance"
        )
    if not isinstance(family, type):
        return family
    try:
        return family()
    except Exception as error:  # a user's class may raise anything
        raise ParameterError(
            f"the family {family.__name__} cannot be made without arguments "
            f"({type(error).__name__}: {error}): give an object, {family.__name__}(…), or give its "
            "parameters defaults"
        ) from error


def family_name(family: object) -> str:
    """Return the name of a family's class or function, for a distribution without a name."""
    named = family.function if isinstance(family, _FunctionFamily) else family
    name = getattr(named, "__name__", None) or type(named).__name__
    return str(name)


def generated_instance(generator: Any, seed: int) -> Instance:
    """Generate an instance, and check it; a PySCIPOpt model is converted.

    Raises
    ------
    ParameterError
        If the generator returns something else.
    """
    made: Any = generator.generate(seed)
    if is_scip_model(made):
        return from_scip(made)
    if not isinstance(made, Instance):
        raise ParameterError(
            f"{family_name(generator)}.generate(seed) returned {type(made).__name__}; it must "
            "return a milplib.Instance or a pyscipopt.Model"
        )
    return made


def generated_splits(name: str, *, domain: str, generator: Any) -> dict[str, Split]:
    """Make the splits of a family whose instances are generated in memory on first access."""
    return {
        split: Split(
            _MemoryFiles(name, split, generator), distribution=name, domain=domain, name=split
        )
        for split in DEFAULT_COUNTS
    }


class _MemoryFiles:
    """Generated instances that are in no file."""

    def __init__(self, name: str, split: str, generator: Any) -> None:
        self._name, self._split, self._generator = name, split, generator
        self._made: dict[int, InstanceFile] = {}

    def __len__(self) -> int:
        return DEFAULT_COUNTS[self._split]

    def files(self, indices: Sequence[int]) -> list[InstanceFile]:
        """Return instances by position, after generating the missing ones."""
        for index in indices:
            if index not in self._made:
                self._made[index] = self._generated(index)
        return [self._made[index] for index in indices]

    def _generated(self, index: int) -> InstanceFile:
        seed = instance_seed(self._name, split=self._split, seed=0, index=index)
        name = f"{self._name}/{self._split}/{self._name}-{self._split}-{index:05d}"
        instance = generated_instance(self._generator, seed)
        return InstanceFile.of(instance, name=name, distribution=self._name)
