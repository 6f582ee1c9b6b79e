"""Tasks of an evaluation: paired runs, their order and their limits."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from milplib.arguments import check_fields
from milplib.errors import ParameterError, UnknownNameError
from milplib.evaluation.policies import EvaluatedPolicy
from milplib.library.evaluated import EvaluatedInstance
from milplib.scip.settings import SETTINGS

__all__ = ["PairedTask", "ReferenceTask", "RunParameters", "run_order"]


@dataclass(frozen=True, kw_only=True)
class RunParameters:
    """Parameters shared by all runs of an evaluation.

    Parameters
    ----------
    setting
        One of `milplib.scip.SETTINGS`.
    time_limit
        Wall-clock seconds of a solve.
    grace
        Seconds after the limit before a run is killed. They cover reading the instance, and an
        LP or a policy that does not check the clock.
    memory_limit
        Memory in MB above which a run's process is killed; None for no limit.

    Raises
    ------
    ParameterError, UnknownNameError
        If a parameter is outside its domain.

    Examples
    --------
    >>> RunParameters(setting="default", time_limit=-1, grace=60)
    Traceback (most recent call last):
        ...
    milplib.errors.ParameterError: the time limit is -1 seconds; it must be positive and finite
    """

    setting: str
    time_limit: float
    grace: float
    memory_limit: float | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        if self.setting not in SETTINGS:
            raise UnknownNameError("setting", self.setting, SETTINGS)
        for name in ("time_limit", "grace"):
            value = getattr(self, name)
            # The limit must be finite, because failures count as the limit.
            if not 0 < value < math.inf:
                raise ParameterError(
                    f"the {name.replace('_', ' ')} is {value} seconds; it must be positive and "
                    "finite"
                )


@dataclass(frozen=True, kw_only=True)
class PairedTask:
    """Runs of all policies on one instance with one seed, one after the other.

    Parameters
    ----------
    instance, seed
        Instance and seed of the runs.
    policies
        Policies to run.
    parameters
        Parameters of every run.
    reference_objective
        Known optimum that `solve` needs for the setting ``clean``; None otherwise.
    no_reference
        Reason why no run is possible when the setting needs an unknown optimum; else empty.
    """

    instance: EvaluatedInstance
    seed: int
    policies: tuple[EvaluatedPolicy, ...]
    parameters: RunParameters
    reference_objective: float | None = None
    no_reference: str = ""


@dataclass(frozen=True, kw_only=True)
class ReferenceTask:
    """Solve of an instance with SCIP's default settings, to find the optimum for other runs."""

    instance: EvaluatedInstance
    parameters: RunParameters


def run_order(
    policies: Sequence[EvaluatedPolicy], *, instance: str, seed: int
) -> list[EvaluatedPolicy]:
    """Return the order of the policies on an instance with a seed: random but reproducible.

    Examples
    --------
    >>> from milplib.evaluation.config import PolicyKind
    >>> rules = [
    ...     EvaluatedPolicy(label=name, source=name, kind=PolicyKind.RULE) for name in ("a", "b")]
    >>> orders = [run_order(rules, instance="x", seed=seed)[0].label for seed in range(20)]
    >>> sorted(set(orders))
    ['a', 'b']
    """
    name = int.from_bytes(hashlib.sha256(instance.encode()).digest()[:8], "big")
    random = np.random.RandomState(np.random.MT19937(np.random.SeedSequence([name, seed])))
    return [policies[place] for place in random.permutation(len(policies))]
