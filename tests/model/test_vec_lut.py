"""Vec-LUT: published packing vectors, half tables by single additions, layers against naive loops, hazards."""

from itertools import pairwise
from itertools import product as cartesian
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from lutra_hw.vector_builder import additions as built_by
from lutra_model import golden, netfile, onnx_write, passes_vector, ternary
from lutra_model.codings import Trits
from lutra_model.counting import count
from lutra_model.graph import Affine
from lutra_model.latency import network_latency
from lutra_model.narrow import Narrow, Policy, narrow_sums, safe_flush
from lutra_model.network import Network, Product, Window
from lutra_model.operation import Operation
from lutra_model.params import Array, Layer
from lutra_model.program import compile_network
from lutra_model.schemes import Layer as ToConvert
from lutra_model.schemes import Options
from lutra_model.schemes.vec_lut import VecLut, quantise_tokens, ternarise
from lutra_model.tiling import product
from lutra_sim.cases import random_case

GROUPS = [3, 4, 5]
SMALL = Array(engine="vec-lut", rows=4, columns=4, encoders=2, length=4, entries=1, block_rows=12, index_words=128,
              activation_words=512, table_words=2048, program_words=2048)


def layer(seed: int, group: int, channels: int, window: Window | None, columns: int, groups: int = 1) -> Product:
    rng, taps = np.random.default_rng(seed), prod(window.kernel) if window else 1
    weights = rng.integers(-1, 2, (groups, channels * taps, columns), np.int8)
    table = np.concatenate([ternary.pack_layer(part, group, taps) for part in weights])
    wide = groups * columns
    node = Product(name="p", inputs=("input",), scale=1.0, table=table, coding=Trits(group), reduction=channels * taps,
                   groups=groups, bias=rng.integers(-99, 99, wide), multiplier=np.full(wide, 40000),
                   shift=np.full(wide, 24), table_scale=np.ones(wide), window=window)
    object.__setattr__(node, "true", weights)
    return node


@pytest.mark.parametrize(("weights", "code"), [
    ([1, -1, 0, 1], 65), ([0, 0, 0, 0], 40), ([0] * 5, 121), ([1, 0, -1, 1, -1], 59)], ids=str)
def test_published_codes(weights: list[int], code: int) -> None:
    """Values of vlut.cpp's packing."""
    assert int(ternary.pack(np.array(weights, np.int8))) == code
    assert ternary.unpack(np.array(code, np.uint8), len(weights)).tolist() == weights


def test_published_entry() -> None:
    table = np.array([[[65]]], np.uint8).view(np.int8)
    node = Trits(4)
    assert int(np.array([1, 10, 100, 1000]) @ node.weights(table)[:, 0]) == 991


