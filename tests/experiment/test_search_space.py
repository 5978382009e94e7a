"""The search space: exact grids, the unit interval, and equal shares of it."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from airflow_katib_provider.experiment.space import Parameter, SearchSpace, parameter_from_spec
from airflow_katib_provider.experiment.spec import ParameterSpec


def parameter(type_: str, **space: object) -> Parameter:
    return parameter_from_spec(
        ParameterSpec.model_validate({"name": "p", "parameterType": type_, "feasibleSpace": space})
    )


def values(of: Parameter) -> list[str]:
    assert of.size is not None
    return [of.value_at(index) for index in range(of.size)]


GRIDS = [
    (parameter("double", min="0.5", max="0.9", step="0.1"), ["0.5", "0.6", "0.7", "0.8", "0.9"]),
    (
        parameter("double", min="0.01", max="0.05", step="0.005"),
        ["0.01", "0.015", "0.02", "0.025", "0.03", "0.035", "0.04", "0.045", "0.05"],
    ),
    (parameter("double", min="0.1", max="1", step="0.25"), ["0.1", "0.35", "0.6", "0.85"]),
    (parameter("double", min="-1", max="1", step="0.5"), ["-1", "-0.5", "0", "0.5", "1"]),
    (parameter("double", min="1e-4", max="3e-4", step="1e-4"), ["0.0001", "0.0002", "0.0003"]),
    (parameter("double", min="2", max="3", step="5"), ["2"]),
    (parameter("double", min="0.30", max="0.3"), ["0.3"]),
    (parameter("int", min="1", max="4"), ["1", "2", "3", "4"]),
    (parameter("int", min="1", max="10", step="4"), ["1", "5", "9"]),
    (parameter("int", min="1e1", max="12.0"), ["10", "11", "12"]),
    (parameter("int", min="1", max="3", distribution="logUniform"), ["1", "2", "3"]),
    (parameter("discrete", list=["16", "2", "8", "2"]), ["2", "8", "16"]),
    (parameter("discrete", list=[0.5, 1, "1e-3"]), ["1e-3", "0.5", "1"]),
    (parameter("categorical", list=["sgd", "adam", "sgd"]), ["sgd", "adam"]),
]


@pytest.mark.parametrize(("finite", "expected"), GRIDS)
def test_a_finite_parameter_has_exact_values(finite: Parameter, expected: list[str]) -> None:
    assert values(finite) == expected
    assert [finite.index_of(value) for value in expected] == list(range(len(expected)))
    assert finite.is_fixed == (len(expected) == 1)


@pytest.mark.parametrize(("finite", "expected"), GRIDS)
def test_a_finite_parameter_lies_on_the_unit_interval(finite: Parameter, expected: list[str]) -> None:
    positions = [finite.to_unit(value) for value in expected]
    assert [finite.from_unit(position) for position in positions] == expected
    assert positions == sorted(positions)
    assert finite.from_unit(0.0) == expected[0]
    assert finite.from_unit(1.0) == expected[-1]


DISTRIBUTIONS = ["uniform", "logUniform", "normal", "logNormal"]


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_a_continuous_parameter_lies_on_the_unit_interval(distribution: str) -> None:
    continuous = parameter("double", min="0.001", max="10", distribution=distribution)
    assert continuous.size is None
    draw = random.Random(1)
    for position in [0.0, 1.0, *(draw.random() for _ in range(200))]:
        value = continuous.from_unit(position)
        assert 0.001 <= float(value) <= 10
        assert continuous.to_unit(value) == pytest.approx(position, abs=1e-9)
    assert continuous.to_unit("-5") == 0
    assert continuous.to_unit("50") == 1


@pytest.mark.parametrize(
    ("distribution", "quarters"),
    [
        ("uniform", [2.575, 5.05, 7.525]),
        ("logUniform", [0.1 * 100**0.25, 1.0, 0.1 * 100**0.75]),
        ("normal", [3.94, 5.05, 6.16]),
        ("logNormal", [0.596, 1.0, 1.678]),
    ],
)
def test_the_quartiles_of_a_distribution(distribution: str, quarters: list[float]) -> None:
    continuous = parameter("double", min="0.1", max="10", distribution=distribution)
    found = [float(continuous.from_unit(position)) for position in (0.25, 0.5, 0.75)]
    assert found == pytest.approx(quarters, rel=2e-3)


@pytest.mark.parametrize(
    ("finite", "shares"),
    [
        (parameter("int", min="1", max="5"), [0.2] * 5),
        (parameter("double", min="0.5", max="0.9", step="0.1"), [0.2] * 5),
        (parameter("discrete", list=["1", "10", "100", "1000"]), [0.25] * 4),
        (parameter("categorical", list=["a", "b", "c"]), [1 / 3] * 3),
        # From 0.5 to 3.5 on a logarithmic scale, cut at 1.5 and 2.5.
        (parameter("int", min="1", max="3", distribution="logUniform"), [0.5646, 0.2625, 0.1729]),
    ],
)
def test_equal_draws_give_each_value_its_share(finite: Parameter, shares: list[float]) -> None:
    draw, count = random.Random(7), 20_000
    counts = Counter(finite.from_unit(draw.random()) for _ in range(count))
    assert counts.keys() == set(values(finite))
    for value, share in zip(values(finite), shares, strict=True):
        assert counts[value] / count == pytest.approx(share, abs=0.012)


def test_a_normal_grid_gathers_in_its_middle_within_the_bounds() -> None:
    finite = parameter("int", min="0", max="10", distribution="normal")
    draw = random.Random(3)
    counts = Counter(int(finite.from_unit(draw.random())) for _ in range(5_000))
    assert set(counts) <= set(range(11))
    assert max(counts, key=lambda value: counts[value]) == 5
    assert counts[5] > 10 * counts[0] > 0


def test_values_off_the_grid_are_taken_to_the_nearest() -> None:
    assert parameter("double", min="0.5", max="0.9", step="0.1").index_of("0.7999999999999999") == 3
    assert parameter("int", min="1", max="4").index_of("99") == 3
    assert parameter("discrete", list=["1", "10"]).index_of("9.5") == 1
    with pytest.raises(ValueError, match="'rmsprop' is not a value of parameter 'p': sgd, adam"):
        parameter("categorical", list=["sgd", "adam"]).index_of("rmsprop")


def test_bounds_that_no_float_tells_apart_are_one_value() -> None:
    close = parameter("double", min="0.1", max="0.1000000000000000001")
    assert values(close) == ["0.1"]
    assert close.to_unit("0.1") == 0.5


def test_assignments_become_python_values() -> None:
    space = SearchSpace(
        tuple(
            parameter_from_spec(ParameterSpec.model_validate(spec))
            for spec in (
                {"name": "lr", "parameterType": "double", "feasibleSpace": {"min": "0", "max": "1"}},
                {"name": "layers", "parameterType": "int", "feasibleSpace": {"min": "1", "max": "3"}},
                {"name": "batch", "parameterType": "discrete", "feasibleSpace": {"list": ["16", "0.5"]}},
                {"name": "optimizer", "parameterType": "categorical", "feasibleSpace": {"list": ["1", "2"]}},
            )
        )
    )
    assignments = {"lr": "1e-2", "layers": "2", "batch": "16", "optimizer": "1", "epoch": "9"}
    parsed = space.parse(assignments)
    assert parsed == {"lr": 0.01, "layers": 2, "batch": 16, "optimizer": "1", "epoch": "9"}
    assert [type(value) for value in parsed.values()] == [float, int, int, str, str]
    assert space.parse({"batch": "0.5"}) == {"batch": 0.5}
    assert space.key(assignments) == ("1e-2", "2", "16", "1")
    assert space.size is None
    assert len(space) == 4


def test_the_size_of_a_finite_space() -> None:
    assert SearchSpace((GRIDS[0][0], GRIDS[7][0], GRIDS[13][0])).size == 5 * 4 * 2
    assert SearchSpace(()).size == 1


def test_a_parameter_without_a_space() -> None:
    with pytest.raises(ValueError, match="parameter 'p' has no feasibleSpace"):
        parameter_from_spec(ParameterSpec(name="p"))
