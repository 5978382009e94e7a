"""The distribution that CMA-ES draws from and adapts, over a search space instead of numbers."""

from __future__ import annotations

import warnings
from bisect import bisect_left
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from airflow_katib_provider.experiment.space import ChoiceParameter, Parameter, SearchSpace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from airflow_katib_provider.algorithms.cmaes_runs import Run
    from airflow_katib_provider.algorithms.points import Point

_BINARY = 2
_MAX_GRID = 256
"""Parameters with more values count as continuous: their steps are far below the step size of a search."""

_CONVERGED_RANGE = 1e-3
_CONVERGED_STEP = 1e-2
"""How far apart the parents of a converged run may be in a continuous parameter: as a share of its range, and of
the step size that the run began with. No metric of a training tells points that are closer."""


@dataclass(frozen=True)
class Place:
    """Where a point lies.

    :param ordered: positions on the unit intervals of the continuous parameters, then of the grids.
    :param categories: the indexes of the values of the categories.
    """

    ordered: tuple[float, ...]
    categories: tuple[int, ...]


class Layout:
    """Which parameters are continuous, which are grids and which are categories; those with one value are none.

    A grid keeps a chance to change however small the step size is: the margin. A parameter of two values does
    better as a category (Hamano et al., "CatCMA with Margin", 2025).
    """

    def __init__(self, space: SearchSpace) -> None:
        free = [parameter for parameter in space if not parameter.is_fixed]
        ordered = [parameter for parameter in free if not _is_category(parameter)]
        self.space = space
        self.categories = [parameter for parameter in free if _is_category(parameter)]
        self.grids = [parameter for parameter in ordered if _is_grid(parameter)]
        self.continuous = [parameter for parameter in ordered if not _is_grid(parameter)]
        self.ordered = [*self.continuous, *self.grids]

    @property
    def dimensions(self) -> int:
        """How many parameters have more than one value."""
        return len(self.ordered) + len(self.categories)

    def find(self, point: Point) -> Place | None:
        """Return where a point lies; ``None`` if it is no point of this space."""
        try:
            return Place(
                tuple([parameter.to_unit(point[parameter.name]) for parameter in self.ordered]),
                tuple([parameter.index_of(point[parameter.name]) for parameter in self.categories]),
            )
        except (KeyError, ValueError, ArithmeticError):
            return None

    def point_at(self, place: Place) -> Point:
        """Return the point at a place."""
        values = {p.name: p.from_unit(at) for p, at in zip(self.ordered, place.ordered, strict=True)}
        values |= {p.name: p.value_at(at) for p, at in zip(self.categories, place.categories, strict=True)}
        return {p.name: values[p.name] if p.name in values else p.value_at(0) for p in self.space}

    def all_but_meet(self, places: Sequence[Place], tolerance: float) -> bool:
        """Whether places differ by less than a tolerance, on grids by neighbouring values at most."""
        columns = list(zip(*(place.ordered for place in places), strict=True))
        border = len(self.continuous)
        return (
            all(_spread(column) < tolerance for column in columns[:border])
            and all(
                _spread(bisect_left(_positions(grid), at) for at in column) <= 1
                for grid, column in zip(self.grids, columns[border:], strict=True)
            )
            and len({place.categories for place in places}) == 1
        )


class SearchDistribution:
    """The state of one run, on ``cmaes.CatCMAwM``: told generation by generation, it draws points for the next.

    It is told the values of a grid, not what was drawn between two of them: measured, that makes no difference.
    """

    def __init__(self, layout: Layout, run: Run) -> None:
        import numpy
        from cmaes import CatCMAwM

        self._layout = layout
        self._solution = CatCMAwM.Solution
        self._parents: list[Place] = []
        self._tolerance = min(_CONVERGED_RANGE, _CONVERGED_STEP * run.sigma)
        self._cmaes = CatCMAwM(
            x_space=[(0.0, 1.0)] * len(layout.continuous) or None,
            z_space=[_positions(parameter) for parameter in layout.grids] or None,
            c_space=[parameter.size or 0 for parameter in layout.categories] or None,
            population_size=run.population,
            mean=numpy.array(run.center),
            sigma=run.sigma,
            cov=numpy.eye(len(run.center)),
        )

    def reseed(self, seed: int) -> None:
        """Let a seed decide the points that are drawn from now on."""
        self._cmaes.reseed_rng(seed)

    def draw(self) -> Point:
        """Draw a point."""
        drawn = self._cmaes.ask()
        parts = [part.tolist() for part in (drawn.x, drawn.z) if part is not None]
        categories = () if drawn.c is None else drawn.c.argmax(axis=1).tolist()
        return self._layout.point_at(Place(tuple(at for part in parts for at in part), tuple(categories)))

    def tell(self, generation: Sequence[tuple[Place, float]]) -> None:
        """Learn from one generation.

        :param generation: places and what was observed there, smaller being better; as many as the population.
        """
        ranked = sorted(generation, key=lambda told: told[1])
        self._parents = [place for place, _ in ranked[: len(ranked) // 2]]
        with _no_warnings():
            self._cmaes.tell([(self._encode(place), value) for place, value in ranked])

    def has_converged(self) -> bool:
        """Whether the last generation's parents all but met, or the numbers leave no way to go on."""
        if self._layout.all_but_meet(self._parents, self._tolerance):
            return True
        with _no_warnings():
            return bool(self._layout.ordered) and bool(self._cmaes.should_stop())

    def _encode(self, place: Place) -> Any:
        import numpy

        ordered, border = numpy.array(place.ordered), len(self._layout.continuous)
        sizes = [parameter.size or 0 for parameter in self._layout.categories]
        chosen = numpy.zeros((len(sizes), max(sizes, default=0)), dtype=bool)
        chosen[range(len(sizes)), place.categories] = True
        return self._solution(x=ordered[:border], z=ordered[border:], c=chosen, _v_raw=ordered)


def _is_category(parameter: Parameter) -> bool:
    is_unordered = isinstance(parameter, ChoiceParameter) and not parameter.is_ordered
    return is_unordered or parameter.size == _BINARY


def _is_grid(parameter: Parameter) -> bool:
    return parameter.size is not None and parameter.size <= _MAX_GRID


@lru_cache
def _positions(parameter: Parameter) -> tuple[float, ...]:
    """Return where the values of a grid lie on the unit interval."""
    return tuple(parameter.to_unit(parameter.value_at(index)) for index in range(parameter.size or 0))


def _spread(numbers: Iterable[float]) -> float:
    known = list(numbers)
    return max(known) - min(known)


@contextmanager
def _no_warnings() -> Iterator[None]:
    """Hide what numpy says about generations whose values are all alike."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
