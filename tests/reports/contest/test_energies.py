"""reports.contest: the energies are those of the programs, and a wrong one is caught."""

from typing import Any

import numpy as np
import pytest

from lutra_model.energy import Bill
from lutra_model.fit import arrays
from lutra_model.program import compile_network
from lutra_model.runs import Design, run_programs
from lutra_model.schemes import SCHEMES, Options, scheme_of
from lutra_model.technology import USUAL, Technology
from lutra_reports import contest_rows
from lutra_reports.subjects import shape_subject
from tests.reports.contest.compared import TECHNOLOGIES, compared, subject

KEYS = {"scheme", "engine", "bit_exact", "cycles", "error", "accuracy", "energy_pj", "pj_per_equivalent_mac",
        "area_um2", "table_bytes", "dram_bytes_per_equivalent_mac", "operations_done", "equivalent_macs", "utilisation",
        "binding"}


def bill_by_hand(scheme: str, options: Options, technology: Technology) -> Bill:
    """The energy of one input of the layer, from its program, past the code that reports it."""
    network = subject().network(scheme, options)
    array = arrays(network, rows=8, columns=4)[scheme]
    found = run_programs(Design("x", array), network, [("input", compile_network(network, array))])
    return found.priced(technology).bill


def check_energies(data: dict[str, Any]) -> None:
    for row in data["schemes"]:
        options = scheme_of(row["scheme"]).variants(Options())[row["variant"]]
        for technology in TECHNOLOGIES:
            name, bill = technology.name, bill_by_hand(row["scheme"], options, technology)
            found, low_high = row["energy_pj"][name], bill.range()
            assert found["nominal"] == pytest.approx(bill.picojoules, rel=1e-5)
            assert found["range"] == pytest.approx(list(low_high), rel=1e-5)
            assert sum(row["components_pj"][name].values()) == pytest.approx(found["nominal"], rel=1e-4)
            assert row["energy_on_chip_pj"][name]["nominal"] == pytest.approx(bill.on_chip.picojoules, rel=1e-5)
            macs, time = row["equivalent_macs"], row["milliseconds"][name] * 1e3
            assert row["pj_per_equivalent_mac"][name]["nominal"] * macs == pytest.approx(found["nominal"], rel=1e-5)
            assert row["energy_delay_pj_us"][name] == pytest.approx(found["nominal"] * time, rel=1e-4)
            assert row["area_delay_mm2_us"][name] == pytest.approx(row["area_um2"][name] * 1e-6 * time, rel=1e-4)


def test_every_scheme_takes_part_and_its_energies_are_those_of_its_program() -> None:
    data = compared()
    assert list(dict.fromkeys(row["scheme"] for row in data["schemes"])) == list(SCHEMES)
    assert len({row["label"] for row in data["schemes"]}) == len(data["schemes"])
    for row in data["schemes"]:
        assert row["refused"] is None
        assert set(row) >= KEYS
        assert row["bit_exact"] is True
        assert row["cycles"]["predicted"] == row["cycles"]["simulated"] > 0
        assert np.isfinite(row["error"]["sqnr_db"])
        assert row["equivalent_macs"] == 16 * 36 * 20
        assert 0 < row["utilisation"] <= 1
        assert row["array"]["cells"] == 32
    check_energies(data)


@pytest.mark.parametrize("planted", ["more", "no range"])
def test_a_planted_wrong_energy_is_caught(planted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = contest_rows._energy

    def wrong(bill: Bill, per: int = 1) -> dict[str, Any]:
        found = honest(bill, per)
        return found | ({"nominal": 1.001 * found["nominal"]} if planted == "more"
                        else {"range": [found["nominal"]] * 2})

    monkeypatch.setattr(contest_rows, "_energy", wrong)
    with pytest.raises(AssertionError):
        check_energies(compared(["int8"]))


def test_the_best_mac_errs_no_more_and_needs_least() -> None:
    data = compared()
    rows = {row["label"]: row for row in data["schemes"]}
    for row in rows.values():
        if not row["looks_up"]:
            assert row["best_mac"] == {} == row["against_int8"]
            continue
        for name, best in row["best_mac"].items():
            good = [other for other in rows.values() if not other["looks_up"]
                    and other["error"]["sqnr_db"] >= row["error"]["sqnr_db"]]
            for which, key in [("total", "energy_pj"), ("on_chip", "energy_on_chip_pj")]:
                least = min(other[key][name]["nominal"] for other in good)
                assert rows[best[which]["scheme"]][key][name]["nominal"] == least
                assert best[which]["ratio"] == pytest.approx(least / row[key][name]["nominal"], rel=1e-4)
                assert best[which]["low"] <= best[which]["ratio"] <= best[which]["high"]
        assert set(row["against_int8"]) == set(USUAL)


def test_a_workload_has_cycles_and_energies_but_no_bits() -> None:
    from lutra_model.workloads import bert_base

    works = bert_base(8)[:2]
    data = compared(about=shape_subject("two layers", works))
    for row in data["schemes"]:
        assert row["refused"] is None
        assert row["bit_exact"] is row["cycles"]["simulated"] is row["error"] is row["accuracy"] is None
        assert row["equivalent_macs"] == 2 * 8 * 768 * 768
        assert row["cycles"]["predicted"] > 0
