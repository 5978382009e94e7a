"""Every rule: a change to a valid experiment, and exactly the problems that it makes."""

from __future__ import annotations

import math
from typing import Any

import pytest

from airflow_katib_provider.exceptions import InvalidExperimentError
from airflow_katib_provider.experiment.experiment import Experiment
from airflow_katib_provider.experiment.yaml_text import dump_document
from tests.experiment.documents import ABSENT, Case, assert_problems, document

P = "spec.parameters"
O = "spec.objective"  # noqa: E741
T = "spec.trialTemplate"
C = "spec.metricsCollectorSpec"
FILE = f"{C}.source.fileSystemPath"
POD = f"{T}.trialSpec.spec.template.spec"
MAIN = f"{POD}.containers[0]"
LR = f"{P}[0].feasibleSpace"
LAYERS = f"{P}[1].feasibleSpace"
OPTIMIZER = f"{P}[2].feasibleSpace"
BATCH = f"{P}[3].feasibleSpace"

NAS = {"graphConfig": {"numLayers": 3}, "operations": [{"operationType": "convolution"}]}

METADATA: list[Case] = [
    ("no name", {"metadata": {}}, {"metadata.name": "must be specified"}),
    ("no metadata", {"metadata": ABSENT}, {"metadata": "must be specified"}),
    ("metadata is text", {"metadata": "tune"}, {"metadata": "expected a mapping, found 'tune'"}),
    ("upper case", {"metadata.name": "Tune"}, {"metadata.name": "'Tune' must be up to 40 lower-case"}),
    ("starts with a digit", {"metadata.name": "1st"}, {"metadata.name": "a letter first"}),
    ("ends with a hyphen", {"metadata.name": "tune-"}, {"metadata.name": "no hyphen last"}),
    ("bad end, which Katib admits", {"metadata.name": "tune_1"}, {"metadata.name": "'tune_1'"}),
    ("41 letters", {"metadata.name": "a" * 41}, {"metadata.name": "up to 40"}),
    ("name is a number", {"metadata.name": 7}, {"metadata.name": "7 must be"}),
    ("namespace", {"metadata.namespace": "Team A"}, {"metadata.namespace": "'Team A' must be up to 63"}),
]

COUNTS: list[Case] = [
    ("rule 2", {"spec.maxFailedTrialCount": -1}, {"spec.maxFailedTrialCount": "-1 is too small; write 0"}),
    ("rule 3", {"spec.maxTrialCount": 0}, {"spec.maxTrialCount": "0 is too small; write 1"}),
    ("rule 4", {"spec.parallelTrialCount": 0}, {"spec.parallelTrialCount": "0 is too small; write 1"}),
    (
        "rule 5",
        {"spec.maxFailedTrialCount": 7},
        {"spec.maxFailedTrialCount": "7 is more than spec.maxTrialCount, which is 6"},
    ),
    (
        "rule 6",
        {"spec.parallelTrialCount": 7},
        {"spec.parallelTrialCount": "7 is more than spec.maxTrialCount, which is 6"},
    ),
    (
        "rule 16",
        {"spec.resumePolicy": "Always"},
        {"spec.resumePolicy": "write Never, LongRunning or FromVolume"},
    ),
]

OBJECTIVE: list[Case] = [
    ("rule 10", {O: ABSENT}, {O: "must be specified"}),
    ("rule 11", {f"{O}.type": "min"}, {f"{O}.type": "'min' is not supported; write minimize or maximize"}),
    ("rule 11, absent", {f"{O}.type": ABSENT}, {f"{O}.type": "minimize or maximize"}),
    ("rule 12", {f"{O}.objectiveMetricName": ""}, {f"{O}.objectiveMetricName": "must be specified"}),
    ("rule 13", {f"{O}.additionalMetricNames": ["f1", "loss"]}, {f"{O}.additionalMetricNames[1]": "'loss'"}),
    ("empty name", {f"{O}.additionalMetricNames": [""]}, {f"{O}.additionalMetricNames[0]": "empty"}),
    ("goal", {f"{O}.goal": math.nan}, {f"{O}.goal": "expected a finite number, found NaN"}),
    (
        "strategy",
        {f"{O}.metricStrategies": [{"name": "loss", "value": "mean"}]},
        {f"{O}.metricStrategies[0].value": "'mean' is not supported; write min, max or latest"},
    ),
]

