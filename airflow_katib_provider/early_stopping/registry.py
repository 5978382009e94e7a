"""The early-stopping rules that there are: the provider's own, and those that other packages bring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow_katib_provider.early_stopping.base import EarlyStoppingRule
from airflow_katib_provider.exceptions import PluginError, Problem, UnknownAlgorithmError
from airflow_katib_provider.experiment.settings import check_settings, read_settings
from airflow_katib_provider.plugins import Plugins

if TYPE_CHECKING:
    from airflow_katib_provider.experiment.spec import EarlyStoppingSpec

_RULES: Plugins[EarlyStoppingRule[Any]] = Plugins(
    "early-stopping rule",
    group="airflow_katib_provider.early_stopping",
    base=EarlyStoppingRule,  # type: ignore[type-abstract]  # it is compared with, never called
    own={"medianstop": "airflow_katib_provider.early_stopping.medianstop:MedianStop"},
)


def available() -> tuple[str, ...]:
    """Return the names of all rules, in alphabetical order."""
    return _RULES.names()


def get(name: str) -> type[EarlyStoppingRule[Any]]:
    """Return the class of a rule.

    :raises UnknownAlgorithmError: if there is no such rule; the message gives those there are.
    :raises PluginError: if what another package registered under the name cannot be used.
    """
    return _RULES.get(name)


def check(early_stopping: EarlyStoppingSpec) -> list[Problem]:
    """Say everything that is wrong with ``spec.earlyStopping``."""
    path = "spec.earlyStopping"
    if not early_stopping.algorithm_name:
        return [Problem(f"{path}.algorithmName", f"is missing; known are {', '.join(available())}")]
    try:
        rule = get(early_stopping.algorithm_name)
    except (UnknownAlgorithmError, PluginError) as error:
        return [Problem(f"{path}.algorithmName", str(error))]
    return check_settings(rule.settings_type, early_stopping.algorithm_settings, f"{path}.algorithmSettings")


def rule_for(early_stopping: EarlyStoppingSpec) -> EarlyStoppingRule[Any]:
    """Return the rule of a checked experiment, with its settings.

    :raises UnknownAlgorithmError: if there is no such rule.
    """
    rule = get(early_stopping.algorithm_name)
    return rule(read_settings(rule.settings_type, early_stopping.algorithm_settings))
