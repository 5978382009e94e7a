"""Entry points, as really installed packages bring them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from airflow_katib_provider import early_stopping
from airflow_katib_provider.exceptions import PluginError, UnknownAlgorithmError
from airflow_katib_provider.experiment.spec import EarlyStoppingSpec, Setting

if TYPE_CHECKING:
    from pathlib import Path

GROUP = "airflow_katib_provider.early_stopping"
RULE = '''
from airflow_katib_provider.early_stopping import EarlyStoppingRule, Stop
from airflow_katib_provider.experiment.settings import Settings


class PatienceSettings(Settings):
    patience: int = 1


class Patience(EarlyStoppingRule[PatienceSettings]):
    """Stops after some reports."""

    name = "patience"
    settings_type = PatienceSettings

    def decide(self, objective, history, current):
        return Stop(len(current), "enough") if len(current) > self.settings.patience else None


no_rule = "text"
'''

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a package with entry points on the path."""

    def install(package: str, *entry_points: str, source: str = RULE) -> None:
        root = tmp_path / package
        info = root / f"{package}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *entry_points]))
        (root / f"{package}.py").write_text(source)
        monkeypatch.syspath_prepend(root)

    return install


def test_a_rule_of_another_package_is_used_like_our_own(install: Install) -> None:
    install("acme", "patience = acme:Patience")
    assert early_stopping.available() == ("medianstop", "patience")
    spec = EarlyStoppingSpec(
        algorithm_name="patience", algorithm_settings=(Setting(name="patience", value="2"),)
    )
    assert early_stopping.check(spec) == []
    assert early_stopping.rule_for(spec).settings.patience == 2
    bad = EarlyStoppingSpec(
        algorithm_name="patience", algorithm_settings=(Setting(name="patience", value="x"),)
    )
    assert [problem.path for problem in early_stopping.check(bad)] == [
        "spec.earlyStopping.algorithmSettings[0].value"
    ]


def test_our_own_cannot_be_replaced(install: Install) -> None:
    own = early_stopping.get("medianstop")
    install("impostor", "medianstop = impostor:Patience")
    assert early_stopping.get("medianstop") is own
    assert early_stopping.available() == ("medianstop",)


@pytest.mark.parametrize(
    ("entry_point", "message"),
    [
        ("broken = absent_module:Rule", "cannot be loaded from 'absent_module:Rule': No module named"),
        (
            "broken = clumsy:Missing",
            "cannot be loaded from 'clumsy:Missing': module 'clumsy' has no attribute",
        ),
        ("broken = clumsy:no_rule", "'clumsy:no_rule' is not a subclass of EarlyStoppingRule"),
        ("broken = clumsy:PatienceSettings", "is not a subclass of EarlyStoppingRule"),
    ],
)
def test_what_cannot_be_used_is_told_with_its_package(
    install: Install, entry_point: str, message: str
) -> None:
    install("clumsy", entry_point)
    with pytest.raises(PluginError) as error:
        early_stopping.get("broken")
    assert str(error.value).startswith("early-stopping rule 'broken' of package 'clumsy'")
    assert message in str(error.value)
    (problem,) = early_stopping.check(EarlyStoppingSpec(algorithm_name="broken"))
    assert (problem.path, problem.message) == ("spec.earlyStopping.algorithmName", str(error.value))


def test_two_packages_cannot_bear_one_name(install: Install) -> None:
    install("first", "patience = first:Patience")
    install("second", "patience = second:Patience")
    with pytest.raises(
        PluginError, match="registered by package 'first' and package 'second'; uninstall all but"
    ):
        early_stopping.get("patience")
    assert early_stopping.available() == ("medianstop", "patience")


def test_an_unknown_name_gives_the_known_ones(install: Install) -> None:
    install("acme2", "patience = acme2:Patience")
    with pytest.raises(UnknownAlgorithmError) as error:
        early_stopping.get("patient")
    assert str(error.value) == (
        "unknown early-stopping rule 'patient' (did you mean 'patience'?); known are medianstop, patience"
    )
