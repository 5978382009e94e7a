"""The search space: what values a parameter may take, and how they lie on the unit interval."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from statistics import NormalDist
from typing import TYPE_CHECKING

from airflow_katib_provider.experiment.spec import Distribution, ParameterSpec, ParameterType

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Value = int | float | str

_SIGMAS = 3.0
"""A normal parameter spans three standard deviations on either side of its middle, as in Katib."""

_STANDARD_NORMAL = NormalDist()


def format_decimal(value: Decimal) -> str:
    """Write a decimal number without exponent and without trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


class Parameter(ABC):
    """One dimension of a search space.

    Every parameter maps to and from the unit interval so that equal lengths there carry equal probability
    under the parameter's own distribution. That lets any algorithm honour any distribution.
    """

    name: str

    @property
    @abstractmethod
    def size(self) -> int | None:
        """How many values there are; ``None`` for a continuous range."""

    @abstractmethod
    def value_at(self, index: int) -> str:
        """Return the value at ``index`` of a finite parameter, in ``range(size)``."""

    @abstractmethod
    def index_of(self, value: str) -> int:
        """Return the index of the finite parameter's value that is ``value`` or lies nearest to it.

        :raises ValueError: if ``value`` cannot be a value of this parameter.
        """

    @abstractmethod
    def from_unit(self, position: float) -> str:
        """Return the value at ``position`` in [0, 1]."""

    @abstractmethod
    def to_unit(self, value: str) -> float:
        """Return the position of ``value`` in [0, 1].

        :raises ValueError: if ``value`` cannot be a value of this parameter.
        """

    @abstractmethod
    def parse(self, value: str) -> Value:
        """Turn the text of an assignment into the Python value that a training function wants."""

    @property
    def is_fixed(self) -> bool:
        """Whether there is only one value."""
        return self.size == 1


