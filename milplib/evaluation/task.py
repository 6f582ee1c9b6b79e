"""The tasks of an evaluation: which runs belong together, in which order, with which limits."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from milplib.errors import ParameterError, UnknownNameError
from milplib.evaluation.policies import EvaluatedPolicy
from milplib.library.evaluated import EvaluatedInstance
from milplib.scip.settings import SETTINGS

__all__ = ["PairedTask", "ReferenceTask", "RunParameters", "run_order"]


@dataclass(frozen=True, kw_only=True)
class RunParameters:
    """What all runs of an evaluation share.

    Parameters
    ----------
    setting
        One of `milplib.scip.SETTINGS`.
    time_limit
        Wall-clock seconds of a solve.
    grace
        Seconds beyond it after which a run is killed: for reading the instance, and for an LP or
        a policy that does not look at the clock.
    memory_limit
        Memory in MB above which a run's process is killed; no limit if None.

    Raises
    ------
    ParameterError, UnknownNameError
        If one is outside its domain.

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
        if self.setting not in SETTINGS:
            raise UnknownNameError("setting", self.setting, SETTINGS)
        for name in ("time_limit", "grace"):
            value = getattr(self, name)
            # Failures count as the limit, so there must be one.
            if not 0 < value < math.inf:
                raise ParameterError(
                    f"the {name.replace('_', ' ')} is {value} seconds; it must be positive and "
                    "finite"
                )


@dataclass(frozen=True, kw_only=True)
class PairedTask:
    """All policies on one instance with one seed, one after the other.

    Parameters
    ----------
    instance, seed
        What is paired.
    policies
        The policies.
    parameters
        Of every run.
    reference_objective
        The known optimum: none, or what `solve` needs for the setting ``clean``.
    no_reference
        Why there is no run: the setting needs an optimum that nobody knows.
    """

    instance: EvaluatedInstance
    seed: int
    policies: tuple[EvaluatedPolicy, ...]
    parameters: RunParameters
    reference_objective: float | None = None
    no_reference: str = ""


@dataclass(frozen=True, kw_only=True)
class ReferenceTask:
    """A solve of an instance with SCIP's defaults that finds the optimum for other runs."""

    instance: EvaluatedInstance
    parameters: RunParameters


def run_order(
    policies: Sequence[EvaluatedPolicy], *, instance: str, seed: int
) -> list[EvaluatedPolicy]:
    """Order in which policies run on an instance with a seed: random, and the same every time.

    Examples
    --------
    >>> two = [EvaluatedPolicy(label=name, source=name, kind="rule") for name in ("a", "b")]
    >>> orders = [run_order(two, instance="x", seed=seed)[0].label for seed in range(20)]
    >>> sorted(set(orders))
    ['a', 'b']
    """
    name = int.from_bytes(hashlib.sha256(instance.encode()).digest()[:8], "big")
    random = np.random.RandomState(np.random.MT19937(np.random.SeedSequence([name, seed])))
    return [policies[place] for place in random.permutation(len(policies))]