ALGORITHM: list[Case] = [
    ("rule 14, nil", {"spec.algorithm": ABSENT}, {"spec.algorithm": "must be specified"}),
    ("rule 14, no name", {"spec.algorithm": {}}, {"spec.algorithm.algorithmName": "must be specified"}),
    (
        "rule 14, unknown",
        {"spec.algorithm.algorithmName": "randon"},
        {"spec.algorithm.algorithmName": "unknown algorithm 'randon' (did you mean 'random'?)"},
    ),
    (
        "unknown setting",
        {"spec.algorithm.algorithmSettings": [{"name": "seed", "value": "1"}]},
        {"spec.algorithm.algorithmSettings[0].name": "unknown setting 'seed'"},
    ),
    (
        "duplicate setting",
        {"spec.algorithm.algorithmSettings": [{"name": "random_state", "value": str(i)} for i in (1, 2)]},
        {"spec.algorithm.algorithmSettings[1].name": "'random_state' is given more than once"},
    ),
    ("rule 15, no name", {"spec.earlyStopping": {}}, {"spec.earlyStopping.algorithmName": "missing"}),
    (
        "rule 15, unknown",
        {"spec.earlyStopping": {"algorithmName": "meanstop"}},
        {"spec.earlyStopping.algorithmName": "'meanstop'"},
    ),
    (
        "early-stopping setting",
        {
            "spec.earlyStopping": {
                "algorithmName": "medianstop",
                "algorithmSettings": [{"name": "start_step", "value": "0"}],
            }
        },
        {"spec.earlyStopping.algorithmSettings[0].value": "start_step"},
    ),
]

PARAMETERS: list[Case] = [
    (
        "rule 33",
        {P: [], f"{T}.trialParameters": [], f"{MAIN}": {"name": "main"}},
        {P: "must be specified, or else"},
    ),
    ("rule 34", {"spec.nasConfig": NAS}, {"spec.nasConfig": "cannot stand beside spec.parameters"}),
    (
        "rule 35",
        {f"{P}[0].parameterType": "float"},
        {f"{P}[0].parameterType": "'float' is not supported; write double, int, discrete or categorical"},
    ),
    ("rule 35, unknown", {f"{P}[0].parameterType": "unknown"}, {f"{P}[0].parameterType": "'unknown'"}),
    ("rule 35, absent", {f"{P}[0].parameterType": ABSENT}, {f"{P}[0].parameterType": "must be specified"}),
    (
        "rule 36",
        {f"{LR}.distribution": "log"},
        {f"{LR}.distribution": "'log' is not supported; write uniform"},
    ),
    ("rule 37", {LR: ABSENT}, {LR: "must be specified"}),
    ("rule 38", {f"{LAYERS}.list": ["1"]}, {f"{LAYERS}.list": "an int parameter takes min and max"}),
    ("rule 39, max", {f"{LR}.max": ABSENT}, {f"{LR}.max": "must be specified for a double parameter"}),
    ("rule 39, min", {f"{LR}.min": ""}, {f"{LR}.min": "must be specified for a double parameter"}),
    (
        "rule 40",
        {f"{OPTIMIZER}.min": "1", f"{OPTIMIZER}.step": "1", f"{BATCH}.max": "1"},
        {
            f"{OPTIMIZER}.min": "a categorical parameter takes a list instead of min",
            f"{OPTIMIZER}.step": "a categorical parameter takes a list instead of step",
            f"{BATCH}.max": "a discrete parameter takes a list instead of max",
        },
    ),
    ("empty list", {f"{OPTIMIZER}.list": []}, {f"{OPTIMIZER}.list": "must name at least one value"}),
    ("no list", {BATCH: {}}, {f"{BATCH}.list": "must name at least one value"}),
    (
        "distribution of a list",
        {f"{BATCH}.distribution": "normal"},
        {f"{BATCH}.distribution": "normal is not possible"},
    ),
    ("discrete text", {f"{BATCH}.list": ["16", "big"]}, {f"{BATCH}.list[1]": "'big' is not a finite number"}),
    ("discrete infinity", {f"{BATCH}.list": ["inf"]}, {f"{BATCH}.list[0]": "'inf' is not a finite number"}),
    ("min above max", {f"{LR}.min": "0.2"}, {f"{LR}.min": "'0.2' is greater than max, which is '0.1'"}),
    *(
        (f"not a number: {text}", {f"{LR}.max": text}, {f"{LR}.max": f"'{text}' is not a finite number"})
        for text in ("ten", "nan", "inf", "1e999", "1e-999", "1e9999", "1_0", "0x10", "1,5")
    ),
    *(
        (
            f"not whole: {name}",
            {f"{LAYERS}.{name}": "1.5"},
            {f"{LAYERS}.{name}": "'1.5' is not a whole number"},
        )
        for name in ("min", "max", "step")
    ),
    ("step 0", {f"{LAYERS}.step": "0"}, {f"{LAYERS}.step": "'0' is not above 0"}),
    ("step below 0", {f"{LR}.step": "-0.1"}, {f"{LR}.step": "'-0.1' is not above 0"}),
    ("too many values", {f"{LR}.step": "1e-30"}, {f"{LR}.step": "more than 2^53 values"}),
    ("too large a range", {f"{LAYERS}.max": "1e30"}, {f"{LAYERS}.max": "more than 2^53 values"}),
    ("log from 0", {f"{LR}.min": "0"}, {f"{LR}.min": "'0' is not above 0, which logUniform needs"}),
    (
        "log normal from below 0",
        {f"{LAYERS}.min": "-1", f"{LAYERS}.distribution": "logNormal"},
        {f"{LAYERS}.min": "'-1' is not above 0, which logNormal needs"},
    ),
    (
        "duplicate name",
        {f"{P}[1].name": "lr"},
        {
            f"{P}[1].name": f"'lr' is the name of {P}[0] already",
            f"{T}.trialParameters[1].reference": "'layers' is not the name",
        },
    ),
    ("empty name", {f"{P}[1].name": ""}, {f"{P}[1].name": "must be specified"}),
    (
        "operation without a type",
        {P: ABSENT, "spec.nasConfig": {"operations": [{"parameters": [{"name": "k"}]}]}},
        {
            "spec.nasConfig.operations[0].operationType": "must be specified",
            "spec.nasConfig.operations[0].parameters[0].parameterType": "must be specified",
        },
    ),
]


