"""Settings of algorithms and early-stopping rules: from the text of a YAML file to checked, typed values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from airflow_katib_provider.exceptions import Problem
from airflow_katib_provider.experiment.wording import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow_katib_provider.experiment.spec import Setting


class Settings(BaseModel):
    """The base of every settings model.

    A field carries Katib's name of the setting, with its type, its bounds and its default. The values of a
    YAML file arrive as text and are parsed by pydantic.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


S = TypeVar("S", bound=Settings)

_KINDS = {"integer": "an integer", "number": "a number", "boolean": "true or false", "string": "text"}
_BOUNDS = {"exclusiveMinimum": ">", "minimum": ">=", "exclusiveMaximum": "<", "maximum": "<="}


def read_settings(settings_type: type[S], settings: Sequence[Setting]) -> S:
    """Parse settings that :func:`check_settings` found no problem with.

    :raises pydantic.ValidationError: if they were not checked and do not fit.
    """
    return settings_type.model_validate({setting.name: setting.value for setting in settings})


def check_settings(settings_type: type[Settings], settings: Sequence[Setting], path: str) -> list[Problem]:
    """Say everything that is wrong with the settings that a user wrote.

    :param settings_type: the model of the settings that exist.
    :param settings: what was written, in its order.
    :param path: the field that holds them, for example ``spec.algorithm.algorithmSettings``.
    :return: settings that are unknown, given twice or have a bad value, each by its index, in their order;
        then, by ``path`` alone, settings that are missing or do not go together.
    """
    first: dict[str, int] = {}
    by_index: dict[int, Problem] = {}
    for index, setting in enumerate(settings):
        if first.setdefault(setting.name, index) != index:
            message = f"setting {setting.name!r} is given more than once; keep one of them"
            by_index[index] = Problem(f"{path}[{index}].name", message)
    try:
        settings_type.model_validate({name: settings[index].value for name, index in first.items()})
    except ValidationError as error:
        fields = settings_type.model_json_schema().get("properties", {})
        details = error.errors(include_url=False, include_context=False)
    else:
        fields, details = {}, []
    whole: list[Problem] = []
    for detail in details:
        name = str(detail["loc"][0]) if detail["loc"] else ""
        if name not in first:
            whole.append(Problem(path, _missing(name, fields) if name else _reason(detail["msg"])))
        elif detail["type"] == "extra_forbidden":
            by_index[first[name]] = Problem(f"{path}[{first[name]}].name", _unknown(name, fields))
        else:
            message = _bad_value(name, detail, fields[name])
            by_index[first[name]] = Problem(f"{path}[{first[name]}].value", message)
    return [by_index[index] for index in sorted(by_index)] + whole


def _unknown(name: str, fields: Mapping[str, Any]) -> str:
    if not fields:
        return f"unknown setting {name!r}; there are no settings here"
    near = nearest(name, fields)
    hint = f" (did you mean {near!r}?)" if near else ""
    return f"unknown setting {name!r}{hint}; known are {', '.join(fields)}"


def _missing(name: str, fields: Mapping[str, Any]) -> str:
    allowed = _allowed(fields.get(name, {}))
    return f"setting {name!r} is missing; give it a value" + (f": {allowed}" if allowed else "")


def _bad_value(name: str, detail: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    allowed = _allowed(schema)
    if allowed and detail["type"] != "value_error":
        return f"setting {name!r} must be {allowed}, not {detail['input']!r}"
    return f"setting {name!r} is {detail['input']!r}: {_reason(detail['msg'])}"


def _reason(message: str) -> str:
    return message.removeprefix("Value error, ").replace("Input should be", "it must be")


def _allowed(schema: Mapping[str, Any]) -> str:
    """Describe the values that a JSON schema admits, in words; empty where the schema does not tell."""
    if "anyOf" in schema:
        return " or ".join(filter(None, map(_allowed, schema["anyOf"])))
    if "const" in schema:
        return repr(schema["const"])
    if "enum" in schema:
        return "one of " + ", ".join(map(repr, schema["enum"]))
    kind = _KINDS.get(schema.get("type", ""), "")
    bounds = [f"{sign} {schema[key]}" for key, sign in _BOUNDS.items() if key in schema]
    return f"{kind} {' and '.join(bounds)}".strip() if kind else ""
