"""Early-stopping rules: pure functions that end trials which fall behind."""

from __future__ import annotations

from airflow_katib_provider.early_stopping.base import EarlyStoppingRule, Stop
from airflow_katib_provider.early_stopping.registry import available, check, get, rule_for

__all__ = ["EarlyStoppingRule", "Stop", "available", "check", "get", "rule_for"]
