"""model.memory: addresses, sides and the copies that plans ask for."""

import pytest

from lutra_model.memory import Missing, lowest, place
from lutra_model.network import Add, Network, Node
from lutra_model.params import Array
from lutra_model.plan import Plan
from tests.model.programs import SAME, conv

ARRAY = Array.mac()


@pytest.mark.parametrize(("size", "taken", "expected"), [
    (3, [], 0), (3, [(3, 9)], 0), (4, [(3, 9)], 9), (2, [(0, 10), (1, 3)], 10), (2, [(5, 8), (0, 3)], 3),
    (3, [(5, 8), (0, 3)], 8)])
def test_the_lowest_free_address(size: int, taken: list[tuple[int, int]], expected: int) -> None:
    assert lowest(size, taken) == expected


def add(name: str, *inputs: str) -> Node:
    return Add(name=name, inputs=inputs, scale=1.0, multipliers=(1, 1), shift=1)


def plan(*nodes: Node, copies: frozenset[tuple[str, str]] = frozenset()) -> Plan:
    return Plan(Network(name="net", input_shape=(6, 5, 8), input_scale=1.0, nodes=nodes), ARRAY, copies)


def test_values_that_live_together_lie_apart() -> None:
    # a and input are read together, so they lie on two sides; c takes the place of input; b is as large as a
    made = plan(conv("a", "input", 8, 8, ARRAY), conv("b", "a", 8, 8, ARRAY), add("c", "b", "input"),
                conv("d", "c", 8, 8, ARRAY))
    placed = place(made)
    found = {value.name: layout for value, layout in placed.layouts.items()}
    assert set(found) == {"input", "a"}
    assert found["input"].side != found["a"].side
    assert (found["input"].base, found["a"].base) == (0, 0)
    assert placed.words == found["input"].words(ARRAY) + ARRAY.output_words - 1
    assert SAME.output(6, 5) == (found["a"].height, found["a"].width)


def test_a_value_added_to_what_is_made_of_it_needs_a_copy() -> None:
    nodes = [conv("a", "input", 8, 8, ARRAY), add("b", "a", "input")]
    with pytest.raises(Missing) as missing:
        place(plan(*nodes))
    assert missing.value.copy == ("b", "residual")
    again = plan(*nodes, copies=frozenset([missing.value.copy]))
    assert [step.name for step in again.steps] == ["input", "b copy", "a"]
    place(again)
