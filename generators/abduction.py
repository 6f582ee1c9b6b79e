"""Selection of hypotheses in consistency-based abduction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from milplib.generators.named import named
from milplib.generators.parameters import check_integer, check_real
from milplib.generators.randomness import random_stream
from milplib.instance import Instance
from milplib.library import Distribution

__all__ = ["Abduction"]

LARGEST_WEIGHT = 9
UNPREDICTED = -1


@dataclass(frozen=True, kw_only=True)
class Abduction:
    r"""Consistency-based abduction: accept hypotheses that explain much and contradict little.

    Several trained models look at the same objects, and each predicts classes for some of them.
    A hypothesis h = (model, class) states that the model is right wherever it predicts the class.
    Two hypotheses contradict each other on an object if they predict different classes for it.
    The accepted hypotheses cover a set of objects of maximum weight, subject to a bound on
    contradictions. Object o has the weight :math:`w_o` and is predicted by the hypotheses
    :math:`H_o`, at most one per model; the hypotheses g and h contradict each other on
    :math:`n_{gh}` objects. With
    :math:`x_h = 1` where hypothesis h is accepted, :math:`y_o = 1` where object o is covered and
    :math:`z_{gh} = 1` where both g and h are accepted:

    .. math::
        \max \sum_o w_o y_o \quad \text{with}\quad
        & y_o \le \sum_{h \in H_o} x_h \;\forall o,\quad
        x_g + x_h - z_{gh} \le 1 \;\forall g < h \text{ with } n_{gh} > 0, \\
        & \sum_{gh} n_{gh} z_{gh} \le N,\quad
        x_h \in \{0, 1\},\; 0 \le y_o \le 1,\; 0 \le z_{gh} \le 1

    The columns are ``x_m_c`` by model and class, ``y_o``, and ``z_m_c_n_d`` for the pair of
    (model m, class c) and (model n, class d), in lexicographic order; the rows are ``cover_o``,
    ``both_m_c_n_d`` and ``contradictions``. Models, classes and objects are numbered from 1.

    Every object has a uniform true class and an integer weight, uniform in 1 … 9. Every model
    predicts each object with probability `detection`. The prediction is right with a probability
    drawn for every model and class, uniform in [lowest_accuracy, 1); otherwise it is one of the
    other classes, uniform. The bound is
    :math:`N = \lfloor \text{tolerance} \cdot \sum_{gh} n_{gh} \rfloor`.

    Every instance is feasible: accept no hypothesis.

    Parameters
    ----------
    n_models
        Number of models, at least 2.
    n_classes
        Number of classes, at least 2.
    n_objects
        Number of objects, at least 1.
    detection
        Probability that a model predicts an object, above 0 and at most 1.
    lowest_accuracy
        Smallest probability of a right prediction, from 0 to 1.
    tolerance
        Share of all contradictions that may remain, from 0 to 1.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.

    References
    ----------
    M. Leiva, N. Ngu, J. S. Kricheli, A. Taparia, R. Senanayake, P. Shakarian, N. Bastian,
    J. Corcoran, G. Simari (2025). Consistency-based abductive reasoning over perceptual errors of
    multiple pre-trained models in novel environments. arXiv 2505.19361 (the problem: predictions
    of maximum coverage with bounded inconsistency; data and formulation are milplib's).

    Examples
    --------
    >>> generator = Abduction(n_models=3, n_classes=4, n_objects=50, tolerance=0.1)
    >>> instance = generator.generate(seed=7)
    >>> instance.n_rows, instance.n_columns
    (75, 86)
    >>> instance.column_names[0], instance.row_names[-1]
    ('x_1_1', 'contradictions')
    """

    n_models: int
    n_classes: int
    n_objects: int
    detection: float = 0.7
    lowest_accuracy: float = 0.3
    tolerance: float = 0.05

    domain: ClassVar[str] = "ABD"
    generator_version: ClassVar[int] = 1
    distributions: ClassVar[tuple[Distribution, ...]]

    def __post_init__(self) -> None:
        check_integer("n_models", self.n_models, at_least=2)
        check_integer("n_classes", self.n_classes, at_least=2)
        check_integer("n_objects", self.n_objects, at_least=1)
        check_real("detection", self.detection, above=0, at_most=1)
        check_real("lowest_accuracy", self.lowest_accuracy, at_least=0, at_most=1)
        check_real("tolerance", self.tolerance, at_least=0, at_most=1)

    def generate(self, seed: int) -> Instance:
        """Generate the instance of a seed.

        Raises
        ------
        ParameterError
            If the seed is not a nonnegative integer.
        """
        weights, predicted = self._drawn(random_stream(seed))
        objects, models = np.nonzero(predicted != UNPREDICTED)
        hypotheses = models * self.n_classes + predicted[objects, models]
        covers = sp.csr_array(
            (np.ones(len(objects)), (objects, hypotheses)),
            shape=(self.n_objects, self.n_models * self.n_classes),
        )
        # Pairs that predict the same object, without those of the same class.
        together = sp.triu(covers.T @ covers, k=1).tocoo()
        disagree = together.row % self.n_classes != together.col % self.n_classes
        pairs = np.column_stack((together.row, together.col))[disagree].astype(np.int64)
        order = np.lexsort((pairs[:, 1], pairs[:, 0]))
        contradictions = together.data[disagree]
        return self._instance(
            weights, covers, pairs[order], contradictions[order], name=f"{self.domain}-seed-{seed}"
        )

    def _drawn(
        self, stream: np.random.RandomState
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Draw the weight of each object (row) and the class that each model (column) predicts.

        Classes are numbered from 0.
        """
        shape = self.n_objects, self.n_models
        weights = stream.randint(1, LARGEST_WEIGHT + 1, size=self.n_objects, dtype=np.int64)
        truth = stream.randint(self.n_classes, size=self.n_objects, dtype=np.int64)
        uniform = stream.random_sample((self.n_models, self.n_classes))
        accuracy = self.lowest_accuracy + (1 - self.lowest_accuracy) * uniform
        detected = stream.random_sample(shape) < self.detection
        right = stream.random_sample(shape) < accuracy[:, truth].T
        shift = stream.randint(1, self.n_classes, size=shape, dtype=np.int64)
        wrong = (truth[:, np.newaxis] + shift) % self.n_classes
        predicted = np.where(right, truth[:, np.newaxis], wrong)
        return weights, np.where(detected, predicted, UNPREDICTED)

    def _instance(
        self,
        weights: npt.NDArray[np.int64],
        covers: sp.csr_array,
        pairs: npt.NDArray[np.int64],
        contradictions: npt.NDArray[np.float64],
        *,
        name: str,
    ) -> Instance:
        n_hypotheses = self.n_models * self.n_classes
        n_pairs = len(pairs)
        both = sp.csr_array(
            (np.ones(2 * n_pairs), pairs.ravel(), np.arange(0, 2 * n_pairs + 1, 2)),
            shape=(n_pairs, n_hypotheses),
        )
        matrix = sp.block_array(
            [
                [-covers, sp.eye_array(self.n_objects), None],
                [both, None, -sp.eye_array(n_pairs)],
                [None, None, sp.csr_array(contradictions[np.newaxis])],
            ],
            format="csr",
        )
        bound = np.floor(self.tolerance * contradictions.sum())
        objects = range(1, self.n_objects + 1)
        hypotheses = [
            f"{model}_{label}"
            for model in range(1, self.n_models + 1)
            for label in range(1, self.n_classes + 1)
        ]
        pair_names = [f"{hypotheses[g]}_{hypotheses[h]}" for g, h in pairs.tolist()]
        n_columns = n_hypotheses + self.n_objects + n_pairs
        return Instance(
            objective=np.concatenate((np.zeros(n_hypotheses), weights, np.zeros(n_pairs))),
            A=matrix,
            row_lower=np.full(self.n_objects + n_pairs + 1, -np.inf),
            row_upper=np.concatenate((np.zeros(self.n_objects), np.ones(n_pairs), [bound])),
            lower=np.zeros(n_columns),
            upper=np.ones(n_columns),
            integrality=np.repeat([1, 0], [n_hypotheses, self.n_objects + n_pairs]),
            column_names=(
                *(f"x_{hypothesis}" for hypothesis in hypotheses),
                *(f"y_{item}" for item in objects),
                *(f"z_{pair}" for pair in pair_names),
            ),
            row_names=(
                *(f"cover_{item}" for item in objects),
                *(f"both_{pair}" for pair in pair_names),
                "contradictions",
            ),
            sense="maximize",
            name=name,
        )


Abduction.distributions = (
    named("milplib-easy", Abduction(n_models=5, n_classes=8, n_objects=150), "milplib"),
    named("milplib-hard", Abduction(n_models=8, n_classes=12, n_objects=400), "milplib"),
)
