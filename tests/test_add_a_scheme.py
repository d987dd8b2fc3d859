"""docs/add-a-scheme.md: its blocks are run, and the scheme that they make is verified as any other."""

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from lutra_hw.engines import ENGINES as HARDWARE
from lutra_model import golden, netfile, onnx_write
from lutra_model.codings import CODINGS
from lutra_model.convert import convert
from lutra_model.engines import ENGINES
from lutra_model.fit import arrays
from lutra_model.network import Network
from lutra_model.params import Array
from lutra_model.program import compile_network
from lutra_model.runs import Design, run_programs
from lutra_model.schemes import SCHEMES
from lutra_model.technology import builtin
from lutra_sim.cases import random_case
from lutra_sim.compiled import build
from tests.strategies import LARGE

GUIDE = Path(__file__).parents[1] / "docs" / "add-a-scheme.md"
ARRAY = {"engine": "shift", "rows": 4, "columns": 3, "encoders": 2, "length": 1, "entries": 1, "block_rows": 7,
         "index_words": 1200, **LARGE}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 12)).astype(np.float32)


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The module that the page's blocks are, while this file's tests run."""
    path = tmp_path_factory.mktemp("toy") / "toy_scheme.py"
    path.write_text("\n\n".join(re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)))
    spec = importlib.util.spec_from_file_location("toy_scheme", path)
    assert spec is not None
    assert spec.loader is not None
    sys.modules["toy_scheme"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module
    for registry in (CODINGS, ENGINES, SCHEMES, HARDWARE):
        del registry["shift"]  # type: ignore[attr-defined]
    del sys.modules["toy_scheme"]


@pytest.fixture(scope="module")
def net(toy: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Network:
    """A linear layer of random weights, converted."""
    constants = {"w": RNG.normal(size=(12, 5)), "b": RNG.normal(size=5)}
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["x", "w", "b"], ["y"])], "toy",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 12])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 5])],
        [numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()])
    path = tmp_path_factory.mktemp("model") / "toy.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return convert(path, X, scheme="shift")


def test_golden_sums_equal_a_naive_loop(net: Network) -> None:
    node, q = net.products[0], golden.quantise(net, X[:20])
    for row, got in zip(q.tolist(), golden.accumulate(node, q.T).tolist(), strict=True):
        for column in range(5):
            words = node.table[:, 0, column].tolist()
            terms = [0 if word % 8 == 7 else (-a if word & 8 else a) << word % 8
                     for a, word in zip(row, words, strict=True)]
            assert got[column] == sum(terms)


def test_files_hold_it(net: Network, tmp_path: Path) -> None:
    netfile.save(net, tmp_path / "net.lutra")
    onnx_write.export(net, tmp_path / "net.onnx")
    expected = golden.outputs(net, X[:9])
    assert np.array_equal(golden.outputs(netfile.load(tmp_path / "net.lutra"), X[:9]), expected)
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    assert np.array_equal(session.run(None, {"input": golden.quantise(net, X[:9])})[0], expected)


def test_it_has_a_price(net: Network) -> None:
    for array in arrays(net, rows=4, columns=4).values():
        done = run_programs(Design("shift", array), net, [("input", compile_network(net, array))])
        components = done.priced(builtin("nangate45-gates")).bill.components
        assert min(components["cells"], components["adds"]) > 0


@pytest.mark.parametrize("seed", range(8))
def test_random_cases_are_exact_to_bit_and_cycle(toy: ModuleType, seed: int) -> None:
    array = Array(**ARRAY)  # type: ignore[arg-type]
    case, machine = random_case(array, seed), build(array)
    machine.load(case.program)
    run = machine.run(case.program, case.inputs, activation_period=case.activation_period,
                      table_period=case.table_period, limit=2_000_000)
    assert np.array_equal(run.outputs, case.expected)
    assert run.cycles == case.latency.cycles


def test_a_bug_in_the_toy_is_found(toy: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """A coding that forgets the sign no longer agrees with the machine."""
    array = Array(**ARRAY)  # type: ignore[arg-type]
    monkeypatch.setattr(toy.Shift, "weights", lambda self, table: (1 << (table & 7)).astype(np.int8))
    machine, wrong = build(array), 0
    for seed in range(8):
        case = random_case(array, seed)
        machine.load(case.program)
        wrong += not np.array_equal(machine.run(case.program, case.inputs, limit=2_000_000).outputs, case.expected)
    assert wrong
