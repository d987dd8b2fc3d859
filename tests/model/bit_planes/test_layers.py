"""Bit planes: golden against multiplication and naive loops over planes; files and ONNX."""

from itertools import product as cartesian
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from lutra_model import algorithm, golden, netfile, onnx_write
from lutra_model.codings.bit_planes import half_table, rounded, shifts
from lutra_model.network import Network, Window
from tests.model.bit_planes.layers import layer, naive

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
