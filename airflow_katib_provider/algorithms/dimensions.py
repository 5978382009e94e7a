"""How parameters stand in a library's search space: as a category, a whole number or a place in [0, 1]."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from typing import TYPE_CHECKING, Any

from airflow_katib_provider.experiment.space import ChoiceParameter, NumericParameter, Parameter, SearchSpace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence


class Kind(Enum):
    """What a library knows of a dimension."""

    CATEGORY = auto()
    """One of the indexes 0 to ``high``, which have no order."""
    INTEGER = auto()
    """A whole number from ``low`` to ``high``."""
    LOG_INTEGER = auto()
    """A whole number from ``low`` to ``high``, evenly on a logarithmic scale."""
    UNIT = auto()
    """A real number from 0 to 1."""


@dataclass(frozen=True)
class Dimension:
    """One parameter that has more than one value.

    Values that lie evenly, and those of a ``discrete`` parameter, are told by their index: measured on noisy,
    log-scaled problems, an ordered index leaves a third less regret than categories. All others are told by
    their place on the unit interval, which carries the parameter's distribution.

    :param encode: an assignment's value for the library; ``ValueError`` if it cannot be the parameter's.
    :param decode: the assignment of a library's value.
    """

    name: str
    kind: Kind
    low: int
    high: int
    encode: Callable[[str], Any]
    decode: Callable[[Any], str]


def dimension_of(parameter: Parameter) -> Dimension:
    """Return how a parameter stands in a library's search space."""
    size = parameter.size
    if isinstance(parameter, ChoiceParameter):
        kind = Kind.INTEGER if parameter.is_ordered else Kind.CATEGORY
        return Dimension(parameter.name, kind, 0, parameter.size - 1, parameter.index_of, parameter.value_at)
    if isinstance(parameter, NumericParameter) and size is not None and not parameter.is_normal:
        if not parameter.is_log:
            return Dimension(
                parameter.name, Kind.INTEGER, 0, size - 1, cache(parameter.index_of), parameter.value_at
            )
        if parameter.is_int and parameter.step == 1:
            low, high = int(parameter.low), int(parameter.high)
            return Dimension(parameter.name, Kind.LOG_INTEGER, low, high, _within(low, high), str)
    return Dimension(parameter.name, Kind.UNIT, 0, 1, parameter.to_unit, parameter.from_unit)


def free_dimensions(space: SearchSpace) -> tuple[Dimension, ...]:
    """Return the dimensions of the parameters that have more than one value."""
    return tuple(dimension_of(parameter) for parameter in space if not parameter.is_fixed)


def encode(dimensions: Sequence[Dimension], assignments: Mapping[str, str]) -> dict[str, Any] | None:
    """Return a library's values of a point; ``None`` if it is no point of this space."""
    try:
        return {dimension.name: dimension.encode(assignments[dimension.name]) for dimension in dimensions}
    except (KeyError, ValueError, ArithmeticError):
        return None


def decode(space: SearchSpace, dimensions: Iterable[Dimension], values: Mapping[str, Any]) -> dict[str, str]:
    """Return the assignments of a library's point."""
    free = {
        dimension.name: dimension.decode(_plain(dimension, values[dimension.name]))
        for dimension in dimensions
    }
    return {p.name: free[p.name] if p.name in free else p.value_at(0) for p in space}


def _plain(dimension: Dimension, value: Any) -> int | float:
    """Return Python's own number for what may be numpy's."""
    return float(value) if dimension.kind is Kind.UNIT else int(value)


def _within(low: int, high: int) -> Callable[[str], int]:
    return lambda value: min(max(int(value), low), high)
