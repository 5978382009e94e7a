from __future__ import annotations

from tests.algorithms.contract import AlgorithmContract


class TestTpeContract(AlgorithmContract):
    algorithm = "tpe"
    settings = {"n_startup_trials": 3}


class TestMultivariateTpeContract(AlgorithmContract):
    algorithm = "multivariate-tpe"
    settings = {"n_startup_trials": 3}
