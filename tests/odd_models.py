"""A small random model, and files that hold it in odd but legal syntax."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

INF = float("inf")


@dataclass
class Model:
    """What a file means: rows and columns in the order of the file."""

    sense: str = "minimize"
    offset: float = 0.0
    columns: list[str] = field(default_factory=list)
    costs: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    integer: list[int] = field(default_factory=list)
    rows: list[str] = field(default_factory=list)
    sides: list[tuple[float, float]] = field(default_factory=list)
    entries: dict[tuple[int, int], float] = field(default_factory=dict)

    def matrix(self) -> list[list[float]]:
        return [
            [self.entries.get((row, column), 0.0) for column in range(len(self.columns))]
            for row in range(len(self.rows))
        ]


@dataclass
class OddFile:
    """A file, what it means, and the odd features of its syntax."""

    text: bytes
    model: Model
    features: set[str]


def number(draw: random.Random) -> float:
    return draw.choice([1, 2, -3, 0.5, -0.25, 12.75, 1e-3, -4e5, 7, 10, 1234567.5])


def spelled(draw: random.Random, value: float, features: set[str], *, fortran: bool = True) -> str:
    """Write a finite number in one of its forms."""
    ways = ["repr", "repr", "plus", "exponent", "point"]
    if fortran:
        ways.append("fortran")
    way = draw.choice(ways)
    text = repr(float(value)) if value % 1 or abs(value) >= 1e16 else str(int(value))
    if way == "plus" and value >= 0:
        return f"+{text}"
    if way == "exponent":
        return f"{value:.10e}" if draw.random() < 0.5 else f"{value:.10E}".replace("E+", "E")
    if way == "point" and "." not in text and "e" not in text:
        return text + draw.choice([".", ".0", ".000"])
    if way == "fortran":
        features.add("fortran exponent")
        return f"{value:.10e}".replace("e", draw.choice("dD"))
    return text


def infinity(draw: random.Random) -> str:
    return draw.choice(["1e30", "inf", "Infinity", "INF", "1E+30"])


def random_model(draw: random.Random) -> Model:
    n_rows, n_columns = draw.randint(1, 4), draw.randint(1, 5)
    model = Model(
        sense=draw.choice(["minimize", "maximize"]),
        offset=draw.choice([0.0, 0.0, 5.5, -3.0]),
        columns=draw.sample(["x", "y1", "z#2", "e12", "col_a", "q(1,2)", "Long_Name.7"], n_columns),
        rows=draw.sample(["c1", "R2", "lim_3", "e", "row.9"], n_rows),
    )
    for row in range(n_rows):
        for column in range(n_columns):
            if draw.random() < 0.6:
                model.entries[row, column] = number(draw)
        side = number(draw)
        model.sides.append(
            draw.choice([(-INF, side), (side, INF), (side, side), (side, side + 2.5)])
        )
    for _ in range(n_columns):
        model.costs.append(draw.choice([0.0, number(draw)]))
        model.integer.append(draw.randint(0, 1))
        model.lower.append(0.0)
        model.upper.append(INF)
    return model
