"""A model of the objective on scikit-optimize: learns from observed points, says which to try next."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airflow_katib_provider.algorithms.dimensions import Dimension, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SHORTEST_LOG_DURATION = 10.0
"""What the logarithm of the shortest duration is moved to.

scikit-optimize takes the best value of an ``...ps`` acquisition function from values and log-durations alike;
this keeps the latter out of the way. Moving all of them by the same length changes no decision.
"""

_KAPPA = 1.96
"""Standard deviations in the lower confidence bound: scikit-optimize's default."""


@dataclass(frozen=True)
class Observation:
    """What was seen at one point; a smaller value is better.

    :param point: the encoded values, in the order of the dimensions.
    :param duration: seconds, above 0.
    """

    point: Sequence[Any]
    value: float
    duration: float


@dataclass(frozen=True)
class Model:
    """How the objective is modelled: scikit-optimize's arguments under their own names."""

    base_estimator: str
    acq_func: str
    acq_optimizer: str


class Surrogate:
    """A fitted model.

    :param observations: what is known, at least one.
    :param lies: points whose value is still to come. They are taken to have the best value seen so far, so that
        there is nothing to be gained near them (Ginsbourger et al., "Kriging is well-suited to parallelize
        optimization", 2010).
    """

    def __init__(
        self,
        dimensions: Sequence[Dimension],
        model: Model,
        seed: int,
        observations: Sequence[Observation],
        lies: Sequence[Sequence[Any]],
    ) -> None:
        from skopt import Optimizer

        self._dimensions = dimensions
        self._optimizer = Optimizer(
            [_skopt_dimension(dimension) for dimension in dimensions],
            base_estimator=_boosted_trees(seed) if model.base_estimator == "GBRT" else model.base_estimator,
            n_initial_points=0,
            acq_func=model.acq_func,
            acq_optimizer=_acquisition_optimizer(model, dimensions),
            random_state=seed,
        )
        values, log_durations = _scaled(observations)
        lie = LIE(values)
        points = [observation.point for observation in observations]
        targets = [*values.tolist(), *(float(lie) for _ in lies)]
        if model.acq_func.endswith("ps"):
            import numpy
            durations = numpy.exp([*log_durations, *(log_durations.mean() for _ in lies)])
            targets = list(zip(targets, durations.tolist(), strict=True))
        self._optimizer.tell([*points, *map(list, lies)], targets)

    def best(self) -> dict[str, Any]:
        x = self._optimizer.ask()
        return {d.name: v for d, v in zip(self._dimensions, x)}

    def ranked(self, points: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
        import numpy
        est = self._optimizer.models[-1]
        est = getattr(est, "estimators_", [est])[0] if hasattr(est,"estimators_") and est.__class__.__name__=="MultiOutputRegressor" else est
        m, s = est.predict(self._optimizer.space.transform(points), return_std=True)
        return [points[i] for i in numpy.argsort(m - _KAPPA * s, kind="stable")]

import numpy
LIE = numpy.min

@contextmanager
def quiet() -> Iterator[None]:
    """Keep scikit-optimize's warnings to itself, and its linear algebra in one thread.

    More threads double the CPU time and save a third of the time at best.
    """
    from threadpoolctl import threadpool_limits

    with warnings.catch_warnings(), threadpool_limits(limits=1):
        warnings.simplefilter("ignore")
        yield


def _scaled(observations: Sequence[Observation]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return values of mean 0 and deviation 1, and log-durations.

    Acquisition functions carry absolute constants, which mean something only on a known scale.
    """
    import numpy

    values = numpy.array([observation.value for observation in observations])
    values = values / (numpy.abs(values).max() or 1.0)
    deviation = values.std()
    values = (values - values.mean()) / (deviation if deviation > 0 else 1.0)
    log_durations = numpy.log([observation.duration for observation in observations])
    return values, log_durations - log_durations.min() + _SHORTEST_LOG_DURATION


def _skopt_dimension(dimension: Dimension) -> Any:
    from skopt.space import Categorical, Integer, Real

    if dimension.kind is Kind.CATEGORY:
        return Categorical(range(dimension.high + 1), transform="onehot")
    if dimension.kind is Kind.UNIT:
        return Real(dimension.low, dimension.high, transform="normalize")
    prior = "log-uniform" if dimension.kind is Kind.LOG_INTEGER else "uniform"
    return Integer(dimension.low, dimension.high, prior=prior, transform="normalize")


def _acquisition_optimizer(model: Model, dimensions: Sequence[Dimension]) -> str:
    if model.acq_optimizer != "auto":
        return model.acq_optimizer
    has_gradient = model.base_estimator == "GP" and any(d.kind is not Kind.CATEGORY for d in dimensions)
    return "lbfgs" if has_gradient else "sampling"


def _boosted_trees(seed: int) -> Any:
    """Return gradient-boosted trees for three quantiles, which scikit-optimize's own class no longer gives.

    That class is not recognised as a regressor by scikit-learn 1.6, and uses a function that numpy 2.4 dropped.
    """
    from skopt.learning import GradientBoostingQuantileRegressor
    from sklearn.ensemble import GradientBoostingRegressor

    class BoostedTrees(GradientBoostingQuantileRegressor):  # type: ignore[misc]
        def __sklearn_tags__(self) -> Any:
            tags = super().__sklearn_tags__()
            tags.estimator_type = "regressor"
            return tags

        def predict(self, X: Any, return_std: bool = False) -> Any:  # noqa: N803
            low, middle, high = super().predict(X, return_quantiles=True).T
            return (middle, (high - low) / 2) if return_std else middle

    trees = GradientBoostingRegressor(n_estimators=30, loss="quantile")
    return BoostedTrees(base_estimator=trees, random_state=seed)
