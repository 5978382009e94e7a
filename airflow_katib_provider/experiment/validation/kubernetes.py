"""The fields of a Job and a Pod: unknown ones are what a typing error leaves behind."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from airflow_katib_provider.exceptions import Problem
from airflow_katib_provider.experiment.wording import shown, unknown_field

_ROOTS = {("batch/v1", "Job"): "V1Job", ("v1", "Pod"): "V1Pod"}
_LEAVES: Mapping[str, tuple[type, str]] = {
    "string": (str, "text"),
    "integer": (int, "a whole number"),
    "boolean": (bool, "true or false"),
}


def check_kubernetes_object(manifest: Mapping[str, Any], path: str) -> Iterator[Problem]:
    """Check the fields of a ``batch/v1`` Job or a ``v1`` Pod in depth; any other object is left alone.

    :param manifest: the object, before its placeholders are replaced.
    :param path: the field that holds it.
    """
    root = _ROOTS.get((str(manifest.get("apiVersion")), str(manifest.get("kind"))))
    if root is not None:
        yield from _check(manifest, root, path)


def _check(value: Any, kind: str, path: str) -> Iterator[Problem]:
    if value is None or kind.startswith("any"):
        return
    if kind.endswith("[]"):
        yield from _check_items(value, kind[:-2], path)
    elif kind.endswith("{}"):
        yield from _check_entries(value, kind[:-2], path)
    elif kind in _LEAVES:
        yield from _check_leaf(value, kind, path)
    else:
        yield from _check_fields(value, kind, path)


def _check_items(value: Any, kind: str, path: str) -> Iterator[Problem]:
    if not isinstance(value, (list, tuple)):
        yield Problem(path, f"expected a list, found {shown(value)}")
        return
    for index, item in enumerate(value):
        yield from _check(item, kind, f"{path}[{index}]")


def _check_entries(value: Any, kind: str, path: str) -> Iterator[Problem]:
    if not isinstance(value, Mapping):
        yield Problem(path, f"expected a mapping, found {shown(value)}")
        return
    for key, item in value.items():
        yield from _check(item, kind, f"{path}.{key}")


def _check_leaf(value: Any, kind: str, path: str) -> Iterator[Problem]:
    type_, name = _LEAVES[kind]
    if isinstance(value, type_) and (type_ is bool or not isinstance(value, bool)):
        return
    hint = "; put it in quotes" if type_ is str and isinstance(value, (bool, int, float)) else ""
    yield Problem(path, f"expected {name}, found {shown(value)}{hint}")


def _check_fields(value: Any, kind: str, path: str) -> Iterator[Problem]:
    if not isinstance(value, Mapping):
        yield Problem(path, f"expected a mapping, found {shown(value)}")
        return
    fields = _models()[kind]
    for key, item in value.items():
        if key in fields:
            yield from _check(item, fields[key], f"{path}.{key}")
        else:
            yield Problem(f"{path}.{key}", unknown_field(str(key), fields))


@cache
def _models() -> Mapping[str, Mapping[str, str]]:
    """Return model to field to type; ``devtools/kubernetes_fields.py`` writes the file."""
    package = files("airflow_katib_provider.experiment")
    table: dict[str, Any] = json.loads(package.joinpath("kubernetes_fields.json").read_text(encoding="utf-8"))
    models: Mapping[str, Mapping[str, str]] = table["models"]
    return models
