"""Runs of an evaluation as arrays: policy by instance by seed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from milplib.display import Shown
from milplib.evaluation.table import NOT_RUN, judged_failures, judged_times

__all__ = ["PairedRuns"]

_INTEGRALS = ("primal_integral", "dual_integral", "primal_dual_integral")
_ARRAYS = ("present", "solved", "time", "lp_iterations", *_INTEGRALS)

WIN_RELATIVE, WIN_SECONDS = 0.01, 0.01
"""Slack of a win: a solved run wins within 1 % or 0.01 s of the fastest run of its pair."""


class _Columns(Mapping[str, npt.NDArray[np.float64]]):
    """Columns that are computed on first use: means need few of those that a table has."""

    def __init__(
        self, names: Iterable[str], compute: Callable[[str], npt.NDArray[np.float64]]
    ) -> None:
        self._names = dict.fromkeys(names)
        self._compute = compute
        self._known: dict[str, npt.NDArray[np.float64]] = {}

    def __getitem__(self, name: str) -> npt.NDArray[np.float64]:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._known:
            self._known[name] = self._compute(name)
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __reduce__(self) -> tuple[object, ...]:
        # What computes a column refers to other runs, and cannot be pickled.
        return dict, (dict(self),)


@dataclass(frozen=True, eq=False, kw_only=True, repr=False)
class PairedRuns(Shown):
    """Runs of an evaluation, paired by instance and seed.

    The arrays have shape (policies, instances, seeds). Where a run is missing, or does not count
    because no run was possible on the instance, `present` is False and numbers are NaN.

    Parameters
    ----------
    policies
        Names of the policies, in the order of the evaluation.
    instances, distributions
        Names of the instances, and the distribution of each.
    seeds
        Seeds of the runs.
    present
        Whether there is a run that counts, bool.
    solved
        Whether the run solved its instance, bool.
    time
        Seconds, where a failure counts as its limit, float64.
    lp_iterations
        Simplex iterations, including those of strong branching, float64.
    primal_integral, dual_integral, primal_dual_integral
        Integrals of `milplib.evaluation.integrals` in seconds; NaN without traces. float64.
    columns
        All numeric columns of the table as measured, by name, float64. Each is computed on first
        use.
    """

    policies: tuple[str, ...]
    instances: tuple[str, ...]
    distributions: npt.NDArray[np.str_]
    seeds: tuple[int, ...]
    present: npt.NDArray[np.bool_]
    solved: npt.NDArray[np.bool_]
    time: npt.NDArray[np.float64]
    lp_iterations: npt.NDArray[np.float64]
    primal_integral: npt.NDArray[np.float64]
    dual_integral: npt.NDArray[np.float64]
    primal_dual_integral: npt.NDArray[np.float64]
    columns: Mapping[str, npt.NDArray[np.float64]]

    @property
    def nodes(self) -> npt.NDArray[np.float64]:
        """Branch-and-bound nodes."""
        return self.columns["nodes"]

    @property
    def fair_nodes(self) -> npt.NDArray[np.float64]:
        """Nodes, counting what strong branching found out."""
        return self.columns["fair_nodes"]

    @classmethod
    def of(
        cls,
        table: pa.Table,
        policies: Sequence[str] | None = None,
        *,
        integrals: Mapping[str, npt.NDArray[np.float64]] | None = None,
    ) -> PairedRuns:
        """Arrange a checked table as arrays.

        Parameters
        ----------
        table
            Checked table with one row per run, no run twice.
        policies
            Names and order of the policies. Default: those of the table, in its order.
        integrals
            ``primal_integral``, ``dual_integral`` and ``primal_dual_integral`` of every row, as
            returned by `milplib.evaluation.integrals.run_integrals`.

        Examples
        --------
        >>> from milplib.evaluation.table import run_table
        >>> table = run_table([
        ...     {"policy": "pscost", "instance": "a", "distribution": "CA", "seed": 0,
        ...      "failure": "", "time": 2.0, "time_limit": 60.0, "nodes": 7},
        ...     {"policy": "mine", "instance": "a", "distribution": "CA", "seed": 0,
        ...      "failure": "crash", "time": 0.1, "time_limit": 60.0}])
        >>> PairedRuns.of(table).time[:, 0, 0].tolist()
        [2.0, 60.0]
        """
        names = list(policies or pc.unique(table.column("policy")).to_pylist())
        instances = pc.unique(table.column("instance")).to_pylist()
        seeds = sorted(pc.unique(table.column("seed")).to_pylist())
        shape = (len(names), len(instances), len(seeds))
        place = tuple(
            _positions(table.column(column), known)
            for column, known in (("policy", names), ("instance", instances), ("seed", seeds))
        )
        failure = np.array(judged_failures(table), dtype=np.str_)
        counts = ~np.isin(failure, list(NOT_RUN))

        def arrange(values: npt.NDArray[Any], missing: float | bool) -> npt.NDArray[Any]:
            array = np.full(shape, missing, dtype=values.dtype)
            array[place] = values
            return array

        # If some run could read the instance, then runs that could not are failures.
        tried = np.asarray(arrange(counts, False).any(axis=(0, 2)))
        present = arrange(np.ones(len(table), dtype=bool), False) & tried[None, :, None]
        distributions = np.full(len(instances), "", dtype=object)
        distributions[place[1]] = table.column("distribution").to_pylist()

        def arrange_numbers(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
            return np.where(present, arrange(values, np.nan), np.nan)

        numbers = {
            field.name: table.column(field.name).cast(pa.float64()).to_numpy()
            for field in table.schema
            if pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
        }
        judged = {
            "time": judged_times(table),
            "lp_iterations": numbers["lp_iterations"] + numbers["strong_branching_iterations"],
        }
        unknown = np.full(len(table), np.nan)
        judged |= {name: (integrals or {}).get(name, unknown) for name in _INTEGRALS}
        return cls(
            policies=tuple(names),
            instances=tuple(instances),
            distributions=distributions.astype(np.str_),
            seeds=tuple(seeds),
            present=present,
            solved=arrange(failure == "", False) & present,
            columns=_Columns(numbers, lambda name: arrange_numbers(numbers[name])),
            **{name: arrange_numbers(values) for name, values in judged.items()},
        )

    def of_distribution(self, distribution: str) -> PairedRuns:
        """Select the runs on the instances of one distribution."""
        chosen = self.distributions == distribution
        instances = tuple(np.array(self.instances, dtype=object)[chosen].tolist())
        arrays = {name: getattr(self, name)[:, chosen] for name in _ARRAYS}
        return replace(
            self,
            instances=instances,
            distributions=self.distributions[chosen],
            columns=_Columns(self.columns, lambda name: self.columns[name][:, chosen]),
            **arrays,
        )

    def of_whole_policies(self) -> PairedRuns:
        """Drop the runs of policies that lack some distribution.

        Such a policy has no mean over all distributions. A mean over the others would look
        better if the missing distribution is the hard one.
        """
        return self._where(self.whole[:, None, None])

    def in_common(self) -> PairedRuns:
        """Select the pairs for which every whole policy has a run, so that means are comparable.

        See `whole`. A policy that is not whole has no runs here, and removes no pair from others.
        """
        whole = self.whole
        common = self.present[whole].all(axis=0) & whole.any()
        return self._where(whole[:, None, None] & common)

    def _where(self, chosen: npt.NDArray[np.bool_]) -> PairedRuns:
        def where(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
            return np.where(chosen, values, np.nan)

        return replace(
            self,
            present=self.present & chosen,
            solved=self.solved & chosen,
            time=where(self.time),
            lp_iterations=where(self.lp_iterations),
            primal_integral=where(self.primal_integral),
            dual_integral=where(self.dual_integral),
            primal_dual_integral=where(self.primal_dual_integral),
            columns=_Columns(self.columns, lambda name: where(self.columns[name])),
        )

    @property
    def whole(self) -> npt.NDArray[np.bool_]:
        """Whether a policy has runs on every distribution with runs of any policy.

        Shape (policies,), bool.
        """
        has_runs = np.asarray(self.present.any(axis=2))
        names = np.unique(self.distributions)
        cells = np.array([has_runs[:, self.distributions == name].any(axis=1) for name in names])
        cells = cells.reshape(len(names), len(self.policies))
        return np.asarray(cells[cells.any(axis=1)].all(axis=0) & has_runs.any(axis=1))

    @property
    def tried(self) -> npt.NDArray[np.bool_]:
        """Whether an instance has a run that counts. Shape (instances,), bool."""
        return np.asarray(self.present.any(axis=(0, 2)))

    def when_solved(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Replace the values of unsolved runs by NaN; a failure's node count means nothing."""
        return np.where(self.solved, values, np.nan)

    def wins(self) -> npt.NDArray[np.bool_]:
        """Mark the solved runs that are the fastest of their pair, or tie with it.

        Returns
        -------
        ndarray
            Shape (policies, instances, seeds), bool.
        """
        times = np.where(self.solved, self.time, np.inf)
        best = times.min(axis=0)
        reach = np.maximum(best * (1 + WIN_RELATIVE), best + WIN_SECONDS)
        return np.asarray(self.solved & (times <= reach))


def _positions(column: pa.ChunkedArray, known: Sequence[object]) -> npt.NDArray[np.int32]:
    positions = pc.index_in(column, value_set=pa.array(known, column.type))
    return np.asarray(positions.to_numpy())