def collector(kind: str, **source: Any) -> dict[str, Any]:
    return {C: {"collector": {"kind": kind}, **({"source": source} if source else {})}}


COLLECTOR: list[Case] = [
    (
        "rule 43, kind",
        collector("File", fileSystemPath={"kind": "Directory"}),
        {f"{FILE}.kind": "'Directory'"},
    ),
    (
        "rule 43, path",
        collector("File", fileSystemPath={"path": "a.log"}),
        {f"{FILE}.path": "'a.log' is not absolute"},
    ),
    (
        "rule 43, format",
        collector("File", fileSystemPath={"format": "CSV"}),
        {f"{FILE}.format": "'CSV' is not supported; write TEXT or JSON"},
    ),
    (
        "rule 43, filter",
        collector("File", fileSystemPath={"format": "JSON"}, filter={"metricsFormat": ["(a)=(b)"]}),
        {f"{C}.source.filter": "a filter reads TEXT, and the format is JSON"},
    ),
    (
        "rule 44, kind",
        collector("TensorFlowEvent", fileSystemPath={"kind": "File"}),
        {f"{FILE}.kind": "write Directory"},
    ),
    (
        "rule 44, path",
        collector("TensorFlowEvent", fileSystemPath={"path": "x"}),
        {f"{FILE}.path": "not absolute"},
    ),
    (
        "rule 44, format",
        collector("TensorFlowEvent", fileSystemPath={"format": "TEXT"}),
        {f"{FILE}.format": "'TEXT'"},
    ),
    *(
        (
            f"rule 45, port {port}",
            collector("PrometheusMetric", httpGet={"port": port}),
            {f"{C}.source.httpGet.port": "is not a port; write a number from 1 to 65535"},
        )
        for port in (-1, "metrics", 65536)
    ),
    (
        "rule 45, path",
        collector("PrometheusMetric", httpGet={"path": "x"}),
        {f"{C}.source.httpGet.path": "'x' must start"},
    ),
    ("rule 46, container", collector("Custom"), {f"{C}.collector.customCollector": "must be specified"}),
    (
        "rule 46, source",
        {
            C: {
                "collector": {"kind": "Custom", "customCollector": {"image": "x"}},
                "source": {"fileSystemPath": {}},
            }
        },
        {f"{FILE}.kind": "null is not supported", f"{FILE}.path": "null is not absolute"},
    ),
    (
        "rule 47",
        collector("Stdout"),
        {f"{C}.collector.kind": "'Stdout' is not supported; write StdOut, File"},
    ),
    ("None", collector("None"), {f"{C}.collector.kind": "write Push if trials report"}),
    (
        "rule 48, compiles",
        collector("File", filter={"metricsFormat": ["(a)=(b)", "(a)=(b"]}),
        {f"{C}.source.filter.metricsFormat[1]": "'(a)=(b' is not a regular expression"},
    ),
    (
        "rule 48, groups, of StdOut as well",
        collector("StdOut", filter={"metricsFormat": [r"(\w+)=\d"]}),
        {f"{C}.source.filter.metricsFormat[0]": "1 of the 2 groups"},
    ),
]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(changes, expected, id=name)
        for cases in (METADATA, COUNTS, OBJECTIVE, ALGORITHM, PARAMETERS, COLLECTOR)
        for name, changes, expected in cases
    ],
)
def test_a_rule(changes: dict[str, Any], expected: dict[str, str]) -> None:
    assert_problems(changes, expected)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="as it is"),
        pytest.param({"metadata.name": "a" * 40}, id="40 letters"),
        pytest.param({"spec.maxFailedTrialCount": 0}, id="no failure allowed"),
        pytest.param({"spec.maxTrialCount": ABSENT, "spec.parallelTrialCount": 50}, id="no limit"),
        pytest.param(
            {"spec.parallelTrialCount": ABSENT, "spec.maxTrialCount": 1}, id="default fits the limit"
        ),
        pytest.param({f"{LAYERS}.max": "1"}, id="min equals max"),
        pytest.param({f"{LAYERS}.min": "1.0", f"{LAYERS}.max": "1e1"}, id="whole numbers in other forms"),
        pytest.param(
            {f"{LAYERS}.min": 1, f"{LR}.max": 0.1, f"{BATCH}.list": [16, 32]}, id="numbers for text"
        ),
        pytest.param({f"{LAYERS}.step": "100"}, id="a step beyond the range"),
        pytest.param({f"{LR}.list": [], f"{LR}.step": ""}, id="empty is absent"),
        pytest.param(
            {f"{T}.trialSpec.spec.backoffLimit": 0, f"{MAIN}.resources": {"limits": {"cpu": 2}}}, id="numbers"
        ),
        pytest.param({f"{POD}.volumes": [{"name": "x", "emptyDir": {"sizeLimit": 100}}]}, id="a quantity"),
        pytest.param({f"{POD}.securityContext": None}, id="null in the template"),
        pytest.param(collector("PrometheusMetric"), id="rule 41 does not hold here"),
        pytest.param(collector("PrometheusMetric", httpGet={"port": "9090"}), id="port as text"),
        pytest.param(collector("Push"), id="push"),
        pytest.param({"status": {"trials": 3}, "metadata.labels": {"any": "thing"}}, id="status and labels"),
        pytest.param({f"{O}.metricStrategies": None, "spec.nasConfig": None}, id="null is absent"),
    ],
)
def test_what_is_allowed(changes: dict[str, Any]) -> None:
    assert Experiment.from_yaml(dump_document(document(changes))).spec.parameters


