"""``metadata``: what the provider itself needs of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from airflow_katib_provider.exceptions import Problem
from airflow_katib_provider.experiment.wording import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_LONGEST_NAME = 40
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LONGEST_NAMESPACE = 63


def check_metadata(metadata: Mapping[str, Any]) -> Iterator[Problem]:
    """Check the name and the namespace; the rest is free."""
    name, namespace = metadata.get("name"), metadata.get("namespace")
    if name is None or name == "":
        yield Problem("metadata.name", "must be specified")
    elif not _fits(name, _NAME, _LONGEST_NAME):
        yield Problem(
            "metadata.name",
            f"{shown(name)} must be up to {_LONGEST_NAME} lower-case letters, digits and hyphens, "
            "with a letter first and no hyphen last",
        )
    if namespace is not None and not _fits(namespace, _NAMESPACE, _LONGEST_NAMESPACE):
        yield Problem(
            "metadata.namespace",
            f"{shown(namespace)} must be up to {_LONGEST_NAMESPACE} lower-case letters, digits and hyphens, "
            "with a letter or a digit at either end",
        )


def _fits(value: object, pattern: re.Pattern[str], longest: int) -> bool:
    return isinstance(value, str) and len(value) <= longest and pattern.fullmatch(value) is not None
