"""The exceptions of the provider, one flat family under :class:`KatibError`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class KatibError(Exception):
    """The root of every exception that the provider raises by itself."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in an experiment.

    :param path: the field in Katib's YAML, for example ``spec.objective.type``.
    :param message: the value that was found and what to write instead.
    """

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}"


class InvalidExperimentError(KatibError, ValueError):
    """An experiment that cannot be run as it is written.

    :param name: the experiment's name, or what it was read from.
    :param problems: everything that is wrong, in the order of the specification; never empty.
    """

    def __init__(self, name: str, problems: Iterable[Problem]) -> None:
        self.name = name
        self.problems = tuple(problems)
        count = len(self.problems)
        lines = "\n".join(f"  - {problem}" for problem in self.problems)
        super().__init__(f"Experiment {name!r} has {count} problem{'s' if count != 1 else ''}:\n{lines}")

    def __reduce__(self) -> tuple[type[InvalidExperimentError], tuple[str, tuple[Problem, ...]]]:
        return type(self), (self.name, self.problems)


class UnknownAlgorithmError(KatibError, LookupError):
    """No algorithm is registered under the name that was asked for."""


class PluginError(KatibError):
    """What another package registers by entry point cannot be used; the message names the package."""


class AlgorithmError(KatibError):
    """An algorithm could not answer a suggestion; the message says which and why."""


class MissingExtraError(KatibError, ImportError):
    """A feature needs a package that is not installed; the message names the extra to install."""


class RenderingError(KatibError, ValueError):
    """A trial template could not be rendered with a trial's assignments."""


class StoreError(KatibError):
    """The store could not do what was asked; the message says what and why."""


class NotFoundError(StoreError, LookupError):
    """The store holds no such experiment or trial."""


class LeaseLostError(StoreError):
    """The lease under which suggestions were made has expired and was taken over by another process."""


class TrialFailedError(KatibError):
    """A trial's run ended in failure; the message gives the command or pod, its exit code and its last lines."""


class UnsupportedCollectorError(KatibError, ValueError):
    """The metrics collector's kind cannot be used as the trials are run; the message says which can."""


class MetricsUnavailableError(KatibError):
    """A trial ended well but left no usable objective value; the message gives the reason."""


class ExperimentFailedError(KatibError):
    """An experiment ended as Failed; the message gives the reason."""
