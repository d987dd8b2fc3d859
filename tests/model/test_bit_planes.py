"""Bit planes: published vectors, naive loops over planes and tables, hazards of the published RTL, files and ONNX."""

from itertools import product as cartesian
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from lutra_model import algorithm, golden, netfile, onnx_write
from lutra_model.codings import BitPlanes
from lutra_model.codings.bit_planes import folded, half_table, levels, rounded, shifts
from lutra_model.network import Network, Product, Window
from lutra_model.params import Array
from lutra_model.program import compile_network

Ints = NDArray[np.integer]


def zero_of(z: Ints, bits: int) -> NDArray[np.int8]:
    return (2 * z + 1 - 2**bits).astype(np.int8)


def layer(seed: int, bits: int, *, group: int = 4, channels: int = 6, columns: int = 5, groups: int = 1,
          window: Window | None = None, quantised: bool = False) -> tuple[Product, Ints, Ints]:
    """A layer, its weights ``(taps, channels, groups * columns)`` of so many bits, and its zero points."""
    rng, taps = np.random.default_rng(seed), window.kernel[0] * window.kernel[1] if window else 1
    q = rng.integers(0, 2**bits, (taps, channels, groups * columns))
    low, high = (0, 2**bits) if bits < 8 else (64, 192)
    z = rng.integers(low, high, groups * columns)
    outputs, parts = groups * columns, []
    for g in range(groups):
        padded = np.zeros((taps, -(-channels // group) * group, columns), int)
        padded[:, channels:] = rng.integers(0, 2**bits)  # whatever stands beside the channels
        padded[:, :channels] = q[:, :, g * columns:(g + 1) * columns]
        parts.append(folded(padded.reshape(-1, group, columns), bits))
    node = Product(name="p", inputs=("input",), scale=0.5, low=-100, high=90, table=np.concatenate(parts),
                   coding=BitPlanes(zero_of(z, bits), bits, group, quantised), reduction=channels * taps,
                   bias=rng.integers(-9999, 9999, outputs), multiplier=rng.integers(2**15, 2**16, outputs),
                   shift=np.full(outputs, 20 + bits), table_scale=rng.uniform(0.1, 1, outputs), window=window,
                   groups=groups)
    return node, q, z


def naive(x: NDArray[np.int8], q: Ints, z: Ints, groups: int, window: Window | None) -> list[int]:
    """``2 sum a (q - z)`` of every output pixel and column, one multiplication at a time."""
    window = window or Window(kernel=(1, 1))
    image = x if x.ndim == 4 else x[:, None, None]
    (batch, height, width, channels), (top, left, *_) = image.shape, window.padding
    each, columns, found = channels // groups, q.shape[2] // groups, []
    rows, wide = window.output(height, width)
    for b, oy, ox, n in cartesian(range(batch), range(rows), range(wide), range(q.shape[2])):
        total = 0
        for i, j, c in cartesian(range(window.kernel[0]), range(window.kernel[1]), range(each)):
            y, at = oy * window.stride[0] + i - top, ox * window.stride[1] + j - left
            if 0 <= y < height and 0 <= at < width:
                weight = int(q[i * window.kernel[1] + j, c, n]) - int(z[n])
                total += 2 * int(image[b, y, at, n // columns * each + c]) * weight
        found.append(total)
    return found


def test_the_half_table_is_the_published_one() -> None:
    assert half_table(np.array([[[3], [-5], [7], [2]]], np.int8)).ravel().tolist() == [-7, -1, -17, -11, 7, 13, -3, 3]


def test_planes_are_folded_as_published() -> None:
    """q = [0, 3, 1, 2]: plane 1 has sign 1 and index 5, plane 0 sign 0 and index 6."""
    assert folded(np.array([0, 3, 1, 2]).reshape(1, 4, 1), 2).ravel().tolist() == [8 + 5, 6]


@pytest.mark.parametrize(("z", "expected"), [(0, -8), (1, -22)])
def test_the_zero_point_is_carried(z: int, expected: int) -> None:
    coding = BitPlanes(zero_of(np.array([z]), 2), 2)
    table = folded(np.array([0, 3, 1, 2]).reshape(1, 4, 1), 2)
    assert coding.sums(table, np.array([[3], [-5], [7], [2]], np.int8)).tolist() == [[expected]]


@pytest.mark.parametrize("seed", range(5))
def test_the_fold_by_the_first_scalar_gives_the_same_sums(seed: int) -> None:
    """The published hardware takes its sign from bit 0 of a plane, not from the last as the paper does."""
    rng = np.random.default_rng(seed)
    a = rng.integers(-128, 128, 4)
    for pattern in range(16):
        places = [pattern >> n & 1 for n in range(4)]
        mirrored = folded(np.array(places[::-1]).reshape(1, 4, 1), 1).item()  # of the scalars in the other order
        index, sign = mirrored & 7, mirrored >> 3
        entry = half_table(a[::-1].reshape(1, 4, 1).astype(np.int8))[0, index, 0]
        assert (-entry if sign else entry) == sum(v if bit else -v for v, bit in zip(a.tolist(), places, strict=True))


WINDOW = Window(kernel=(3, 2), stride=(2, 1), padding=(1, 0, 1, 1))


@pytest.mark.parametrize("window", [None, WINDOW], ids=["linear", "window"])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("group", [1, 2, 4])
@pytest.mark.parametrize("bits", range(1, 9))
def test_golden_equals_multiplication(bits: int, group: int, groups: int, window: Window | None) -> None:
    node, q, z = layer(bits, bits, group=group, groups=groups, window=window)
    shape = (2, groups * 6) if window is None else (1, 4, 3, groups * 6)
    x = np.random.default_rng(99).integers(-128, 128, shape, np.int8)
    sums = golden.accumulate(node, golden.windows(x, window))
    assert sums.ravel().tolist() == naive(x, q, z, groups, window)


@pytest.mark.parametrize("quantised", [False, True], ids=["whole", "8-bit"])
@pytest.mark.parametrize("bits", [1, 3, 4, 7])
@pytest.mark.parametrize("group", [1, 4])
def test_golden_equals_tables_plane_by_plane(bits: int, group: int, quantised: bool) -> None:
    node, _, _ = layer(7, bits, group=group, quantised=quantised)
    x = np.random.default_rng(1).choice(np.array([-128, -127, -3, 0, 60, 127], np.int8), (40, 6))
    sums = golden.accumulate(node, x.T)
    for row, n in cartesian(range(40), range(5)):
        a = [*x[row].tolist(), *[0] * (-6 % group)]
        total = 0
        for plane in range(bits):
            part = 0
            for k in range(len(node.table)):
                pattern, some = int(node.table[k, plane, n]), a[k * group:(k + 1) * group]
                index, sign = pattern & (1 << group - 1) - 1, pattern >> group - 1
                entry = sum(v if index >> place & 1 else -v for place, v in enumerate(some[:-1])) - some[-1]
                if quantised:
                    size = sum(map(abs, some))
                    places = next((t for t in range(3) if (size + (1 << t >> 1)) >> t <= 127), 3)
                    entry = (entry + (1 << places >> 1)) >> places << places
                part += -entry if sign else entry
            total = 2 * total + part
        assert sums[row, n] == total - int(node.coding.zero[n]) * sum(a)


def test_quantised_tables_are_exact_while_groups_are_small_and_near_beyond() -> None:
    rng = np.random.default_rng(0)
    small = half_table(rng.integers(-31, 32, (3, 4, 50), np.int8))
    assert np.array_equal(rounded(small), small)
    every = half_table(rng.choice(np.array([-128, 127, 1, 0], np.int8), (9, 4, 500)))
    places = shifts(every)
    assert set(np.unique(places)) == {0, 1, 2, 3}
    entries = rounded(every) >> places
    assert entries.min() >= -128
    assert entries.max() <= 127
    assert (np.abs(rounded(every) - every) <= (1 << places) >> 1).all()


@pytest.mark.parametrize("bits", [1, 3, 8])
def test_levels_come_back(bits: int) -> None:
    q = np.random.default_rng(bits).integers(0, 2**bits, (5, 4, 3))
    assert np.array_equal(levels(folded(q, bits), 4), 2 * q - (2**bits - 1))


def test_ternary_weights_are_two_planes() -> None:
    trits = np.random.default_rng(3).integers(-1, 2, (8, 6))
    coding = BitPlanes(zero_of(np.ones(6, int), 2), 2)
    x = np.random.default_rng(4).integers(-128, 128, (8, 20), np.int8)
    assert np.array_equal(coding.sums(folded((trits + 1).reshape(2, 4, 6), 2), x), 2 * x.astype(int).T @ trits)


def test_one_plane_between_two_levels_is_a_sign() -> None:
    signs = np.random.default_rng(3).choice([-1, 1], (8, 6))
    coding = BitPlanes(np.zeros(6, np.int8), 1)
    x = np.random.default_rng(4).integers(-128, 128, (8, 20), np.int8)
    assert np.array_equal(coding.sums(folded((signs > 0).astype(int).reshape(2, 4, 6), 1), x), x.astype(int).T @ signs)


def test_planes_in_another_order_give_other_sums() -> None:
    node, _, _ = layer(1, 3)
    x = np.random.default_rng(2).integers(-128, 128, (6, 9), np.int8)
    other = Product(**{**vars(node), "table": node.table[:, ::-1].copy()})
    assert (golden.accumulate(node, x) != golden.accumulate(other, x)).any()


def test_an_entry_of_zero_adds_nothing_in_any_plane() -> None:
    """Groups of equal activations have entries of 0; the published hardware adds 2^-14 for them."""
    table = folded(np.array([[[1, 3]], [[1, 0]], [[2, 3]], [[2, 0]]]).reshape(1, 4, 2), 2)
    assert BitPlanes(np.zeros(2, np.int8), 2).sums(table, np.full((4, 1), 77, np.int8)).tolist() == [[0, 0]]


@pytest.mark.parametrize("quantised", [False, True], ids=["whole", "8-bit"])
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("group", [1, 4])
@pytest.mark.parametrize("window", [None, WINDOW], ids=["linear", "window"])
def test_files_and_onnx_are_the_same_network(window: Window | None, group: int, groups: int, quantised: bool,
                                             tmp_path: Path) -> None:
    node, _, _ = layer(5, 3, window=window, group=group, groups=groups, quantised=quantised)
    shape = (groups * 6,) if window is None else (5, 4, groups * 6)
    network = Network(name="n", input_shape=shape, input_scale=1.0, nodes=(node,))
    x = np.random.default_rng(6).integers(-128, 128, (9, *shape), np.int8)
    x[0], x[1] = -128, 127
    expected = golden.outputs(network, x)
    netfile.save(network, tmp_path / "n.lutra")
    onnx_write.export(network, tmp_path / "n.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "n.onnx")
    assert np.array_equal(session.run(None, {"input": x})[0], expected)
    assert np.array_equal(golden.outputs(netfile.load(tmp_path / "n.lutra"), x), expected)


@pytest.mark.parametrize("groups", [1, 2])
def test_the_algorithm_differs_by_rounding_alone(groups: int) -> None:
    node, _, _ = layer(8, 4, window=WINDOW, groups=groups)
    x = np.random.default_rng(6).integers(-128, 128, (2, 5, 4, groups * 6), np.int8)
    real = algorithm.evaluate(node, 0.25, x * 0.25)
    sums = golden.accumulate(node, golden.windows(x, WINDOW)) + node.bias
    assert np.allclose(real.ravel(), (sums * node.table_scale).ravel())


@pytest.mark.parametrize(("change", "sentence"), [
    ({"bits": 4}, r"layer p must have 1 to 8 planes, 4 as its coding says, not 3"),
    ({"group": 3}, r"groups of weights of layer p must have 1, 2, 4 scalars, not 3"),
    ({"group": 2}, r"patterns of layer p must be 0 to 3, not 0 to 15"),
    ({"zero": np.zeros(4, np.int8)}, r"zero of layer p must have shape \(5,\), not \(4,\)")])
def test_what_makes_no_layer_is_refused(change: dict[str, object], sentence: str) -> None:
    node, _, _ = layer(1, 3, channels=16)
    fields = vars(node.coding) | change
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        Product(**{**vars(node), "coding": BitPlanes(**fields)})


@pytest.mark.parametrize(("sizes", "sentence"), [
    ({"length": 3}, r"length must be 1, 2 or 4, not 3"), ({"entries": 9}, r"entries must be 1 to 8 planes, not 9"),
    ({"fill": 1}, r"fill must be a multiple of 2, so that a table beat has whole bytes, not 1")])
def test_what_makes_no_array_is_refused(sizes: dict[str, int], sentence: str) -> None:
    given = {"rows": 4, "columns": 4, "encoders": 2, "length": 4, "entries": 4} | sizes
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        Array(engine="lut-tc", **given)


def test_layers_that_another_array_wants_are_refused() -> None:
    node, _, _ = layer(1, 3)
    network = Network(name="n", input_shape=(6,), input_scale=1.0, nodes=(node,))
    sizes = {"rows": 8, "columns": 4, "encoders": 4, "entries": 3}
    with pytest.raises(ValueError, match=r"^layer p must have the array's groups of 1 scalars, not 4$"):
        compile_network(network, Array(engine="lut-tc", length=1, **sizes))
    with pytest.raises(ValueError, match=r"^layer p must have the array's 8-bit table entries, not whole ones$"):
        compile_network(network, Array(engine="lut-tc", length=4, quantised=True, **sizes))
    with pytest.raises(ValueError, match=r"^layer p needs entries 3, the array holds at most 2$"):
        compile_network(network, Array(engine="lut-tc", length=4, **(sizes | {"entries": 2})))
