"""A quasi-random Sobol sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow_katib_provider.algorithms.base import (
    ExperimentView,
    ParameterSearch,
    SeededSettings,
    Suggestion,
    Suggestions,
)
from airflow_katib_provider.algorithms.draws import library_seed
from airflow_katib_provider.algorithms.points import FreePoints, Point
from airflow_katib_provider.exceptions import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from airflow_katib_provider.experiment.trial import Trial

_MAX_DIMENSIONS = 21201
"""As many direction numbers as there are (Joe and Kuo, 2008)."""


class Sobol(ParameterSearch):
    """``sobol``: a scrambled Sobol sequence, which covers the space more evenly than random draws.

    Trial ``n`` gets the sequence's point ``n``, carried to each parameter's own distribution; results do not
    matter. The seed decides the scrambling (Owen, "Randomly Permuted (t,m,s)-Nets and (t,s)-Sequences", 1995).
    """

    name = "sobol"
    settings_type = SeededSettings

    def validate(self, experiment: ExperimentView) -> Iterable[Problem]:
        """Refuse more parameters than the sequence has dimensions."""
        yield from super().validate(experiment)
        if len(experiment.space) > _MAX_DIMENSIONS:
            yield Problem(
                "spec.parameters",
                f"algorithm 'sobol' takes at most {_MAX_DIMENSIONS} parameters, not {len(experiment.space)}",
            )

    def suggest(
        self, experiment: ExperimentView, trials: Sequence[Trial], count: int, seed: int
    ) -> Suggestions:
        """Answer the sequence's next points."""
        import numpy
        from scipy.stats.qmc import Sobol as Sequencer

        space = experiment.space
        generator = numpy.random.default_rng(library_seed(seed))
        sequencer = Sequencer(len(space), scramble=True, rng=generator)
        if trials:
            sequencer.fast_forward(len(trials))

        def draw() -> Point:
            (position,) = sequencer.random(1).tolist()
            return {
                parameter.name: parameter.from_unit(at) for parameter, at in zip(space, position, strict=True)
            }

        free = FreePoints(space, trials, key=f"{seed}:{len(trials)}")
        return Suggestions(tuple(Suggestion(free.choose(draw)) for _ in range(count)))
