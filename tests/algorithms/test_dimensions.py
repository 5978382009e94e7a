"""How parameters stand in a library's search space."""

from __future__ import annotations

import pytest

from airflow_katib_provider.algorithms.dimensions import Kind, decode, dimension_of, encode, free_dimensions
from tests.algorithms.experiments import Parameter, categorical, discrete, double, experiment, integer

CASES = {
    "category": (categorical("p", "b", "a"), Kind.CATEGORY, (0, 1), {"b": 0, "a": 1}),
    "discrete": (discrete("p", 64, 16, 0.5), Kind.INTEGER, (0, 2), {"0.5": 0, "16": 1, "64": 2}),
    "int": (integer("p", -1, 3), Kind.INTEGER, (0, 4), {"-1": 0, "3": 4}),
    "int steps": (integer("p", 10, 30, step=10), Kind.INTEGER, (0, 2), {"10": 0, "30": 2}),
    "double steps": (double("p", 0.1, 0.3, step=0.1), Kind.INTEGER, (0, 2), {"0.1": 0, "0.3": 2}),
    "log int": (
        integer("p", 1, 99, distribution="logUniform"),
        Kind.LOG_INTEGER,
        (1, 99),
        {"1": 1, "99": 99},
    ),
    "log int steps": (
        integer("p", 1, 9, step=4, distribution="logUniform"),
        Kind.UNIT,
        (0, 1),
        {"1": 0.2242, "5": 0.7449, "9": 0.9351},
    ),
    "uniform": (double("p", 0, 4), Kind.UNIT, (0, 1), {"0.0": 0, "1.0": 0.25, "4.0": 1}),
    "log": (double("p", 0.01, 1, distribution="logUniform"), Kind.UNIT, (0, 1), {"0.1": 0.5}),
    "normal": (double("p", 0, 4, distribution="normal"), Kind.UNIT, (0, 1), {"2.0": 0.5}),
    "normal int": (integer("p", 0, 4, distribution="normal"), Kind.UNIT, (0, 1), {"2": 0.5}),
}


@pytest.mark.parametrize(("parameter", "kind", "bounds", "values"), CASES.values(), ids=CASES.keys())
def test_dimensions(
    parameter: Parameter, kind: Kind, bounds: tuple[int, int], values: dict[str, float]
) -> None:
    (made,) = experiment("random", [parameter]).space.parameters
    dimension = dimension_of(made)
    assert (dimension.kind, (dimension.low, dimension.high)) == (kind, bounds)
    for text, value in values.items():
        assert dimension.encode(text) == pytest.approx(value, abs=1e-4)
        again = dimension.decode(dimension.encode(text))
        assert again == text or float(again) == pytest.approx(float(text), rel=1e-12)


def test_fixed_parameters_are_left_out_and_put_back() -> None:
    space = experiment("random", [integer("a", 3, 3), double("b", 0, 1), categorical("c", "x")]).space
    dimensions = free_dimensions(space)
    assert [dimension.name for dimension in dimensions] == ["b"]
    assert decode(space, dimensions, {"b": 0.5}) == {"a": "3", "b": "0.5", "c": "x"}


def test_numpy_numbers_become_text_without_numpy() -> None:
    import numpy

    space = experiment("random", [integer("a", 1, 3), double("b", 0, 1), categorical("c", "x", "y")]).space
    values = {"a": numpy.int64(2), "b": numpy.float64(0.25), "c": numpy.int64(1)}
    assert decode(space, free_dimensions(space), values) == {"a": "3", "b": "0.25", "c": "y"}


@pytest.mark.parametrize("odd", [{}, {"a": "x", "c": "x"}, {"a": "1", "c": "z"}, {"a": "inf", "c": "x"}])
def test_points_of_another_space_have_no_encoding(odd: dict[str, str]) -> None:
    space = experiment("random", [integer("a", 1, 3), categorical("c", "x", "y")]).space
    assert encode(free_dimensions(space), odd) is None
    assert encode(free_dimensions(space), {"a": "2", "c": "y"}) == {"a": 1, "c": 1}
