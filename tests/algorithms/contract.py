"""What every search algorithm must keep. A test class of an algorithm inherits :class:`AlgorithmContract`."""

from __future__ import annotations

import json
import random
import re
import warnings
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from airflow_katib_provider.algorithms import Suggestion, suggest
from airflow_katib_provider.exceptions import InvalidExperimentError
from airflow_katib_provider.experiment.experiment import Experiment
from airflow_katib_provider.experiment.spec import ParameterType
from airflow_katib_provider.experiment.trial import Trial, TrialCondition
from tests.algorithms.experiments import (
    Parameter,
    categorical,
    discrete,
    document,
    double,
    experiment,
    integer,
    trial,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FINITE = {
    "ints": [integer("layers", 1, 8), integer("width", 16, 256, step=16), integer("lag", -3, 3)],
    "log ints": [integer("units", 1, 1000, distribution="logUniform"), integer("batch", 8, 64, step=8)],
    "steps": [double("rate", 0.1, 1.0, step=0.1), double("decay", -0.005, 0.005, step=0.0005)],
    "steps that do not divide the range": [
        double("rate", 0.1, 1.0, step=0.25),
        integer("layers", 1, 9, step=3),
    ],
    "log steps": [double("rate", 0.01, 1.0, step=0.01, distribution="logUniform"), integer("layers", 1, 4)],
    "normal ints": [
        integer("units", 0, 20, distribution="normal"),
        integer("heads", 1, 64, distribution="logNormal"),
    ],
    "choices": [
        discrete("batch", 128, 16, 32, 0.5),
        categorical("optimizer", "adam", "sgd", "lion"),
        integer("layers", 1, 4),
    ],
}
"""Spaces with a countable number of points."""

CONTINUOUS = {
    "uniform": [double("momentum", 0.5, 0.99), double("shift", -10, 10)],
    "log": [
        double("rate", 1e-8, 1, distribution="logUniform"),
        double("decay", 1e-3, 0.1, distribution="logUniform"),
    ],
    "normal": [
        double("shift", -1, 1, distribution="normal"),
        double("rate", 1e-4, 1, distribution="logNormal"),
    ],
    "all kinds": [
        double("rate", 1e-5, 1, distribution="logUniform"),
        integer("layers", 1, 8),
        integer("units", 1, 512, distribution="logUniform"),
        double("dropout", 0, 0.8, step=0.1),
        discrete("batch", 16, 32, 64, 128),
        categorical("optimizer", "adam", "sgd", "lion"),
    ],
    "fixed and free": [
        double("rate", 0.5, 0.5),
        integer("layers", 3, 3),
        double("decay", 0, 1),
        categorical("optimizer", "adam"),
        integer("units", 1, 9),
        discrete("batch", 32),
    ],
}
"""Spaces with a parameter without steps."""

AWKWARD_NAMES = (
    "learning rate",
    "--opt.lr",
    "größe",
    "class",
    "1",
    "a,b=c",
    "cmaes/x",
    "層",
    "__init__",
    "x' OR '1",
)


class AlgorithmContract:
    """The tests.

    :cvar algorithm: the name under test.
    :cvar settings: settings that let the algorithm come into its own after a few trials.
    :cvar fewest_parameters: how many ordered parameters it needs.
    :cvar takes_continuous: whether parameters without steps are accepted.
    :cvar is_endless: whether suggestions go on when every point has been tried.
    """

    algorithm: ClassVar[str]
    settings: ClassVar[Mapping[str, object]] = {}
    fewest_parameters: ClassVar[int] = 1
    takes_continuous: ClassVar[bool] = True
    is_endless: ClassVar[bool] = True

    def tuned(
        self, parameters: Sequence[Parameter], goal: str = "minimize", **settings: object
    ) -> Experiment:
        return experiment(self.algorithm, parameters, {**self.settings, **settings}, goal)

    def mixed(self) -> list[Parameter]:
        """Return a roomy space of several kinds."""
        return CONTINUOUS["all kinds"] if self.takes_continuous else [*FINITE["ints"], *FINITE["choices"][:2]]

    def history(
        self, tuned: Experiment, count: int, conditions: Sequence[TrialCondition] = ()
    ) -> list[Trial]:
        """Return finished trials that the algorithm suggested itself, as many at a time as a generation may want.

        :param conditions: how the trials ended, in turn; all succeeded by default.
        """
        trials: list[Trial] = []
        while len(trials) < count:
            for suggestion in suggest(tuned, trials, min(4, count - len(trials)), seed=5).items:
                number = len(trials)
                condition = conditions[number % len(conditions)] if conditions else TrialCondition.SUCCEEDED
                value = score(tuned, suggestion.assignments) if condition.is_observed else None
                trials.append(trial(number, suggestion.assignments, value, condition, suggestion.labels))
        return trials

    # ---- what is suggested

    @pytest.mark.parametrize("name", [*FINITE, *CONTINUOUS])
    def test_suggestions_are_points_of_the_space(self, name: str) -> None:
        parameters = (FINITE | CONTINUOUS)[name]
        if name in CONTINUOUS and not self.takes_continuous:
            with pytest.raises(InvalidExperimentError, match="step"):
                self.tuned(parameters)
            return
        tuned = self.tuned(parameters)
        for trials in ([], self.history(tuned, 8)):
            for suggestion in suggest(tuned, trials, 2, seed=1).items:
                assert_point(tuned, suggestion)

    @pytest.mark.parametrize("size", [1, 2, 10, 50])
    def test_any_number_of_parameters(self, size: int) -> None:
        kinds = [
            integer("", 0, 9),
            double("", 0, 1, step=0.1),
            discrete("", 1, 2, 4),
            categorical("", "a", "b"),
        ]
        parameters = [{**kinds[index % len(kinds)], "name": f"p{index}"} for index in range(size)]
        if size < self.fewest_parameters:
            with pytest.raises(InvalidExperimentError, match="at least 2"):
                self.tuned(parameters)
            return
        tuned = self.tuned(parameters)
        for trials in ([], self.history(tuned, 6)):
            (suggestion,) = suggest(tuned, trials, 1).items
            assert_point(tuned, suggestion)

    def test_awkward_names(self) -> None:
        tuned = self.tuned([integer(name, 0, 99) for name in AWKWARD_NAMES])
        for trials in ([], self.history(tuned, 6)):
            (suggestion,) = suggest(tuned, trials, 1).items
            assert_point(tuned, suggestion)

    def test_one_point_is_suggested_again_and_again(self) -> None:
        tuned = self.tuned(
            [integer("layers", 3, 3), double("rate", 0.5, 0.5), categorical("optimizer", "adam")]
        )
        point = {"layers": "3", "rate": "0.5", "optimizer": "adam"}
        first = suggest(tuned, [], 1)
        assert [suggestion.assignments for suggestion in first.items] == [point]
        after = suggest(tuned, [trial(0, point, 1.0, labels=first.items[0].labels)], 2)
        assert [suggestion.assignments for suggestion in after.items] == (
            [point, point] if self.is_endless else []
        )
        assert after.exhausted is not self.is_endless

    # ---- the same and not the same

    def test_the_same_question_has_the_same_answer(self) -> None:
        tuned = self.tuned(self.mixed())
        for trials in ([], self.history(tuned, 9)):
            answer = suggest(tuned, trials, 3, seed=7)
            assert suggest(tuned, trials, 3, seed=7) == answer
            assert suggest(tuned, [replace(t) for t in reversed(trials)], 3, seed=7) == answer

    def test_the_seed_decides(self) -> None:
        parameters = self.mixed()
        tuned, with_state = self.tuned(parameters), self.tuned(parameters, random_state=11)
        trials = self.history(tuned, 3)
        assert suggest(tuned, trials, 2, seed=1) != suggest(tuned, trials, 2, seed=2)
        assert suggest(tuned, trials, 2) == suggest(tuned, trials, 2, seed=0)
        assert suggest(with_state, trials, 2, seed=1) == suggest(with_state, trials, 2, seed=2)
        assert suggest(with_state, trials, 2) == suggest(tuned, trials, 2, seed=11)

    def test_a_restart_continues(self) -> None:
        """Trials that went through text, as a store keeps them, lead to where the first process would have gone."""
        tuned = self.tuned(self.mixed())
        trials = self.history(tuned, 12, ENDINGS)
        again = Experiment.from_yaml(tuned.to_yaml())
        for length in range(len(trials)):
            before = trials[:length]
            assert suggest(again, [stored(t) for t in before], 1, seed=5) == suggest(tuned, before, 1, seed=5)

    def test_no_call_repeats_the_draws_of_another(self) -> None:
        tuned = self.tuned(self.mixed())
        trials: list[Trial] = []
        for number in range(12):
            (suggestion,) = suggest(tuned, trials, 1).items
            trials.append(
                trial(number, suggestion.assignments, None, TrialCondition.FAILED, suggestion.labels)
            )
        assert len({tuned.space.key(t.assignments) for t in trials}) == 12

    def test_the_direction_is_all_that_tells_maximize_from_minimize(self) -> None:
        parameters = self.mixed()
        down, up = self.tuned(parameters), self.tuned(parameters, goal="maximize")
        trials = self.history(down, 12)
        mirrored = [replace(t, value=-t.value) for t in trials if t.value is not None]
        assert suggest(up, mirrored, 1) == suggest(down, trials, 1)

    # ---- trials of every kind

    def test_trials_in_every_condition(self) -> None:
        tuned = self.tuned(self.mixed())
        trials = self.history(tuned, 14, ENDINGS)
        for suggestion in suggest(tuned, trials, 2).items:
            assert_point(tuned, suggestion)

    @pytest.mark.parametrize(
        "condition",
        [
            TrialCondition.FAILED,
            TrialCondition.KILLED,
            TrialCondition.METRICS_UNAVAILABLE,
            TrialCondition.EARLY_STOPPED,
        ],
    )
    def test_nothing_is_learned_from_trials_without_a_value(self, condition: TrialCondition) -> None:
        """Whatever an ended trial's stray value is, it counts only where the trial may be learned from."""
        tuned = self.tuned(self.mixed())
        trials = self.history(tuned, 12, [TrialCondition.SUCCEEDED, TrialCondition.SUCCEEDED, condition])
        stray = [t if t.condition is TrialCondition.SUCCEEDED else replace(t, value=None) for t in trials]
        if condition is not TrialCondition.EARLY_STOPPED:
            trials = [replace(t, value=-1e6 if t.condition is condition else t.value) for t in trials]
            assert suggest(tuned, trials, 1) == suggest(tuned, stray, 1)
        else:
            assert_point(tuned, *suggest(tuned, stray, 1).items)

    @pytest.mark.parametrize("count", [1, 3])
    def test_pending_trials_are_kept_clear_of(self, count: int) -> None:
        tuned = self.tuned(self.mixed())
        trials = self.history(tuned, 8)
        for _ in range(3):
            answer = suggest(tuned, trials, count)
            assert len(answer.items) == count
            trials += [
                trial(len(trials) + place, item.assignments, None, TrialCondition.RUNNING, item.labels)
                for place, item in enumerate(answer.items)
            ]
        assert len({tuned.space.key(t.assignments) for t in trials}) == len(trials)

    def test_trials_of_another_space_are_no_obstacle(self) -> None:
        tuned = self.tuned(self.mixed())
        trials = self.history(tuned, 9)
        odd: list[dict[str, str]] = [
            {},
            {"other": "1"},
            {**trials[0].assignments, "optimizer": "gone", "layers": "99", "batch": "x"},
            {**trials[1].assignments, "layers": "", "units": "nan", "lag": "inf"},
        ]
        trials += [trial(9 + number, point, 0.5) for number, point in enumerate(odd)]
        assert_point(tuned, *suggest(tuned, trials, 1).items)

    @pytest.mark.parametrize("values", [(0.0,), (1.5,), (1e300, -1e300), (1e-300, 2e-300)])
    def test_values_without_shape(self, values: tuple[float, ...]) -> None:
        tuned = self.tuned(self.mixed())
        trials = [replace(t, value=values[t.number % len(values)]) for t in self.history(tuned, 12)]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert_point(tuned, *suggest(tuned, trials, 1).items)

    # ---- small spaces

    def test_a_small_space_is_walked_through_before_points_come_again(self) -> None:
        tuned = self.tuned([integer("layers", 1, 3), discrete("batch", 16, 32), categorical("act", "relu")])
        trials: list[Trial] = []
        for number in range(6):
            (suggestion,) = suggest(tuned, trials, 1).items
            ending = ENDINGS[number % len(ENDINGS)]
            value = score(tuned, suggestion.assignments) if ending.is_observed else None
            trials.append(trial(number, suggestion.assignments, value, ending, suggestion.labels))
        assert len({tuned.space.key(t.assignments) for t in trials}) == 6
        after = suggest(tuned, trials, 3)
        assert len(after.items) == (3 if self.is_endless else 0)
        assert after.exhausted is not self.is_endless
        pending = {tuned.space.key(t.assignments) for t in trials if t.is_pending}
        again = [tuned.space.key(suggestion.assignments) for suggestion in after.items]
        assert pending
        assert pending.isdisjoint(again)
        assert len(set(again)) == len(again)

    def test_more_are_asked_for_than_there_are(self) -> None:
        tuned = self.tuned([integer("layers", 1, 2), discrete("batch", 16, 32)])
        answer = suggest(tuned, [], 6)
        keys = [tuned.space.key(suggestion.assignments) for suggestion in answer.items]
        assert len(set(keys[:4])) == 4
        assert len(keys) == (6 if self.is_endless else 4)
        assert answer.exhausted is not self.is_endless

    # ---- a good guest

    def test_nothing_outside_the_call_changes(self, capfd: pytest.CaptureFixture[str]) -> None:
        import logging

        import numpy

        tuned = self.tuned(self.mixed())
        trials = self.history(tuned, 10)
        before = outside(logging, numpy)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            suggest(tuned, trials, 2)
        assert [str(warning.message) for warning in caught] == []
        assert outside(logging, numpy) == before
        assert capfd.readouterr() == ("", "")

    def test_an_experiment_without_parameters_is_refused(self) -> None:
        from airflow_katib_provider.exceptions import InvalidExperimentError

        written = document(self.algorithm, [], self.settings)
        written["spec"]["nasConfig"] = {"graphConfig": {"numLayers": 1}}
        with pytest.raises(InvalidExperimentError, match=f"{self.algorithm}.*parameters"):
            Experiment.from_dict(written)


ENDINGS = (
    TrialCondition.SUCCEEDED,
    TrialCondition.EARLY_STOPPED,
    TrialCondition.FAILED,
    TrialCondition.RUNNING,
    TrialCondition.SUCCEEDED,
    TrialCondition.METRICS_UNAVAILABLE,
    TrialCondition.KILLED,
    TrialCondition.CREATED,
)


def score(tuned: Experiment, assignments: Mapping[str, str]) -> float:
    """Return a value that depends on every parameter, with its best in the middle of their ranges."""
    return sum(abs(parameter.to_unit(assignments[parameter.name]) - 0.4) for parameter in tuned.space)


def stored(kept: Trial) -> Trial:
    """Return a trial as it comes back from JSON."""
    assignments, labels = json.loads(json.dumps([dict(kept.assignments), dict(kept.labels)]))
    return replace(kept, assignments=assignments, labels=labels)


def outside(logging: Any, numpy: Any) -> tuple[Any, ...]:
    """Return what a careless library would change."""
    loggers = {name: logging.getLogger(name).level for name in ("", "optuna", "skopt", "cmaes")}
    kind, keys, *rest = numpy.random.get_state()
    return loggers, random.getstate(), (kind, keys.tolist(), *rest), list(warnings.filters), numpy.geterr()


def assert_point(tuned: Experiment, suggestion: Suggestion) -> None:
    """Check a suggestion against the specification, not against the space that was built from it."""
    assert list(suggestion.assignments) == [parameter.name for parameter in tuned.spec.parameters]
    assert all(isinstance(text, str) for text in (*suggestion.labels, *suggestion.labels.values()))
    for parameter in tuned.spec.parameters:
        value, space = suggestion.assignments[parameter.name], parameter.feasible_space
        assert type(value) is str
        assert space is not None
        if space.list is not None:
            assert value in space.list
            continue
        assert space.min is not None
        assert space.max is not None
        is_int = parameter.parameter_type is ParameterType.INT
        assert re.fullmatch(r"-?\d+" if is_int else r"-?\d+(\.\d+)?(e[+-]\d+)?", value)
        assert Decimal(space.min) <= Decimal(value) <= Decimal(space.max)
        if step := space.step or ("1" if is_int else None):
            assert (Decimal(value) - Decimal(space.min)) % Decimal(step) == 0
