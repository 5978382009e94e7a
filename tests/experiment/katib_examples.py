"""Experiments in the form of Katib's 33 examples, by their path there; written anew and shortened."""

from __future__ import annotations

from typing import Any

Spec = dict[str, Any]

JOB_CONDITION = 'status.conditions.#(type=="{}")#|#(status=="True")#'


def double(name: str, low: str, high: str, **space: str) -> Spec:
    return {"name": name, "parameterType": "double", "feasibleSpace": {"min": low, "max": high, **space}}


def integer(name: str, low: str, high: str, **space: str) -> Spec:
    return {"name": name, "parameterType": "int", "feasibleSpace": {"min": low, "max": high, **space}}


def choice(name: str, *values: str) -> Spec:
    return {"name": name, "parameterType": "categorical", "feasibleSpace": {"list": list(values)}}


LR = double("lr", "0.01", "0.05")
MOMENTUM = double("momentum", "0.5", "0.9")
GRID = (double("lr", "0.01", "0.05", step="0.005"), double("momentum", "0.5", "0.9", step="0.1"))


def settings(**values: str) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def minimize(metric: str = "loss", goal: float = 0.001, **more: Any) -> Spec:
    return {"type": "minimize", "goal": goal, "objectiveMetricName": metric, **more}


def maximize(metric: str, goal: float | None = 0.99, **more: Any) -> Spec:
    return {"type": "maximize", **({"goal": goal} if goal else {}), "objectiveMetricName": metric, **more}


def pod_spec(names: list[str], container: str = "training-container", **more: Any) -> Spec:
    arguments = [f"--{name}=${{trialParameters.{name}}}" for name in names]
    command = ["python3", "/opt/train.py", "--epochs=1", *arguments]
    return {"containers": [{"name": container, "image": "example.org/train:1", "command": command, **more}]}


def job(names: list[str], **container: Any) -> Spec:
    pod = {"spec": {**pod_spec(names, **container), "restartPolicy": "Never"}}
    return {"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": pod}}


def training_job(kind: str, replicas: str, names: list[str], **more: Any) -> Spec:
    """A job of Kubeflow's training operator, with its replicas by role."""
    roles = {
        role: {"replicas": count, "restartPolicy": "OnFailure", "template": {"spec": pod_spec(names)}}
        for role, count in (("Master" if kind != "MPIJob" else "Launcher", 1), ("Worker", 2))
    }
    return {"apiVersion": "kubeflow.org/v1", "kind": kind, "spec": {replicas: roles, **more}}


def experiment(
    algorithm: str,
    *,
    parameters: tuple[Spec, ...] = (LR, MOMENTUM),
    counts: tuple[int, int, int] = (3, 12, 3),
    objective: Spec | None = None,
    algorithm_settings: list[dict[str, str]] | None = None,
    trial_spec: Spec | None = None,
    template: Spec | None = None,
    references: dict[str, str] | None = None,
    **spec: Any,
) -> Spec:
    """An experiment of Katib's examples: a Job with one placeholder a parameter, unless told otherwise.

    :param counts: parallel, max and max failed.
    :param references: trial parameter to reference, beyond those of ``parameters``.
    """
    entries = {**{parameter["name"]: parameter["name"] for parameter in parameters}, **(references or {})}
    return {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Experiment",
        "metadata": {"namespace": "kubeflow", "name": algorithm},
        "spec": {
            "objective": objective or minimize(),
            "algorithm": {
                "algorithmName": algorithm,
                **({"algorithmSettings": algorithm_settings} if algorithm_settings else {}),
            },
            **dict(zip(("parallelTrialCount", "maxTrialCount", "maxFailedTrialCount"), counts, strict=True)),
            **({"parameters": list(parameters)} if parameters else {}),
            "trialTemplate": {
                "primaryContainerName": "training-container",
                "trialParameters": [
                    {"name": name, "description": f"Value of {name}", "reference": reference}
                    for name, reference in entries.items()
                ],
                **(
                    {} if "configMap" in (template or {}) else {"trialSpec": trial_spec or job(list(entries))}
                ),
                **(template or {}),
            },
            **spec,
        },
    }


