"""Transformer blocks on the compiled RTL: every bit is the golden model's, every cycle the prediction."""

import os
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray

from lutra.text.__main__ import cosine
from lutra.text.bert import Bert
from lutra.text.corpus import sentences, token_ids
from lutra.text.wordpiece import WordPiece
from lutra_model import calibrate, golden, onnx_read
from lutra_model.convert import convert
from lutra_model.fit import arrays, mac_array
from lutra_model.heads import head_tables
from lutra_model.network import MatMul, Network
from lutra_sim.compiled import build
from lutra_sim.network import simulate
from lutra_sim.stages import stages
from tests.model.test_attention import both

MINILM = Path(os.environ.get("LUTRA_DATA", "data")) / "minilm"  # as `lutra fetch` fills it


def block(folder: Path, seed: int, **options: object) -> tuple[Network, NDArray[np.float32]]:
    """A random encoder block of two heads, six tokens and 8 values each, and inputs for it."""
    bert = Bert.random(seed)
    onnx.save(bert.model(6), folder / "e.onnx")
    x = bert.embed(np.random.default_rng(seed).integers(0, 32, (40, 6)))
    return convert(onnx_read.read(folder / "e.onnx"), x, functions=True, **options), x[:, None]


@pytest.mark.parametrize("heads", [1, 2])
def test_products_of_activations(heads: int) -> None:
    network = both(0, heads=heads, tokens=5, channels=6)
    found = {"int8": mac_array(both(0, heads=2, tokens=5, channels=6), rows=4, columns=2)}
    assert all(stage.program for stage in stages(network, found))
    x = np.random.default_rng(heads).integers(-128, 128, (3, *network.input_shape), np.int8)
    run = simulate(network, x, found)
    assert run.bit_exact
    assert run.cycles_exact
    assert [item.node for item in run.operations if item.kind == "product"] == [
        node.name for node in network.nodes for _ in range(heads)]


def test_tables_of_another_head_are_noticed() -> None:
    """A planted bug: the heads' tables in the wrong order."""
    network = both(0, heads=2, tokens=5, channels=6)
    stage, *_ = stages(network, {"int8": mac_array(network, rows=4, columns=2)})
    assert stage.program
    x = np.random.default_rng(1).integers(-128, 128, (1, *network.input_shape), np.int8)
    values, machine = {"input": x}, build(stage.program.array)
    machine.load(stage.program)
    right = head_tables(stage.program, stage.nodes, values)
    expected = golden.run(network, x)[stage.output]
    swapped = np.roll(right, len(right) // 2, axis=0)
    for tables, same in ((right, True), (swapped, False)):
        found = machine.run(stage.program, stage.segment.inputs(values), streamed=tables, stalls=3)
        assert np.array_equal(stage.made(found.outputs), expected) == same


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("scheme", ["int8", "lut-nn", "lut-tc"])
def test_a_whole_block(scheme: str, seed: int, tmp_path: Path) -> None:
    """Products, scores, softmax, context, residual adds, norms, GELU and the mean: nothing is left to the host."""
    options = {"lengths": 2, "entries": 4} if scheme == "lut-nn" else {}
    network, x = block(tmp_path, seed, scheme=scheme, **options)
    run = simulate(network, x[:3], arrays(network, rows=4, columns=4), table_period=1 + seed)
    assert run.host == ()
    assert run.bit_exact
    assert run.cycles_exact
    assert len(np.unique(run.outputs)) > 10
    heads = [item for item in run.operations if item.node in {n.name for n in network.nodes if isinstance(n, MatMul)}]
    assert sum(item.kind == "product" for item in heads) == 2 * 2


@pytest.mark.slow
@pytest.mark.skipif(not MINILM.is_dir(), reason="needs lutra fetch minilm (LUTRA_DATA)")
def test_a_real_encoder_on_real_text(tmp_path: Path) -> None:
    """The first block of all-MiniLM-L6-v2 on sentences of Moby-Dick, 16 tokens each, on 16 x 16 multipliers."""
    bert = Bert.load(MINILM / "model.fp16.safetensors", 12)
    onnx.save(bert.model(16, 1), tmp_path / "e.onnx")
    x = bert.embed(token_ids(WordPiece.load(MINILM / "tokenizer.json"), sentences(), 16))
    graph = onnx_read.read(tmp_path / "e.onnx")
    network = convert(graph, x[:64], scheme="int8", functions=True)
    similar = cosine(golden.outputs(network, x[64:96, None]), calibrate.predict(graph, x[64:96]))
    assert similar.min() > 0.985
    assert similar.mean() > 0.99
    run = simulate(network, x[64:66, None], arrays(network))
    assert (run.bit_exact, run.cycles_exact, run.host) == (True, True, ())
