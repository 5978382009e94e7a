from __future__ import annotations

from typing import Literal

import pytest
from pydantic import Field, ValidationError, field_validator, model_validator

from airflow_katib_provider.experiment.settings import Settings, check_settings, read_settings
from airflow_katib_provider.experiment.spec import Setting

PATH = "spec.algorithm.algorithmSettings"


class Example(Settings):
    count: int = Field(3, gt=0)
    share: float | None = Field(None, ge=0, lt=1)
    mode: Literal["fast", "slow"] = "fast"
    flag: bool = False
    word: str = ""
    low: int = 0
    high: int = 9

    @field_validator("word")
    @classmethod
    def _lower(cls, word: str) -> str:
        if word != word.lower():
            raise ValueError("write it in lower case")
        return word

    @model_validator(mode="after")
    def _ordered(self) -> Example:
        if self.low > self.high:
            raise ValueError("low must not be above high")
        return self


class Required(Settings):
    size: int = Field(ge=1)


class Nothing(Settings):
    """There are algorithms without settings."""


def problems(model: type[Settings], *settings: tuple[str, str]) -> list[str]:
    return [
        str(problem).removeprefix(PATH)
        for problem in check_settings(model, [Setting(name=n, value=v) for n, v in settings], PATH)
    ]


KNOWN = "known are count, share, mode, flag, word, low, high"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ([], []),
        ([("count", "5"), ("share", "0.5"), ("mode", "slow"), ("flag", "true"), ("word", "a")], []),
        ([("count", "0")], ["[0].value: setting 'count' must be an integer > 0, not '0'"]),
        ([("count", "two")], ["[0].value: setting 'count' must be an integer > 0, not 'two'"]),
        ([("count", "1.5")], ["[0].value: setting 'count' must be an integer > 0, not '1.5'"]),
        ([("share", "1")], ["[0].value: setting 'share' must be a number >= 0 and < 1, not '1'"]),
        ([("share", "nan")], ["[0].value: setting 'share' must be a number >= 0 and < 1, not 'nan'"]),
        ([("mode", "Fast")], ["[0].value: setting 'mode' must be one of 'fast', 'slow', not 'Fast'"]),
        ([("flag", "maybe")], ["[0].value: setting 'flag' must be true or false, not 'maybe'"]),
        ([("word", "A")], ["[0].value: setting 'word' is 'A': write it in lower case"]),
        ([("cuont", "1")], [f"[0].name: unknown setting 'cuont' (did you mean 'count'?); {KNOWN}"]),
        ([("COUNT", "1")], [f"[0].name: unknown setting 'COUNT' (did you mean 'count'?); {KNOWN}"]),
        ([("xyz", "1")], [f"[0].name: unknown setting 'xyz'; {KNOWN}"]),
        (
            [("count", "1"), ("flag", "true"), ("count", "2")],
            ["[2].name: setting 'count' is given more than once; keep one of them"],
        ),
        ([("low", "5"), ("high", "1")], [": low must not be above high"]),
        (
            [("xyz", "1"), ("count", "0"), ("xyz", "1"), ("flag", "on"), ("share", "-1")],
            [
                f"[0].name: unknown setting 'xyz'; {KNOWN}",
                "[1].value: setting 'count' must be an integer > 0, not '0'",
                "[2].name: setting 'xyz' is given more than once; keep one of them",
                "[4].value: setting 'share' must be a number >= 0 and < 1, not '-1'",
            ],
        ),
    ],
)
def test_every_problem_is_told_by_its_field(settings: list[tuple[str, str]], expected: list[str]) -> None:
    assert problems(Example, *settings) == expected


def test_a_missing_setting_is_told_by_the_whole_field() -> None:
    assert problems(Required) == [": setting 'size' is missing; give it a value: an integer >= 1"]
    assert problems(Required, ("size", "2")) == []


def test_where_there_are_no_settings_every_one_is_unknown() -> None:
    assert problems(Nothing, ("a", "1")) == ["[0].name: unknown setting 'a'; there are no settings here"]


def test_checked_settings_are_read_with_their_types() -> None:
    settings = [Setting(name="count", value="5"), Setting(name="share", value="0.5")]
    assert read_settings(Example, settings) == Example(count=5, share=0.5)


def test_unchecked_settings_are_not_read() -> None:
    with pytest.raises(ValidationError, match="count"):
        read_settings(Example, [Setting(name="count", value="-1")])
