"""YAML as Kubernetes takes it."""

from __future__ import annotations

import pytest
import yaml

from airflow_katib_provider.experiment.yaml_text import dump_document, load_documents


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E5", 100000.0),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("7", 7),
        ("+7", 7),
        ("0644", 420),
        ("0o17", 15),
        ("0x1F", 31),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("12:30:00", "12:30:00"),
        ("2024-01-01", "2024-01-01"),
        ("1_000", "1_000"),
        ("089", 89.0),
        ("1.2.3", "1.2.3"),
        ("100m", "100m"),
        ("'1'", "1"),
        ("=", "="),
    ],
)
def test_a_scalar(text: str, value: object) -> None:
    read = load_documents(f"key: {text}")[0]["key"]
    assert read == value
    assert type(read) is type(value)


def test_keys_are_text() -> None:
    assert load_documents("{on: 1, 1: 2, null: 3, true: 4}") == [{"on": 1, "1": 2, "null": 3, "true": 4}]


def test_merge_keys() -> None:
    assert load_documents("base: &b {a: 1, b: 2}\nthis: {<<: *b, b: 3}")[0]["this"] == {"a": 1, "b": 3}


@pytest.mark.parametrize("text", ["{[1]: 2}", "{a: 1, 'a': 2}", "a: [", "a: !!set {b}: c"])
def test_what_is_refused(text: str) -> None:
    with pytest.raises(yaml.YAMLError):
        load_documents(text)


AWKWARD = [
    "1e-3",
    "no",
    "12:30",
    "0644",
    "null",
    "",
    "~",
    "1_000",
    "true",
    "2024-01-01",
    " a ",
    "a\nb",
    "\ta\n",
    "é",
    "<<",
]


def test_what_is_written_reads_back_the_same_everywhere() -> None:
    document = {"text": AWKWARD, "keys": dict.fromkeys(AWKWARD, 1), "numbers": [1, -1.5, 1e-05, True, None]}
    text = dump_document(document)
    assert load_documents(text) == [document]
    assert yaml.safe_load(text) == document


def test_a_script_is_written_line_by_line_and_nothing_is_an_alias() -> None:
    shared = {"script": "set -e\npython train.py\n"}
    assert dump_document({"a": shared, "b": shared}) == (
        "a:\n  script: |\n    set -e\n    python train.py\nb:\n  script: |\n    set -e\n    python train.py\n"
    )
