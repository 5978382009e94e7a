"""What the manual says of names, settings and reasons is what the code has."""

from __future__ import annotations

import inspect
import re
from functools import cache
from importlib import import_module
from pkgutil import resolve_name
from typing import Any

import pytest

import airflow_katib_provider
from airflow_katib_provider import algorithms, exceptions
from airflow_katib_provider.experiment import status
from airflow_katib_provider.experiment.spec import ExperimentSpec
from tests.docs.blocks import PAGES, ROOT

DOCS = ROOT / "docs"
SOURCE = ROOT / "airflow_katib_provider"


def sections(page: str, level: int) -> dict[str, str]:
    """Return the text under each heading of a level, by heading."""
    text = (DOCS / page).read_text()
    parts = re.split(rf"^#{{{level}}} (.+)$", text, flags=re.MULTILINE)[1:]
    ends = [re.split(r"^#{1,3} ", part, maxsplit=1, flags=re.MULTILINE)[0] for part in parts[1::2]]
    return {name.strip("`"): end for name, end in zip(parts[::2], ends, strict=True)}


def table(text: str, heading: str) -> list[list[str]]:
    """Return the rows of the table whose first column has this heading."""
    lines = text.splitlines()
    for index, line in enumerate(lines):
        if line.startswith(f"| {heading} |"):
            rows = []
            for row in lines[index + 2 :]:
                if not row.startswith("|"):
                    break
                rows.append([cell.strip() for cell in row.strip("|").split("|")])
            return rows
    return []


@cache
def source() -> str:
    return "\n".join(path.read_text() for path in SOURCE.rglob("*.py"))


REFERENCE = sections("reference.md", 3)


@pytest.mark.parametrize("name", REFERENCE)
def test_a_documented_name_exists_with_these_parameters(name: str) -> None:
    try:
        found = resolve_name(name)
    except AttributeError:
        found = import_module(name)
    rows = table(REFERENCE[name], "Parameter")
    if not rows:
        return
    documented = [word.strip(" `") for row in rows for word in row[0].split(",")]
    parameters = inspect.signature(found).parameters.values()
    expected = [f"{'**' * (p.kind is p.VAR_KEYWORD)}{p.name}" for p in parameters]
    assert sorted(documented) == sorted(expected)


@pytest.mark.parametrize("name", REFERENCE)
def test_a_documented_default_is_the_default(name: str) -> None:
    for row in table(REFERENCE[name], "Parameter"):
        default = re.fullmatch(r"`(None|True|False|-?\d+|\".*\")`", row[1])
        if default:
            parameter = inspect.signature(resolve_name(name)).parameters[row[0].strip("`")]
            assert str(parameter.default) == default[1].strip('"')


def test_documented_methods_exist() -> None:
    for name, text in REFERENCE.items():
        for row in table(text, "Method"):
            method, _, arguments = row[0].strip("`").partition("(")
            found = inspect.getattr_static(resolve_name(name), method)
            if arguments:
                expected = [
                    parameter for parameter in inspect.signature(found).parameters if parameter != "self"
                ]
                assert [word.strip() for word in arguments.strip(")").split(",") if word] == expected


def test_every_public_name_is_in_the_reference() -> None:
    for module in (airflow_katib_provider, algorithms):
        for name in set(module.__all__) - {"__version__"}:
            assert name in (DOCS / "reference.md").read_text()


def test_every_exception_is_in_the_reference() -> None:
    rows = {row[0].strip("`"): row[1] for row in table((DOCS / "reference.md").read_text(), "Exception")}
    classes = {
        name: c for name, c in vars(exceptions).items() if inspect.isclass(c) and issubclass(c, Exception)
    }
    del classes["KatibError"]
    assert rows.keys() == classes.keys()
    for name, found in classes.items():
        bases = {base.__name__ for base in found.__bases__} - {"KatibError"}
        assert all(
            (f"`{base}`" in rows[name]) == (base in bases) for base in (*bases, "ValueError", "LookupError")
        )


ALGORITHMS = sections("algorithms.md", 2)


def test_every_algorithm_has_its_section() -> None:
    rows = table((DOCS / "algorithms.md").read_text(), "Name")
    assert sorted(re.findall(r"`([^`]+)`", row[0])[0] for row in rows) == list(algorithms.available())
    assert set(algorithms.available()) <= ALGORITHMS.keys()


@pytest.mark.parametrize("name", algorithms.available())
def test_the_settings_of_an_algorithm_are_its_settings(name: str) -> None:
    fields = algorithms.get(name).settings_type.model_json_schema()["properties"]
    rows = {row[0].strip("`"): row[1:] for row in table(ALGORITHMS[name], "Setting")}
    assert list(rows) == list(fields)
    for setting, (default, values) in rows.items():
        assert values == allowed(fields[setting])
        if fields[setting]["default"] is not None:
            assert float_or_text(default) == float_or_text(str(fields[setting]["default"]))


def allowed(schema: dict[str, Any]) -> str:
    """Describe what a setting may be, as the table does."""
    schema = schema["anyOf"][0] if "anyOf" in schema else schema
    if "enum" in schema:
        return "one of " + ", ".join(schema["enum"])
    signs = {"exclusiveMinimum": ">", "minimum": ">=", "exclusiveMaximum": "<", "maximum": "<="}
    bounds = [f"{sign} {schema[key]}".replace(".0", "") for key, sign in signs.items() if key in schema]
    return f"{schema['type']} {' and '.join(bounds)}"


def float_or_text(text: str) -> float | str:
    numerator, _, denominator = text.partition("/")
    try:
        return float(numerator) / float(denominator or 1)
    except ValueError:
        return text


def test_every_field_of_the_specification_is_spoken_of() -> None:
    text = (DOCS / "experiments.md").read_text() + (DOCS / "metrics.md").read_text()
    for field in ExperimentSpec.model_fields.values():
        assert re.search(rf"\b{field.alias}\b", text), field.alias


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_reasons_and_module_paths_are_real(page: Any) -> None:
    text = page.read_text()
    for reason in re.findall(r"`((?:Experiment|Trial)[A-Z]\w+)`", text):
        assert reason in source() or reason in vars(exceptions), reason
    for path in re.findall(r"`(airflow_katib_provider(?:\.\w+)+)`", text):
        if path not in {"airflow_katib_provider.algorithms", "airflow_katib_provider.early_stopping"}:
            try:
                resolve_name(path)
            except AttributeError:
                import_module(path)


def test_the_reasons_of_an_experiments_end() -> None:
    rows = table((DOCS / "how-it-works.md").read_text(), "Rule")
    documented = [row[2].strip("`") for row in rows]
    assert documented == [
        status.GOAL_REACHED,
        status.FAILED,
        status.MAX_TRIALS_REACHED,
        status.SUGGESTION_END_REACHED,
        status.TRIALS_ENDED,
    ]


def test_example_files_that_pages_name_exist() -> None:
    for page in PAGES:
        for path in re.findall(r"`((?:example_dags|quickstart)/[\w/.-]+\.\w+)`", page.read_text()):
            assert (ROOT / path).exists(), f"{page.name}: {path}"
