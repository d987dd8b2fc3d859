"""model.randomnet: the published shapes, scales that neither saturate nor die, and the benchmark that uses it."""

import numpy as np
import pytest

from lutra_model import benchmark, golden, workloads
from lutra_model.codings import Nearest
from lutra_model.network import MaxPool, Network
from lutra_model.randomnet import resnet18


def noise(network: Network, seed: int, batch: int = 1) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(0, 42, (batch, *network.input_shape))
    return np.clip(np.rint(drawn), -128, 127).astype(np.int8)


def test_its_layers_are_those_of_the_workload() -> None:
    published = [work.layer for work in workloads.resnet18() if work.layer is not None]
    assert list(resnet18().layers()) == published
    assert list(resnet18(scheme="int8").layers()) == [layer.as_dense() for layer in published]


@pytest.mark.parametrize("scheme", ["lut-nn", "int8"])
@pytest.mark.parametrize("seed", [0, 1])
def test_few_activations_saturate_and_none_is_dead(seed: int, scheme: str) -> None:
    network = resnet18(seed, size=64, scheme=scheme, classes=50)
    values = golden.run(network, noise(network, seed + 10, 4))
    for node in network.nodes:
        found = values[node.name].astype(int)
        assert (np.abs(found) >= 127).mean() < (0.1 if isinstance(node, MaxPool) else 0.05), node.name
        assert found.std() > 10, node.name
    assert values["fc"].shape == (4, 50)


def test_every_centroid_is_used_somewhere() -> None:
    network = resnet18(3, size=64)
    values = golden.run(network, noise(network, 4))
    for node in network.products:
        assert isinstance(node.coding, Nearest)
        codes = node.coding.encode(golden.windows(values[node.inputs[0]], node.window))
        assert len(np.unique(codes)) == 16, node.name


def test_the_same_seed_gives_the_same_network() -> None:
    one, two, other = (resnet18(seed, size=32, classes=7) for seed in (5, 5, 6))
    assert (one.products[4].table == two.products[4].table).all()
    assert (one.products[4].table != other.products[4].table).any()
    with pytest.raises(ValueError, match=r"^scheme must be lut-nn or int8, not float$"):
        resnet18(scheme="float")


@pytest.mark.parametrize("scheme", ["lut-nn", "int8"])
def test_memory_is_bounded_by_blocks_not_by_windows(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network = resnet18(size=64, scheme=scheme, classes=10)
    largest = 32 * max(int(np.prod(shape)) for shape in network.shapes.values())
    monkeypatch.setattr(golden.os, "cpu_count", lambda: 1)
    peaks = []
    for block in (1 << 18, 1 << 40):
        monkeypatch.setattr(golden, "BLOCK", block)
        peaks.append(benchmark.peak_memory(network, 32))
    row = 32 * 32 * (147 + 4 * 64)  # windows and sums of one row of the stem's output
    weights = 5 * 9 * 512 * 512 * (scheme == "int8")  # of the largest layer, as int8 magnitudes and as float32
    assert peaks[0] < 4 * largest + 5 * max(row, 1 << 18) + weights + (8 << 20)  # 8 MiB: what the kernels work in
    assert peaks[1] > 1.3 * peaks[0]


def test_the_benchmark_counts_what_it_says() -> None:
    found = benchmark.golden_against_blas(resnet18(size=32, classes=5), batch=2, rounds=1)
    assert found["ratio"] == pytest.approx(found["golden_inputs_per_s"] / found["blas_inputs_per_s"])
