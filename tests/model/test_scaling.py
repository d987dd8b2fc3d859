"""model.scaling, model.sram: laws against their published points, and what a bad name is told."""

import math
from pathlib import Path

import pytest

from lutra_model.scaling import NODES, area_factor, energy_factor, named, scaled
from lutra_model.sram import leakage, points, sram_entries
from lutra_model.technology import NAMES, builtin


def test_energy_follows_the_authors_own_example() -> None:
    """The corrigendum of section 4.2.1: 32 nm at 0.9 V is 0.4571, 65 nm at 1.3 V is 2.604, their ratio 0.1755."""
    assert energy_factor(32, 0.9) == pytest.approx(0.4571, abs=5e-5)
    assert energy_factor(65, 1.3) == pytest.approx(2.604, abs=5e-4)
    assert energy_factor(32, 0.9) / energy_factor(65, 1.3) == pytest.approx(0.1755, abs=1e-4)


def test_factors_fall_with_the_node() -> None:
    nodes = [180, 130, 100, 90, 65, 45, 40, 32, 28, 22, 20, 16, 14, 12, 10, 7]
    for factor in (energy_factor, area_factor):
        values = [factor(node) for node in nodes]
        assert values == sorted(values, reverse=True)
    assert area_factor(45) == 1


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("node", [7, 28, 130])
def test_a_scaled_technology_is_derived_and_less_certain(name: str, node: float) -> None:
    own, found = builtin(name), named(f"{name}@{node}")
    assert (found.name, found.node_nm) == (f"{name}@{node}", node)
    for entry, old in own.entries.items():
        new = found.entries[entry]
        if entry in ("clock_period", "dram"):
            assert new == old
            continue
        assert new.status == "derived"
        assert new.source.startswith(old.source)
        assert old.uncertainty <= new.uncertainty < 1
        assert new.unit == old.unit
    if node != own.node_nm:  # else at the node's nominal voltage, not the technology's
        assert (found.price("add") < own.price("add")) == (node < (own.node_nm or 0))


def test_logic_and_memory_go_their_own_ways() -> None:
    own, found = builtin("horowitz-45"), named("horowitz-45@22")
    logic = found.price("multiply") / own.price("multiply")
    memory = found.price("sram_read", words=1024) / own.price("sram_read", words=1024)
    assert logic == pytest.approx(energy_factor(22) / energy_factor(45, 0.9), rel=1e-12)
    assert memory == pytest.approx(1.5903 / 6.137, rel=1e-12)


def test_memories_go_through_the_points_of_cacti() -> None:
    assert dict(points("read_pj", 45))[8192] == 6.137
    assert dict(points("area_um2", 22))[1024] == 857.54
    between = dict(points("read_pj", 28))[8192]
    assert 1.5903 < between < 3.4434
    assert dict(points("read_pj", 130))[8192] == pytest.approx(91.8272, rel=1e-12)
    assert dict(points("read_pj", 260))[8192] == pytest.approx(4 * 91.8272, rel=1e-12)
    assert dict(points("area_um2", 11))[8192] == pytest.approx(6265.4 / 2, rel=1e-12)
    assert dict(points("read_pj", 5.5))[8192] == pytest.approx(1.5903 / 2, rel=1e-12)


@pytest.mark.parametrize("node", [7, 22, 28, 90, 100, 130, 180])
def test_memories_of_all_nodes_are_complete(node: float) -> None:
    found = sram_entries(node)
    assert set(found) == {"sram_read", "sram_write", "sram_area", "sram_leakage"}
    assert found["sram_read"].uncertainty == (0.4 if 22 <= node <= 90 else 0.6)
    assert found["sram_leakage"].value == leakage(node) > 0
    assert ("IHP" in found["sram_read"].source) == (node > 90)


def test_laws_join_without_a_step() -> None:
    for node in (22, 32, 45, 65, 90, 130):
        below, above = (dict(points("read_pj", node * factor))[8192] for factor in (1 - 1e-9, 1 + 1e-9))
        assert math.isclose(below, above, rel_tol=1e-6)


@pytest.mark.parametrize(("text", "message"), [
    ("horowitz-45@3", f"node must be {NODES[0]} to {NODES[1]} nm, not 3"),
    ("horowitz-45@1e999", f"node must be {NODES[0]} to {NODES[1]} nm, not 1e999"),
    ("horowitz-45@x", "technology horowitz-45@x must give its node in nanometres after @, not 'x'"),
    ("nothing@28", "technology file nothing cannot be read: No such file or directory"),
])
def test_a_bad_name_is_one_sentence(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        named(text)


def test_a_technology_of_no_known_node_is_not_scaled(tmp_path: Path) -> None:
    own = builtin("horowitz-45")
    with pytest.raises(ValueError, match=r"^technology horowitz-45 must say its node_nm to be scaled$"):
        scaled(type(own)(own.name, own.title, own.dram_boundary, own.entries), 28)
