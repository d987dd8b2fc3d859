"""How fast the golden model is, as a ratio to float32 matrix products, and the cost model, as one to itself."""

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

from . import golden, technology, workloads
from .bulk import Designs, evaluate
from .network import Network
from .randomnet import resnet18
from .runs import Design, run, sized

__all__ = ["golden_against_blas", "peak_memory", "points_against_exact", "resnet18_against_blas"]

REST = 0.2  # seconds in which the BLAS library's threads, which wait by spinning, go to sleep


def _seconds(work: Callable[[], Any]) -> float:
    time.sleep(REST)
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _pairs(network: Network, batch: int, rng: np.random.Generator) -> list[tuple[Any, Any]]:
    """Two float32 factors for each product layer, stacked by groups."""
    shapes = [(node.groups, layer) for node, layer in zip(network.products, network.layers(batch), strict=True)]
    return [(rng.random((groups, layer.rows, layer.reduction), np.float32),
             rng.random((groups, layer.reduction, layer.columns), np.float32)) for groups, layer in shapes]


def golden_against_blas(network: Network, *, batch: int = 256, rounds: int = 7, seed: int = 0) -> dict[str, float]:
    """Best of alternating rounds: whole golden inference, and NumPy's BLAS on the float32 products alone.

    ``ratio`` is the golden model's throughput over that of the products; im2col, activations and pooling are in the
    golden model's time only. Both use all cores.
    """
    rng = np.random.default_rng(seed)
    x = rng.integers(-128, 128, (batch, *network.input_shape), np.int8)
    pairs = _pairs(network, batch, rng)
    times = [(_seconds(lambda: golden.outputs(network, x)), _seconds(lambda: [a @ b for a, b in pairs]))
             for _ in range(rounds)]
    ours, blas = (min(column) for column in zip(*times, strict=True))
    return {"batch": batch, "golden_inputs_per_s": batch / ours, "blas_inputs_per_s": batch / blas,
            "ratio": blas / ours}


def peak_memory(network: Network, batch: int, seed: int = 0) -> int:
    """Most bytes that golden inference of a batch holds at once, beside the network and the inputs."""
    x = np.random.default_rng(seed).integers(-128, 128, (batch, *network.input_shape), np.int8)
    golden.outputs(network, x[:1])  # what is made once is no part of it
    tracemalloc.start()
    try:
        golden.outputs(network, x)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def resnet18_against_blas(scheme: str = "lut-nn", *, batch: int = 8, rounds: int = 5) -> dict[str, float]:
    """:func:`golden_against_blas` of ResNet-18 on 224 x 224 images with random weights, and its peak memory.

    ``windows_bytes`` is what one layer's windows would take if all of a batch's were formed at once, at most.
    """
    network = resnet18(scheme=scheme)
    found = golden_against_blas(network, batch=batch, rounds=rounds)
    windows = max(layer.rows * layer.reduction for layer in network.layers(batch))
    return found | {"peak_bytes": peak_memory(network, batch), "windows_bytes": windows}


def points_against_exact(*, points: int = 1 << 15, exact: int = 8, rounds: int = 3, seed: int = 0) -> dict[str, Any]:
    """Whole ResNet-18 on random machines, all at once and one by one: cycles, events, energy in a technology, area.

    In machines per second of processor time, best of so many rounds; ``equal``: the ones that ran in both ways agree.
    """
    rng, works, prices = np.random.default_rng(seed), workloads.resnet18(), technology.builtin("horowitz-45")
    rows, columns = (rng.choice(sizes, points) for sizes in ([16, 32, 64, 128], [8, 16, 32, 64]))
    sizes: dict[str, Any] = {
        "rows": rows, "columns": columns, "encoders": np.minimum(rows, rng.choice([2, 4, 8, 16, 32], points)),
        "fill": rows // rng.choice([1, 2, 4], points), "index_words": rng.choice([1024, 4096, 16384], points),
        "block_rows": rng.choice([256, 1024, 4096], points)}
    designs = Designs(**sizes)
    times, begin = list[float](), time.process_time()
    for _ in range(rounds):
        begin = time.process_time()
        found = evaluate(works, designs)
        energy, area = found.picojoules(prices), found.area(prices)
        times.append(time.process_time() - begin)
    begin, equal = time.process_time(), True
    for place in range(exact):
        array, streamed = sized(designs.at(place), works)
        one = run(Design("lookup", array), works, streamed=streamed).priced(prices)
        equal &= one.run.cycles == found.cycles[place] and bool(
            np.allclose([one.bill.picojoules, one.area], [energy[place], area[place]], rtol=1e-12))
    alone = (time.process_time() - begin) / exact
    return {"points": points, "points_per_s": points / min(times), "exact_points_per_s": 1 / alone,
            "ratio": alone * points / min(times), "equal": equal}
