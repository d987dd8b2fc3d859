"""How fast the golden model is, as a ratio to the same network's float32 matrix products."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from . import golden
from .network import Network

__all__ = ["golden_against_blas"]

REST = 0.2  # seconds in which the BLAS library's threads, which wait by spinning, go to sleep


def _seconds(work: Callable[[], Any]) -> float:
    time.sleep(REST)
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def golden_against_blas(network: Network, *, batch: int = 256, rounds: int = 7, seed: int = 0) -> dict[str, float]:
    """Best of alternating rounds: whole golden inference, and NumPy's BLAS on the float32 products alone.

    ``ratio`` is the golden model's throughput over that of the products; im2col, activations and pooling are in the
    golden model's time only.
    """
    rng = np.random.default_rng(seed)
    x = rng.integers(-128, 128, (batch, *network.input_shape), np.int8)
    pairs = [(rng.random((layer.rows, layer.reduction), np.float32),
              rng.random((layer.reduction, layer.columns), np.float32)) for layer in network.layers(batch)]
    times = [(_seconds(lambda: golden.run(network, x)), _seconds(lambda: [a @ b for a, b in pairs]))
             for _ in range(rounds)]
    ours, blas = (min(column) for column in zip(*times, strict=True))
    return {"batch": batch, "golden_inputs_per_s": batch / ours, "blas_inputs_per_s": batch / blas,
            "ratio": blas / ours}
