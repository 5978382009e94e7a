"""The tree-structured Parzen estimator, on Optuna."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field, model_validator

from airflow_katib_provider.algorithms.base import (
    ExperimentView,
    ParameterSearch,
    SeededSettings,
    Suggestion,
    Suggestions,
)
from airflow_katib_provider.algorithms.dimensions import decode, free_dimensions
from airflow_katib_provider.algorithms.draws import library_seed
from airflow_katib_provider.algorithms.optuna_study import distributions, quiet, rebuild
from airflow_katib_provider.algorithms.points import FreePoints, Point
from airflow_katib_provider.experiment.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from airflow_katib_provider.experiment.trial import Trial

_MAX_GOOD_TRIALS = 25
"""How many trials hyperopt and Optuna count among the good ones at most."""


class MultivariateTpeSettings(SeededSettings):
    """The settings of ``multivariate-tpe``, which are Optuna's."""

    n_startup_trials: int = Field(default=10, ge=0)
    """How many trials must be observed before the estimator takes over from random search."""
    n_ei_candidates: int = Field(default=24, gt=0)
    """How many candidates the estimator chooses from."""

    def sampler_options(self) -> dict[str, Any]:
        """Return the settings as arguments of Optuna's ``TPESampler``."""
        return {"n_startup_trials": self.n_startup_trials, "n_ei_candidates": self.n_ei_candidates}


class TpeSettings(MultivariateTpeSettings):
    """The settings of ``tpe``: hyperopt's names, and Optuna's where there are two.

    What a user leaves out has Optuna's default.
    """

    gamma: float | None = Field(default=None, gt=0, lt=1)
    """The share of good trials, in hyperopt's sense: ``ceil(gamma * sqrt(n))`` of ``n`` observed trials, at most 25.

    Without it Optuna's rule holds: ``ceil(0.1 * n)``, at most 25.
    """
    prior_weight: float | None = Field(default=None, gt=0)
    """How much the parameter's own distribution counts beside one observed trial; 1 by default."""
    n_EI_candidates: int | None = Field(default=None, gt=0)  # noqa: N815
    """hyperopt's name of ``n_ei_candidates``."""

    @model_validator(mode="after")
    def _one_spelling(self) -> Self:
        if {"n_EI_candidates", "n_ei_candidates"} <= self.model_fields_set:
            raise ValueError("n_EI_candidates and n_ei_candidates are the same setting; keep one of them")
        return self

    def sampler_options(self) -> dict[str, Any]:
        """Add what only ``tpe`` has; Optuna's own settings of these are deprecated, so defaults are left out."""
        options = super().sampler_options()
        if self.n_EI_candidates is not None:
            options["n_ei_candidates"] = self.n_EI_candidates
        if self.prior_weight is not None:
            options["prior_weight"] = self.prior_weight
        if self.gamma is not None:
            options["gamma"] = _good_trials(self.gamma)
        return options


class Tpe(ParameterSearch):
    """``tpe``: one estimator a parameter.

    It learns from observed trials, keeps away from pending ones (the constant liar: they count as bad), and
    knows failed ones as Optuna does, which ignores them.

    Bergstra et al., "Algorithms for Hyper-Parameter Optimization", 2011.
    """

    name = "tpe"
    settings_type: ClassVar[type[MultivariateTpeSettings]] = TpeSettings
    is_multivariate: ClassVar[bool] = False

    def suggest(
        self, experiment: ExperimentView, trials: Sequence[Trial], count: int, seed: int
    ) -> Suggestions:
        """Answer the candidates that the estimator likes best."""
        from optuna.samplers import TPESampler

        space, dimensions = experiment.space, free_dimensions(experiment.space)
        settings = read_settings(self.settings_type, experiment.algorithm.algorithm_settings)
        with quiet():
            sampler = TPESampler(
                seed=library_seed(seed, len(trials)),
                multivariate=self.is_multivariate,
                constant_liar=True,
                **settings.sampler_options(),
            )
            study = rebuild(experiment, dimensions, trials, sampler)
            to_ask = distributions(dimensions)

            def draw() -> Point:
                return decode(space, dimensions, study.ask(to_ask).params)

            free = FreePoints(space, trials, key=f"{seed}:{len(trials)}")
            return Suggestions(tuple(Suggestion(free.choose(draw)) for _ in range(count)))


class MultivariateTpe(Tpe):
    """``multivariate-tpe``: one estimator for all parameters, which sees how they act together.

    Falkner et al., "BOHB: Robust and Efficient Hyperparameter Optimization at Scale", 2018.
    """

    name = "multivariate-tpe"
    settings_type = MultivariateTpeSettings
    is_multivariate = True


def _good_trials(gamma: float) -> Callable[[int], int]:
    return lambda observed: min(math.ceil(gamma * math.sqrt(observed)), _MAX_GOOD_TRIALS)
