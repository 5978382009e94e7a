"""Random search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_katib_provider.algorithms.base import (
    ExperimentView,
    ParameterSearch,
    SeededSettings,
    Suggestion,
    Suggestions,
)
from airflow_katib_provider.algorithms.draws import generator
from airflow_katib_provider.algorithms.points import FreePoints, Point

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_katib_provider.experiment.trial import Trial


class RandomSearch(ParameterSearch):
    """``random``: independent draws from each parameter's own distribution.

    Points that have been tried are not drawn again while there are others.
    """

    name = "random"
    settings_type = SeededSettings

    def suggest(
        self, experiment: ExperimentView, trials: Sequence[Trial], count: int, seed: int
    ) -> Suggestions:
        """Answer random points."""
        space = experiment.space
        numbers = generator(seed, len(trials))

        def draw() -> Point:
            return {parameter.name: parameter.from_unit(numbers.random()) for parameter in space}

        free = FreePoints(space, trials, key=f"{seed}:{len(trials)}")
        return Suggestions(tuple(Suggestion(free.choose(draw)) for _ in range(count)))
