"""What Airflow is told about the provider."""

from __future__ import annotations

from typing import Any

from airflow_katib_provider import __version__


def get_provider_info() -> dict[str, Any]:
    """Return the provider's metadata: Airflow's entry point ``apache_airflow_provider``."""
    return {
        "package-name": "airflow-provider-katib",
        "name": "Katib",
        "description": "Hyperparameter tuning and neural architecture search, after Katib, as a step of a DAG.",
        "versions": [__version__],
        "integrations": [
            {
                "integration-name": "Katib",
                "external-doc-url": "https://www.kubeflow.org/docs/components/katib/",
                "tags": ["software"],
            }
        ],
        "operators": [
            {
                "integration-name": "Katib",
                "python-modules": [
                    "airflow_katib_provider.operators.experiment",
                    "airflow_katib_provider.operators.process",
                    "airflow_katib_provider.operators.trial",
                ],
            }
        ],
        "sensors": [
            {"integration-name": "Katib", "python-modules": ["airflow_katib_provider.sensors.metrics"]}
        ],
        "hooks": [{"integration-name": "Katib", "python-modules": ["airflow_katib_provider.hooks.katib"]}],
        "triggers": [
            {
                "integration-name": "Katib",
                "python-modules": ["airflow_katib_provider.triggers.store"],
            }
        ],
        "cli": ["airflow_katib_provider.cli.definition.get_katib_commands"],
        "connection-types": [
            {
                "connection-type": "katib",
                "hook-class-name": "airflow_katib_provider.hooks.katib.KatibHook",
                "hook-name": "Katib",
                "ui-field-behaviour": {
                    "hidden-fields": [],
                    "relabeling": {"schema": "Database, or SQLite file"},
                    "placeholders": {"host": "localhost", "port": "5432", "schema": "katib"},
                },
                "conn-fields": {
                    "dialect": {
                        "label": "Database",
                        "description": "The kind of database that holds experiments, trials and observations.",
                        "schema": {
                            "type": "string",
                            "enum": ["postgresql", "mysql", "sqlite"],
                            "default": "postgresql",
                        },
                    },
                    "sslmode": {
                        "label": "SSL mode",
                        "description": "PostgreSQL's sslmode, for example verify-full.",
                        "schema": {"type": ["string", "null"]},
                    },
                },
            }
        ],
    }
