"""The table of Kubernetes fields is what the installed client gives."""

from __future__ import annotations

import json

import kubernetes
import pytest

from devtools.kubernetes_fields import TARGET, dumps, generate


def test_the_table_is_up_to_date() -> None:
    written = TARGET.read_text(encoding="utf-8")
    if json.loads(written)["client"] != kubernetes.__version__:
        pytest.skip("the table was made from another version of the client")
    assert written == dumps(generate())


def test_the_table_is_closed() -> None:
    models = json.loads(TARGET.read_text(encoding="utf-8"))["models"]
    kinds = {kind.rstrip("[]{}") for fields in models.values() for kind in fields.values()}
    assert kinds - models.keys() == {"string", "integer", "boolean", "any"}
    assert models["V1JobSpec"]["template"] == "V1PodTemplateSpec"
    assert models["V1PodSpec"]["containers"] == "V1Container[]"
    assert models["V1ResourceRequirements"]["limits"] == "any{}"