@dataclass(frozen=True)
class NumericParameter(Parameter):
    """An ``int`` or ``double`` parameter.

    :param step: the distance between values, anchored at ``low``; ``None`` for a continuous double.
    """

    name: str
    is_int: bool
    low: Decimal
    high: Decimal
    step: Decimal | None
    distribution: Distribution

    @cached_property
    def size(self) -> int | None:
        """How many values there are; ``None`` for a continuous double."""
        if self.step is None:
            return 1 if float(self.low) == float(self.high) else None
        return int((self.high - self.low) // self.step) + 1

    @property
    def is_log(self) -> bool:
        """Whether values lie evenly on a logarithmic scale."""
        return self.distribution in (Distribution.LOG_UNIFORM, Distribution.LOG_NORMAL)

    @property
    def is_normal(self) -> bool:
        """Whether values gather around the middle of the range."""
        return self.distribution in (Distribution.NORMAL, Distribution.LOG_NORMAL)

    def value_at(self, index: int) -> str:
        """Return ``low + index * step``, exactly."""
        return format_decimal(self.low + index * (self.step or 0))

    def index_of(self, value: str) -> int:
        """Return the index of the value on the grid that lies nearest."""
        return self._nearest(float(value)) if self.step is not None else 0

    def from_unit(self, position: float) -> str:
        """Return the value at ``position`` in [0, 1], within the bounds and on the grid."""
        if self.is_fixed:
            return self.value_at(0)
        start, end = self._span
        if self.is_normal:
            low, high = _STANDARD_NORMAL.cdf(-_SIGMAS), _STANDARD_NORMAL.cdf(_SIGMAS)
            sigmas = _STANDARD_NORMAL.inv_cdf(low + position * (high - low))
            position = (sigmas + _SIGMAS) / (2 * _SIGMAS)
        scaled = start + position * (end - start)
        number = math.exp(scaled) if self.is_log else scaled
        if self.step is not None:
            return self.value_at(self._nearest(number))
        return repr(min(max(number, float(self.low)), float(self.high)))

    def to_unit(self, value: str) -> float:
        """Return the position of ``value`` in [0, 1]; a value out of bounds is at 0 or 1."""
        if self.is_fixed:
            return 0.5
        start, end = self._span
        number = float(value)
        if self.is_log:
            number = math.log(max(number, math.exp(start)))
        position = min(max((number - start) / (end - start), 0.0), 1.0)
        if self.is_normal:
            low, high = _STANDARD_NORMAL.cdf(-_SIGMAS), _STANDARD_NORMAL.cdf(_SIGMAS)
            position = (_STANDARD_NORMAL.cdf((2 * position - 1) * _SIGMAS) - low) / (high - low)
        return min(max(position, 0.0), 1.0)

    def parse(self, value: str) -> int | float:
        """Turn text into an ``int`` or a ``float``, by the parameter's type."""
        return int(Decimal(value)) if self.is_int else float(value)

    @cached_property
    def _span(self) -> tuple[float, float]:
        """The range on the scale of the distribution.

        On a grid it reaches half a step beyond the first and the last value, so that these two are as
        probable as their neighbours; on a logarithmic scale not below half of the first value.
        """
        low, high = float(self.low), float(self.high)
        if self.step is not None:
            half = float(self.step) / 2
            last = float(self.value_at((self.size or 1) - 1))
            low, high = (max(low - half, low / 2) if self.is_log else low - half), last + half
        return (math.log(low), math.log(high)) if self.is_log else (low, high)

    def _nearest(self, number: float) -> int:
        step, size = self.step or Decimal(1), self.size or 1
        index = round((Decimal(repr(number)) - self.low) / step)
        return min(max(index, 0), size - 1)


@dataclass(frozen=True)
class ChoiceParameter(Parameter):
    """A ``categorical`` parameter, or a ``discrete`` one, whose values are numbers in ascending order."""

    name: str
    is_ordered: bool
    values: tuple[str, ...]

    @property
    def size(self) -> int:
        """How many different values are listed."""
        return len(self.values)

    @cached_property
    def _indexes(self) -> dict[str, int]:
        return {value: index for index, value in enumerate(self.values)}

    def value_at(self, index: int) -> str:
        """Return a value as it was written."""
        return self.values[index]

    def index_of(self, value: str) -> int:
        """Return the index of ``value``; of the number nearest to it where the values are numbers."""
        index = self._indexes.get(value)
        if index is not None:
            return index
        if self.is_ordered:
            number = float(value)
            return min(range(self.size), key=lambda i: abs(float(self.values[i]) - number))
        raise ValueError(f"{value!r} is not a value of parameter {self.name!r}: {', '.join(self.values)}")

    def from_unit(self, position: float) -> str:
        """Return the value whose equal share of [0, 1] holds ``position``."""
        return self.values[min(int(position * self.size), self.size - 1)]

    def to_unit(self, value: str) -> float:
        """Return the middle of the value's share of [0, 1]."""
        return (self.index_of(value) + 0.5) / self.size

    def parse(self, value: str) -> Value:
        """Turn a discrete value into a number; a categorical one stays text."""
        if not self.is_ordered:
            return value
        number = float(value)
        return int(number) if number.is_integer() and value.lstrip("+-").isdigit() else number


def parameter_from_spec(spec: ParameterSpec) -> Parameter:
    """Build the parameter that a valid :class:`ParameterSpec` describes."""
    space = spec.feasible_space
    if space is None:
        raise ValueError(f"parameter {spec.name!r} has no feasibleSpace")
    if spec.parameter_type is ParameterType.CATEGORICAL:
        return ChoiceParameter(spec.name, False, tuple(dict.fromkeys(space.list or ())))
    if spec.parameter_type is ParameterType.DISCRETE:
        return ChoiceParameter(spec.name, True, tuple(sorted(dict.fromkeys(space.list or ()), key=float)))
    is_int = spec.parameter_type is ParameterType.INT
    step = Decimal(space.step) if space.step else Decimal(1) if is_int else None
    return NumericParameter(
        spec.name,
        is_int,
        Decimal(space.min or 0),
        Decimal(space.max or 0),
        step,
        space.distribution or Distribution.UNIFORM,
    )


@dataclass(frozen=True)
class SearchSpace:
    """The parameters of an experiment, in the order of its specification."""

    parameters: tuple[Parameter, ...]

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self.parameters)

    def __len__(self) -> int:
        return len(self.parameters)

    @cached_property
    def size(self) -> int | None:
        """How many different points there are; ``None`` if a parameter is continuous."""
        total = 1
        for parameter in self.parameters:
            if parameter.size is None:
                return None
            total *= parameter.size
        return total

    def key(self, assignments: Mapping[str, str]) -> tuple[str, ...]:
        """Return what tells two points apart."""
        return tuple(assignments[parameter.name] for parameter in self.parameters)

    def parse(self, assignments: Mapping[str, str]) -> dict[str, Value]:
        """Turn the text of assignments into Python values; names that are not parameters stay text."""
        parameters = {parameter.name: parameter for parameter in self.parameters}
        return {
            name: parameters[name].parse(value) if name in parameters else value
            for name, value in assignments.items()
        }
