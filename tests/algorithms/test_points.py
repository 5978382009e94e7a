"""The points of a search space: their order, and which are free."""

from __future__ import annotations

from itertools import cycle

import pytest

from airflow_katib_provider.algorithms.points import FreePoints, in_random_order, point_at, shuffled
from airflow_katib_provider.experiment.trial import TrialCondition
from tests.algorithms.experiments import categorical, double, experiment, integer, trial

FINITE = experiment("random", [integer("n", 1, 3), categorical("c", "a", "b")]).space
ENDLESS = experiment("random", [double("x", 0, 1)]).space


def test_point_at_counts_through_the_space() -> None:
    points = [tuple(point_at(FINITE, index).values()) for index in range(6)]
    assert points == [("1", "a"), ("1", "b"), ("2", "a"), ("2", "b"), ("3", "a"), ("3", "b")]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 16, 17, 1000])
def test_shuffled_is_a_permutation(size: int) -> None:
    assert {shuffled(index, size, "key") for index in range(size)} == set(range(size))


def test_shuffled_depends_on_the_key() -> None:
    orders = {tuple(shuffled(index, 100, key) for index in range(100)) for key in ("0", "1", "2")}
    assert len(orders) == 3
    assert tuple(range(100)) not in orders


def test_an_order_may_begin_anywhere() -> None:
    order = [FINITE.key(point) for point in in_random_order(FINITE, "key")]
    later = [FINITE.key(point) for point in in_random_order(FINITE, "key", start=4)]
    assert len(set(order)) == 6
    assert later == order[4:] + order[:4]


def test_a_draw_that_is_taken_is_drawn_again() -> None:
    free = FreePoints(ENDLESS, [trial(0, {"x": "0.1"}, 1.0)], "key")
    draws = iter(["0.1", "0.1", "0.2", "0.2", "0.3"])
    chosen = [free.choose(lambda: {"x": next(draws)})["x"] for _ in range(2)]
    assert chosen == ["0.2", "0.3"]


def test_an_endless_space_repeats_what_is_drawn_over_and_over() -> None:
    free = FreePoints(ENDLESS, [trial(0, {"x": "0.1"}, 1.0)], "key")
    assert free.choose(lambda: {"x": "0.1"}, attempts=3) == {"x": "0.1"}


def test_the_last_free_point_is_found() -> None:
    trials = [trial(index, point_at(FINITE, index), 1.0) for index in range(5)]
    free = FreePoints(FINITE, trials, "key")
    assert free.choose(lambda: point_at(FINITE, 0)) == point_at(FINITE, 5)


def test_when_all_are_taken_pending_ones_are_still_avoided() -> None:
    trials = [
        trial(
            index,
            point_at(FINITE, index),
            None,
            TrialCondition.RUNNING if index < 4 else TrialCondition.FAILED,
        )
        for index in range(6)
    ]
    free, indexes = FreePoints(FINITE, trials, "key"), cycle(range(6))
    chosen = [free.choose(lambda: point_at(FINITE, next(indexes))) for _ in range(3)]
    assert chosen[:2] == [point_at(FINITE, 4), point_at(FINITE, 5)]
    assert chosen[2] in [point_at(FINITE, index) for index in range(6)]