def collector(kind: str, path: str = "", type_: str = "File", form: str | None = None, **more: Any) -> Spec:
    source: Spec = dict(more)
    if path:
        file = {"path": path, "kind": type_, "format": form}
        source["fileSystemPath"] = {key: value for key, value in file.items() if value}
    return {"metricsCollectorSpec": {"collector": {"kind": kind}, **({"source": source} if source else {})}}


def filter_(*patterns: str) -> Spec:
    return {"filter": {"metricsFormat": list(patterns)}}


MEDIAN_STOP = {
    "algorithmName": "medianstop",
    "algorithmSettings": settings(min_trials_required="3", start_step="5"),
}


def operation(type_: str, *sizes: str) -> Spec:
    parameters = [choice("filter_size", *sizes)] if sizes else []
    return {"operationType": type_, **({"parameters": parameters} if parameters else {})}


def nas(algorithm: str, counts: tuple[int, int, int], *operations: Spec, **container: Any) -> Spec:
    graph = {"numLayers": 8, "inputSizes": [32, 32, 3], "outputSizes": [10]}
    config = {"graphConfig": graph, "operations": list(operations)}
    if algorithm == "darts":
        references = {name: name for name in ("algorithm-settings", "search-space", "num-layers")}
        return experiment(
            "darts",
            parameters=(),
            counts=counts,
            objective=maximize("Best-Genotype", None),
            algorithm_settings=settings(num_epochs="1", num_nodes="2"),
            references=references,
            trial_spec=job(list(references), **container),
            nasConfig=config,
            **collector("StdOut", **filter_(r"([\w-]+)=(Genotype.*)")),
        )
    references = {"architecture": "architecture", "nn_config": "nn_config"}
    return experiment(
        "enas",
        parameters=(),
        counts=counts,
        objective=maximize("Validation-Accuracy"),
        references=references,
        trial_spec=job(list(references), **container),
        nasConfig=config,
    )


CONVOLUTIONS = (
    operation("separable_convolution", "3", "5"),
    operation("dilated_convolution", "3", "5"),
    operation("avg_pooling", "3"),
)
GPU = {"resources": {"limits": {"nvidia.com/gpu": 1}}}

ACCURACY_JSON = collector("File", "/katib/mnist.json", form="JSON")
JSON_OBJECTIVE = maximize("accuracy", additionalMetricNames=["loss"])

