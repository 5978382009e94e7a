"""Metrics collectors: pure parsers, fed line by line while a trial runs."""

from __future__ import annotations

from airflow_katib_provider.collectors.base import Parser
from airflow_katib_provider.collectors.registry import parser_for

__all__ = ["Parser", "parser_for"]
