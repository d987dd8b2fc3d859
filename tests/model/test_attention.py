"""Products of two activations: golden against naive loops, ONNX Runtime and the network file."""

import re
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from lutra_model import golden, netfile, onnx_read, onnx_write
from lutra_model.attention import MatMul, heads_of
from lutra_model.graph import Moving, Pointwise
from lutra_model.graph_tokens import Attending, RowNormaliser
from lutra_model.network import Network
from tests.blocks import encoder


def both(seed: int, heads: int = 3, tokens: int = 5, channels: int = 7) -> Network:
    """Scores of an input with itself, then the context of the same input."""
    rng = np.random.default_rng(seed)
    return Network(name="both", input_shape=(1, tokens, heads * channels), input_scale=0.1, nodes=(
        MatMul(name="scores", inputs=("input", "input"), scale=0.1, heads=heads, transposed=True, merged=False,
               multiplier=int(rng.integers(2**15, 2**16)), shift=26, low=-100),
        MatMul(name="stacked", inputs=("scores", "input"), scale=0.1, heads=heads, transposed=False, merged=False,
               multiplier=int(rng.integers(2**15, 2**16)), shift=24, high=90),
        MatMul(name="context", inputs=("scores", "stacked"), scale=0.1, heads=heads, transposed=False, merged=True,
               multiplier=int(rng.integers(2**15, 2**16)), shift=22)))


def naive(node: MatMul, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """One value after the other, in Python's integers."""
    a, b = (x if x.shape[0] == node.heads else np.stack(np.split(x[0], node.heads, axis=1)) for x in (a, b))
    found = []
    for one, other in zip(a.tolist(), b.tolist(), strict=True):
        columns = other if node.transposed else [list(column) for column in zip(*other, strict=True)]
        sums = [[sum(x * y for x, y in zip(row, column, strict=True)) for column in columns] for row in one]
        found.append([[min(max((x * node.multiplier + 2 ** (node.shift - 1)) // 2**node.shift, node.low), node.high)
                       for x in row] for row in sums])
    stacked = np.array(found)
    return np.concatenate(list(stacked), axis=1)[None] if node.merged else stacked


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("heads", [1, 3])
def test_every_value_is_the_naive_loops(seed: int, heads: int) -> None:
    network = both(seed, heads)
    x = np.random.default_rng(seed).integers(-128, 128, (2, *network.input_shape), np.int8)
    values = golden.run(network, x)
    for node in network.nodes:
        for number in range(2):
            expected = naive(node, *(values[name][number] for name in node.inputs))
            np.testing.assert_array_equal(values[node.name][number], expected, node.name)
    assert len(np.unique(values["context"])) >= 20


def test_long_reductions_are_exact() -> None:
    """2,048 products of -128 by -128 are 2^25: more than float32 holds to the last bit beside 1."""
    node = MatMul(name="long", inputs=("a", "b"), scale=1.0, heads=1, transposed=True, merged=False, multiplier=1,
                  shift=1)
    a, b = np.full((1, 1, 1, 2049), -128, np.int8), np.full((1, 1, 1, 2049), -128, np.int8)
    a[..., -1], b[..., -1] = 1, 1
    for shift, sums in ((1, 2**25 + 1), (20, 2**25 + 1)):
        found = golden.evaluate(MatMul(**{**vars(node), "shift": shift}), a, b)
        assert found.item() == min((sums + 2 ** (shift - 1)) >> shift, 127)


@pytest.mark.parametrize("heads", [1, 3])
def test_onnx_runtime_and_the_network_file_give_the_same(heads: int, tmp_path: Path) -> None:
    network = both(3, heads)
    x = np.random.default_rng(3).integers(-128, 128, (4, *network.input_shape), np.int8)
    model = onnx_write.export(network)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"input": x})
    np.testing.assert_array_equal(found, golden.outputs(network, x))
    netfile.save(network, tmp_path / "n.lutra")
    np.testing.assert_array_equal(golden.outputs(netfile.load(tmp_path / "n.lutra"), x), found)


def test_one_head_is_a_layer_of_that_heads_values() -> None:
    network = both(4)
    values = golden.run(network, np.random.default_rng(4).integers(-128, 128, (1, *network.input_shape), np.int8))
    node = network.nodes[0]
    queries, keys = heads_of(values["input"], 3), heads_of(values["input"], 3)
    for head in range(3):
        layer = node.product(keys[0, head].T)
        np.testing.assert_array_equal(golden.evaluate(layer, queries[:, head, None])[0, 0], values["scores"][0, head])


@pytest.mark.parametrize(("shapes", "sentence"), [
    (((1, 4, 9), (1, 4, 8)), "operands of s must have 2 heads below each other or side by side, not shape (1, 4, 9)"),
    (((1, 4, 8), (1, 4, 6)), "operands of s must have one reduction, not 4 and 3"),
    (((1, 4, 8), (8,)), "operands of s must have 2 heads below each other or side by side, not shape (8,)")])
def test_operands_that_do_not_fit(shapes: tuple[tuple[int, ...], ...], sentence: str) -> None:
    node = MatMul(name="s", inputs=("a", "b"), scale=1.0, heads=2, transposed=True, merged=False, multiplier=1, shift=1)
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        node.shape(*shapes)


@pytest.mark.parametrize("written_out", [False, True])
def test_an_encoder_block_is_read_without_moving_a_value(written_out: bool, tmp_path: Path) -> None:
    onnx.save(encoder(0, written_out=written_out), tmp_path / "e.onnx")
    graph = onnx_read.read(tmp_path / "e.onnx")
    kinds = [type(step) for step in graph.steps]
    assert [kinds.count(kind) for kind in (Attending, RowNormaliser, Pointwise, Moving)] == [2, 2, 1, 0]
    assert len(kinds) == 14
    scores, context = (step for step in graph.steps if isinstance(step, Attending))
    assert (scores.transposed, scores.merged, scores.factor) == (True, False, pytest.approx(0.5))
    assert (context.transposed, context.merged, context.factor) == (False, True, 1.0)
    norm = next(step for step in graph.steps if isinstance(step, RowNormaliser))
    assert norm.epsilon == pytest.approx(1e-12)
    assert norm.gain.min() < 0 < norm.gain.max()
