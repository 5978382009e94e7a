"""Classes found by name: the provider's own, and those that other packages register by entry point."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Generic, TypeVar

from airflow_katib_provider.exceptions import PluginError, UnknownAlgorithmError
from airflow_katib_provider.experiment.wording import listed, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")


class Plugins(Generic[T]):
    """The classes of one kind.

    The provider's own are found without a look at what is installed, and cannot be replaced.

    :param kind: what one of them is called in messages.
    :param group: the group of the entry points, ``name = module:Class``.
    :param base: the class that each must be a subclass of.
    :param own: the provider's own, name to ``module:Class``; imported when they are asked for.
    """

    def __init__(self, kind: str, *, group: str, base: type[T], own: Mapping[str, str]) -> None:
        self._kind = kind
        self._group = group
        self._base = base
        self._own = {name: EntryPoint(name, value, group) for name, value in own.items()}

    def names(self) -> tuple[str, ...]:
        """Return all names, in alphabetical order."""
        return tuple(sorted({*self._own, *entry_points(group=self._group).names}))

    def get(self, name: str) -> type[T]:
        """Return the class of a name.

        :raises UnknownAlgorithmError: if there is none; the message gives the names there are.
        :raises PluginError: if what another package registered cannot be loaded, is not such a class, or
            bears the same name as that of a third package.
        """
        if name in self._own:
            return self._load(self._own[name])
        points = sorted(set(entry_points(group=self._group, name=name)), key=_origin)
        if not points:
            raise UnknownAlgorithmError(self._unknown(name))
        if len(points) > 1:
            origins = " and ".join(map(_origin, points))
            raise PluginError(f"{self._kind} {name!r} is registered by {origins}; uninstall all but one")
        return self._load(points[0])

    def _load(self, point: EntryPoint) -> type[T]:
        label = f"{self._kind} {point.name!r} of {_origin(point)}"
        try:
            found = point.load()
        except Exception as error:
            raise PluginError(f"{label} cannot be loaded from {point.value!r}: {error}") from error
        if not (isinstance(found, type) and issubclass(found, self._base)):
            raise PluginError(f"{label}: {point.value!r} is not a subclass of {self._base.__qualname__}")
        return found

    def _unknown(self, name: str) -> str:
        names = self.names()
        near = nearest(name, names)
        hint = f" (did you mean {near!r}?)" if near else ""
        return f"unknown {self._kind} {name!r}{hint}; known are {listed(names)}"


def _origin(point: EntryPoint) -> str:
    return f"package {point.dist.name!r}" if point.dist else "the provider"
