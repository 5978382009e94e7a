"""The contract of an early-stopping rule: a pure function of curves."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from airflow_katib_provider.experiment.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_katib_provider.experiment.spec import Objective

S = TypeVar("S", bound=Settings)


@dataclass(frozen=True, slots=True)
class Stop:
    """The decision to end a trial.

    :param step: how many values the trial had reported.
    :param reason: a sentence for the task log, with the figures that decided.
    """

    step: int
    reason: str


class EarlyStoppingRule(ABC, Generic[S]):
    """Ends trials that fall behind.

    A rule keeps no state between calls, imports nothing heavy at the top of its module, and is made from its
    settings alone. Third parties add one by an entry point of the group
    ``airflow_katib_provider.early_stopping`` that bears the rule's name and points to its class.

    :param settings: the checked settings of ``spec.earlyStopping.algorithmSettings``.
    """

    name: ClassVar[str]
    """The rule's name in ``spec.earlyStopping.algorithmName``."""

    settings_type: ClassVar[type[Settings]]
    """The model of ``spec.earlyStopping.algorithmSettings``."""

    def __init__(self, settings: S) -> None:
        self.settings = settings

    @abstractmethod
    def decide(
        self, objective: Objective, history: Sequence[Sequence[float]], current: Sequence[float]
    ) -> Stop | None:
        """Decide whether a running trial is to end now. Called at each of its reports.

        :param objective: says whether larger or smaller is better.
        :param history: for each trial that Succeeded, the finite values of the objective metric it reported,
            in order of step. Trials that were stopped early or failed are not among them.
        :param current: the same for the running trial, up to now.
        :return: the reason to stop, or ``None`` to go on.
        """