@pytest.mark.parametrize(("group", "adds"), [(3, 13), (4, 40), (5, 121)])
def test_half_a_table_takes_one_addition_for_each_entry(group: int, adds: int) -> None:
    a = np.random.default_rng(group).integers(-128, 128, group).tolist()
    steps = ternary.additions(group)
    assert steps == [(place, -1 if minus else 1) for place, minus in built_by(group)]
    entries = [0]
    for place, sign in steps:
        entries.append(entries[-1] + sign * a[place])
    assert len(steps) == adds == ternary.zero_code(group)
    for code, word in enumerate(ternary.sign_ranks(group).tolist()):
        weights = [code // 3**place % 3 - 1 for place in range(group)]
        entry = entries[word & 0x7F]
        assert (-entry if word & 0x80 else entry) == sum(w * x for w, x in zip(weights, a, strict=True))


@pytest.mark.parametrize("group", GROUPS)
def test_the_half_holds_one_of_each_mirror_pair(group: int) -> None:
    vectors = [tuple(vector) for vector in ternary.vectors(group).tolist()]
    half = vectors[ternary.zero_code(group):]
    assert half[0] == (0,) * group
    mirrored = {tuple(-digit for digit in vector) for vector in half}
    assert set(half) | mirrored == set(cartesian((-1, 0, 1), repeat=group))
    assert set(half) & mirrored == {half[0]}
    for before, after in pairwise(vectors):
        assert sorted(abs(x - y) for x, y in zip(before, after, strict=True)) == [0] * (group - 1) + [1]


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("channels", [1, 3, 4, 7, 10])
def test_linear_layers_equal_naive_loops(group: int, channels: int) -> None:
    node = layer(channels, group, channels, None, 6)
    weights: Any = vars(node)["true"][0]
    x = np.random.default_rng(2).integers(-128, 128, (5, channels), np.int8)
    sums = golden.accumulate(node, x.T)
    for row, column in cartesian(range(5), range(6)):
        assert sums[row, column] == sum(int(a) * int(w) for a, w in zip(x[row], weights[:, column], strict=True))


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("group", GROUPS)
def test_convolutions_equal_naive_loops_files_and_onnx(group: int, groups: int, tmp_path: Path) -> None:
    """Channels that leave a tail in every tap; padding."""
    channels, window = 4 * group - 1, Window(kernel=(3, 2), stride=(2, 1), padding=(1, 0, 1, 1))
    node = layer(7, group, channels, window, 4, groups)
    weights: Any = vars(node)["true"]
    network = Network(name="n", input_shape=(5, 4, groups * channels), input_scale=1.0, nodes=(node,))
    x = np.random.default_rng(9).integers(-128, 128, (2, 5, 4, groups * channels), np.int8)
    found = golden.outputs(network, x)
    padded = np.pad(x, ((0, 0), (1, 1), (0, 1), (0, 0))).astype(int)
    for image, y, column in cartesian(range(2), range(found.shape[1]), range(groups * 4)):
        g, n = divmod(column, 4)
        total = sum(padded[image, 2 * y + i, 1 + j, g * channels + c] * int(weights[g, (c * 3 + i) * 2 + j, n])
                    for c, i, j in cartesian(range(channels), range(3), range(2)))
        exact = ((total + int(node.bias[column])) * 40000 + (1 << 23)) >> 24
        assert found[image, y, 1, column] == min(max(exact, -128), 127)
    netfile.save(network, tmp_path / "n.lutra")
    onnx_write.export(network, tmp_path / "n.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "n.onnx")
    assert np.array_equal(session.run(None, {"input": x})[0], found)
    assert np.array_equal(golden.outputs(netfile.load(tmp_path / "n.lutra"), x), found)


def test_the_published_accumulator_overflows_and_a_safe_flush_does_not() -> None:
    """512 weights of 1, activations of -128: 128 look-ups reach -65,536, where 16 bits hold -32,768."""
    codes, a = np.full((128, 1), 80, np.uint8), np.full((512, 1), -128, np.int8)
    with pytest.raises(ValueError, match=r"^accumulators of 16 bits must hold -32768 to 32767, but a sum reaches 33280 "
                                         r"in magnitude$"):
        narrow_sums(codes, a, 4, Narrow())
    safe = narrow_sums(codes, a, 4, Narrow(flush=63))
    assert (safe.sums.tolist(), safe.peak) == ([[-65536]], 63 * 512)
    assert narrow_sums(codes, a, 4, Narrow(policy=Policy.WRAP)).sums.tolist() == [[0]]
    assert narrow_sums(codes, a, 4, Narrow(policy=Policy.SATURATE)).sums.tolist() == [[-32768]]
    assert narrow_sums(codes, a, 4, Narrow(bits=18)).peak == 65536
    assert (safe_flush(16, 4), safe_flush(16, 5), safe_flush(16, 4, 127), safe_flush(16, 5, 127)) == (63, 51, 64, 51)


@pytest.mark.parametrize("policy", [Policy.WRAP, Policy.SATURATE])
@pytest.mark.parametrize("flush", [0, 1, 3])
def test_narrow_sums_equal_naive_loops(policy: Policy, flush: int) -> None:
    rng = np.random.default_rng(flush)
    codes, a = rng.integers(0, 81, (8, 3), np.uint8), rng.integers(-128, 128, (32, 5), np.int8)
    found = narrow_sums(codes, a, 4, Narrow(bits=9, flush=flush, policy=policy))
    peak = 0
    for row, column in cartesian(range(5), range(3)):
        wide = inner = 0
        for k in range(8):
            inner += sum(int(a[4 * k + j, row]) * (int(codes[k, column]) // 3**j % 3 - 1) for j in range(4))
            peak = max(peak, abs(inner))
            inner = min(max(inner, -256), 255) if policy is Policy.SATURATE else (inner + 256) % 512 - 256
            if flush and (k + 1) % flush == 0:
                wide, inner = wide + inner, 0
        assert found.sums[row, column] == wide + inner
    assert found.peak == peak


def test_tokens_are_quantised_by_their_largest_magnitude() -> None:
    """x = [-10, 1]; vlut.cpp takes the largest value, 1, and clips."""
    q, scale = quantise_tokens(np.array([[-10.0, 1.0], [0.0, 0.0]]))
    assert (q.tolist(), scale.tolist()) == ([[-127, 13], [0, 0]], [10 / 127, 0])
    q, scale = quantise_tokens(np.array([[-10.0, 1.0]]), compat="vlut-max")
    assert (q.tolist(), scale.tolist()) == ([[-128, 127]], [1 / 127])
    with pytest.raises(ValueError, match=r"^compat must be vlut-max or None, not max$"):
        quantise_tokens(np.zeros((1, 1)), compat="max")  # type: ignore[arg-type]


@pytest.mark.parametrize("threshold", ["mse", "absmean"])
def test_ternary_weights_stay_what_they_are(threshold: str) -> None:
    rng = np.random.default_rng(3)
    weights, scale = rng.integers(-1, 2, (24, 5)), rng.uniform(0.1, 2, 5)
    found, step = ternarise(weights * scale, threshold)
    assert np.array_equal(found, weights)
    assert np.allclose(step, scale if threshold == "mse" else scale * np.abs(weights).mean(axis=0))


def test_absmean_is_that_of_bitnet() -> None:
    """Mean magnitude 1: from half of it on a weight counts (0.5 rounds to even)."""
    weights, scale = ternarise(np.array([[0.5], [-0.6], [2.5], [0.4]]), "absmean")
    assert (weights[:, 0].tolist(), scale.tolist()) == ([0, -1, 1, 0], [1.0])


@pytest.mark.parametrize("group", GROUPS)
def test_a_converted_layer_is_the_float_layer_of_its_ternary_weights(group: int) -> None:
    rng = np.random.default_rng(group)
    window = Window(kernel=(2, 2))
    weight, bias = rng.integers(-1, 2, (28, 6)) * rng.uniform(0.2, 0.4, 6), rng.normal(size=6)
    step = Affine(name="c", inputs=("input",), tensor="c", places=None, weight=weight, bias=bias,  # type: ignore[arg-type]
                  window=window, groups=1)
    x = rng.integers(-128, 128, (40, 3, 3, 7), np.int8)
    columns = golden.windows(x, window)
    real = (columns.T * 0.02) @ weight + bias
    scale = float(np.abs(real).max()) / 127
    node = VecLut().product(ToConvert(step=step, source="input", input_scale=0.02, scale=scale, low=-128, high=127,
                                      columns=lambda: columns, target=lambda: real), Options(group=group))
    bound = 0.5 + node.table_scale.max() / scale / 2 + 0.01  # output and bias rounded, multiplier
    assert np.abs(golden.finish(node, golden.accumulate(node, columns)) - real / scale).max() <= bound
    ordered = golden.ordered(node, columns)[0].T * 0.02
    assert np.allclose(node.coding.float_sums(node, ordered, 0.02) + bias, real)


def test_bits_of_a_weight() -> None:
    assert Trits(4).bits_per_weight(layer(0, 4, 64, None, 8)) == 2.0
    assert Trits(5).bits_per_weight(layer(0, 5, 320, None, 8)) == 1.6
    assert Trits(5).bits_per_weight(layer(0, 5, 6, None, 8)) == pytest.approx(16 / 6)


def walk(operation: Operation, layer: Layer, array: Array) -> dict[str, int]:
    """Everything that is counted, one table, beat and cell at a time."""
    seen = dict.fromkeys(("issues", "reads", "adds", "words", "beats", "kept"), 0)
    for tokens in operation.block_sizes:
        for first in range(0, operation.column_tiles, operation.sweep):
            tiles = range(first, min(first + operation.sweep, operation.column_tiles))
            for tile in range(operation.row_tiles):
                used = min(array.rows, layer.codebooks - tile * array.rows)
                seen["words"] += tokens
                seen["adds"] += tokens * array.rows * 40
                for column in range(tiles[0] * array.columns, min((tiles[-1] + 1) * array.columns, layer.columns)):
                    assert column < layer.columns
                    seen["issues"] += 1
                    seen["beats"] += 1 + (2 if tile == operation.row_tiles - 1 else 0)
                    seen["reads"] += tokens * used
                    seen["kept"] += tile > 0
    return seen


@pytest.mark.parametrize(("rows", "reduction", "columns"), [(1, 4, 1), (3, 30, 9), (9, 64, 26), (17, 130, 13)])
@pytest.mark.parametrize("streamed", [False, True], ids=["resident", "streamed"])
def test_events_equal_a_walk(rows: int, reduction: int, columns: int, streamed: bool) -> None:
    shape = Layer(rows=rows, codebooks=-(-reduction // 4), columns=columns, length=4, entries=1, reduction=reduction,
                  engine="vec-lut", runs=True)
    operation = product(shape, reduction, SMALL, stream_tables=streamed)
    events, seen = count(operation, SMALL, shape), walk(operation, shape, SMALL)
    assert (events.issues, events.table_reads) == (seen["issues"], seen["reads"])
    assert seen["reads"] == shape.lookups
    assert events.encoder_add_bits == seen["adds"] * 11
    assert events.index_read_bits == seen["words"] * 4 * 32
    assert events.idle_cells == seen["issues"] * 16 - seen["reads"]
    assert events.accumulator_read_bits == events.accumulator_write_bits == seen["kept"] * 4 * (11 + 9)
    assert (events.table_read_bits, events.table_beats) == ((0, seen["beats"]) if streamed else (seen["beats"] * 32, 0))


def shapes(seed: int) -> tuple[Operation, Array, int]:
    rng = np.random.default_rng(seed)
    array = Array(engine="vec-lut", rows=int(rng.choice([1, 2, 4, 16])), columns=int(rng.choice([1, 2, 4])), encoders=1,
                  length=int(rng.integers(3, 6)), entries=1, block_rows=int(rng.choice([4, 16, 64])), index_words=4096)
    size = Layer(rows=int(rng.integers(1, 30)), codebooks=int(rng.integers(1, 60)), columns=int(rng.integers(1, 300)),
                 length=array.length, entries=1, engine="vec-lut", runs=True)
    operation = product(size, size.reduction, array.resized(codebooks=4096), stream_tables=bool(rng.integers(2)))
    return operation, array, int(rng.choice([1, 1, 2, 3, 9]))


@pytest.mark.parametrize("seed", range(150))
def test_skipped_tiles_equal_stepping_through_all(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    operation, array, period = shapes(seed)
    (found,) = network_latency([operation], array, table_period=period).operations
    assert min(found.causes.values()) >= 0
    assert sum(found.causes.values()) == found.done + 1

    def every(state: Any, step: Any, times: int, cycles: int) -> Any:
        for _ in range(times):
            state = step(state)
        return state

    monkeypatch.setattr(passes_vector, "_repeat", every)
    (stepped,) = network_latency([operation], array, table_period=period).operations
    assert (found.done, found.causes, found.busy) == (stepped.done, stepped.causes, stepped.busy)


def test_one_token_uses_one_lane() -> None:
    """Decoding: of four lanes three stand idle; the report shows a quarter at most."""
    for rows in (1, 4):
        shape = Layer(rows=rows, codebooks=256, columns=400, length=4, entries=1, engine="vec-lut", runs=True)
        (found,) = network_latency([product(shape, 1024, SMALL.resized(block_rows=512, index_words=256))],
                                   SMALL).operations
        assert 0.9 * rows / 4 < found.cell_utilisation(shape.lookups) < rows / 4


def test_random_networks_reach_every_order_of_work() -> None:
    operations = [item for seed in range(60) for item in random_case(SMALL, seed).program.operations if item.groups]
    for kind in ("blocks", "row_tiles", "sweeps", "sweep"):
        assert {getattr(item, kind) == 1 for item in operations} == {True, False}, kind
    for flag in ("residual", "stream_tables", "to_stream"):
        assert {getattr(item, flag) for item in operations} == {True, False}, flag


@pytest.mark.parametrize(("sizes", "message"), [
    ({"length": 2}, "a vec-lut array must have length 3, 4 or 5 and entries 1, not 2 and 1"),
    ({"entries": 16}, "a vec-lut array must have length 3, 4 or 5 and entries 1, not 4 and 16"),
    ({"functions": 1}, "a vec-lut array must have no function slots, not 1"),
    ({"fill": 2}, "a vec-lut array must fill all 4 rows, not 2"),
    ({"block_rows": 3}, "block_rows of a vec-lut array must be at least its 4 columns, not 3")])
def test_machines_that_cannot_be(sizes: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        SMALL.resized(**sizes)


def test_layers_that_cannot_be() -> None:
    with pytest.raises(ValueError, match=r"^group must be 3, 4 or 5 ternary weights, not 6$"):
        Trits(6)
    with pytest.raises(ValueError, match=r"^weights must be groups of 3, 4 or 5 of -1, 0 or 1, not 2 of 0 to 1$"):
        ternary.pack(np.array([0, 1], np.int8))
    node = layer(0, 5, 10, None, 3)
    with pytest.raises(ValueError, match=r"^table of layer p must hold one code below 27 for each group and column, "
                                         r"not 1 up to \d+$"):
        Trits(3).check(node)
    network = Network(name="n", input_shape=(10,), input_scale=1.0, nodes=(node,))
    with pytest.raises(ValueError, match=r"^layer p must use the array's group of 4 ternary weights, not 5$"):
        compile_network(network, SMALL)
    with pytest.raises(ValueError, match=r"^threshold must be mse or absmean, not mean$"):
        VecLut().check(Options(threshold="mean"), {})
