"""Search algorithms: a small contract, one file an algorithm, a registry open to third parties. Pure."""

from __future__ import annotations

from airflow_katib_provider.algorithms.base import Algorithm, Settings, Suggestion, Suggestions
from airflow_katib_provider.algorithms.registry import available, get
from airflow_katib_provider.algorithms.suggesting import suggest

__all__ = ["Algorithm", "Settings", "Suggestion", "Suggestions", "available", "get", "suggest"]
