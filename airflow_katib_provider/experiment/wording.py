"""How the messages about an experiment put values, names and fields."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from pydantic.alias_generators import to_camel

_LONGEST = 60
_MOST_LISTED = 12


def shown(value: object) -> str:
    """Return a value as a message shows it: scalars as in JSON and cut short, containers by their kind."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, str):
        text = repr(str(value))
    elif value is None or isinstance(value, (bool, int, float)):
        text = json.dumps(value)
    else:
        text = f"a {type(value).__name__}"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 4]}...{text[-1]}"


def listed(names: Iterable[str]) -> str:
    """Return names in a row, or ``none``."""
    return ", ".join(names) or "none"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that ``name`` was most likely meant to be, or ``None``."""
    by_lower = {word.lower(): word for word in known}
    matches = get_close_matches(name.lower(), by_lower, n=1)
    return by_lower[matches[0]] if matches else None


def unknown_field(name: str, known: Iterable[str]) -> str:
    """Return the message about a field that does not exist."""
    names = list(known)
    near = nearest(name, names)
    if near:
        return f"unknown field; did you mean {near}?"
    return f"unknown field; known here: {listed(names)}" if len(names) <= _MOST_LISTED else "unknown field"


def camel(name: object) -> str:
    """Return a field's name in Katib's camelCase, which is how problems name it."""
    text = str(name)
    return to_camel(text) if "_" in text else text


def is_within(path: str, field: str) -> bool:
    """Return whether a path is the field's own or lies below it."""
    return path == field or path.startswith((f"{field}.", f"{field}["))
