"""What the store knows about the experiments of one DAG run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_katib_provider.experiment.experiment import Experiment
from airflow_katib_provider.experiment.status import TrialCounts, optimal_trial

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_katib_provider.experiment.trial import Trial
    from airflow_katib_provider.store.store import KatibStore

_RECENT = 20
"""How many of the newest experiments are looked at for those of the run."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """An experiment as it stands now.

    :param trials: every trial so far, by number.
    """

    experiment: Experiment
    trials: Sequence[Trial]

    @property
    def counts(self) -> TrialCounts:
        """How many trials there are in each condition."""
        return TrialCounts.of(self.trials)

    @property
    def best(self) -> Trial | None:
        """The optimal trial so far."""
        return optimal_trial(self.experiment.objective, self.trials)


class Tunings:
    """Reads the experiments of a DAG run, as often as asked.

    :param store: where they are kept.
    :param run_id: the run of the DAG.
    """

    def __init__(self, store: KatibStore, run_id: str) -> None:
        self._store = store
        self._run_id = run_id
        self._parsed: dict[int, Experiment] = {}

    def read(self) -> list[Tuning]:
        """Return the experiments in the order they were begun."""
        records = self._store.list_experiments(limit=_RECENT, offset=0)
        for record in reversed(records):
            if record.key.run_id == self._run_id and record.id not in self._parsed:
                self._parsed[record.id] = Experiment.from_dict(record.document)
        return [
            Tuning(experiment, self._store.trials(experiment_id))
            for experiment_id, experiment in self._parsed.items()
        ]
