"""The fields of a Katib v1beta1 Experiment as typed models."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel


def _as_text(value: object) -> object:
    """Let YAML numbers and booleans stand where Katib's API wants text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int(value))
    return repr(float(value)) if isinstance(value, float) else value


Text = Annotated[str, BeforeValidator(_as_text)]
Count = Annotated[int, Field(strict=True)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Flag = Annotated[bool, Field(strict=True)]


class SpecModel(BaseModel):
    """The base of every model here: camelCase outside, snake_case inside, unknown fields refused."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class ParameterType(StrEnum):
    """``spec.parameters[].parameterType``."""

    DOUBLE = "double"
    INT = "int"
    DISCRETE = "discrete"
    CATEGORICAL = "categorical"


class Distribution(StrEnum):
    """``spec.parameters[].feasibleSpace.distribution``."""

    UNIFORM = "uniform"
    LOG_UNIFORM = "logUniform"
    NORMAL = "normal"
    LOG_NORMAL = "logNormal"


class ObjectiveType(StrEnum):
    """``spec.objective.type``."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"


class StrategyType(StrEnum):
    """``spec.objective.metricStrategies[].value``: which of a metric's reports counts."""

    MIN = "min"
    MAX = "max"
    LATEST = "latest"


class ResumePolicy(StrEnum):
    """``spec.resumePolicy``."""

    NEVER = "Never"
    LONG_RUNNING = "LongRunning"
    FROM_VOLUME = "FromVolume"


class CollectorKind(StrEnum):
    """``spec.metricsCollectorSpec.collector.kind``."""

    STD_OUT = "StdOut"
    FILE = "File"
    TENSORFLOW_EVENT = "TensorFlowEvent"
    PROMETHEUS_METRIC = "PrometheusMetric"
    CUSTOM = "Custom"
    PUSH = "Push"
    NONE = "None"


class FeasibleSpace(SpecModel):
    """The values that a parameter may take. Numbers are kept as the text that was written."""

    max: Text | None = None
    min: Text | None = None
    list: tuple[Text, ...] | None = None
    step: Text | None = None
    distribution: Distribution | None = None


class ParameterSpec(SpecModel):
    """One parameter of the search space."""

    name: str = ""
    parameter_type: ParameterType | None = None
    feasible_space: FeasibleSpace | None = None


class MetricStrategy(SpecModel):
    """Which report of one metric counts as the trial's value."""

    name: str
    value: StrategyType


class Objective(SpecModel):
    """What the experiment optimises."""

    type: ObjectiveType | None = None
    goal: Number | None = None
    objective_metric_name: str = ""
    additional_metric_names: tuple[str, ...] = ()
    metric_strategies: tuple[MetricStrategy, ...] = ()

    @property
    def metric_names(self) -> tuple[str, ...]:
        """The objective metric, then the additional ones."""
        return (self.objective_metric_name, *self.additional_metric_names)

    @property
    def is_maximize(self) -> bool:
        """Whether a larger value is better."""
        return self.type is ObjectiveType.MAXIMIZE

    def strategy(self, metric: str) -> StrategyType:
        """Return the strategy of a metric: as written, else Katib's default, the objective's direction."""
        for strategy in self.metric_strategies:
            if strategy.name == metric:
                return strategy.value
        return StrategyType.MAX if self.is_maximize else StrategyType.MIN


class Setting(SpecModel):
    """A named setting of an algorithm or of an early-stopping rule."""

    name: str
    value: Text


class AlgorithmSpec(SpecModel):
    """The search algorithm."""

    algorithm_name: str = ""
    algorithm_settings: tuple[Setting, ...] = ()

    @property
    def settings(self) -> dict[str, str]:
        """The settings by name, as text."""
        return {setting.name: setting.value for setting in self.algorithm_settings}


class EarlyStoppingSpec(AlgorithmSpec):
    """The rule that ends trials which fall behind."""


class ConfigMapSource(SpecModel):
    """A trial template that stands as text in a Kubernetes ConfigMap."""

    config_map_name: str = ""
    config_map_namespace: str = ""
    template_path: str = ""


class TrialParameter(SpecModel):
    """A placeholder of the trial template and what it refers to."""

    name: str = ""
    description: str = ""
    reference: Text = ""


class TrialTemplate(SpecModel):
    """How a trial is run."""

    retain: Flag = False
    trial_spec: dict[str, Any] | None = None
    config_map: ConfigMapSource | None = None
    trial_parameters: tuple[TrialParameter, ...] | None = None
    primary_pod_labels: dict[str, Text] = Field(default_factory=dict)
    primary_container_name: str = ""
    success_condition: str = ""
    failure_condition: str = ""


class HttpHeader(SpecModel):
    """A header of the request that scrapes metrics."""

    name: str
    value: Text


class HttpGet(SpecModel):
    """Where Prometheus metrics are scraped."""

    path: str | None = None
    port: Count | str | None = None
    host: str | None = None
    scheme: str | None = None
    http_headers: tuple[HttpHeader, ...] = ()


class FileSystemPath(SpecModel):
    """The file or directory that holds a trial's metrics."""

    path: str | None = None
    kind: str | None = None
    format: str | None = None


class MetricsFilter(SpecModel):
    """The regular expressions that find metrics in text; two groups each, name then value."""

    metrics_format: tuple[str, ...] = ()


class MetricsSource(SpecModel):
    """Where metrics are read from."""

    http_get: HttpGet | None = None
    file_system_path: FileSystemPath | None = None
    filter: MetricsFilter | None = None


class CollectorSpec(SpecModel):
    """How metrics are collected."""

    kind: CollectorKind | None = None
    custom_collector: dict[str, Any] | None = None


class MetricsCollectorSpec(SpecModel):
    """The metrics collector and its source."""

    source: MetricsSource | None = None
    collector: CollectorSpec | None = None

    @property
    def kind(self) -> CollectorKind:
        """The collector's kind; StdOut where none is written."""
        return (self.collector and self.collector.kind) or CollectorKind.STD_OUT


class GraphConfig(SpecModel):
    """The frame of a neural architecture search."""

    num_layers: Count | None = None
    input_sizes: tuple[Count, ...] = ()
    output_sizes: tuple[Count, ...] = ()


class Operation(SpecModel):
    """One operation that a layer may be."""

    operation_type: str = ""
    parameters: tuple[ParameterSpec, ...] = ()


class NasConfig(SpecModel):
    """The search space of a neural architecture search."""

    graph_config: GraphConfig = GraphConfig()
    operations: tuple[Operation, ...] = ()


class ExperimentSpec(SpecModel):
    """``spec`` of an Experiment."""

    parameters: tuple[ParameterSpec, ...] = ()
    objective: Objective | None = None
    algorithm: AlgorithmSpec | None = None
    early_stopping: EarlyStoppingSpec | None = None
    trial_template: TrialTemplate | None = None
    parallel_trial_count: Count | None = None
    max_trial_count: Count | None = None
    max_failed_trial_count: Count | None = None
    metrics_collector_spec: MetricsCollectorSpec | None = None
    nas_config: NasConfig | None = None
    resume_policy: ResumePolicy | None = None
