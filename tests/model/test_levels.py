"""Layers of levels (Deep Lookup Network) against loops written out, in every view but the hardware."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lutra_model import golden, netfile
from lutra_model.algorithm import run as algorithm
from lutra_model.codings import Levels
from lutra_model.counting import count
from lutra_model.images import table_words
from lutra_model.network import Network, Product, Window
from lutra_model.params import Array
from lutra_model.program import compile_network
from lutra_model.runs import jobs_of
from tests.model.onnx_write.computed import computed

SIZES = [(2, 2, 0), (2, 64, 1), (64, 2, 0), (3, 8, 1), (17, 17, 8), (33, 33, 0), (33, 33, 16), (64, 64, 31),
         (64, 63, 63)]
SAME = Window(kernel=(3, 3), padding=(1, 1, 1, 1))


def table(rng: np.random.Generator, activations: int, weights: int, zero: int) -> np.ndarray:
    """Any table, monotone in nothing, with its zero row and column."""
    levels = rng.integers(-128, 128, (activations, weights), np.int8)
    levels[zero] = levels[:, (weights - 1) // 2] = 0
    return levels


def layer(rng: np.random.Generator, sizes: tuple[int, int, int], *, reduction: int, columns: int, groups: int = 1,
          window: Window | None = None, name: str = "a", source: str = "input") -> Product:
    outputs = groups * columns
    return Product(
        name=name, inputs=(source,), scale=0.5, reduction=reduction, window=window, groups=groups,
        table=rng.integers(0, sizes[1], (groups * reduction, 1, columns)).astype(np.int8),
        coding=Levels(table(rng, *sizes), sizes[2]), bias=rng.integers(-500, 500, outputs),
        multiplier=rng.integers(2**15, 2**16, outputs), shift=np.full(outputs, 18), table_scale=np.full(outputs, 0.25))


def network(seed: int, sizes: tuple[int, int, int]) -> Network:
    """A convolution, one channel by channel, and a linear layer beside each other's levels."""
    rng = np.random.default_rng(seed)
    nodes = (layer(rng, sizes, reduction=27, columns=4, window=SAME),
             layer(rng, sizes, reduction=9, columns=1, groups=4, window=SAME, name="b", source="a"),
             layer(rng, sizes, reduction=4, columns=3, window=Window(kernel=(1, 1)), name="c", source="b"))
    return Network(name="levels", input_shape=(5, 4, 3), input_scale=0.5, nodes=nodes)


