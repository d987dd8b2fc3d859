"""The exported ONNX model in ONNX Runtime against the golden model: every value, every bit."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from lutra_model import golden, netfile, onnx_write
from lutra_model.network import (
    Add,
    AvgPool,
    Clamp,
    Concat,
    Elementwise,
    Flatten,
    MaxPool,
    Multiply,
    Network,
    Permute,
    Product,
    Softmax,
    Window,
)
from lutra_model.params import DISTANCES, Metric
from tests.coded import coded

NETWORKS = Path(__file__).parents[2] / "lutra" / "networks"


def product(seed: int, name: str, source: str, reduction: int, columns: int, *, length: int = 0, entries: int = 8,
            metric: Metric = Metric.L2, window: Window | None = None, low: int = -128, groups: int = 1) -> Product:
    """A random layer; a ``length`` of 0 multiplies; ``reduction`` is that of a group."""
    rng = np.random.default_rng(seed)
    codebooks = -(-reduction // length) if length else reduction
    sums = int((74 if length else 74 * 30) * codebooks**0.5)  # their standard deviation, roughly
    shift = (sums << 16).bit_length() - 6
    return Product(
        name=name, inputs=(source,), scale=0.5, low=low, reduction=reduction, window=window,
        table=rng.integers(-128, 128, (groups * codebooks, entries if length else 1, columns // groups), np.int8),
        coding=coded(rng.integers(-40, 40, (groups * codebooks, entries, length), np.int8) if length else None, metric),
        groups=groups,
        bias=rng.integers(-sums, sums, columns), multiplier=rng.integers(2**15, 2**16, columns),
        shift=rng.integers(shift, shift + 2, columns), table_scale=np.ones(columns))


def mixed(seed: int, length: int, metric: Metric) -> Network:
    """Every kind of node; strides, lopsided padding, kernels that are not square, ragged reductions."""
    wide = Window(kernel=(3, 2), stride=(2, 1), padding=(1, 0, 2, 1))
    nodes = (
        product(seed, "a", "input", 3 * 6, 6, length=length, metric=metric, window=wide),
        product(seed + 1, "b", "a", 6, 6, length=length, metric=metric, window=Window(kernel=(1, 1))),
        Add(name="c", inputs=("a", "b"), scale=0.5, multipliers=(40000, 65535), shift=17),
        Clamp(name="d", inputs=("c",), scale=0.5, low=-3, high=90),
        MaxPool(name="e", inputs=("d",), scale=0.5, window=Window(kernel=(3, 3), stride=(2, 2), padding=(1, 1, 1, 1))),
        AvgPool(name="f", inputs=("d",), scale=0.5, multiplier=50000, shift=18,
                window=Window(kernel=(2, 3), stride=(2, 2), padding=(0, 1, 1, 1))),
        product(seed + 2, "g", "e", 6 * 4, 7, length=length, metric=metric, low=0,
                window=Window(kernel=(2, 2), padding=(1, 1, 0, 0))),
        AvgPool(name="h", inputs=("g",), scale=0.5, multiplier=40000, shift=18, low=0),
        Flatten(name="i", inputs=("f",), scale=0.5),
        Flatten(name="j", inputs=("h",), scale=0.5),
        product(seed + 3, "k", "j", 7, 5, length=length, metric=metric))
    return Network(name="mixed", input_shape=(7, 6, 3), input_scale=0.25, nodes=nodes)


def hosted(seed: int, length: int, metric: Metric) -> Network:
    """Grouped layers, a join, and every node that the host computes."""
    rng = np.random.default_rng(seed)
    same = Window(kernel=(3, 3), padding=(1, 1, 1, 1))
    nodes = (
        product(seed, "a", "input", 9, 6, length=length, metric=metric, window=same, groups=6),
        product(seed + 1, "b", "a", 3, 4, length=length, metric=metric, window=Window(kernel=(1, 1)), groups=2),
        Concat(name="c", inputs=("a", "b", "input"), scale=0.5),
        Elementwise(name="d", inputs=("c",), scale=0.5, table=rng.integers(-128, 128, (256, 1), np.int8)),
        Elementwise(name="e", inputs=("d",), scale=0.5, table=rng.integers(-128, 128, (256, 16), np.int8)),
        AvgPool(name="f", inputs=("e",), scale=0.5, multiplier=60000, shift=17),
        Multiply(name="g", inputs=("e", "f"), scale=0.5, low=-90, high=80, multiplier=50000, shift=21),
        Multiply(name="h", inputs=("g", "e"), scale=0.5, multiplier=40000, shift=22),
        Softmax(name="i", inputs=("h",), scale=1 / 127, peak=127,
                exponentials=np.rint(2**16 * np.exp(-np.arange(256) / 20)).astype(np.int64)),
        Permute(name="j", inputs=("i",), scale=1 / 127, order=rng.permutation(5 * 4 * 16)[:150], to=(5, 3, 10)),
        Flatten(name="k", inputs=("j",), scale=1 / 127),
        Flatten(name="l", inputs=("g",), scale=1 / 127),
        Concat(name="m", inputs=("k", "l"), scale=1 / 127),
        product(seed + 2, "n", "m", (150 + 320) // 5, 10, length=length, metric=metric, groups=5))
    return Network(name="hosted", input_shape=(5, 4, 6), input_scale=0.25, nodes=nodes)


def computed(network: Network, x: NDArray[np.int8]) -> dict[str, NDArray[np.int8]]:
    """Every value of the exported model, by ONNX Runtime."""
    model = onnx_write.export(network)
    names = [node.name for node in network.nodes]
    model.graph.output.extend(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.INT8, None)
                              for name in names[:-1])
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return dict(zip([output.name for output in session.get_outputs()], session.run(None, {"input": x}), strict=True))


def assert_equal(network: Network, x: NDArray[np.int8]) -> None:
    expected = golden.run(network, x)
    found = computed(network, x)
    for node in network.nodes:
        assert found[node.name].dtype == np.int8
        np.testing.assert_array_equal(found[node.name], expected[node.name], err_msg=node.name)


@pytest.mark.parametrize("metric", Metric)
@pytest.mark.parametrize("length", [0, 1, 4, 5])
@pytest.mark.parametrize("seed", [0, 100])
def test_every_value_of_a_mixed_network(seed: int, length: int, metric: Metric) -> None:
    network = mixed(seed, length, metric)
    x = np.random.default_rng(seed).integers(-128, 128, (5, *network.input_shape), np.int8)
    values = golden.run(network, x)
    least = 2 if metric is Metric.TREE else 4  # few sub-vectors come to many leaves
    assert all(len(np.unique(values[node.name])) >= least for node in network.nodes)  # nothing is dead
    assert_equal(network, x)


@pytest.mark.parametrize("metric", Metric)
@pytest.mark.parametrize("length", [0, 1, 4, 9])
@pytest.mark.parametrize("seed", [0, 100])
def test_every_value_of_grouped_layers_and_of_the_host(seed: int, length: int, metric: Metric) -> None:
    network = hosted(seed, length, metric)
    x = np.random.default_rng(seed).integers(-128, 128, (5, *network.input_shape), np.int8)
    values = golden.run(network, x)
    assert all(len(np.unique(values[node.name])) > 3 for node in network.nodes)  # nothing is dead
    assert_equal(network, x)


@pytest.mark.parametrize("metric", DISTANCES)
def test_equal_distances_take_the_lowest_index(metric: Metric) -> None:
    layer = product(1, "p", "input", 4, 6, length=2, entries=16, metric=metric)
    assert layer.centroids is not None
    near = np.random.default_rng(2).integers(-1, 2, layer.centroids.shape, np.int8)  # many equal centroids
    network = Network(name="ties", input_shape=(4,), input_scale=1.0,
                      nodes=(replace(layer, coding=coded(near, metric)),))
    assert_equal(network, np.random.default_rng(3).integers(-2, 3, (64, 4), np.int8))


@pytest.mark.parametrize("shift", [1, 2, 16, 31, 47, 48, 49, 50, 51, 62, 63])
def test_the_finisher_rounds_half_up_at_every_shift(shift: int) -> None:
    rng = np.random.default_rng(shift)
    for bias in (2**31 - 1, -(2**31), 0):
        layer = replace(product(shift, "p", "input", 3, 64), shift=np.full(64, shift), bias=np.full(64, bias),
                        multiplier=rng.integers(0, 2**16, 64) if shift > 20 else rng.integers(0, 3, 64))
        network = Network(name="shifts", input_shape=(3,), input_scale=1.0, nodes=(layer,))
        assert_equal(network, rng.integers(-128, 128, (16, 3), np.int8))


@pytest.mark.parametrize("value", [-128, 127])
@pytest.mark.parametrize("length", [0, 4])
def test_extremes_do_not_overflow(value: int, length: int) -> None:
    layer = product(5, "p", "input", 512, 3, length=length)
    layer = replace(layer, table=np.full_like(layer.table, -128))
    network = Network(name="extremes", input_shape=(512,), input_scale=1.0, nodes=(layer,))
    assert_equal(network, np.full((2, 512), value, np.int8))


def test_a_changed_bit_would_be_seen() -> None:
    network = mixed(0, 4, Metric.L2)
    first = network.products[0]
    wrong = replace(network, nodes=(replace(first, bias=first.bias + 1000), *network.nodes[1:]))
    x = np.random.default_rng(0).integers(-128, 128, (5, 7, 6, 3), np.int8)
    assert (computed(wrong, x)["a"] != golden.run(network, x)["a"]).any()


def test_only_standard_operators_and_the_network_s_own_story(tmp_path: Path) -> None:
    network = replace(mixed(0, 4, Metric.L2), provenance={"seed": 3}, classes=("a", "b", "c", "d", "e"))
    model = onnx_write.export(network, tmp_path / "net.onnx")
    assert {(item.domain, item.version) for item in model.opset_import} == {("", onnx_write.OPSET)}
    assert {node.domain for node in model.graph.node} == {""}
    told = {item.key: item.value for item in onnx.load(tmp_path / "net.onnx").metadata_props}
    assert json.loads(told["provenance"]) == {"seed": 3}
    assert json.loads(told["classes"]) == ["a", "b", "c", "d", "e"]
    assert float(told["input_scale"]) == 0.25


def test_writing_replaces_a_file_only_when_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.onnx"
    path.write_text("earlier")

    def full(self: Path, data: bytes) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match=r"No space left on device"):
        onnx_write.export(mixed(0, 4, Metric.L2), path)
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["fashion-resnet8", "fashion-resnet8-int8"])
def test_the_embedded_network_on_its_test_images(name: str) -> None:
    network = netfile.load(NETWORKS / f"{name}.lutra")
    x = golden.quantise(network, np.load(NETWORKS / "fashion-test.npz")["images"])
    session = onnxruntime.InferenceSession(onnx_write.export(network).SerializeToString(),
                                           providers=["CPUExecutionProvider"])
    expected = golden.run(network, x)[network.nodes[-1].name]
    found = np.concatenate([session.run(None, {"input": x[i:i + 16]})[0] for i in range(0, len(x), 16)])
    np.testing.assert_array_equal(found, expected)
