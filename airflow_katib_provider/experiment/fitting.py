"""Fitting a mapping to the models of the specification; what does not fit is named and left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from pydantic import ValidationError

from airflow_katib_provider.exceptions import Problem
from airflow_katib_provider.experiment.spec import ExperimentSpec, SpecModel
from airflow_katib_provider.experiment.wording import camel, nearest, shown, unknown_field

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_core import ErrorDetails

_EXPECTED = {
    "int": "a whole number",
    "float": "a number",
    "finite": "a finite number",
    "bool": "true or false",
    "string": "text",
    "tuple": "a list",
    "dict": "a mapping",
    "model": "a mapping",
}

Location = tuple[int | str, ...]


def fit_spec(tree: dict[str, Any]) -> tuple[ExperimentSpec, list[Problem], set[str]]:
    """Validate ``spec``, leaving out what does not fit until the rest does.

    :param tree: ``spec`` as mappings and lists; it is changed.
    :return: what fits, a problem for each misfit, and the fields that cannot be judged because of one.
    """
    problems: dict[str, Problem] = {}
    unread: set[str] = set()
    while True:
        try:
            return ExperimentSpec.model_validate(tree), list(problems.values()), unread
        except ValidationError as error:
            misfits = [_locate(tree, detail) for detail in error.errors(include_url=False)]
        for misfit in sorted(misfits, key=lambda misfit: not misfit.is_unknown):
            problem, fields = _leave_out(misfit)
            problems.setdefault(problem.path, problem)
            unread.update(fields)


@dataclass(frozen=True, slots=True)
class _Misfit:
    """One error of pydantic, and what to leave out so that it goes.

    ``field`` is the innermost field around the error, and ``holder`` the mapping that has it. An entry of a
    list is not left out by itself: that would shift the entries behind it, whose problems are named by index.
    """

    detail: ErrorDetails
    location: Location
    field: Location
    holder: dict[str, Any]

    @property
    def is_unknown(self) -> bool:
        return self.detail["type"] == "extra_forbidden"


def _locate(tree: dict[str, Any], detail: ErrorDetails) -> _Misfit:
    loc = detail["loc"]
    node: Any = tree
    holder, field, depth = tree, loc[:1], 0
    for key in loc:
        if not (key in node if isinstance(node, dict) else isinstance(node, list) and isinstance(key, int)):
            break
        depth += 1
        if isinstance(node, dict):
            holder, field = node, loc[:depth]
        node = node[key]
    return _Misfit(detail, loc if detail["type"] == "missing" else loc[:depth], field, holder)


def _leave_out(misfit: _Misfit) -> tuple[Problem, list[str]]:
    """Return the problem of a misfit and the fields that cannot be judged because of it.

    The value of an unknown field is read as that of the field that was meant, so that the rest is judged as
    if the name had been right.
    """
    name = str(misfit.field[-1])
    path = _path(misfit.field)
    value = misfit.holder.pop(name, None)
    if not misfit.is_unknown:
        return Problem(_path(misfit.location), _message(misfit.detail)), [path]
    known = [str(field.alias) for field in _model_at(misfit.field[:-1]).model_fields.values()]
    problem = Problem(path, unknown_field(camel(name), known))
    meant = nearest(camel(name), known)
    if meant is None or meant in map(camel, misfit.holder):
        return problem, [path]
    misfit.holder[meant] = value
    return problem, [path, _path((*misfit.field[:-1], meant))]


def _message(detail: ErrorDetails) -> str:
    kind, value = detail["type"], detail["input"]
    if kind == "missing":
        return "must be specified"
    if kind == "enum":
        return f"{shown(value)} is not supported; write {detail['ctx']['expected'].replace(chr(39), '')}"
    expected = _EXPECTED.get(kind.split("_")[0])
    if expected is None:
        return f"{detail['msg']}, found {shown(value)}"
    hint = "; put it in quotes" if expected == "text" and isinstance(value, (bool, int, float)) else ""
    return f"expected {expected}, found {shown(value)}{hint}"


def _model_at(location: Location) -> type[SpecModel]:
    model: type[SpecModel] = ExperimentSpec
    for key in location:
        if isinstance(key, str):
            fields = model.model_fields
            field = next(field for name, field in fields.items() if key in (name, field.alias))
            model = next(_models_in(field.annotation))
    return model


def _models_in(annotation: Any) -> Iterator[type[SpecModel]]:
    if isinstance(annotation, type) and issubclass(annotation, SpecModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _path(location: Location) -> str:
    return "spec" + "".join(f"[{key}]" if isinstance(key, int) else f".{camel(key)}" for key in location)
