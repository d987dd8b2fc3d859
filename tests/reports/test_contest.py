"""Every scheme on one layer: what the comparison holds, that it adds up, and that faults show."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import lutra_reports.contest
from lutra.cli import main
from lutra_model import golden
from lutra_model.energy import Bill
from lutra_model.fit import arrays
from lutra_model.network import Network
from lutra_model.program import compile_network
from lutra_model.runs import Design, run_programs
from lutra_model.schemes import SCHEMES, Options, scheme_of
from lutra_model.technology import USUAL, Technology, builtin
from lutra_reports import contest, contest_figure, contest_rows, contest_words
from lutra_reports.subjects import Subject, layer_subject, shape_subject
from lutra_sim.stages import stages

TECHNOLOGIES = [builtin(name) for name in USUAL]
MACHINE = contest.Machine(rows=8, columns=4, simulate=1)
KEYS = {"scheme", "engine", "bit_exact", "cycles", "error", "accuracy", "energy_pj", "pj_per_equivalent_mac",
        "area_um2", "table_bytes", "dram_bytes_per_equivalent_mac", "operations_done", "equivalent_macs", "utilisation",
        "binding"}


class Simulator:
    """Stands for the compiled machines: golden's bits and the model's cycles, wrong on demand."""

    wrong = False

    def __call__(self, network: Network, x: NDArray[Any], machines: Any, *, progress: object = None) -> Any:
        assert len(golden.outputs(network, x)) == len(x)
        cycles = sum(stage.latency().cycles for stage in stages(network, machines) if stage.program)
        data = {"bit_exact": not self.wrong, "cycles_exact": not self.wrong,
                "cycles": {"predicted": cycles, "simulated": cycles + self.wrong}}
        return type("Run", (), {"as_dict": lambda run: data})()


@pytest.fixture(autouse=True)
def simulator(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Simulator:
    found = Simulator()
    monkeypatch.setattr(lutra_reports.contest, "simulate", found)
    monkeypatch.setenv("LUTRA_CACHE", str(tmp_path_factory.getbasetemp() / "contest-cache"))
    return found


def subject(seed: int = 0) -> Subject:
    return layer_subject(16, 36, 20, seed=seed)


def compared(schemes: Sequence[str] | None = None, *, about: Subject | None = None, **options: Any) -> dict[str, Any]:
    return contest.make(about or subject(), contest.entries(schemes, Options(**options)), machine=MACHINE,
                        technologies=TECHNOLOGIES)


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


def test_a_scheme_that_refuses_says_why() -> None:
    data = compared(["lut-nn", "int8"], entries=300)
    assert [row["refused"] for row in data["schemes"]] == ["entries must be 2 to 256, not 300", None]
    assert "lut-nn takes no part: entries must be 2 to 256, not 300" in contest_words.tables(data)
    assert contest_figure.figure(data).svg
    with pytest.raises(ValueError, match=r"^entries must be 2 to 256, not 300$"):
        compared(["lut-nn"], entries=300)


def test_a_workload_has_cycles_and_energies_but_no_bits() -> None:
    from lutra_model.workloads import bert_base

    works = bert_base(8)[:2]
    data = compared(about=shape_subject("two layers", works))
    for row in data["schemes"]:
        assert row["refused"] is None
        assert row["bit_exact"] is row["cycles"]["simulated"] is row["error"] is row["accuracy"] is None
        assert row["equivalent_macs"] == 2 * 8 * 768 * 768
        assert row["cycles"]["predicted"] > 0


def answered(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, Any]:
    assert main(["compare", *argv, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_the_command_writes_table_figure_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--layer", "8x16x8", "--array", "8x4", "--schemes", "lut-nn,int8", "--output", str(tmp_path)]
    data = answered(capsys, *options)
    assert json.loads((tmp_path / "compare.json").read_text()) == data
    assert (tmp_path / "compare.svg").read_bytes().startswith(b"<?xml")
    assert data["subject"]["statistics"].startswith("weights normal")
    earlier = (tmp_path / "compare.svg").read_bytes()
    assert main(["compare", *options]) == 0
    assert "int8" in capsys.readouterr().out
    assert (tmp_path / "compare.svg").read_bytes() == earlier


def test_a_users_model_is_judged_on_inputs_that_calibration_has_not_seen(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from lutra_model.onelayer import OneLayer

    layer = OneLayer(4, 16, 8)
    (tmp_path / "m.onnx").write_bytes(layer.graph.model.SerializeToString())
    np.save(tmp_path / "x.npy", layer.activations(64))
    data = answered(capsys, f"{tmp_path}/m.onnx", "--calibration", f"{tmp_path}/x.npy", "--schemes", "int8",
                    "--array", "8x4")
    assert (data["subject"]["calibration_inputs"], data["subject"]["judged_on_inputs"]) == (48, 16)
    assert data["schemes"][0]["error"]["sqnr_db"] > 30


@pytest.mark.parametrize(("argv", "sentence"), [
    (["--layer", "8x8x8", "--schemes", "abacus"], "scheme must be {schemes}, not abacus"),
    (["--layer", "8x8x8", "--images", "0"], "images must be at least 1, not 0"),
    (["--layer", "8x8x8", "--batch", "0"], "images must be at least 1, not 0"),
    (["--layer", "8x8x8", "--seed", "-1"], "seed must be at least 0, not -1"),
    (["m.onnx"], "ONNX model m.onnx needs --calibration, typical inputs, to be converted"),
    (["--layer", "8x8x8", "--technology", "mine.json"],
     "technology file mine.json cannot be read: No such file or directory"),
])
def test_mistakes_get_one_sentence(argv: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", *argv]) == 2
    assert capsys.readouterr().err.endswith(f"lutra: {sentence.format(schemes=', '.join(SCHEMES))}\n")


@pytest.mark.parametrize(("argv", "sentence"), [
    (["--layer", "8x8"], "must be ROWSxREDUCTIONxCOLUMNS such as 64x64x64, not 8x8"),
    (["--bits", "9"], "must be numbers from 1 to 8 such as 2,4, not 9"),
    (["--workload", "vgg"], "invalid choice"),
])
def test_options_that_are_none(argv: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["compare", *argv])
    assert stopped.value.code == 2
    assert sentence in capsys.readouterr().err
