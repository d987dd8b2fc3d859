"""model.convert: models that are quantised already."""

from pathlib import Path

import numpy as np
import pytest

from lutra_model import calibrate, golden, onnx_read
from lutra_model.convert import convert
from tests.model.convert.models import residual
from tests.model.onnx_text import random, written


@pytest.mark.parametrize("activations", ["QUInt8", "QInt8"])
@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_model_that_onnx_runtime_quantised(activations: str, per_channel: bool, seed: int, tmp_path: Path) -> None:
    from onnxruntime import quantization

    model, x = residual(tmp_path, seed)
    inputs = iter([{"x": row[None]} for row in x[:100]])
    reader = type("Reader", (quantization.CalibrationDataReader,), {"get_next": lambda self: next(inputs, None)})
    quantization.quantize_static(model, tmp_path / "q.onnx", reader(), quant_format=quantization.QuantFormat.QDQ,
                                 activation_type=quantization.QuantType[activations], per_channel=per_channel,
                                 weight_type=quantization.QuantType.QInt8)
    network = convert(tmp_path / "q.onnx", x[:100], scheme="int8")
    graph = onnx_read.read(tmp_path / "q.onnx")
    assert {step.name for step in graph.steps} >= {*graph.ranges} - {"input"}
    real = calibrate.predict(onnx_read.read(model), x[100:])
    ours = golden.run(network, graph.places.ours(x[100:]))[network.nodes[-1].name] * network.nodes[-1].scale
    theirs = calibrate.predict(graph, x[100:])
    power = np.sqrt((real**2).mean())
    assert np.sqrt(((ours - real)**2).mean()) < 0.06 * power
    assert np.sqrt(((ours - theirs)**2).mean()) < 0.06 * power


def test_quantised_ranges_give_the_scales(tmp_path: Path) -> None:
    text = """(float[N,4] x) => (float y) {
        q = QuantizeLinear(x, s, n)
        d = DequantizeLinear(q, s, n)
        c = MatMul(d, w)
        a = QuantizeLinear(c, t, z)
        y = DequantizeLinear(a, t, z)
    }"""
    constants = {"s": np.float32(0.02), "n": np.int8(0), "t": np.float32(0.01), "z": np.uint8(0)}
    model = written(tmp_path, text, random(1, {"w": (4, 3)}) | constants)
    network = convert(model, np.random.default_rng(1).normal(size=(50, 4)).astype(np.float32), scheme="int8")
    assert network.input_scale == pytest.approx(0.02)
    (node,) = network.nodes
    assert node.scale == pytest.approx(2.55 / 127)
    assert (node.low, node.high) == (0, 127)
