"""The contract of a search algorithm: a pure function of experiment, trials so far and seed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Protocol

from pydantic import Field

from airflow_katib_provider.exceptions import Problem
from airflow_katib_provider.experiment.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from airflow_katib_provider.experiment.space import SearchSpace
    from airflow_katib_provider.experiment.spec import AlgorithmSpec, ExperimentSpec, Objective
    from airflow_katib_provider.experiment.trial import Trial

__all__ = [
    "Algorithm",
    "ExperimentView",
    "ParameterSearch",
    "SeededSettings",
    "Settings",
    "Suggestion",
    "Suggestions",
]


class ExperimentView(Protocol):
    """What an algorithm may know of an experiment; every ``Experiment`` is one."""

    @property
    def name(self) -> str:
        """``metadata.name``."""

    @property
    def spec(self) -> ExperimentSpec:
        """The specification with Katib's defaults filled in."""

    @property
    def space(self) -> SearchSpace:
        """The parameters, in the order of ``spec.parameters``."""

    @property
    def objective(self) -> Objective:
        """``spec.objective``."""

    @property
    def algorithm(self) -> AlgorithmSpec:
        """``spec.algorithm``."""

    @property
    def parallel_trial_count(self) -> int:
        """``spec.parallelTrialCount``."""

    @property
    def max_trial_count(self) -> int | None:
        """``spec.maxTrialCount``; ``None`` for no limit."""


class SeededSettings(Settings):
    """The settings of an algorithm that draws at random."""

    random_state: int | None = Field(default=None, ge=0)
    """The seed. The same seed, experiment and trials give the same suggestions."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One answer of an algorithm.

    :param assignments: parameter name to value, as text, exactly one entry for each parameter of the search space.
    :param labels: what the algorithm wants to find again on the trial when it is asked the next time.
    """

    assignments: Mapping[str, str]
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What an algorithm answers to one request.

    :param items: at most as many as were asked for. Fewer, with ``exhausted`` false, means: ask again
        when another trial has ended.
    :param exhausted: fewer than were asked for, because nothing is left to suggest, now or later.
    """

    items: tuple[Suggestion, ...]
    exhausted: bool = False


class Algorithm(ABC):
    """A search algorithm.

    An implementation keeps no state between calls: whatever it needs it rebuilds from the trials. The same
    experiment, trials and seed give the same answer in any process; on another kind of machine too, as far as
    its floating-point arithmetic is the same. Heavy libraries are imported inside :meth:`suggest`, never at the
    top of the module, because validation happens while a DAG file is parsed.
    """

    name: ClassVar[str]
    """Katib's name of the algorithm."""

    settings_type: ClassVar[type[Settings]]
    """The model of ``spec.algorithm.algorithmSettings``."""

    def validate(self, experiment: ExperimentView) -> Iterable[Problem]:
        """Say what the algorithm cannot do with this experiment, beyond what the settings model checks.

        Called while the DAG file is parsed, with an experiment whose settings and search space are valid.
        """
        return ()

    def limit(self, experiment: ExperimentView) -> int | None:
        """Return how many suggestions there can ever be, or ``None`` where there is no end."""
        return None

    @abstractmethod
    def suggest(
        self, experiment: ExperimentView, trials: Sequence[Trial], count: int, seed: int
    ) -> Suggestions:
        """Answer up to ``count`` suggestions.

        :param experiment: a valid experiment.
        :param trials: every trial so far in order of creation, pending and failed ones included.
        :param count: how many suggestions are wanted, at least 1; they differ from one another and from those
            of pending trials where the space has room.
        :param seed: the experiment's seed. Draws for this call derive from it and from ``len(trials)``.
        """


class ParameterSearch(Algorithm):
    """An algorithm that searches ``spec.parameters``, and not a neural architecture."""

    def validate(self, experiment: ExperimentView) -> Iterable[Problem]:
        """Refuse an experiment without parameters."""
        if not experiment.spec.parameters:
            yield Problem(
                "spec.parameters",
                f"algorithm {self.name!r} searches parameters and there are none; list at least one",
            )
