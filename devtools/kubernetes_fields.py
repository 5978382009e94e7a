"""Writes ``experiment/kubernetes_fields.json``: the fields of a Job and a Pod, from the client's models.

Run ``python -m devtools.kubernetes_fields`` when the ``kubernetes`` client is upgraded.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import kubernetes
from kubernetes.client import models

TARGET = Path(__file__).parents[1] / "airflow_katib_provider" / "experiment" / "kubernetes_fields.json"

_ROOTS = ("V1Job", "V1Pod")
_LEAVES = {
    "str": "string",
    "int": "integer",
    "float": "number",
    "bool": "boolean",
    "datetime": "string",
    "object": "any",
}
_SERVER_SIDE = frozenset(("status", "managedFields"))
_QUANTITIES = frozenset(("limits", "requests", "overhead", "sizeLimit", "divisor"))
"""Kubernetes takes these as text or as a number; the client's models do not tell."""


def generate() -> dict[str, Any]:
    """Return the table: model to field to type, with ``[]`` for a list and ``{}`` for a mapping of it."""
    table: dict[str, dict[str, str]] = {}
    pending = list(_ROOTS)
    while pending:
        name = pending.pop()
        if name not in table:
            table[name] = _fields(getattr(models, name))
            pending += [
                kind for field in table[name].values() if hasattr(models, kind := field.rstrip("[]{}"))
            ]
    return {"client": kubernetes.__version__, "models": dict(sorted(table.items()))}


def dumps(table: dict[str, Any]) -> str:
    """Return the table as JSON, one model a line."""
    rows = ",\n".join(
        f"    {json.dumps(name)}: {json.dumps(fields)}" for name, fields in table["models"].items()
    )
    return f'{{\n  "client": {json.dumps(table["client"])},\n  "models": {{\n{rows}\n  }}\n}}\n'


def _fields(model: Any) -> dict[str, str]:
    fields = {key: _kind(key, model.openapi_types[name]) for name, key in model.attribute_map.items()}
    return dict(sorted(fields.items()))


def _kind(key: str, openapi_type: str) -> str:
    match = re.fullmatch(r"(?:(list)\[|(dict)[\[(]str, ?)?(\w+)[\])]?", openapi_type)
    if match is None:
        raise ValueError(f"the client's type {openapi_type!r} of {key!r} is of no known form")
    if key in _SERVER_SIDE:
        return "any"
    kind = "any" if key in _QUANTITIES else _LEAVES.get(match[3], match[3])
    return kind + ("[]" if match[1] else "{}" if match[2] else "")


if __name__ == "__main__":
    TARGET.write_text(dumps(generate()), encoding="utf-8")
