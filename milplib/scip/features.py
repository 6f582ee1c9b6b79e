"""Enums of the columns of feature arrays: their positions, names in files, and meanings."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["ROW_FEATURES", "VARIABLE_FEATURES", "Feature", "RowFeature", "VariableFeature"]


class Feature(IntEnum):
    """Base class of enums that name the columns of a feature array.

    A member is the position of its column, so that it indexes an array. Its definition consists of
    its meaning and, unless it is the member's name in lower case, the name of its column in files.
    The order of the members is the order of the columns.

    Attributes
    ----------
    meaning
        Description of the column, in one line.
    column
        Name of the column in files.

    Examples
    --------
    >>> class Weather(Feature):
    ...     RAIN = "millimetres a day"
    ...     WIND = "metres a second", "wind_speed"
    >>> Weather.WIND.column, int(Weather.WIND), Weather.columns()
    ('wind_speed', 1, ('rain', 'wind_speed'))
    """

    meaning: str
    column: str

    def __new__(cls, meaning: str, column: str = "") -> Feature:
        """Number the members in order."""
        member = int.__new__(cls, len(cls.__members__))
        member._value_ = len(cls.__members__)
        return member

    def __init__(self, meaning: str, column: str = "") -> None:
        self.meaning = meaning
        self.column = column or self.name.lower()

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """Return the names of the columns in files, in order."""
        return tuple(member.column for member in cls)


class VariableFeature(Feature):
    """Columns of `BranchingState.variable_features`.

    c is the Euclidean norm of the objective (1 if it is 0). "At" means equal within SCIP's epsilon.

    Examples
    --------
    >>> import numpy as np
    >>> variable_features = np.zeros((2, len(VariableFeature)))
    >>> variable_features[:, VariableFeature.FRACTIONALITY].tolist()
    [0.0, 0.0]
    >>> VariableFeature.FRACTIONALITY.column
    'solution_frac'
    """

    OBJECTIVE = "objective coefficient / c"
    IS_TYPE_BINARY = "SCIP's variable type after presolving is binary"
    IS_TYPE_INTEGER = "the type is integer"
    IS_TYPE_IMPLICIT_INTEGER = "the type is implicit integer"
    IS_TYPE_CONTINUOUS = "the type is continuous"
    HAS_LOWER_BOUND = "the local lower bound is finite"
    HAS_UPPER_BOUND = "the local upper bound is finite"
    REDUCED_COST = "reduced cost / c", "normed_reduced_cost"
    SOLUTION_VALUE = "value in the LP solution"
    FRACTIONALITY = "fractionality of that value; 0 for a continuous column", "solution_frac"
    IS_SOLUTION_AT_LOWER_BOUND = "the value is at a finite local lower bound"
    IS_SOLUTION_AT_UPPER_BOUND = "the value is at a finite local upper bound"
    SCALED_AGE = "number of successive LPs in which the value was 0 / (number of LPs + 5)"
    INCUMBENT_VALUE = "value in the best known solution; 0 without one"
    AVERAGE_INCUMBENT_VALUE = "mean value over the known solutions; 0 without one"
    IS_BASIS_LOWER = "nonbasic at its lower bound"
    IS_BASIS_BASIC = "basic"
    IS_BASIS_UPPER = "nonbasic at its upper bound"
    IS_BASIS_ZERO = "nonbasic at 0, without bounds"


class RowFeature(Feature):
    """Columns of `BranchingState.row_features`.

    c is the Euclidean norm of the objective (1 if it is 0), r that of the row (1 if it is 0), and
    s is -1 for a left-hand side, 1 for a right-hand side. "Tight" means equal within SCIP's
    epsilon.

    Examples
    --------
    >>> RowFeature.DUAL_VALUE.column, int(RowFeature.DUAL_VALUE)
    ('dual_solution_value', 3)
    """

    BIAS = "s · (side - constant) / r"
    OBJECTIVE_COSINE_SIMILARITY = "s · (row · objective) / (r · c)"
    IS_TIGHT = "the row's activity in the LP solution is at this side"
    DUAL_VALUE = "s · dual value / (r · c)", "dual_solution_value"
    SCALED_AGE = "number of successive LPs in which the row was not tight / (number of LPs + 5)"


VARIABLE_FEATURES = VariableFeature.columns()
"""Names in files of the columns of `BranchingState.variable_features`, in order."""

ROW_FEATURES = RowFeature.columns()
"""Names in files of the columns of `BranchingState.row_features`, in order."""
