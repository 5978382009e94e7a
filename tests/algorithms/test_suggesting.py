"""Asking an algorithm: what is passed on, and what is not let through."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, ClassVar

import pytest

from airflow_katib_provider.algorithms import (
    Algorithm,
    Settings,
    Suggestion,
    Suggestions,
    available,
    registry,
    suggest,
)
from airflow_katib_provider.exceptions import (
    AlgorithmError,
    KatibError,
    MissingExtraError,
    UnknownAlgorithmError,
)
from tests.algorithms.experiments import categorical, discrete, document, double, experiment, integer, trial

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from airflow_katib_provider.algorithms.base import ExperimentView
    from airflow_katib_provider.experiment.trial import Trial

SPACE = [
    double("rate", 0.1, 0.9),
    double("step", 0, 1, step=0.1),
    integer("n", 1, 9, step=2),
    discrete("d", 1, 2.5),
    categorical("c", "a", "b"),
]
POINT = {"rate": "0.5", "step": "0.3", "n": "3", "d": "2.5", "c": "a"}


class Scripted(Algorithm):
    """Answers what a test tells it to."""

    name = "scripted"
    settings_type = Settings
    answer: ClassVar[Callable[[Sequence[Trial], int, int], Suggestions]]

    def suggest(
        self, experiment: ExperimentView, trials: Sequence[Trial], count: int, seed: int
    ) -> Suggestions:
        return type(self).answer(trials, count, seed)


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Suggestions]], None]:
    point = EntryPoint("scripted", f"{__name__}:Scripted", "tests")
    monkeypatch.setitem(registry._ALGORITHMS._own, "scripted", point)
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    return lambda answer: monkeypatch.setattr(Scripted, "answer", staticmethod(answer), raising=False)


def points(*assignments: Mapping[str, object]) -> Suggestions:
    return Suggestions(tuple(Suggestion(point) for point in assignments))  # type: ignore[arg-type]


def test_a_point_is_let_through(script: Callable[..., None]) -> None:
    script(lambda trials, count, seed: points(POINT))
    assert suggest(experiment("scripted", SPACE), [], 1) == points(POINT)


BAD = {
    "above the range": ({"rate": "0.91"}, "'0.91' is not a value of parameter 'rate'"),
    "below the range": ({"rate": "0.05"}, "'0.05' is not a value of parameter 'rate'"),
    "not a number": ({"rate": "nan"}, "'nan' is not a value of parameter 'rate'"),
    "infinite": ({"rate": "inf"}, "'inf' is not a value of parameter 'rate'"),
    "a numpy representation": ({"rate": "np.float64(0.5)"}, "is not a value of parameter 'rate'"),
    "a number instead of text": ({"rate": 0.5}, "0.5 is not a value of parameter 'rate'"),
    "float noise": ({"step": "0.30000000000000004"}, "is not a value of parameter 'step'"),
    "off the steps": ({"n": "4"}, "'4' is not a value of parameter 'n'"),
    "an int with a fraction": ({"n": "3.0"}, "'3.0' is not a value of parameter 'n'"),
    "infinite int": ({"n": "inf"}, "'inf' is not a value of parameter 'n'"),
    "not in the list": ({"d": "2"}, "'2' is not a value of parameter 'd'"),
    "not a category": ({"c": "z"}, "'z' is not a value of parameter 'c'"),
    "another parameter": ({"other": "1"}, "there is no parameter 'other'"),
}


@pytest.mark.parametrize(("change", "message"), BAD.values(), ids=BAD.keys())
def test_a_bad_point_names_algorithm_and_parameter(
    script: Callable[..., None], change: dict[str, object], message: str
) -> None:
    script(lambda trials, count, seed: points(POINT, {**POINT, **change}))
    with pytest.raises(AlgorithmError, match="algorithm 'scripted' gave a bad suggestion") as error:
        suggest(experiment("scripted", SPACE), [], 2)
    assert message in str(error.value)


def test_a_missing_parameter(script: Callable[..., None]) -> None:
    script(lambda trials, count, seed: points({name: value for name, value in POINT.items() if name != "n"}))
    with pytest.raises(AlgorithmError, match="parameter 'n' has no value"):
        suggest(experiment("scripted", SPACE), [], 1)


def test_more_than_was_asked_for(script: Callable[..., None]) -> None:
    script(lambda trials, count, seed: points(*[POINT] * (count + 1)))
    with pytest.raises(AlgorithmError, match="3 suggestions where 2 were asked for"):
        suggest(experiment("scripted", SPACE), [], 2)


def test_the_algorithm_sees_trials_in_their_order_and_the_seed(script: Callable[..., None]) -> None:
    seen = []
    script(
        lambda trials, count, seed: seen.append(([t.number for t in trials], count, seed)) or points(POINT)
    )
    trials = [trial(number, POINT, 1.0) for number in (3, 0, 2, 1)]
    suggest(experiment("scripted", SPACE), trials, 2, seed=8)
    suggest(experiment("scripted", SPACE), trials, 1)
    assert seen == [([0, 1, 2, 3], 2, 8), ([0, 1, 2, 3], 1, 0)]


def raising(error: Exception) -> Callable[..., Suggestions]:
    def answer(trials: Sequence[Trial], count: int, seed: int) -> Suggestions:
        raise error

    return answer


@pytest.mark.parametrize(
    ("error", "expected", "message"),
    [
        (
            ZeroDivisionError("by zero"),
            AlgorithmError,
            "'scripted' failed for experiment 'tune' after 1 trials: ZeroDivisionError: by zero",
        ),
        (
            ModuleNotFoundError("No module named 'gold'", name="gold"),
            MissingExtraError,
            "'gold', which is not installed",
        ),
        (AlgorithmError("my own words"), AlgorithmError, "my own words"),
    ],
)
def test_errors_are_named(
    script: Callable[..., None], error: Exception, expected: type[KatibError], message: str
) -> None:
    script(raising(error))
    with pytest.raises(expected) as caught:
        suggest(experiment("scripted", SPACE), [trial(0, POINT, 1.0)], 1)
    assert message in str(caught.value)
    assert error in (caught.value, caught.value.__cause__)


@pytest.mark.parametrize("count", [0, -1])
def test_at_least_one(count: int) -> None:
    with pytest.raises(ValueError, match=f"count is {count}"):
        suggest(experiment("random", SPACE), [], count)


def test_an_unknown_algorithm() -> None:
    tuned = experiment("random", SPACE)
    spec = tuned.spec.model_copy(update={"algorithm": replace_name(tuned, "gone")})
    with pytest.raises(UnknownAlgorithmError, match="unknown algorithm 'gone'"):
        suggest(tuned.model_copy(update={"spec": spec}), [], 1)


def replace_name(tuned: object, name: str) -> object:
    return tuned.algorithm.model_copy(update={"algorithm_name": name})  # type: ignore[attr-defined]


ELSEWHERE = """
import json, sys
from airflow_katib_provider.algorithms import suggest
from airflow_katib_provider.experiment.experiment import Experiment
from tests.algorithms.experiments import trial
for document, history in json.load(sys.stdin):
    trials = [trial(n, point, value, labels=labels) for n, (point, value, labels) in enumerate(history)]
    answer = suggest(Experiment.from_dict(document), trials, 2, seed=3)
    print(json.dumps([[dict(item.assignments), dict(item.labels)] for item in answer.items]))
