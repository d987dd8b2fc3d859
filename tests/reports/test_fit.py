"""reports.fit: prices that are known come back, a wrong quantity shows, and what bad files are told."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lutra_model.technology import builtin, parse
from lutra_reports import fit, fit_data, fit_technology
from lutra_reports.fit_data import Measured, Measurements, held_out
from lutra_reports.fit_errors import GOAL

CLOCK = {"encoder.clock": 4e-4, "encoder.register": 8e-3, "cells.clock": 6e-4, "cells.register": 7e-3}
STANDING = {"encoder.add": 5e-3, "encoder.mux": 2e-3, "encoder.register": 3e-3, "cells.mux": 1e-3,
            "cells.register": 2e-3}
FOLLOWING = {"encoder.add": 9e-3, "encoder.mux": 1e-3, "encoder.register": 2e-3, "cells.mux": 3e-3,
             "cells.register": 1e-3}  # at one toggle of a bit
AREAS = {"encoder.add": 7.0, "encoder.mux": 2.0, "encoder.register": 5.5, "cells.mux": 1.5, "cells.register": 6.0}
LEAKAGE = 2e-5
KINDS = {"encoder": "lookup-l2.", "cells": "lookup."}
RATES = {"network": 0.2, "random": 0.5, "idle": 0.0}


def measured(number: int, block: str, workload: str, rng: np.random.Generator) -> Measured:
    """A block whose energy is exactly its amounts times the prices above."""
    busy, cycles, rate = workload != "idle", 1000, RATES[workload] * rng.uniform(0.8, 1.2)
    areas = {name: float(rng.integers(20, 2000)) for name in AREAS if name.startswith(block)}
    amounts = {name: busy * amount * rng.uniform(100, 900) for name, amount in areas.items()}
    amounts |= {f"{block}.clock": cycles * areas[f"{block}.register"]}
    area = sum(amount * AREAS[name] for name, amount in areas.items())
    return Measured(
        block=block, engine="lookup", metric="l2", machine=f"lookup {number}", workload=workload, cycles=cycles,
        period_ns=2.0, area_um2=area, amounts=amounts, areas=areas, toggles={block: rate} if busy else {},
        clock_pj=sum(amounts[name] * price for name, price in CLOCK.items() if name in amounts),
        data_pj=sum(amounts[name] * (price + rate * FOLLOWING[name]) for name, price in STANDING.items()
                    if name in amounts), leakage_pj=LEAKAGE * area * cycles * 2.0)


def measurements(seed: int = 0) -> Measurements:
    rng = np.random.default_rng(seed)
    rows: list[Measured] = []
    for number in range(12):
        for block in ("encoder", "cells"):
            first = measured(number, block, "network", rng)
            rows.append(first)
            for workload in ("random", "idle"):
                other = measured(number, block, workload, rng)
                rows.append(replace(other, areas=first.areas, area_um2=first.area_um2, amounts=other.amounts | {
                    f"{block}.clock": first.amounts[f"{block}.clock"]}))
    library = {"name": "made", "title": "made up", "process_nm": 45, "voltage": 1.1}
    return Measurements(library, {"yosys": "1"}, 2.0, "2031-01-02", tuple(
        replace(row, clock_pj=sum(row.amounts.get(name, 0) * price for name, price in CLOCK.items()),
                leakage_pj=LEAKAGE * row.area_um2 * row.cycles * row.period_ns) for row in rows))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_known_prices_come_back(seed: int) -> None:
    made = measurements(seed)
    found = fit.fitted(made).technology
    rates = {block: np.mean([row.toggles[block] for row in made.measured if row.workload == "network"
                             and row.block == block and row.configuration not in held_out(made.measured)])
             for block in ("encoder", "cells")}
    for name, price in STANDING.items():
        rate = rates[name.partition(".")[0]]
        idle = price + CLOCK.get(name, 0.0)
        for own in (name, KINDS[name.partition(".")[0]] + name):
            entry = found.entries[own]
            assert entry.value == pytest.approx(idle + rate * FOLLOWING[name], rel=0.03)
            assert entry.activity is not None
            assert entry.activity.idle == pytest.approx(idle, rel=0.05)
            assert found.price(own, toggles=0.5) == pytest.approx(idle + 0.5 * FOLLOWING[name], rel=0.05)
    for name in ("encoder.clock", "cells.clock"):
        assert found.price(name) == pytest.approx(CLOCK[name], rel=0.01)
    for name, area in AREAS.items():
        assert found.price(f"{name}_area") == pytest.approx(area, rel=0.01)
    assert found.price("logic_leakage") == pytest.approx(LEAKAGE, rel=1e-4)


def test_what_was_held_out_is_predicted() -> None:
    errors = fit.fitted(measurements()).errors
    assert errors.worst("energy") < 0.005
    assert errors.worst("area") < 0.005
    assert {one.held_out for one in errors.predictions} == {True, False}


@pytest.mark.parametrize("name", ["encoder.add", "cells.mux"])
def test_a_wrong_quantity_shows_where_it_was_held_out(name: str) -> None:
    """Counted with the square root of what is there, as if a tree grew more slowly than it does."""
    made = measurements()
    wrong = replace(made, measured=tuple(
        replace(row, amounts=row.amounts | {name: row.amounts[name] ** 0.5}) if name in row.amounts else row
        for row in made.measured))
    assert fit.fitted(wrong).errors.worst("energy") > GOAL


def test_held_out_are_the_largest_and_the_middle_ones_of_three() -> None:
    def row(block: str, number: int, area: float) -> Measured:
        return replace(measurements().measured[0], block=block, machine=f"lookup {number}", area_um2=area)

    found = held_out([row("few", 0, 1.0), row("few", 1, 2.0), *(row("three", n, 9.0 - n) for n in range(3)),
                      *(row("many", n, float(n)) for n in range(7))])
    assert found == {("three", "lookup 0"), ("many", "lookup 1"), ("many", "lookup 4"), ("many", "lookup 6")}


def test_what_was_held_out_was_not_fitted() -> None:
    made = measurements()
    held = held_out(made.measured)
    moved = replace(made, measured=tuple(
        replace(row, data_pj=2 * row.data_pj) if row.configuration in held else row for row in made.measured))
    assert fit.fitted(moved).technology.price("encoder.add") == fit.fitted(made).technology.price("encoder.add")


def test_the_technology_is_a_file_that_is_read_again() -> None:
    made = fit.fitted(measurements()).technology
    text = fit_technology.text(made)
    read = parse(text, "t")
    assert read.entries == made.entries
    assert (read.name, read.node_nm, read.voltage) == ("made-gates", 45.0, 1.1)
    assert read.price("fp16_add") / builtin("horowitz-45").price("fp16_add") == pytest.approx(
        read.price("multiply") / builtin("horowitz-45").price("multiply"), rel=1e-3)


def test_the_figure_and_the_data_name_everything() -> None:
    found = {"made-gates": fit.fitted(measurements())}
    data = json.loads(json.dumps(fit.data(found)))
    assert len(data["libraries"]["made-gates"]["measurements"]) == 72
    assert {row["block"] for row in data["libraries"]["made-gates"]["blocks"]} == {"encoder, l2", "cells, lookup"}
    assert fit.figure(found).png == fit.figure(found).png


def as_file() -> dict[str, Any]:
    """A measurement file of one measurement."""
    array = {"rows": 2, "columns": 2, "entries": 8, "length": 2, "metric": "l1", "weight_bits": 8, "weight_levels": 1,
             "functions": 0}
    one = {"block": "encoder", "engine": "lookup", "array": array, "storage": "flip-flop",
           "workload": {"name": "network", "sha256": "0"}, "cycles": 10, "events": {"encoder.add": 5.0},
           "activity": {}, "area_um2": 3.0, "area_parts": {"encoder.add": 2.0}, "delay_ns": 1.0, "period_ns": 2.0,
           "energy_pj": {"internal": 1.0, "switching": 1.0, "clock": 1.0, "leakage": 1.0}, "equal": True}
    return {"format": fit_data.FORMAT, "library": {"name": "x"}, "tools": {"yosys": "1"}, "period_ns": 2.0,
            "date": "2031-01-02", "measurements": [one]}


def test_a_measurement_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps(as_file()), encoding="utf-8")
    (one,) = fit_data.read(tmp_path / "x.json").measured
    assert (one.machine, one.energy_pj, one.amounts) == ("lookup 2x2 C8 V2 l1", 4.0, {"encoder.add": 5.0})


@pytest.mark.parametrize(("path", "value", "message"), [
    (("format",), "x", 't: format must be lutra-measurements-1, not "x"'),
    (("library",), {}, "t: library must be given"),
    (("measurements",), [], "t: measurements must be given"),
    (("measurements", 0, "cycles"), 0, "t: measurement 0: cycles must be a number above 0, not 0"),
    (("measurements", 0, "area_um2"), -1, "t: measurement 0: area_um2 must be a number above 0, not -1"),
    (("measurements", 0, "equal"), False, "t: measurement 0: the netlist's outputs must have equalled the machine's"),
    (("measurements", 0, "events"), {"dram.add": 1}, "t: measurement 0: events: no technology has a price dram.add"),
    (("measurements", 0, "events"), {"encoder.add": -1},
     "t: measurement 0: events: encoder.add must be a number of at least 0, not -1"),
    (("measurements", 0, "energy_pj", "clock"), None,
     "t: measurement 0: energy_pj: clock must be a number of at least 0, not null"),
])
def test_a_bad_measurement_file_is_one_sentence(path: tuple[Any, ...], value: Any, message: str) -> None:
    data: Any = as_file()
    target = data
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    with pytest.raises(ValueError, match=f"^{message}$"):
        fit_data.parse(json.dumps(data), "t")


def test_a_measurement_without_a_field_says_which() -> None:
    data = as_file()
    del data["measurements"][0]["events"]
    with pytest.raises(ValueError, match=r"^t: measurement 0: events must be given$"):
        fit_data.parse(json.dumps(data), "t")


def test_a_missing_measurement_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^measurement file .*x.json cannot be read: No such file or directory$"):
        fit_data.read(tmp_path / "x.json")
