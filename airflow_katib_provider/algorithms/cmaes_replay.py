"""Where CMA-ES stands, found again from the labels and results of an experiment's trials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airflow_katib_provider.algorithms.cmaes_distribution import Layout, Place, SearchDistribution
from airflow_katib_provider.algorithms.cmaes_runs import FinishedRun, RestartStrategy, Run, next_run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow_katib_provider.experiment.trial import Trial

_RESTART, _GENERATION, _LATE = "cmaes/restart", "cmaes/generation", "cmaes/late"


@dataclass(frozen=True)
class Membership:
    """What a trial's labels say: the generation that it was drawn for.

    :param restart: the index of the run.
    :param late: the numbers of the trials that were left over when the generation before this one was complete.
    """

    restart: int
    generation: int
    late: frozenset[int] = frozenset()

    @classmethod
    def of(cls, trial: Trial) -> Membership | None:
        """Read a trial's labels; ``None`` if they are not ours."""
        try:
            late = frozenset(map(int, trial.labels.get(_LATE, "").split()))
            return cls(int(trial.labels[_RESTART]), int(trial.labels[_GENERATION]), late)
        except (KeyError, ValueError):
            return None

    def labels(self) -> dict[str, str]:
        """Return the labels of a suggestion."""
        labels = {_RESTART: str(self.restart), _GENERATION: str(self.generation)}
        return labels | ({_LATE: " ".join(map(str, sorted(self.late)))} if self.late else {})


@dataclass(frozen=True)
class Standing:
    """Where the search stands.

    :param distribution: what the next points are drawn from.
    :param membership: the generation that they are drawn for.
    """

    distribution: SearchDistribution
    membership: Membership


class History:
    """The trials by generation, with what was observed of them.

    :param sign: 1 where smaller values are better, -1 where larger ones are.
    """

    def __init__(self, layout: Layout, trials: Sequence[Trial], sign: float) -> None:
        self.layout = layout
        self.seen: dict[int, tuple[Place, float]] = {}
        self.pending: set[int] = set()
        self._late: dict[int, frozenset[int]] = {}
        self._numbers: dict[tuple[int, int], list[int]] = {}
        for trial in trials:
            if membership := Membership.of(trial):
                self._numbers.setdefault((membership.restart, membership.generation), []).append(trial.number)
                self._late[trial.number] = membership.late
            if trial.is_pending:
                self.pending.add(trial.number)
            elif trial.value is not None and trial.is_observed and (place := layout.find(trial.assignments)):
                self.seen[trial.number] = (place, sign * trial.value)

    def numbers(self, restart: int, generation: int) -> list[int]:
        """Return the trials that were drawn for a generation."""
        return self._numbers.get((restart, generation), [])

    def late_after(self, restart: int, generation: int) -> frozenset[int] | None:
        """Return what the next generation's labels list as late; ``None`` if there is no next generation yet."""
        following = self.numbers(restart, generation + 1) or self.numbers(restart + 1, 0)
        return self._late[following[0]] if following else None

    def best_unlabelled(self) -> Place | None:
        """Return the best place among trials that CMA-ES did not suggest and that are older than those it did."""
        first = min(self._late, default=None)
        foreign = (self.seen[n] for n in self.seen if n not in self._late and (first is None or n < first))
        return min(foreign, key=lambda seen: seen[1], default=(None, 0.0))[0]


def replay(history: History, first: Run, strategy: RestartStrategy, seed: int) -> Standing:
    """Tell all complete generations to a new distribution.

    A generation is complete when as many of its trials are observed as the population has; failed ones are
    replaced by further draws. While the last ones are awaited, more are drawn than are needed, so that no trial
    waits for another. Those that are left over then, about a third of all with four trials at a time, count for
    the run's next generation as soon as they are observed. The labels of that generation list them, so that a
    later call finds the same generations, whatever has ended in between.
    """
    finished: list[FinishedRun] = []
    run, late = first, frozenset[int]()
    while True:
        distribution = SearchDistribution(history.layout, run)
        membership, evaluations, is_over = _play(distribution, history, run, late, strategy)
        if not is_over:
            return Standing(distribution, membership)
        finished.append(FinishedRun(run, evaluations))
        run, late = next_run(strategy, finished, seed), membership.late


def _play(
    distribution: SearchDistribution,
    history: History,
    run: Run,
    late: frozenset[int],
    strategy: RestartStrategy,
) -> tuple[Membership, int, bool]:
    """Tell one run's complete generations; return the next one, how many trials were told, and if the run is over."""
    generation = evaluations = 0
    while True:
        numbers = history.numbers(run.index, generation) + (sorted(late) if generation else [])
        known_late = history.late_after(run.index, generation)
        observed = sorted(
            (n for n in numbers if n in history.seen), key=lambda n: (n in (known_late or ()), n)
        )
        told, rest = observed[: run.population], observed[run.population :]
        if len(told) < run.population:
            return Membership(run.index, generation, late), evaluations, False
        distribution.tell([history.seen[number] for number in told])
        waiting = history.pending.intersection(numbers)
        late = known_late if known_late is not None else frozenset(waiting.union(rest))
        generation, evaluations = generation + 1, evaluations + len(told)
        if _is_over(distribution, run, evaluations, strategy):
            return Membership(run.index, generation, late), evaluations, True


def _is_over(distribution: SearchDistribution, run: Run, evaluations: int, strategy: RestartStrategy) -> bool:
    if strategy is RestartStrategy.NONE:
        return False
    is_spent = run.max_evaluations is not None and evaluations >= run.max_evaluations
    return is_spent or distribution.has_converged()
