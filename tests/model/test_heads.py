"""Attention head by head: programs, table streams, segments, cycles and workloads, without simulating."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from lutra_model import golden, netfile, onnx_read, onnx_write
from lutra_model.attention import MatMul
from lutra_model.convert import convert
from lutra_model.fit import arrays, mac_array, sized
from lutra_model.heads import head_inputs, head_outputs, head_tables, one_head, planes
from lutra_model.network import Channels, Clamp, Network, Softmax
from lutra_model.params import Array
from lutra_model.program import compile_network
from lutra_model.runs import Design, run, run_programs
from lutra_model.segments import head_segment, segments
from lutra_model.workloads import of_network
from lutra_sim.stages import stages
from tests.blocks import encoder
from tests.model.test_attention import both


def block(folder: Path, **options: object) -> tuple[Network, np.ndarray]:
    """A random encoder block as a network, and inputs for it."""
    onnx.save(encoder(0), folder / "e.onnx")
    x = np.random.default_rng(0).normal(size=(40, 6, 8))
    return convert(onnx_read.read(folder / "e.onnx"), x, functions=True, **options), x[:, None]


@pytest.mark.parametrize("array", [Array.mac(rows=4, columns=2), Array.mac(rows=3, columns=3, encoders=1)],
                         ids=["4x2", "3x3"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_stream_of_a_head_is_that_of_a_compiled_layer(array: Array, place: int) -> None:
    """What the machine is told for each head equals what a layer with those weights would be compiled to."""
    network = both(1, heads=2)
    values = golden.run(network, np.random.default_rng(1).integers(-128, 128, (3, *network.input_shape), np.int8))
    node = network.nodes[place]
    part = one_head(network, [node], array)
    assert part is not None
    array = sized(part, array, table_bytes=1)
    program = compile_network(part, array, resident=False)
    found = head_tables(program, [node], values).reshape(3 * 2, *program.streamed.shape)
    second = values[node.inputs[1]]
    for number in range(6):
        image, head = divmod(number, 2)
        weights = second[image, 0][:, head * 7:head * 7 + 7] if len(second[image]) == 1 else second[image, head]
        layer = node.product(np.ascontiguousarray(weights.T if node.transposed else weights))
        alone = replace(part, nodes=(layer,))
        np.testing.assert_array_equal(found[number], compile_network(alone, array, resident=False).streamed)
        assert compile_network(alone, array, resident=False).words == program.words


@pytest.mark.parametrize("heads", [1, 3])
def test_heads_are_put_together_again(heads: int) -> None:
    network = both(2, heads)
    values = golden.run(network, np.random.default_rng(2).integers(-128, 128, (2, *network.input_shape), np.int8))
    for node in network.nodes:
        assert isinstance(node, MatMul)
        given = head_inputs([node], values)
        weights = [node.product(table) for table in _tables(node, values)]
        found = np.concatenate([golden.evaluate(layer, x[None]) for layer, x in zip(weights, given, strict=True)])
        np.testing.assert_array_equal(head_outputs([node], found), values[node.name])


@pytest.mark.parametrize("reduction", [7, 8, 32])
def test_eight_planes_hold_the_values_exactly(reduction: int) -> None:
    rng = np.random.default_rng(reduction)
    node = MatMul(name="m", inputs=("a", "b"), scale=1.0, heads=1, transposed=False, merged=False, multiplier=40000,
                  shift=24)
    x = rng.integers(-128, 128, (2, 1, 5, reduction), np.int8)
    weights = rng.integers(-128, 128, (reduction, 6), np.int8)
    weights[0, :2] = -128, 127
    expected = golden.evaluate(node.product(weights), x)
    np.testing.assert_array_equal(golden.evaluate(planes(node, weights), x), expected)


@pytest.mark.parametrize(("scheme", "bits", "machines"), [
    ("lut-tc", 4, ["lut-tc"]), ("bit-serial", 4, ["bit-serial", "int8"]), ("int4", 4, ["int4", "int8"]),
    ("int1", 1, ["int1", "int8"]), ("sign-flip", 2, ["int8", "sign-flip"])])
def test_who_takes_attention(scheme: str, bits: int, machines: list[str], tmp_path: Path) -> None:
    network, _ = block(tmp_path, scheme=scheme, bits=bits)
    found = arrays(network, rows=8, columns=4)
    assert sorted(found) == machines
    cut = stages(network, found)
    assert all(stage.program for stage in cut)
    assert cut[3].scheme == ("lut-tc" if scheme == "lut-tc" else "int8")
    assert len(cut[3].nodes) == 3


def _tables(node: MatMul, values: dict[str, np.ndarray]) -> list[np.ndarray]:
    second = values[node.inputs[1]]
    each = [part for image in second for part in (np.split(image[0], node.heads, 1) if len(image) == 1 else image)]
    return [np.ascontiguousarray(part.T if node.transposed else part) for part in each]


def test_scores_softmax_and_context_are_one_part(tmp_path: Path) -> None:
    network, _ = block(tmp_path, scheme="int8")
    array = arrays(network, rows=4, columns=4)["int8"]
    parts = segments(network, array)
    assert [len(part.nodes) for part in parts] == [1, 1, 1, 3, 7]
    assert [part.heads for part in parts] == [0, 0, 0, 2, 0]
    assert parts[4].sources == (parts[3].output, "input")
    assert parts[4].network is not None
    assert [type(node) for node in parts[4].network.nodes[:2]] == [Channels, Channels]
    assert [len(part.nodes) for part in segments(network, replace(array, functions=0))][3:6] == [1, 1, 1]


def test_attention_that_others_read_is_not_one_part(tmp_path: Path) -> None:
    network, _ = block(tmp_path, scheme="int8")
    array = arrays(network, rows=4, columns=4)["int8"]
    scores = next(number for number, node in enumerate(network.nodes) if isinstance(node, MatMul))
    shares = network.nodes[scores + 1].name
    extra = replace(network.nodes[scores + 2], name="again", inputs=(shares, network.nodes[scores + 2].inputs[1]))
    more = replace(network, nodes=(*network.nodes[:scores + 3], extra, *network.nodes[scores + 3:]))
    segment = head_segment(more, scores, array)
    assert segment is not None
    assert len(segment.nodes) == 1


def test_a_machine_of_centroids_leaves_attention_to_the_multiplying_one(tmp_path: Path) -> None:
    network, _ = block(tmp_path, scheme="lut-nn", lengths=2, entries=4)
    found = arrays(network, rows=4, columns=4)
    assert sorted(found) == ["int8", "lut-nn"]
    cut = stages(network, found)
    assert [stage.scheme for stage in cut] == ["lut-nn"] * 3 + ["int8", "lut-nn"]
    without = stages(network, {"lut-nn": found["lut-nn"]})
    assert [stage.nodes[0].name for stage in without if not stage.program] == [
        node.name for node in network.nodes if isinstance(node, MatMul)]


@pytest.mark.parametrize("scheme", ["int8", "lut-nn"])
def test_parts_with_several_inputs_compute_the_network(scheme: str, tmp_path: Path) -> None:
    network, x = block(tmp_path, scheme=scheme, **({} if scheme == "int8" else {"lengths": 2, "entries": 4}))
    values = {"input": golden.quantise(network, x)}
    for part in segments(network, arrays(network, rows=4, columns=4)[scheme]):
        if part.network is None or part.heads:
            for node in part.nodes:
                values[node.name] = golden.evaluate(node, *(values[name] for name in node.inputs))
        else:
            values[part.output] = golden.outputs(part.network, part.inputs(values))
    np.testing.assert_array_equal(values[network.nodes[-1].name], golden.outputs(network, x))


def test_channels_by_themselves(tmp_path: Path) -> None:
    """Some channels of an image: golden, ONNX Runtime, the network file, the machine's words, and refusals."""
    nodes = (Channels(name="part", inputs=("input",), scale=1.0, first=4, count=8),
             Clamp(name="out", inputs=("part",), scale=1.0, low=-50, high=50))
    network = Network(name="parts", input_shape=(2, 3, 16), input_scale=1.0, nodes=nodes)
    x = np.random.default_rng(0).integers(-128, 128, (2, 2, 3, 16), np.int8)
    expected = np.clip(x[..., 4:12], -50, 50)
    np.testing.assert_array_equal(golden.outputs(network, x), expected)
    session = onnxruntime.InferenceSession(onnx_write.export(network).SerializeToString(),
                                           providers=["CPUExecutionProvider"])
    np.testing.assert_array_equal(session.run(None, {"input": x})[0], expected)
    netfile.save(network, tmp_path / "n.lutra")
    np.testing.assert_array_equal(golden.outputs(netfile.load(tmp_path / "n.lutra"), x), expected)
    for word, count in ((4, 1), (8, 0)):
        array = Array.mac(rows=8, columns=8, word=word)
        assert sum(len(part.nodes) == 2 for part in segments(network, array)) == count
    with pytest.raises(ValueError, match=r"^part must take some of 16 channels, not 8 from 9 on$"):
        replace(nodes[0], first=9).shape((2, 3, 16))


