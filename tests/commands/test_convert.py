"""lutra convert, and what other commands make of converted networks."""

from pathlib import Path

import numpy as np
import pytest

from lutra import embedded
from lutra.cli import main
from lutra_hw.machine import verilog
from lutra_model.fit import scheme_array
from lutra_model.netfile import load
from tests.answers import answered, refused

IMAGES, LABELS = embedded.test_set()


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
