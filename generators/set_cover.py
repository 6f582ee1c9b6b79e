"""Set covering with random rows and columns (Balas & Ho 1980)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from milplib.errors import ParameterError
from milplib.generators.incidence import covering, incidence_matrix
from milplib.generators.named import named
from milplib.generators.parameters import check_integer, check_real
from milplib.generators.randomness import random_stream
from milplib.instance import Instance
from milplib.library import Distribution

__all__ = ["SetCover"]


@dataclass(frozen=True, kw_only=True)
class SetCover:
    r"""Set covering: choose the cheapest columns that cover every row.

    With the set :math:`J_i` of the columns that cover row i and the cost :math:`c_j` of column j:

    .. math::
        \min \sum_j c_j x_j \quad \text{with } \sum_{j \in J_i} x_j \ge 1 \;\forall i,\;
        x_j \in \{0, 1\} \;\forall j

    The matrix has exactly ``⌊n_rows · n_columns · density⌋`` nonzeros. Every row is covered by at
    least one column and every column covers at least two rows; beyond that, columns and rows are
    uniform. Costs are integers, uniform in 1 … `max_cost`. Every instance is feasible.

    Parameters
    ----------
    n_rows
        Number of rows (elements to cover), at least 2.
    n_columns
        Number of columns (sets), at least 1.
    density
        Share of nonzero entries, in (0, 1]; large enough for one nonzero per row and two per
        column.
    max_cost
        Largest cost of a column, at least 1.

    Raises
    ------
    ParameterError
        If a parameter is outside its range, or the density yields too few nonzeros.

    References
    ----------
    E. Balas, A. Ho (1980). Set covering algorithms using cutting planes, heuristics, and
    subgradient optimization: a computational study. Mathematical Programming Studies 12 (the
    random test problems).

    Examples
    --------
    >>> instance = SetCover(n_rows=500, n_columns=1000, density=0.05).generate(seed=7)
    >>> instance.n_rows, instance.n_columns, instance.n_nonzeros
    (500, 1000, 25000)
    """

    n_rows: int
    n_columns: int
    density: float
    max_cost: int = 100

    domain: ClassVar[str] = "SC"
    generator_version: ClassVar[int] = 1
    distributions: ClassVar[tuple[Distribution, ...]]

    def __post_init__(self) -> None:
        check_integer("n_rows", self.n_rows, at_least=2)
        check_integer("n_columns", self.n_columns, at_least=1)
        check_real("density", self.density, above=0, at_most=1)
        check_integer("max_cost", self.max_cost, at_least=1)
        needed = max(self.n_rows, 2 * self.n_columns)
        if self.n_nonzeros < needed:
            smallest = math.ceil(10**6 * needed / (self.n_rows * self.n_columns)) / 10**6
            raise ParameterError(
                f"density is {self.density!r}, which yields {self.n_nonzeros} nonzeros; expected "
                f"at least {smallest}: {needed} nonzeros cover each of {self.n_rows} rows and give "
                f"each of {self.n_columns} columns 2 rows"
            )

    @property
    def n_nonzeros(self) -> int:
        """Number of nonzeros of every instance."""
        # A fraction of the decimal text is exact; in floating point 0.29 · 100 < 29.
        return int(Fraction(str(float(self.density))) * int(self.n_rows) * int(self.n_columns))

    def generate(self, seed: int) -> Instance:
        """Generate the instance of a seed.

        Raises
        ------
        ParameterError
            If the seed is not a nonnegative integer.
        """
        stream = random_stream(seed)
        rows_per_column = self._rows_per_column(stream)
        rows = self._covered_rows(stream, rows_per_column)
        costs = stream.randint(1, self.max_cost + 1, size=self.n_columns, dtype=np.int64)
        matrix = incidence_matrix(rows, rows_per_column, self.n_rows).T
        return covering(costs, matrix, name=f"{self.domain}-seed-{seed}")

    def _rows_per_column(self, stream: np.random.RandomState) -> npt.NDArray[np.int64]:
        """Draw the number of rows of each column: 2, and a uniform part of the other nonzeros."""
        counts = np.full(self.n_columns, 2, dtype=np.int64)
        open_columns = np.arange(self.n_columns)
        # A column covers at most n_rows rows; its surplus goes to other columns. The loop ends,
        # as each round places at least one nonzero.
        while (missing := self.n_nonzeros - int(counts.sum())) > 0:
            drawn = stream.randint(len(open_columns), size=missing, dtype=np.int64)
            counts += np.bincount(open_columns[drawn], minlength=self.n_columns)
            np.minimum(counts, self.n_rows, out=counts)
            open_columns = np.flatnonzero(counts < self.n_rows)
        return counts

    def _covered_rows(
        self, stream: np.random.RandomState, rows_per_column: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Draw the rows of each column, column by column.

        A permutation of all rows fills the first columns, so that every row is covered. Rows
        drawn without replacement complete the last of these columns and fill all others.
        """
        rows = np.empty(self.n_nonzeros, dtype=np.int64)
        rows[: self.n_rows] = stream.permutation(self.n_rows)
        every_row = np.arange(self.n_rows, dtype=np.int64)
        start = 0
        for count in rows_per_column.tolist():
            stop = start + count
            if stop > self.n_rows:
                first_free = max(start, self.n_rows)
                candidates = np.delete(every_row, rows[start:first_free])
                rows[first_free:stop] = stream.permutation(candidates)[: stop - first_free]
            start = stop
        return rows


SetCover.distributions = (
    named("easy", SetCover(n_rows=500, n_columns=1000, density=0.05), "verified"),
    named("medium", SetCover(n_rows=1000, n_columns=1000, density=0.05), "verified"),
    named("hard", SetCover(n_rows=2000, n_columns=1000, density=0.05), "verified"),
    named("very-hard", SetCover(n_rows=5000, n_columns=4000, density=0.05), "verified"),
    named("milplib-small", SetCover(n_rows=300, n_columns=400, density=0.05), "milplib"),
    # A smaller range of costs yields larger trees with smaller linear programs.
    named(
        "milplib-judging",
        SetCover(n_rows=300, n_columns=500, density=0.05, max_cost=10),
        "milplib",
    ),
    named(
        "milplib-half", SetCover(n_rows=150, n_columns=250, density=0.05, max_cost=10), "milplib"
    ),
)
