"""model.onnx_read: what it understood against ONNX Runtime on the file."""

from pathlib import Path

import pytest

from lutra_model import onnx_read
from tests.model.onnx_read.layers import FUNCTIONS, GROUPED
from tests.model.onnx_read.moves import MOVED
from tests.model.onnx_read.networks import NETWORKS, PLAIN, PLAIN_SHAPES
from tests.model.onnx_read.understood import assert_understood
from tests.model.onnx_text import random, written

MODELS = NETWORKS | MOVED | FUNCTIONS | GROUPED


@pytest.mark.parametrize("name", MODELS)
def test_every_step_equals_the_file(name: str, tmp_path: Path) -> None:
    text, shapes, constants = MODELS[name]
    quantised = name == "quantised"
    opset = {"quantised": 21, "part of a shape": 15}.get(name, 13)
    graph = onnx_read.read(written(tmp_path, text, random(1, shapes) | constants, opset))
    assert_understood(graph, atol=0.05 if quantised else 1e-4)  # ONNX Runtime quantises the weights there


def test_axes_may_be_an_input_as_in_newer_operator_sets(tmp_path: Path) -> None:
    path = written(tmp_path, """(float[N,4,3,3] x) => (float[N,4,1,1] y) {
        axes = Constant<value = int64[2] {-1, -2}>()
        y = ReduceMean(x, axes)
    }""", {}, opset=18)
    assert_understood(onnx_read.read(path))


def test_norms_relus_and_biases_are_folded_away(tmp_path: Path) -> None:
    graph = onnx_read.read(written(tmp_path, PLAIN, random(2, PLAIN_SHAPES)))
    assert [(step.name, type(step).__name__, step.relu) for step in graph.steps] == [
        ("c", "Affine", True), ("p", "MaximumPool", False), ("f", "Flattening", False), ("y", "Affine", False)]
    assert graph.input_shape == (9, 8, 2)
    assert graph.model_shape == (2, 9, 8)


def test_a_softmax_at_the_end_is_left_out_and_told(tmp_path: Path) -> None:
    text, shapes, constants = MODELS["residual"]
    graph = onnx_read.read(written(tmp_path, text, random(3, shapes) | constants))
    assert graph.dropped == ("Softmax at the end was left out: it keeps the order of the outputs",)
    assert [type(step).__name__ for step in graph.steps][-1] == "Affine"


def test_a_value_that_is_read_twice_keeps_its_own_relu(tmp_path: Path) -> None:
    graph = onnx_read.read(written(tmp_path, """(float[N,2,3,3] x) => (float[N,2,3,3] y) {
        c = Conv<kernel_shape=[1,1]>(x, w)
        r = Relu(c)
        y = Add(c, r)
    }""", random(4, {"w": (2, 2, 1, 1)})))
    assert [(type(step).__name__, step.relu) for step in graph.steps] == [
        ("Affine", False), ("Rectifier", True), ("Residual", False)]
    assert_understood(graph)