def test_schemes_by_pattern(tmp_path: Path) -> None:
    network, _ = block(tmp_path, scheme="int8", schemes={"*": "int4", "MatMul4": "int8"})
    assert [node.scheme for node in network.products] == ["int4", "int8", "int4", "int4", "int4", "int4"]
    with pytest.raises(ValueError, match=r"^schemes must name layers \(MatMul0, .*\), not \*query$"):
        block(tmp_path, scheme="int8", schemes={"*query": "int4"})


@pytest.mark.parametrize("functions", [False, True])
def test_onnx_runtime_computes_a_whole_block(functions: bool, tmp_path: Path) -> None:
    onnx.save(encoder(3), tmp_path / "e.onnx")
    x = np.random.default_rng(3).normal(size=(30, 6, 8))
    network = convert(onnx_read.read(tmp_path / "e.onnx"), x, scheme="int8", functions=functions)
    assert any(isinstance(node, Softmax) for node in network.nodes) != functions
    session = onnxruntime.InferenceSession(onnx_write.export(network).SerializeToString(),
                                           providers=["CPUExecutionProvider"])
    given = golden.quantise(network, x[:, None])
    (found,) = session.run(None, {"input": given})
    np.testing.assert_array_equal(found, golden.outputs(network, given))


def test_cycles_of_all_heads_are_those_of_the_stage() -> None:
    network = both(0, heads=3)
    array = mac_array(network, rows=4, columns=4)
    cut = stages(network, {"int8": array})
    found = run_programs(Design("int8", array), network,
                         [(stage.source, stage.program) for stage in cut if stage.program])
    assert found.cycles == sum(stage.latency().cycles for stage in cut)
    assert found.macs == network.macs == 3 * (5 * 7 * 5 + 5 * 5 * 7 + 5 * 5 * 7)
    shape = run(Design("int8", array), of_network(network))
    assert shape.macs == network.macs
    assert all(work.fresh for work in of_network(network) if work.layer)
    tables = [events.dram.tables for job, events in zip(shape.jobs, shape.events, strict=True) if job.layer]
    assert tables == [8 * 3 * 7 * 5, 8 * 3 * 5 * 7, 8 * 3 * 5 * 7]  # the operand of every head comes in once
