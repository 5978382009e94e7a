from __future__ import annotations

import pytest

from airflow_katib_provider.early_stopping import available, check, get, rule_for
from airflow_katib_provider.early_stopping.medianstop import MedianStop, MedianStopSettings
from airflow_katib_provider.exceptions import UnknownAlgorithmError
from airflow_katib_provider.experiment.spec import EarlyStoppingSpec, Setting


def spec(name: str, **settings: str) -> EarlyStoppingSpec:
    return EarlyStoppingSpec(
        algorithm_name=name,
        algorithm_settings=tuple(Setting(name=key, value=value) for key, value in settings.items()),
    )


def test_medianstop_is_available() -> None:
    assert "medianstop" in available()
    assert get("medianstop") is MedianStop


@pytest.mark.parametrize(
    ("early_stopping", "problems"),
    [
        (spec("medianstop"), []),
        (spec("medianstop", min_trials_required="1", start_step="1"), []),
        (spec(""), ["spec.earlyStopping.algorithmName: is missing; known are medianstop"]),
        (
            spec("medianstopp"),
            [
                "spec.earlyStopping.algorithmName: unknown early-stopping rule 'medianstopp' "
                "(did you mean 'medianstop'?); known are medianstop"
            ],
        ),
        (
            spec("medianstop", min_trials_required="0", start_step="0", start_stop="1"),
            [
                "spec.earlyStopping.algorithmSettings[0].value: "
                "setting 'min_trials_required' must be an integer > 0, not '0'",
                "spec.earlyStopping.algorithmSettings[1].value: "
                "setting 'start_step' must be an integer >= 1, not '0'",
                "spec.earlyStopping.algorithmSettings[2].name: unknown setting 'start_stop' "
                "(did you mean 'start_step'?); known are min_trials_required, start_step",
            ],
        ),
        (
            spec("medianstop", start_step="soon"),
            [
                "spec.earlyStopping.algorithmSettings[0].value: "
                "setting 'start_step' must be an integer >= 1, not 'soon'"
            ],
        ),
    ],
)
def test_a_specification_is_checked(early_stopping: EarlyStoppingSpec, problems: list[str]) -> None:
    assert [str(problem) for problem in check(early_stopping)] == problems


def test_a_rule_is_made_with_its_settings() -> None:
    rule = rule_for(spec("medianstop", start_step="7"))
    assert isinstance(rule, MedianStop)
    assert rule.settings == MedianStopSettings(min_trials_required=3, start_step=7)


def test_there_is_no_rule_without_a_name_that_is_known() -> None:
    with pytest.raises(UnknownAlgorithmError, match="'none'; known are medianstop"):
        rule_for(spec("none"))
