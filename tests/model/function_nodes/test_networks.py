"""Functions in networks: the file, ONNX Runtime, products that they join, and bad ones."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from lutra_model import algorithm, function_makers, golden, netfile, onnx_write
from lutra_model.network import Network, Window
from lutra_model.nnlut.functions import gelu
from lutra_model.products import dense
from tests.functions import function, layer_norm, piecewise, row_softmax
from tests.model.function_nodes.naive import rows


def mixed(seed: int, channels: int = 11) -> Network:
    rng = np.random.default_rng(seed)
    wide = dense("wide", "norm", rng.normal(0, 0.3, (channels, 6)), rng.normal(0, 1, 6), input_scale=0.05, scale=0.05,
                 window=Window(kernel=(1, 1)))
    nodes = (layer_norm(rng, "norm", "input", channels), replace(wide, function=piecewise(rng), low=-120),
             function(rng, "bend", "wide"), row_softmax(rng, "shares", "bend"), layer_norm(rng, "last", "shares", 6))
    return Network(name="mixed", input_shape=(2, 3, channels), input_scale=0.05, nodes=nodes)


@pytest.mark.parametrize("seed", range(4))
def test_onnx_runtime_and_the_network_file_agree_with_golden(seed: int, tmp_path: Path) -> None:
    net = mixed(seed)
    x = rows(seed, 11, 24).reshape(4, 2, 3, 11)
    values = golden.run(net, x)
    netfile.save(net, tmp_path / "net.lutra")
    for name, again in golden.run(netfile.load(tmp_path / "net.lutra"), x).items():
        np.testing.assert_array_equal(again, values[name])
    model = onnx_write.export(net)
    for node in net.nodes[:-1]:
        model.graph.output.append(onnx_write.helper.make_tensor_value_info(node.name, 3, None))
    session = onnxruntime.InferenceSession(model.SerializeToString())
    names = [output.name for output in session.get_outputs()]
    for name, value in zip(names, session.run(names, {"input": x}), strict=True):
        np.testing.assert_array_equal(value, values[name], err_msg=name)


def test_a_function_joins_the_product_that_it_follows() -> None:
    rng = np.random.default_rng(0)
    common = {"input_scale": 0.05, "window": Window(kernel=(1, 1))}
    wide = dense("wide", "input", rng.normal(0, 0.3, (8, 12)), rng.normal(0, 1, 12), scale=0.04, **common)
    bend = function_makers.function("bend", "wide", gelu, input_scale=0.04, scale=0.04)
    narrow = dense("narrow", "bend", rng.normal(0, 0.3, (12, 8)), rng.normal(0, 1, 8), scale=0.05, **common)
    net = Network(name="n", input_shape=(4, 4, 8), input_scale=0.05, nodes=(wide, bend, narrow))
    joined = function_makers.fused(net)
    assert [node.name for node in joined.nodes] == ["bend", "narrow"]
    x = rng.integers(-128, 128, (5, 4, 4, 8), np.int8)
    apart, whole = golden.run(net, x)["bend"].astype(int), golden.run(joined, x)["bend"].astype(int)
    real = gelu(algorithm.run(Network(name="n", input_shape=(4, 4, 8), input_scale=0.05, nodes=(wide,)),
                              x * 0.05)["wide"]) / 0.04
    inside = (real > -128) & (real < 127)
    assert np.abs(whole - real)[inside].mean() < np.abs(apart - real)[inside].mean(), "one rounding less"
    assert np.abs(whole - apart).max() <= 2
    for kept in (replace(wide, low=0), replace(wide, shift=wide.shift // 4)):
        nodes = (kept, bend, narrow)
        assert len(function_makers.fused(replace(net, nodes=nodes)).nodes) == 3
    twice = replace(narrow, name="other", inputs=("wide",), reduction=12)
    assert len(function_makers.fused(replace(net, nodes=(wide, bend, twice))).nodes) == 3


@pytest.mark.parametrize(("make", "message"), [
    (lambda: replace(row_softmax(np.random.default_rng(0), "s", "x"), shift=0), "^shift of s must be 1 to 63, not 0$"),
    (lambda: row_softmax(np.random.default_rng(0), "s", "x").shape((2, 2, 2049)),
     "^rows of s must have 1 to 2048 channels, not 2049$"),
    (lambda: layer_norm(np.random.default_rng(0), "n", "x", 4).shape((5,)), r"^norm n needs 4 channels, its input is"),
    (lambda: replace(layer_norm(np.random.default_rng(0), "n", "x", 4), epsilon=0), "^epsilon of n must be 1 to 42949"),
    (lambda: replace(layer_norm(np.random.default_rng(0), "n", "x", 4), multiplier=np.full(4, 2**16)),
     "^multiplier of n must be -65535 to 65535, not 65536$"),
    (lambda: function_makers.layer_norm("n", "x", [1.0], [np.nan], input_scale=1, scale=1), "^gamma and beta of n m"),
    (lambda: function_makers.layer_norm("n", "x", np.ones(64), np.ones(64), input_scale=1e-6, scale=1), "^epsilon of"),
    (lambda: function_makers.row_softmax("s", "x", input_scale=0), "^the input scale of a softmax must be above 0")])
def test_bad_nodes_are_refused(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=message):
        make()
