"""``spec.parameters`` and ``spec.nasConfig``: the search space."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING

from airflow_katib_provider.exceptions import Problem
from airflow_katib_provider.experiment.spec import (
    Distribution,
    ExperimentSpec,
    FeasibleSpace,
    ParameterSpec,
    ParameterType,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_LOGARITHMIC = (Distribution.LOG_UNIFORM, Distribution.LOG_NORMAL)
_MOST_VALUES = 2**53


def check_search_space(spec: ExperimentSpec) -> Iterator[Problem]:
    """Check that there is one search space, and each of its parameters."""
    if not spec.parameters and spec.nas_config is None:
        yield Problem("spec.parameters", "must be specified, or else spec.nasConfig")
    if spec.parameters and spec.nas_config is not None:
        yield Problem("spec.nasConfig", "cannot stand beside spec.parameters; remove one of them")
    yield from _check_parameters(spec.parameters, "spec.parameters")
    operations = spec.nas_config.operations if spec.nas_config else ()
    for index, operation in enumerate(operations):
        path = f"spec.nasConfig.operations[{index}]"
        if not operation.operation_type:
            yield Problem(f"{path}.operationType", "must be specified")
        yield from _check_parameters(operation.parameters, f"{path}.parameters")


def _check_parameters(parameters: Sequence[ParameterSpec], path: str) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, parameter in enumerate(parameters):
        here = f"{path}[{index}]"
        if not parameter.name:
            yield Problem(f"{here}.name", "must be specified")
        elif first.setdefault(parameter.name, index) != index:
            message = f"{parameter.name!r} is the name of {path}[{first[parameter.name]}] already; rename one"
            yield Problem(f"{here}.name", message)
        if parameter.parameter_type is None:
            yield Problem(f"{here}.parameterType", f"must be specified: {', '.join(ParameterType)}")
        elif parameter.feasible_space is None:
            yield Problem(f"{here}.feasibleSpace", "must be specified")
        elif parameter.parameter_type in (ParameterType.INT, ParameterType.DOUBLE):
            yield from _check_range(
                parameter.parameter_type, parameter.feasible_space, f"{here}.feasibleSpace"
            )
        else:
            yield from _check_list(
                parameter.parameter_type, parameter.feasible_space, f"{here}.feasibleSpace"
            )


def _check_range(type_: ParameterType, space: FeasibleSpace, path: str) -> Iterator[Problem]:
    if space.list:
        yield Problem(f"{path}.list", f"{_a(type_)} parameter takes min and max instead of a list")
    numbers: dict[str, Decimal] = {}
    for name, text in {"min": space.min, "max": space.max, "step": space.step}.items():
        if not text:
            if name != "step":
                yield Problem(f"{path}.{name}", f"must be specified for {_a(type_)} parameter")
        elif (number := _number(text)) is None:
            yield Problem(f"{path}.{name}", f"{text!r} is not a finite number")
        elif type_ is ParameterType.INT and number != number.to_integral_value():
            yield Problem(f"{path}.{name}", f"{text!r} is not a whole number, which an int parameter needs")
        else:
            numbers[name] = number
    yield from _check_numbers(type_, space, numbers, path)


def _check_numbers(
    type_: ParameterType, space: FeasibleSpace, numbers: dict[str, Decimal], path: str
) -> Iterator[Problem]:
    low, high, step = numbers.get("min"), numbers.get("max"), numbers.get("step")
    if low is not None and low <= 0 and space.distribution in _LOGARITHMIC:
        yield Problem(f"{path}.min", f"{space.min!r} is not above 0, which {space.distribution} needs")
    if step is not None and step <= 0:
        yield Problem(f"{path}.step", f"{space.step!r} is not above 0; write the distance between two values")
        return
    if low is None or high is None:
        return
    if low > high:
        yield Problem(f"{path}.min", f"{space.min!r} is greater than max, which is {space.max!r}")
        return
    if step is None and type_ is ParameterType.INT:
        step = Decimal(1)
    if step is not None and float(high) - float(low) > _MOST_VALUES * float(step):
        yield Problem(
            f"{path}.step" if space.step else f"{path}.max", "gives more than 2^53 values; take fewer"
        )


def _check_list(type_: ParameterType, space: FeasibleSpace, path: str) -> Iterator[Problem]:
    for name, text in {"min": space.min, "max": space.max, "step": space.step}.items():
        if text:
            yield Problem(f"{path}.{name}", f"{_a(type_)} parameter takes a list instead of {name}")
    if space.distribution not in (None, Distribution.UNIFORM):
        message = f"{space.distribution} is not possible for {_a(type_)} parameter; remove it"
        yield Problem(f"{path}.distribution", message)
    if not space.list:
        yield Problem(f"{path}.list", "must name at least one value")
    elif type_ is ParameterType.DISCRETE:
        for index, text in enumerate(space.list):
            if _number(text) is None:
                message = f"{text!r} is not a finite number; parameterType categorical takes any text"
                yield Problem(f"{path}.list[{index}]", message)


def _number(text: str) -> Decimal | None:
    """Return the number that a text is in plain or scientific notation, if a float can hold it."""
    if not _NUMBER.fullmatch(text):
        return None
    number, as_float = Decimal(text), float(text)
    return number if math.isfinite(as_float) and bool(as_float) == bool(number) else None


def _a(type_: ParameterType) -> str:
    return f"an {type_}" if type_ is ParameterType.INT else f"a {type_}"
