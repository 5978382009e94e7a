"""The contract of a search algorithm: a pure function of experiment, trials so far and seed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from pydantic import BaseModel, ConfigDict

from airflow_katib_provider.exceptions import Problem

if TYPE_CHECKING:
    from airflow_katib_provider.experiment.spec import Experiment
    from airflow_katib_provider.experiment.trial import Trial


class Settings(BaseModel):
    """The settings of an algorithm. Fields carry Katib's names; values arrive as text and are parsed by pydantic.

    Subclasses declare fields with types, bounds and defaults; an unknown name or a bad value becomes one
    :class:`~airflow_katib_provider.exceptions.Problem` each.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)


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
    :param exhausted: nothing is left to suggest, now or later.
    """

    items: tuple[Suggestion, ...]
    exhausted: bool = False


class Algorithm(ABC):
    """A search algorithm.

    An implementation keeps no state between calls: whatever it needs it rebuilds from the trials. The same
    experiment, trials and seed give the same answer, on any machine. Heavy libraries are imported inside
    :meth:`suggest`, never at the top of the module, because validation happens while a DAG file is parsed.
    """

    name: ClassVar[str]
    """Katib's name of the algorithm."""

    settings_type: ClassVar[type[Settings]]
    """The model of ``spec.algorithm.algorithmSettings``."""

    def validate(self, experiment: Experiment) -> Iterable[Problem]:
        """Say what the algorithm cannot do with this experiment, beyond what the settings model checks.

        Called while the DAG file is parsed, with an experiment whose settings and search space are valid.
        """
        return ()

    def limit(self, experiment: Experiment) -> int | None:
        """Return how many suggestions there can ever be, or ``None`` where there is no end."""
        return None

    @abstractmethod
    def suggest(
        self, experiment: Experiment, trials: Sequence[Trial], count: int, seed: int
    ) -> Suggestions:
        """Answer up to ``count`` suggestions.

        :param experiment: a valid experiment.
        :param trials: every trial so far in order of creation, pending and failed ones included.
        :param count: how many suggestions are wanted, at least 1; they differ from one another and from those
            of pending trials where the space has room.
        :param seed: the experiment's seed. Draws for this call derive from it and from ``len(trials)``.
        """
