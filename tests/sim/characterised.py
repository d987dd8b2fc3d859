"""A small real layer to characterise with, and workloads of it."""

import numpy as np

from lutra_model.params import Array
from lutra_sim.gates import workloads
from lutra_sim.gates.workloads import Layer, Workload

__all__ = ["layer", "workload"]


def layer(seed: int = 0) -> Layer:
    """Random weights of 16 x 16, rows like those of an image: half of them zeros."""
    rng = np.random.default_rng(seed)
    images = np.maximum(rng.integers(-100, 100, (8, 16, 16, 16)), 0).astype(np.int8)
    return Layer("layer", rng.normal(0, 0.3, (16, 16)), rng.normal(0, 0.1, 16), images.reshape(-1, 16), images, 1 / 32)


def workload(array: Array, kind: str = "product", name: str = "random") -> tuple[Workload, Array]:
    """A workload of 16 rows, and the array with memories for it."""
    found = workloads.make(name, kind, array, layer(), rows=16)
    return found, workloads.machine(found, array)
