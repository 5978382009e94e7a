"""When CMA-ES starts anew, and how: the restart strategies IPOP and BIPOP."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from airflow_katib_provider.algorithms.draws import generator

if TYPE_CHECKING:
    from collections.abc import Sequence


class RestartStrategy(StrEnum):
    """What happens when a run has converged."""

    NONE = "none"
    IPOP = "ipop"
    BIPOP = "bipop"


@dataclass(frozen=True)
class Run:
    """One run of CMA-ES, from its start to its restart.

    :param index: 0 for the first run.
    :param population: how many trials make a generation.
    :param sigma: the step size at the start, where each parameter's range has the length 1.
    :param center: where the search starts, for each ordered parameter on its unit interval.
    :param doublings: how often the population had been doubled when the last large run began.
    :param is_small: whether it is one of BIPOP's short local runs.
    :param max_evaluations: how many trials it may learn from; ``None`` for no limit.
    """

    index: int
    population: int
    sigma: float
    center: tuple[float, ...]
    doublings: int = 0
    is_small: bool = False
    max_evaluations: int | None = None


@dataclass(frozen=True)
class FinishedRun:
    """A run that is over, with the number of trials that it learned from."""

    run: Run
    evaluations: int


def next_run(strategy: RestartStrategy, finished: Sequence[FinishedRun], seed: int) -> Run:
    """Return the run that follows.

    It starts at a random place. IPOP doubles the population each time (Auger and Hansen, "A Restart CMA Evolution
    Strategy With Increasing Population Size", 2005). BIPOP does so too, but puts in small runs while these have
    used fewer trials than the large ones, the first run not counted (Hansen, "Benchmarking a BI-Population CMA-ES
    on the BBOB-2009 Function Testbed", 2009): with ``u`` and ``v`` uniform in [0, 1], a small run has a
    population of ``first * (large / first / 2) ** u**2``, a step size of ``sigma * 10 ** (-2 * v)``, and at most
    half of the trials of the last large run.

    :param finished: the runs so far, at least one.
    """
    first, index = finished[0].run, len(finished)
    numbers = generator(seed, "restart", index)
    center = tuple(numbers.random() for _ in first.center)
    doublings = finished[-1].run.doublings
    if strategy is RestartStrategy.BIPOP and _used(finished, small=True) < _used(finished, small=False):
        ratio = 2**doublings / 2
        return Run(
            index,
            population=math.floor(first.population * ratio ** (numbers.random() ** 2)),
            sigma=first.sigma * 10 ** (-2 * numbers.random()),
            center=center,
            doublings=doublings,
            is_small=True,
            max_evaluations=_last_large(finished).evaluations // 2,
        )
    population = first.population * 2 ** (doublings + 1)
    return Run(index, population, first.sigma, center, doublings + 1)


def _used(finished: Sequence[FinishedRun], *, small: bool) -> int:
    return sum(past.evaluations for past in finished[1:] if past.run.is_small is small)


def _last_large(finished: Sequence[FinishedRun]) -> FinishedRun:
    return next(past for past in reversed(finished) if not past.run.is_small)
