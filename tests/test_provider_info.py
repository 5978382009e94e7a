"""What Airflow learns of the provider, as Airflow itself reads it."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import airflow
import jsonschema

from airflow_katib_provider import __version__
from airflow_katib_provider.provider_info import get_provider_info


def test_info_follows_airflows_schema() -> None:
    schema = json.loads((Path(airflow.__file__).parent / "provider_info.schema.json").read_text())
    jsonschema.validate(get_provider_info(), schema)


def test_the_entry_point_and_the_version_are_those_of_the_distribution() -> None:
    distribution = importlib.metadata.distribution("airflow-provider-katib")
    assert distribution.version == __version__
    points = distribution.entry_points.select(group="apache_airflow_provider")
    assert [point.load() for point in points] == [get_provider_info]
    assert get_provider_info()["package-name"] == distribution.metadata["Name"]


def test_every_module_that_is_named_exists() -> None:
    info = get_provider_info()
    for kind in ("operators", "sensors", "hooks", "triggers"):
        for entry in info[kind]:
            for module in entry["python-modules"]:
                import_module(module)


def test_airflow_shows_provider_and_connection_type() -> None:
    code = """
from airflow.providers_manager import ProvidersManager
manager = ProvidersManager()
hook = manager.hooks["katib"]
print(manager.providers["airflow-provider-katib"].version, hook.connection_type, hook.connection_testable)
"""
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.split()[-3:] == [__version__, "katib", "True"]


def test_provider_info_imports_nothing_heavy() -> None:
    code = """
import sys
before = set(sys.modules)
import airflow_katib_provider.provider_info
print(sorted(set(sys.modules) - before - {"airflow_katib_provider", "airflow_katib_provider.provider_info"}))
"""
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not {"airflow", "pydantic", "sqlalchemy", "yaml"} & set(eval(output))
