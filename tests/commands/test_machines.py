"""lutra verilog, report and bitstream: ports, and mistakes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lutra import embedded
from lutra.cli import main
from lutra_hw.board.boards import BOARDS
from lutra_model.netfile import save
from tests.answers import refused

IMAGES, LABELS = embedded.test_set()


def test_verilog_has_the_axi_ports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for engine in ("lookup", "mac"):
        assert main(["verilog", "--engine", engine, "--array", "2x2", "--output", f"{tmp_path}/a.v"]) == 0
        capsys.readouterr()
        text = (tmp_path / "a.v").read_text()
        assert all(port in text for port in ("s_axis_cmd_tdata", "s_axis_act_tvalid", "s_axis_table_tready",
                                             "m_axis_tdata", "m_axis_tkeep", "m_axis_tlast"))


def test_report_and_bitstream_mistakes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ("--output", str(tmp_path / "out"))
    np.save(tmp_path / "x.npy", IMAGES[:4])
    np.save(tmp_path / "y.npy", LABELS[:3])
    assert refused(capsys, "report", *out, "fashion-resnet8-int8") == (
        "network fashion-resnet8-int8 needs both --input and --labels to be reported on")
    assert refused(capsys, "report", *out, "--input", f"{tmp_path}/x.npy", "--labels", f"{tmp_path}/y.npy") == (
        "labels must have shape (4,), one class for each input, not (3,)")
    np.save(tmp_path / "none.npy", IMAGES[:0])
    assert refused(capsys, "report", *out, "--input", f"{tmp_path}/none.npy", "--labels", f"{tmp_path}/y.npy") == (
        f"inputs {tmp_path}/none.npy must be at least one, not none")
    for wrong in (10, -1, 1.5):
        np.save(tmp_path / "y.npy", np.array([3, 2, wrong, 0]))
        assert refused(capsys, "report", *out, "--input", f"{tmp_path}/x.npy", "--labels", f"{tmp_path}/y.npy") == (
            f"labels must be classes 0 to 9, not {wrong}")
    np.save(tmp_path / "y.npy", np.array(["boot"] * 4))
    assert refused(capsys, "report", *out, "--input", f"{tmp_path}/x.npy", "--labels", f"{tmp_path}/y.npy") == (
        "labels must be numbers of classes, not <U4")
    assert refused(capsys, "report", *out, "m.onnx") == (
        "ONNX model m.onnx needs --calibration, typical inputs, to be converted")
    assert refused(capsys, "report", *out, "--images", "0") == "images to simulate must be 1 to 256, not 0"
    assert refused(capsys, "report", *out, "--technology", "mine.json") == (
        "technology file mine.json cannot be read: No such file or directory")
    (tmp_path / "file").write_text("")
    assert refused(capsys, "report", "--output", f"{tmp_path}/file") == (
        f"report folder {tmp_path}/file cannot be written: File exists")
    assert refused(capsys, "bitstream", *out, "--board", "b") == (
        f"board must be one of {', '.join(BOARDS)}, not b")
    assert refused(capsys, "bitstream", *out, "--board", "ulx3s-85f", "--clock", "0").endswith("not 0 MHz")
    assert not list((tmp_path / "out").iterdir())


def test_mistakes_about_the_machine_of_a_bitstream(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ("bitstream", "--board", "ulx3s-25f", "--output", str(tmp_path / "out"))
    assert refused(capsys, *command, "--engine", "abacus") == (
        "engine must be lookup, lut-tc, dln-row, dln-column, vec-lut, mac, sign-flip, not abacus")
    assert refused(capsys, *command, "--network", "none").startswith("network must be a network file or one of ")
    assert refused(capsys, *command, "--network", "fashion-resnet8", "--bare") == (
        "--bare must come with an engine; a network's machine is what its layers ask for")
    assert refused(capsys, *command, "--network", "fashion-resnet8", "--set", "stores=64") == (
        "stores must be a power of two from 4 to 16, not 64")
    assert refused(capsys, *command, "--engine", "mac", "--set", "weight_bits=9") == "weight_bits must be 1 to 8, not 9"
    nodes = (embedded.network("fashion-resnet8-int8").nodes[0], *embedded.network().nodes[1:])
    mixed = replace(embedded.network(), nodes=nodes)
    save(mixed, tmp_path / "mixed.lutra")
    assert refused(capsys, *command, "--network", f"{tmp_path}/mixed.lutra") == (
        "network fashion-resnet8 must need one machine, for a board holds one, not a machine for each of int8, lut-nn; "
        "convert it to one scheme")
    for given, sentence in [(["--set", "weight_bits=many"], "weight_bits must be a whole number, not many"),
                            (["--set", "metric=l3"], "metric must be l2, l1, chebyshev, tree, not l3"),
                            (["--set", "rows=4"], "must be FIELD=VALUE, FIELD one of length, entries, "),
                            (["--engine", "mac", "--network", "n"], "not allowed with argument")]:
        with pytest.raises(SystemExit) as stopped:
            main([*command, *given])
        assert stopped.value.code == 2
        assert sentence in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
