"""Grid search."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from airflow_katib_provider.algorithms.base import (
    ExperimentView,
    ParameterSearch,
    SeededSettings,
    Suggestion,
    Suggestions,
)
from airflow_katib_provider.algorithms.points import in_random_order, keys_of
from airflow_katib_provider.exceptions import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_katib_provider.experiment.trial import Trial


class Grid(ParameterSearch):
    """``grid``: every combination of values once, in an order that the seed decides.

    The order is random so that an experiment which ends early has seen all parts of the grid. The grid is
    never held in memory; its size does not matter.
    """

    name = "grid"
    settings_type = SeededSettings

    def validate(self, experiment: ExperimentView) -> Iterable[Problem]:
        """Refuse a continuous parameter."""
        yield from super().validate(experiment)
        for index, parameter in enumerate(experiment.space):
            if parameter.size is None:
                yield Problem(
                    f"spec.parameters[{index}].feasibleSpace.step",
                    f"algorithm 'grid' needs a step for the double parameter {parameter.name!r}; "
                    "give one, or list the values of a discrete parameter",
                )

    def limit(self, experiment: ExperimentView) -> int | None:
        """Return the number of combinations."""
        return experiment.space.size

    def suggest(
        self, experiment: ExperimentView, trials: Sequence[Trial], count: int, seed: int
    ) -> Suggestions:
        """Answer points that no trial has had."""
        space = experiment.space
        tried = keys_of(space, trials)
        order = in_random_order(space, key=f"{seed}", start=len(trials))
        free = (Suggestion(point) for point in order if space.key(point) not in tried)
        items = tuple(islice(free, count))
        return Suggestions(items, exhausted=len(items) < count)
