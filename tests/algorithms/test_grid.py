from __future__ import annotations

from tests.algorithms.contract import AlgorithmContract


class TestGridContract(AlgorithmContract):
    algorithm = "grid"
    takes_continuous = False
    is_endless = False