def inputs(seed: int, count: int = 2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    near = rng.integers(-40, 41, (count, 5, 4, 3), np.int8)
    return np.where(rng.random(near.shape) < 0.2, rng.integers(-128, 128, near.shape), near).astype(np.int8)


def naive(node: Product, rows: np.ndarray) -> np.ndarray:
    """``sum over d of T[level of a_d, level of weight d]``, one after the other, for a layer without groups."""
    coding = node.coding
    assert isinstance(coding, Levels)
    count, weights = coding.levels.shape
    found = np.zeros((rows.shape[1], node.columns), np.int64)
    for row in range(rows.shape[1]):
        for column in range(node.columns):
            for d in range(node.reduction):
                level = min(max(int(rows[d, row]) + coding.zero, 0), count - 1)
                weight = int(node.table[d, 0, column]) + (weights - 1) // 2
                found[row, column] += int(coding.levels[level, weight - weights if weight >= weights else weight])
    return found


@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("seed", range(2))
def test_sums_are_those_of_a_loop(seed: int, sizes: tuple[int, int, int]) -> None:
    rng = np.random.default_rng(seed)
    node = layer(rng, sizes, reduction=13, columns=5)
    rows = np.hstack([rng.integers(-128, 128, (13, 20), np.int8), rng.integers(-20, 40, (13, 40), np.int8)])
    assert np.array_equal(golden.accumulate(node, rows), naive(node, rows))


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_groups_are_layers_side_by_side(sizes: tuple[int, int, int]) -> None:
    node = layer(np.random.default_rng(3), sizes, reduction=6, columns=2, groups=3)
    rows = np.random.default_rng(4).integers(-40, 41, (18, 30), np.int8)
    alone = [naive(node.group(number), rows[6 * number:6 * number + 6]) for number in range(3)]
    assert np.array_equal(golden.accumulate(node, rows), np.concatenate(alone, axis=1))


def test_padding_and_the_code_0_add_nothing() -> None:
    node = layer(np.random.default_rng(0), (33, 33, 16), reduction=8, columns=3)
    rows = np.random.default_rng(1).integers(-16, 17, (8, 10), np.int8)
    assert not golden.accumulate(node, np.zeros_like(rows)).any()
    assert not golden.accumulate(replace(node, table=np.zeros_like(node.table)), rows).any()
    assert golden.accumulate(node, rows).any()


@pytest.mark.parametrize(("place", "message"), [
    ((5, 0), "row 5 of the table of levels of layer a must be 0, because no machine stores it, but it holds 7"),
    ((0, 4), "column 4 of the table of levels of layer a must be 0, because no machine stores it, but it holds 7")])
def test_a_table_without_a_zero_row_or_column_is_refused(place: tuple[int, int], message: str) -> None:
    node = layer(np.random.default_rng(0), (9, 9, 5), reduction=4, columns=3)
    assert isinstance(node.coding, Levels)
    levels = node.coding.levels.copy()
    levels[place] = 7
    with pytest.raises(ValueError, match=message):
        replace(node, coding=Levels(levels, 5))


@pytest.mark.parametrize(("sizes", "zero", "message"), [
    ((65, 3), 0, r"must be 2 to 64 levels of activations by as many of weights, not \(65, 3\)"),
    ((3, 1), 0, r"must be 2 to 64 levels of activations by as many of weights, not \(3, 1\)"),
    ((3, 3), 3, "the zero level of layer a must be 0 to 2, not 3"),
    ((3, 3), 1, "weights of layer a must be one code of 0 to 2 each")])
def test_levels_that_make_no_layer_are_refused(sizes: tuple[int, int], zero: int, message: str) -> None:
    node = layer(np.random.default_rng(0), (9, 9, 0), reduction=64, columns=3)
    with pytest.raises(ValueError, match=message):
        replace(node, coding=Levels(np.zeros(sizes, np.int8), zero))


@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_onnx_gives_the_golden_integers(sizes: tuple[int, int, int]) -> None:
    net, x = network(7, sizes), inputs(1, 3)
    values = golden.run(net, x)
    for name, found in computed(net, x).items():
        np.testing.assert_array_equal(found, values[name], err_msg=name)
    assert len(np.unique(values["a"])) > 20


def test_the_algorithm_is_the_golden_model_but_for_rounding() -> None:
    net = network(2, (33, 33, 16))
    one = replace(net, nodes=net.nodes[:1])
    x = inputs(5)
    real, exact = algorithm(one, x * 0.5)["a"], golden.run(one, x)["a"]
    sums = golden.accumulate(one.nodes[0], golden.windows(x, SAME)).reshape(real.shape)  # type: ignore[arg-type]
    bias = one.nodes[0].bias  # type: ignore[attr-defined]
    np.testing.assert_allclose(real, (sums + bias) * 0.25)
    assert exact.shape == real.shape


def test_the_network_file_keeps_levels(tmp_path: Path) -> None:
    net = network(1, (33, 17, 5))
    netfile.save(net, tmp_path / "a.lutra")
    again = netfile.load(tmp_path / "a.lutra")
    coding = again.nodes[0].coding  # type: ignore[attr-defined]
    assert isinstance(coding, Levels)
    assert (coding.zero, coding.scheme, coding.levels.dtype) == (5, "dln", np.int8)
    assert np.array_equal(golden.outputs(again, inputs(0)), golden.outputs(net, inputs(0)))


@pytest.mark.parametrize("engine", ["dln-row", "dln-column"])
def test_memory_holds_neither_the_zero_row_nor_the_zero_column(engine: str) -> None:
    net = network(3, (33, 33, 16))
    array = Array(engine=engine, rows=4, columns=4, encoders=4, length=1, entries=32, weight_levels=32,
                  codebook_words=512, table_words=4096)
    program = compile_network(net, array)
    assert (array.codebook_bytes, array.cell_bits) == (32, 6)
    assert program.codebooks.shape == (3 * 32, 32)
    levels = net.nodes[0].coding.levels  # type: ignore[attr-defined]
    rest = np.delete(np.delete(levels, 16, axis=0), 16, axis=1)
    assert sorted(program.codebooks[:32].view(np.int8).ravel().tolist()) == sorted(rest.ravel().tolist())
    word = program.codebooks[4].view(np.int8)  # of code 5: activation 5, level 21
    assert [word[1], word[0], word[16], word[17]] == [levels[21, 17], levels[21, 15], levels[21, 32], levels[21, 0]]


@pytest.mark.parametrize(("sizes", "message"), [
    ({"entries": 16}, "layer a has 33 levels of activations, the array's hold at most 17"),
    ({"weight_levels": 16}, "layer a has 33 levels of weights, the array's hold at most 17")])
def test_an_array_of_fewer_levels_refuses_a_layer(sizes: dict[str, int], message: str) -> None:
    array = Array(**{"engine": "dln-row", "length": 1, "entries": 32, "weight_levels": 32} | sizes)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=message):
        compile_network(network(0, (33, 33, 0)), array)


@pytest.mark.parametrize("engine", ["dln-row", "dln-column"])
@pytest.mark.parametrize("fill", [2, 4])
def test_events_are_those_of_the_beats_in_memory(engine: str, fill: int) -> None:
    net = network(3, (33, 33, 16))
    array = Array(engine=engine, rows=4, columns=4, encoders=2, fill=fill, length=1, entries=32, weight_levels=32,
                  block_rows=9, codebook_words=512, table_words=4096)
    program = compile_network(net, array)
    jobs = [job for job in jobs_of(net, program) if job.layer]
    found = [count(job.operation, array, job.layer) for job in jobs]
    beats = [op.blocks * (table_words(op, array) - op.column_tiles * array.parameter_beats)
             for op in (job.operation for job in jobs)]
    lookups = [27 * 4 * 20, 4 * 9 * 4 * 20, 4 * 3 * 20]  # a layer of 4 groups is a block-diagonal one
    assert [events.table_writes for events in found] == [number * fill * 4 for number in beats]
    assert sum(events.codebook_write_bits for events in found) == program.codebooks.size * 8
    assert [events.table_reads for events in found] == lookups
    levels = [32 * (number if engine == "dln-row" else 1) for number in beats]
    assert [events.codebook_read_bits for events in found] == [32 * 8 * number for number in levels]
    written = 8 * fill * 4 if engine == "dln-row" else 32 * 8  # a word for each cell, or a level for all rows
    assert [events.cell_register_bits for events in found] == [written * number for number in levels]