WORKFLOW = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Workflow",
    "spec": {
        "serviceAccountName": "argo-workflow",
        "entrypoint": "hp-workflow",
        "templates": [
            {"name": "hp-workflow", "steps": [[{"name": "train", "template": "train"}]]},
            {"name": "train", "container": {"name": "main", "args": ["${trialParameters.lr}"]}},
        ],
    },
}
PIPELINE_RUN = {
    "apiVersion": "tekton.dev/v1beta1",
    "kind": "PipelineRun",
    "spec": {"params": [{"name": "lr", "value": "${trialParameters.lr}"}], "pipelineSpec": {"tasks": []}},
}
METADATA_JOB = {
    **job(["lr", "momentum", "name", "namespace", "kind", "version", "owner", "team"]),
    "metadata": {"labels": {"team": "vision"}, "annotations": {"owner": "ada"}},
}
METADATA_REFERENCES = {
    "name": "${trialSpec.Name}",
    "namespace": "${trialSpec.Namespace}",
    "kind": "${trialSpec.Kind}",
    "version": "${trialSpec.APIVersion}",
    "owner": "${trialSpec.Annotations[owner]}",
    "team": "${trialSpec.Labels[team]}",
}
CUSTOM_COLLECTOR = {
    "metricsCollectorSpec": {
        "source": {"fileSystemPath": {"path": "/katib/mnist.log", "kind": "File"}},
        "collector": {
            "kind": "Custom",
            "customCollector": {
                "name": "custom-metrics-logger-and-collector",
                "image": "example.org/file-metrics-collector",
                "args": [
                    "-m",
                    "loss;accuracy",
                    "-s-db",
                    "katib-db-manager.kubeflow:6789",
                    "-path",
                    "/katib/mnist.log",
                ],
                "env": [{"name": "PodName", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
            },
        },
    }
}

EXAMPLES: dict[str, Spec] = {
    "hp-tuning/random": experiment("random"),
    "hp-tuning/tpe": experiment("tpe"),
    "hp-tuning/multivariate-tpe": experiment("multivariate-tpe"),
    "hp-tuning/bayesian-optimization": experiment(
        "bayesianoptimization", algorithm_settings=settings(random_state="10")
    ),
    "hp-tuning/cma-es": experiment("cmaes", algorithm_settings=settings(restart_strategy="ipop")),
    "hp-tuning/sobol": experiment("sobol"),
    "hp-tuning/grid": experiment("grid", parameters=GRID),
    "hp-tuning/hyperband": experiment(
        "hyperband",
        parameters=(LR, MOMENTUM, integer("num-epochs", "2", "2")),
        counts=(2, 2, 2),
        algorithm_settings=settings(resource_name="num-epochs", eta="2", r_l="2"),
    ),
    "hp-tuning/hyperopt-distribution": experiment(
        "random",
        parameters=(
            double("lr", "0.01", "0.05", step="0.01", distribution="normal"),
            double("momentum", "0.5", "0.9", distribution="uniform"),
            integer("epochs", "1", "3", distribution="logUniform"),
            integer("batch_size", "32", "64", distribution="logNormal"),
        ),
        objective=minimize(goal=0.05),
    ),
    "hp-tuning/optuna-distribution": experiment(
        "tpe",
        parameters=(
            double("lr", "0.01", "0.05", distribution="logUniform"),
            double("momentum", "0.5", "0.9", step="0.1", distribution="uniform"),
            integer("epochs", "1", "3"),
        ),
    ),
    "hp-tuning/simple-pbt": experiment(
        "pbt",
        parameters=(double("lr", "0.0001", "0.02", step="0.0001"),),
        counts=(2, 2, 3),
        objective=maximize("Validation-accuracy"),
        algorithm_settings=settings(
            suggestion_trial_dir="/opt/katib/data", n_population="40", truncation_threshold="0.2"
        ),
        resumePolicy="FromVolume",
    ),
    "early-stopping/median-stop": experiment(
        "random", counts=(2, 15, 3), template={"retain": True}, earlyStopping=MEDIAN_STOP
    ),
    "early-stopping/median-stop-with-json-format": experiment(
        "random",
        counts=(2, 15, 3),
        objective=JSON_OBJECTIVE,
        template={"retain": True},
        earlyStopping=MEDIAN_STOP,
        **ACCURACY_JSON,
    ),
    "metrics-collector/file-metrics-collector": experiment(
        "random",
        objective=maximize("accuracy", additionalMetricNames=["loss"]),
        **collector(
            "File",
            "/katib/mnist.log",
            form="TEXT",
            **filter_(r"{metricName: ([\w|-]+), metricValue: ((-?\d+)(\.\d+)?)}"),
        ),
    ),
    "metrics-collector/file-metrics-collector-with-json-format": experiment(
        "random", objective=JSON_OBJECTIVE, **ACCURACY_JSON
    ),
    "metrics-collector/custom-metrics-collector": experiment("random", **CUSTOM_COLLECTOR),
    "metrics-collector/metrics-collection-strategy": experiment(
        "tpe",
        objective=maximize(
            "accuracy",
            additionalMetricNames=["loss"],
            metricStrategies=[{"name": "accuracy", "value": "max"}, {"name": "loss", "value": "min"}],
        ),
    ),
    "kubeflow-training-operator/pytorchjob-mnist": experiment(
        "random", trial_spec=training_job("PyTorchJob", "pytorchReplicaSpecs", ["lr", "momentum"])
    ),
    "kubeflow-training-operator/tfjob-mnist-with-summaries": experiment(
        "random",
        parameters=(LR, integer("batch_size", "32", "64")),
        objective=maximize("accuracy"),
        trial_spec=training_job("TFJob", "tfReplicaSpecs", ["lr", "batch_size"]),
        template={"primaryPodLabels": {"training.kubeflow.org/replica-type": "worker"}},
        **collector("TensorFlowEvent", "/mnist-with-summaries-logs/test", "Directory"),
    ),
    "kubeflow-training-operator/mpijob-horovod": experiment(
        "random",
        parameters=(double("lr", "0.001", "0.003"), integer("num-steps", "50", "150", step="10")),
        counts=(2, 6, 3),
        objective=minimize(goal=0.01),
        trial_spec=training_job("MPIJob", "mpiReplicaSpecs", ["lr", "num-steps"], slotsPerWorker=1),
        template={"primaryPodLabels": {"mpi-job-role": "launcher"}},
    ),
    "kubeflow-training-operator/xgboostjob-lightgbm": experiment(
        "random",
        parameters=(double("lr", "0.01", "0.1"), integer("num-leaves", "50", "60", step="1")),
        counts=(2, 6, 3),
        objective=maximize(
            "valid_1 auc",
            0.7,
            additionalMetricNames=["valid_1 binary_logloss", "training auc", "training binary_logloss"],
        ),
        trial_spec=training_job("XGBoostJob", "xgbReplicaSpecs", ["lr", "num-leaves"]),
        **collector("StdOut", **filter_(r"(\w+\s\w+)\s:\s((-?\d+)(\.\d+)?)")),
    ),
    "kubeflow-trainer/trainjob-pytorch": experiment(
        "random",
        trial_spec={
            "apiVersion": "trainer.kubeflow.org/v1alpha1",
            "kind": "TrainJob",
            "spec": {
                "runtimeRef": {"name": "torch-distributed"},
                "trainer": {"args": ["${trialParameters.lr}", "${trialParameters.momentum}"]},
            },
        },
        template={"primaryContainerName": "node"},
    ),
    "argo/argo-workflow": experiment(
        "random",
        parameters=(LR,),
        counts=(2, 5, 1),
        trial_spec=WORKFLOW,
        template={
            "retain": True,
            "primaryContainerName": "main",
            "primaryPodLabels": {"katib.kubeflow.org/model-training": "true"},
            "successCondition": 'status.[@this].#(phase=="Succeeded")#',
            "failureCondition": 'status.[@this].#(phase=="Failed")#',
        },
    ),
    "tekton/pipeline-run": experiment(
        "random",
        parameters=(LR,),
        counts=(2, 4, 3),
        trial_spec=PIPELINE_RUN,
        template={
            "retain": True,
            "primaryContainerName": "step-model-training",
            "primaryPodLabels": {"tekton.dev/pipelineTask": "model-training"},
            "successCondition": 'status.conditions.#(type=="Succeeded")#|#(status=="True")#',
            "failureCondition": 'status.conditions.#(type=="Succeeded")#|#(status=="False")#',
        },
    ),
    "nas/darts-cpu": nas("darts", (1, 1, 1), *CONVOLUTIONS),
    "nas/darts-gpu": nas("darts", (1, 1, 1), *CONVOLUTIONS, operation("skip_connection"), **GPU),
    "nas/enas-cpu": nas("enas", (2, 3, 2), *CONVOLUTIONS),
    "nas/enas-gpu": nas("enas", (3, 12, 3), *CONVOLUTIONS, **GPU),
    "resume-experiment/from-volume-resume": experiment("random", resumePolicy="FromVolume"),
    "resume-experiment/long-running-resume": experiment("random", resumePolicy="LongRunning"),
    "trial-template/trial-configmap-source": experiment(
        "cmaes",
        parameters=(LR, integer("num-layers", "2", "5"), choice("optimizer", "sgd", "adam", "ftrl")),
        counts=(2, 10, 3),
        objective=maximize("Validation-accuracy", additionalMetricNames=["Train-accuracy"]),
        template={
            "configMap": {
                "configMapName": "trial-templates",
                "configMapNamespace": "kubeflow",
                "templatePath": "defaultTrialTemplate.yaml",
            },
            "successCondition": JOB_CONDITION.format("Complete"),
            "failureCondition": JOB_CONDITION.format("Failed"),
        },
    ),
    "trial-template/trial-metadata-substitution": experiment(
        "random", references=METADATA_REFERENCES, trial_spec=METADATA_JOB
    ),
    "fpga/xgboost-example": experiment(
        "random",
        counts=(1, 10, 3),
        objective=maximize("accuracy", additionalMetricNames=["time"]),
        trial_spec=job(["lr", "momentum"], resources={"limits": {"xilinx.com/fpga": 1}}),
    ),
}