"""


def test_another_process_gives_the_same_answers() -> None:
    """Nothing hangs on the order of hashes or on what a process did before."""
    space = [
        double("rate", 1e-4, 1, distribution="logUniform"),
        double("drop", 0, 0.9, step=0.1),
        integer("n", 1, 9),
        discrete("d", 1, 2.5, 8),
        categorical("c", "a", "b", "z"),
    ]
    asked, answers = [], []
    for name in available():
        settings = {"bayesianoptimization": {"n_initial_points": 5}}.get(name, {})
        parameters = space[1:] if name == "grid" else space
        tuned = experiment(name, parameters, settings)
        trials: list[Trial] = []
        while len(trials) < 12:
            (suggestion,) = suggest(tuned, trials, 1, seed=3).items
            value = float(len(trials) * 5 % 12)
            trials.append(
                replace(trial(len(trials), suggestion.assignments, value), labels=suggestion.labels)
            )
        history = [[dict(t.assignments), t.value, dict(t.labels)] for t in trials]
        asked.append([document(name, parameters, settings), history])
        answer = suggest(tuned, trials, 2, seed=3)
        answers.append([[dict(item.assignments), dict(item.labels)] for item in answer.items])
    for hash_seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", ELSEWHERE],
            input=json.dumps(asked),
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert [json.loads(line) for line in done.stdout.splitlines()] == answers
