"""reports.contest: faults, refusals, seeds and finer weights show."""

import json

import pytest

from lutra_reports import contest_figure, contest_words
from tests.reports.contest.compared import Simulator, compared, subject


def test_a_machine_that_errs_shows(simulator: Simulator) -> None:
    simulator.wrong = True
    (row,) = compared(["int8"])["schemes"]
    assert row["bit_exact"] is False
    assert row["cycles"]["simulated"] == row["cycles"]["predicted"] + 1
    assert "(RTL " in contest_words._cycles(row)
    assert contest_words._facts(row)[1] == "NO"


@pytest.mark.parametrize("seed", [0, 7])
def test_the_same_seed_gives_the_same_bytes(seed: int) -> None:
    one, two = (compared(["lut-nn", "int8"], about=subject(seed)) for _ in range(2))
    assert json.dumps(one) == json.dumps(two)
    first, second = contest_figure.figure(one), contest_figure.figure(two)
    assert first.svg == second.svg
    assert first.png == second.png
    assert json.dumps(compared(["lut-nn"], about=subject(seed + 1))["schemes"][0]["error"]) != json.dumps(
        one["schemes"][0]["error"])


def test_finer_weights_err_less() -> None:
    rows = {row["scheme"]: row for row in compared(["int8", "int4", "int3", "int2", "int1"])["schemes"]}
    noise = [rows[name]["error"]["sqnr_db"] for name in ("int1", "int2", "int3", "int4", "int8")]
    assert noise == sorted(noise)
    assert [rows[name]["weight_levels"] for name in ("int1", "int2", "int8")] == [2, 4, 256]
    tables = [rows[name]["table_bytes"] for name in ("int1", "int2", "int4", "int8")]
    assert tables == [36 * 20 * bits // 8 for bits in (1, 2, 4, 8)]


def test_a_scheme_that_refuses_says_why() -> None:
    data = compared(["lut-nn", "int8"], entries=300)
    assert [row["refused"] for row in data["schemes"]] == ["entries must be 2 to 256, not 300", None]
    assert "lut-nn takes no part: entries must be 2 to 256, not 300" in contest_words.tables(data)
    assert contest_figure.figure(data).svg
    with pytest.raises(ValueError, match=r"^entries must be 2 to 256, not 300$"):
        compared(["lut-nn"], entries=300)
