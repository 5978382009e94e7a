"""Bayesian optimisation, on scikit-optimize."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field, model_validator

from airflow_katib_provider.algorithms.base import (
    ExperimentView,
    ParameterSearch,
    SeededSettings,
    Suggestion,
    Suggestions,
)
from airflow_katib_provider.algorithms.dimensions import Dimension, decode, encode, free_dimensions
from airflow_katib_provider.algorithms.draws import generator, library_seed
from airflow_katib_provider.algorithms.points import FreePoints, Point
from airflow_katib_provider.algorithms.surrogate import Model, Observation, Surrogate, quiet
from airflow_katib_provider.experiment.settings import read_settings

if TYPE_CHECKING:
    from airflow_katib_provider.experiment.trial import Trial

N_MAX = 200
N_ALT = 1000

class BayesianOptimizationSettings(SeededSettings):
    base_estimator: Literal["GP", "RF", "ET", "GBRT"] = "GP"
    n_initial_points: int = Field(default=10, ge=0)
    acq_func: Literal["gp_hedge", "LCB", "EI", "PI", "EIps", "PIps"] = "gp_hedge"
    acq_optimizer: Literal["auto", "sampling", "lbfgs"] = "auto"

class BayesianOptimization(ParameterSearch):
    name = "bayesianoptimization"
    settings_type = BayesianOptimizationSettings

    def suggest(self, experiment, trials, count, seed):
        space, dims = experiment.space, free_dimensions(experiment.space)
        settings = read_settings(self.settings_type, experiment.algorithm.algorithm_settings)
        numbers = generator(seed, len(trials))
        def rnd(): return {p.name: p.from_unit(numbers.random()) for p in space}
        sign = -1 if experiment.objective.is_maximize else 1
        obs=[]; pend=[]
        for t in trials:
            e=encode(dims,t)
            if e is None: continue
            pt=[e[d.name] for d in dims]
            if t.is_observed: obs.append(Observation(pt, sign*t.value, max(t.duration or 1, 1e-3)))
            elif t.is_pending: pend.append(pt)
        free = FreePoints(space, trials, key=f"{seed}:{len(trials)}")
        if len(obs) < max(1, settings.n_initial_points) or not dims:
            return Suggestions(tuple(Suggestion(free.choose(rnd)) for _ in range(count)))
        if len(obs) > N_MAX:
            order = sorted(range(len(obs)), key=lambda i: obs[i].value)
            good = order[: N_MAX // 2]
            rest = [i for i in reversed(range(len(obs))) if i not in set(good)]
            keep = sorted(good + rest[: N_MAX - len(good)])
            obs = [obs[i] for i in keep]
        items=[]
        with quiet():
            for k in range(count):
                s = Surrogate(dims, Model(settings.base_estimator, settings.acq_func, settings.acq_optimizer), library_seed(seed, len(trials), k), obs, pend)
                def candidates():
                    yield decode(space, dims, s.best())
                    pts=[]
                    for _ in range(N_ALT):
                        a=rnd(); pts.append([d.encode(a[d.name]) for d in dims])
                    for p in s.ranked(pts):
                        yield decode(space, dims, {d.name: v for d,v in zip(dims,p)})
                c = candidates()
                point = free.choose(lambda: next(c))
                pend.append([d.encode(point[d.name]) for d in dims])
                items.append(Suggestion(point))
        return Suggestions(tuple(items))