def test_problems_come_together_in_the_order_of_the_specification() -> None:
    changes = {
        "metadata.name": "Tune",
        f"{LR}.min": "abc",
        f"{O}.type": "min",
        "spec.algorithm.algorithmName": "",
        "spec.maxTrialCount": "six",
        "spec.paralelTrialCount": 2,
        f"{C}.collector.kind": "None",
    }
    with pytest.raises(InvalidExperimentError) as caught:
        Experiment.from_dict(document(changes))
    assert [problem.path for problem in caught.value.problems] == [
        "metadata.name",
        f"{LR}.min",
        f"{O}.type",
        "spec.algorithm.algorithmName",
        "spec.maxTrialCount",
        f"{C}.collector.kind",
        "spec.paralelTrialCount",
    ]
    assert str(caught.value).splitlines()[:3] == [
        "Experiment 'Tune' has 7 problems:",
        "  - metadata.name: 'Tune' must be up to 40 lower-case letters, digits and hyphens, "
        "with a letter first and no hyphen last",
        f"  - {LR}.min: 'abc' is not a finite number",
    ]


def test_an_unknown_algorithm_is_named_beside_a_bad_parameter() -> None:
    changes = {f"{LR}.min": "abc", "spec.algorithm.algorithmName": "randon"}
    with pytest.raises(InvalidExperimentError) as caught:
        Experiment.from_dict(document(changes))
    assert [problem.path for problem in caught.value.problems] == [
        f"{LR}.min",
        "spec.algorithm.algorithmName",
    ]
