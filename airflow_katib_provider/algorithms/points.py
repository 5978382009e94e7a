"""The points of a search space: which are taken, which are free, in what order they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import shake_256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow_katib_provider.experiment.space import SearchSpace
    from airflow_katib_provider.experiment.trial import Trial

Point = Mapping[str, str]
Key = tuple[str, ...]

_FEISTEL_ROUNDS = 4


def point_at(space: SearchSpace, index: int) -> Point:
    """Return the point at ``index`` of a finite space, in ``range(space.size)``; the last parameter turns fastest."""
    values: dict[str, str] = {}
    for parameter in reversed(space.parameters):
        index, position = divmod(index, parameter.size or 1)
        values[parameter.name] = parameter.value_at(position)
    return {parameter.name: values[parameter.name] for parameter in space}


def shuffled(index: int, size: int, key: str) -> int:
    """Return where ``index`` goes in a pseudo-random order of ``range(size)``, without making the order.

    A Feistel network permutes the numbers of an even count of bits; numbers beyond ``size`` are walked
    through until one lies inside (Black and Rogaway, "Ciphers with Arbitrary Finite Domains", 2002).
    """
    half = max(1, ((size - 1).bit_length() + 1) // 2)
    mask = (1 << half) - 1
    while True:
        left, right = index >> half, index & mask
        for number in range(_FEISTEL_ROUNDS):
            digest = shake_256(f"{key}:{number}:{right}".encode()).digest((half + 7) // 8)
            left, right = right, left ^ (int.from_bytes(digest) & mask)
        index = left << half | right
        if index < size:
            return index


def in_random_order(space: SearchSpace, key: str, start: int = 0) -> Iterator[Point]:
    """Return every point of a finite space once, in an order that ``key`` decides.

    :param start: with which place of that order to begin; the places before it come last.
    """
    size = space.size or 1
    return (point_at(space, shuffled((start + place) % size, size, key)) for place in range(size))


def keys_of(space: SearchSpace, trials: Iterable[Trial]) -> set[Key]:
    """Return the keys of the trials' points; trials of another space have none."""
    names = {parameter.name for parameter in space}
    return {space.key(trial.assignments) for trial in trials if names <= trial.assignments.keys()}


class FreePoints:
    """Chooses points that differ from one another and from those of all trials, as far as the space has room.

    When every point has been tried, points that no pending trial has are repeated; then any.

    :param key: decides which free point is taken where draws find none.
    """

    def __init__(self, space: SearchSpace, trials: Iterable[Trial], key: str) -> None:
        self._space, self._key = space, key
        trials = list(trials)
        self._busy = keys_of(space, (trial for trial in trials if trial.is_pending))
        self._tried = self._busy | keys_of(space, trials)

    def choose(self, draw: Callable[[], Point], attempts: int = 10) -> Point:
        """Return the first draw that is free; else any free point of a finite space.

        :param draw: draws one point; called again, it may answer the same.
        :param attempts: how often to draw at most.
        """
        point = self._choose(draw, attempts)
        self._busy.add(self._space.key(point))
        self._tried.add(self._space.key(point))
        return point

    def _choose(self, draw: Callable[[], Point], attempts: int) -> Point:
        avoided = next((keys for keys in (self._tried, self._busy) if self._has_room(keys)), None)
        if not avoided:
            return draw()
        for _ in range(attempts):
            point = draw()
            if self._space.key(point) not in avoided:
                return point
        if self._space.size is None:
            return point
        order = in_random_order(self._space, self._key)
        return next(free for free in order if self._space.key(free) not in avoided)

    def _has_room(self, keys: set[Key]) -> bool:
        return self._space.size is None or len(keys) < self._space.size
