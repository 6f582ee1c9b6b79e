"""Ranking models as policies, which score each candidate's features in numpy."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from milplib.display import Shown
from milplib.errors import PolicyError
from milplib.policies.candidate_matrix import candidate_matrix, matrix_columns
from milplib.policies.file import PolicyFile
from milplib.scip.blocks import state_functions_of
from milplib.scip.state import BranchingState
from milplib.scip.state_functions import StateFunction

__all__ = ["LinearPolicy", "RankingPolicy"]


class RankingPolicy(Shown, ABC):
    """A policy that scores each candidate by its line of `candidate_matrix`.

    Parameters
    ----------
    content
        Content of the policy file.
    name
        Name for results.
    blocks
        User-defined state functions that the policy reads.

    Raises
    ------
    PolicyError
        If the tensors do not fit the architecture and its features, or a block is unknown.
    """

    def __init__(
        self, content: PolicyFile, *, name: str, blocks: Iterable[StateFunction] = ()
    ) -> None:
        self.name = name
        self.content = content
        self.state_functions = state_functions_of(
            content.blocks, where=f"the policy '{name}'", own=blocks
        )
        self._block_names = tuple(block.name for block in content.blocks)
        self.columns = matrix_columns(content.blocks)
        """Names of the features, in order."""
        expected, declared = len(self.columns), content.hyperparameters.get("features")
        if type(declared) is not int or declared != expected:
            raise self._wrong(f"it says that it reads {declared!r} features, its blocks {expected}")
        self._read(content.tensors)

    def _facts(self) -> dict[str, object]:
        return {"name": self.name} | dict(self.content._facts())

    @abstractmethod
    def _read(self, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
        """Check the tensors and store the model."""

    @abstractmethod
    def score_matrix(self, matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Score lines of features. Shapes (k, d) to (k,), float64."""

    def score(self, state: BranchingState) -> npt.NDArray[np.float64]:
        """Score the candidates of a state.

        Returns
        -------
        ndarray
            Scores, higher is better. Shape (k,), float64.

        Raises
        ------
        PolicyError
            If a block is missing or has another shape, a number is not finite, a position is out
            of range, or a candidate occurs twice.
        """
        try:
            matrix = candidate_matrix(state, self._block_names)
        except (IndexError, TypeError, ValueError) as error:
            raise PolicyError(f"the policy '{self.name}' cannot score this: {error}") from error
        return self.score_matrix(matrix)

    def _wrong(self, reason: str) -> PolicyError:
        return PolicyError(
            f"the policy '{self.name}' is no {self.content.architecture} that this milplib can "
            f"use: {reason}"
        )

    def _check(
        self,
        tensors: Mapping[str, npt.NDArray[Any]],
        expected: Mapping[str, tuple[type[np.generic], tuple[int, ...]]],
    ) -> None:
        """Check names, dtypes and shapes of the tensors."""
        actual = {name: (tensor.dtype, tensor.shape) for name, tensor in tensors.items()}
        wanted = {name: (np.dtype(dtype), shape) for name, (dtype, shape) in expected.items()}
        for name in sorted(actual.keys() | wanted):
            if actual.get(name) != wanted.get(name):
                has, must = (
                    f"{known[name][0]} of shape {known[name][1]}" if name in known else "none"
                    for known in (actual, wanted)
                )
                raise self._wrong(f"its tensor '{name}' is {has}, expected {must}")


class LinearPolicy(RankingPolicy):
    """A policy that scores by a weighted sum of the candidate's features.

    Parameters
    ----------
    content
        Content of the policy file, with the tensor ``weight`` of one number per feature.
    name
        Name for results.
    blocks
        User-defined state functions that the policy reads.

    Examples
    --------
    >>> weights = np.arange(38, dtype=np.float32)
    >>> policy = LinearPolicy(PolicyFile(
    ...     architecture="linear", hyperparameters={"features": 38},
    ...     tensors={"weight": weights}), name="drawn")
    >>> policy.score_matrix(np.eye(38, dtype=np.float32)[:3]).tolist()
    [0.0, 1.0, 2.0]
    """

    def _read(self, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
        self._check(tensors, {"weight": (np.float32, (len(self.columns),))})
        self._weight = tensors["weight"].astype(np.float64)

    def score_matrix(self, matrix: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Score lines of features. Shapes (k, d) to (k,), float64."""
        return np.asarray(matrix.astype(np.float64) @ self._weight)
