"""Joint selection of code solutions and tests that agree with each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from milplib.errors import ParameterError
from milplib.generators.named import named
from milplib.generators.parameters import check_integer, check_real
from milplib.generators.randomness import random_stream, round_significant
from milplib.instance import Instance
from milplib.library import Distribution

__all__ = ["CodeTestSelection"]

LARGEST_GROUP = 5
LARGEST_WEIGHT = 3


@dataclass(frozen=True, kw_only=True)
class CodeTestSelection:
    r"""Selection of code solutions and tests: choose both for many passes and few failures.

    A language model has written solutions and tests for a programming task, and some of both are
    wrong. Every solution was run on every test. The chosen solutions and tests should agree: a
    pair of a chosen solution and a chosen test is rewarded if the test passes and penalised if it
    fails (a dense part of the bipartite graph of passes). Solution s represents a group of
    :math:`g_s` samples of equal behaviour, test t has the weight :math:`w_t`, and P is the set of
    passing pairs. With :math:`x_s = 1` if solution s is chosen, :math:`y_t = 1` if test t is
    chosen, and the product :math:`z_{st} = x_s y_t`:

    .. math::
        \max \sum_{st \in P} g_s w_t z_{st} - p \sum_{st \notin P} g_s w_t z_{st} \quad
        \text{with}\quad
        & z_{st} \le x_s,\; z_{st} \le y_t \;\forall st \in P,\quad
        x_s + y_t - z_{st} \le 1 \;\forall st \notin P, \\
        & \sum_s x_s \le S,\; \sum_t y_t \le T,\quad
        x_s, y_t \in \{0, 1\},\; 0 \le z_{st} \le 1

    The columns are ``x_s``, ``y_t`` and ``z_s_t`` by solution; the rows are ``max_solutions``,
    ``max_tests``, then for each pair, by solution, ``solution_s_t`` and ``test_s_t`` where it
    passes, ``both_s_t`` where it fails. Solutions and tests are numbered from 1.

    There are `n_bugs` possible mistakes. Every solution has each of them with probability
    `bug_rate`, and every test exposes each with probability `exposure_rate`. With probability
    `wrong_tests`, a test is wrong instead and expects the result of one uniform mistake: only
    solutions with that mistake pass. Any other test passes if it exposes no mistake of the
    solution. Group sizes are integers, uniform in 1 … 5; test weights are integers, uniform in
    1 … 3. A reward is their product, without a unit.

    Every instance is feasible: choose nothing.

    Parameters
    ----------
    n_solutions
        Number of groups of solutions, at least 1.
    n_tests
        Number of tests, at least 1.
    max_solutions
        Largest number S of solutions chosen, from 1 to ``n_solutions``.
    max_tests
        Largest number T of tests chosen, from 1 to ``n_tests``.
    penalty
        Penalty of a failing pair relative to its reward if it passed (p), above 0.
    n_bugs
        Number of possible mistakes, at least 1.
    bug_rate
        Probability that a solution has a mistake, from 0 to 1.
    exposure_rate
        Probability that a test exposes a mistake, from 0 to 1.
    wrong_tests
        Probability that a test is wrong, from 0 to 1.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.

    References
    ----------
    B. Chen, F. Zhang, A. Nguyen, D. Zan, Z. Lin, J.-G. Lou, W. Chen (2023). CodeT: code
    generation with generated tests. ICLR 2023 (the choice of solutions by their agreement with
    generated tests and with each other; data and formulation are milplib's).

    Examples
    --------
    >>> generator = CodeTestSelection(n_solutions=10, n_tests=15, max_solutions=4, max_tests=6)
    >>> instance = generator.generate(seed=7)
    >>> instance.n_rows, instance.n_columns
    (243, 175)
    >>> instance.column_names[0], instance.column_names[-1]
    ('x_1', 'z_10_15')
    """

    n_solutions: int
    n_tests: int
    max_solutions: int
    max_tests: int
    penalty: float = 1
    n_bugs: int = 12
    bug_rate: float = 0.15
    exposure_rate: float = 0.2
    wrong_tests: float = 0.3

    domain: ClassVar[str] = "CTS"
    generator_version: ClassVar[int] = 1
    distributions: ClassVar[tuple[Distribution, ...]]

    def __post_init__(self) -> None:
        for name, limit in (("solutions", "max_solutions"), ("tests", "max_tests")):
            n_all, at_most = getattr(self, f"n_{name}"), getattr(self, limit)
            check_integer(f"n_{name}", n_all, at_least=1)
            check_integer(limit, at_most, at_least=1)
            if at_most > n_all:
                raise ParameterError(f"{limit} is {at_most!r}, expected at most the {n_all} {name}")
        check_real("penalty", self.penalty, above=0)
        check_integer("n_bugs", self.n_bugs, at_least=1)
        for name in ("bug_rate", "exposure_rate", "wrong_tests"):
            check_real(name, getattr(self, name), at_least=0, at_most=1)

    def generate(self, seed: int) -> Instance:
        """Generate the instance of a seed.

        Raises
        ------
        ParameterError
            If the seed is not a nonnegative integer.
        """
        groups, weights, passes = self._drawn(random_stream(seed))
        return self._instance(passes, np.outer(groups, weights), name=f"{self.domain}-seed-{seed}")

    def _drawn(
        self, stream: np.random.RandomState
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
        """Draw groups, weights, and whether each solution (row) passes each test (column)."""
        groups = stream.randint(1, LARGEST_GROUP + 1, size=self.n_solutions, dtype=np.int64)
        weights = stream.randint(1, LARGEST_WEIGHT + 1, size=self.n_tests, dtype=np.int64)
        has_bug = stream.random_sample((self.n_solutions, self.n_bugs)) < self.bug_rate
        exposes = stream.random_sample((self.n_tests, self.n_bugs)) < self.exposure_rate
        wrong = stream.random_sample(self.n_tests) < self.wrong_tests
        expected_bug = stream.randint(self.n_bugs, size=self.n_tests, dtype=np.int64)
        exposed = has_bug.astype(np.int64) @ exposes.T.astype(np.int64) > 0
        passes: npt.NDArray[np.bool_] = np.where(wrong, has_bug[:, expected_bug], ~exposed)
        return groups, weights, passes

    def _instance(
        self, passes: npt.NDArray[np.bool_], rewards: npt.NDArray[np.int64], *, name: str
    ) -> Instance:
        n_pairs = passes.size
        n_chosen = self.n_solutions + self.n_tests
        passing = passes.ravel()
        # A passing pair has two rows, a failing one has one.
        n_rows = np.where(passing, 2, 1)
        pair = np.repeat(np.arange(n_pairs), n_rows)
        first = np.ones(len(pair), dtype=np.bool_)
        first[1:] = pair[1:] != pair[:-1]
        solution, test = np.divmod(pair, self.n_tests)
        row = np.arange(len(pair))
        passed = passing[pair]
        of_solution, of_test = first, ~first | ~passed
        rows = np.concatenate((row[of_solution], row[of_test], row))
        columns = np.concatenate(
            (solution[of_solution], self.n_solutions + test[of_test], n_chosen + pair)
        )
        signs = np.where(passed, -1.0, 1.0)
        values = np.concatenate((signs[of_solution], signs[of_test], -signs))
        pair_rows = sp.csr_array((values, (rows, columns)), shape=(len(row), n_chosen + n_pairs))
        limits = sp.block_diag(
            [np.ones((1, self.n_solutions)), np.ones((1, self.n_tests)), np.zeros((0, n_pairs))]
        )
        objective = round_significant(np.where(passing, 1.0, -self.penalty) * rewards.ravel())
        names = [
            f"{s}_{t}" for s in range(1, self.n_solutions + 1) for t in range(1, self.n_tests + 1)
        ]
        kinds = np.where(passed, np.where(first, "solution", "test"), "both")
        return Instance(
            objective=np.append(np.zeros(n_chosen), objective),
            A=sp.vstack([limits, pair_rows], format="csr"),
            row_lower=np.full(2 + len(row), -np.inf),
            row_upper=np.concatenate(
                ([self.max_solutions, self.max_tests], np.where(passed, 0, 1))
            ),
            lower=np.zeros(n_chosen + n_pairs),
            upper=np.ones(n_chosen + n_pairs),
            integrality=np.repeat([1, 0], [n_chosen, n_pairs]),
            column_names=(
                *(f"x_{s}" for s in range(1, self.n_solutions + 1)),
                *(f"y_{t}" for t in range(1, self.n_tests + 1)),
                *(f"z_{name}" for name in names),
            ),
            row_names=(
                "max_solutions",
                "max_tests",
                *(
                    f"{kind}_{names[number]}"
                    for kind, number in zip(kinds.tolist(), pair.tolist(), strict=True)
                ),
            ),
            sense="maximize",
            name=name,
        )


CodeTestSelection.distributions = (
    named(
        "milplib-easy",
        CodeTestSelection(n_solutions=32, n_tests=40, max_solutions=12, max_tests=16),
        "milplib",
    ),
    named(
        "milplib-hard",
        CodeTestSelection(n_solutions=60, n_tests=80, max_solutions=24, max_tests=32),
        "milplib",
    ),
)
