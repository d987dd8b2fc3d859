"""model.footprint: formulas against counts written out, estimates against the measured points."""

import json
from dataclasses import replace
from typing import Any

import pytest

from lutra_model import footprint
from lutra_model.bare import Bare
from lutra_model.footprint import exact, points, ram_blocks

SIZES: dict[str, Any] = {"rows": 8, "columns": 4, "encoders": 1, "block_rows": 512, "codebooks": 512}
SCALAR = SIZES | {"length": 1, "entries": 1}


@pytest.mark.parametrize(("array", "blocks"), [
    (Bare(**SIZES, length=9), 8 * 4 * 2),                                          # 16 words of 8 bits in each cell
    (Bare(**SIZES, length=9, entries=32), 8 * 4 * 2 * 2),
    (Bare(**SIZES, length=9, block_tables=True), 0),
    (Bare(engine="mac", **SCALAR), 0),
    (Bare(engine="lut-tc", **SIZES, length=4, entries=2), 8 * 4),                  # four bits a cell and plane
    (Bare(engine="vec-lut", **SIZES | {"columns": 3}, length=4, entries=1), 8 * 3 * 3 * 3)])  # 41 words of 11 bits
def test_distributed_ram(array: Bare, blocks: int) -> None:
    assert ram_blocks(array) == blocks


def test_block_ram_and_multipliers() -> None:
    lookup, mac = Bare(**SIZES, length=9), Bare(engine="mac", **SCALAR | {"codebooks": 4096}, multipliers=20)
    assert exact(lookup, "ecp5") == {"distributed RAM blocks": 64, "block RAMs": 2 + 1, "multipliers": 0}  # 4 x 17 bits
    assert exact(mac, "ecp5")["multipliers"] == 20
    assert exact(mac, "ecp5")["block RAMs"] == 4 + 1                                                       # 4 x 28 bits
    assert exact(replace(lookup, block_tables=True), "ice40")["block RAMs"] == 10 + 16 + 4


@pytest.mark.parametrize("point", points(), ids=lambda point: f"{point.part}-{point.array.engine}-"
                         f"{point.array.rows}x{point.array.columns}-{point.array.entries}")
def test_what_follows_from_sizes_is_what_was_counted(point: footprint.Point) -> None:
    found = exact(point.array, point.family)
    assert {name: point.cells[name] for name in found if name in point.cells} == {
        name: count for name, count in found.items() if name in point.cells}


@pytest.mark.parametrize("point", [point for point in points() if point.held_out],
                         ids=lambda point: f"{point.part}-{point.array.engine}")
def test_estimates_of_points_that_nothing_was_fitted_to(point: footprint.Point) -> None:
    off = footprint.error(point)
    assert all(abs(value) <= 0.1 for value in off.values()), off
    assert {"LUT4 cells", "Fmax"} <= set(off)


def test_known_errors_are_those_of_held_out_points_on_the_part(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted, *others = (point for point in points() if point.part == "LFE5U-25F" and point.array.engine == "lookup")
    off = replace(fitted, cells={**fitted.cells, "LUT4 cells": 2 * fitted.cells["LUT4 cells"]}, held_out=True)
    less = replace(off, cells=fitted.cells)
    monkeypatch.setattr(footprint, "points", lambda: (fitted, *others, less, off, replace(off, part="LFE5U-45F")))
    known = footprint.known_errors("LFE5U-25F")
    assert known["LUT4 cells"] == abs(footprint.error(off)["LUT4 cells"]) > 0.4
    assert footprint.known_errors("GW1NR-9C") == {}


def test_a_clock_is_said_of_engines_that_were_routed_on_the_part() -> None:
    lookup = Bare(**SIZES, length=9)
    assert footprint.estimate(lookup, "LFE5U-25F", "ecp5").fmax_mhz
    assert footprint.estimate(lookup, "LFE5U-85F", "ecp5").fmax_mhz is None


def test_what_was_never_measured_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^engine must be one that was measured on ecp5 \(.*\), without encoders, "
                                         r"not sign-flip$"):
        footprint.estimate(Bare(engine="sign-flip", **SCALAR), "LFE5U-25F", "ecp5")


def test_points_are_what_the_file_says() -> None:
    head = footprint.head()
    assert set(head) == {"format", "tools", "date", "command", "encoders", "points"}
    assert len(points()) == len(head["points"])
    assert json.dumps(head["encoders"])
