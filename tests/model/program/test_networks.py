"""model.program: what an interpreter of the program's words computes is what the golden model computes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lutra_model import netfile
from lutra_model.network import Clamp, Network
from lutra_model.params import Array
from lutra_model.randomnet import resnet18
from tests.model.program.machines import LOOKUP, MAC, NETWORKS, check
from tests.model.programs import conv, network
from tests.strategies import machines


@settings(max_examples=60, deadline=None, derandomize=True)
@given(machine=machines(), resident=st.sampled_from([None, False]), seed=st.integers(0, 99))
def test_random_networks_equal_golden(machine: tuple[Network, Array], resident: bool | None, seed: int) -> None:
    check(*machine, seed=seed, resident=resident)


@pytest.mark.parametrize("array", LOOKUP + MAC,
                         ids=lambda a: f"{a.engine}-{a.rows}x{a.columns}e{a.encoders}w{a.word}f{a.fill}l{a.lanes}")
@pytest.mark.parametrize("resident", [None, False])
def test_the_embedded_networks_equal_golden(array: Array, resident: bool | None) -> None:
    name = "fashion-resnet8" if array.is_lookup else "fashion-resnet8-int8"
    check(netfile.load(NETWORKS / f"{name}.lutra"), array, resident=resident, count=1)


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "array"), [("lut-nn", LOOKUP[0]), ("int8", MAC[0])])
def test_a_small_resnet18_with_streamed_tables_equals_golden(scheme: str, array: Array) -> None:
    program = check(resnet18(size=32, scheme=scheme, classes=40), array)
    assert len(program.streamed)
    assert len(program.tables)
    assert not any("copy" in operation.name for operation in program.operations)


@pytest.mark.parametrize("array", LOOKUP[:3] + MAC, ids=lambda a: f"{a.engine}e{a.encoders}w{a.word}")
@pytest.mark.parametrize(("inputs", "outputs", "groups"), [(16, 16, 16), (8, 16, 2), (6, 12, 6), (8, 8, 1), (6, 9, 3)])
def test_grouped_products_equal_golden(array: Array, inputs: int, outputs: int, groups: int) -> None:
    nodes = [conv("a", "input", inputs, outputs, array, groups), Clamp(name="b", inputs=("a",), scale=1.0, low=-20)]
    check(network((5, 4, inputs), *nodes), array)
