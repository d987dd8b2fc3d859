"""model.onnx_write: the file, its operators and its story."""

import json
from dataclasses import replace
from pathlib import Path

import onnx
import pytest

from lutra_model import onnx_write
from lutra_model.params import Metric
from tests.model.onnx_write.networks import mixed


def test_only_standard_operators_and_the_network_s_own_story(tmp_path: Path) -> None:
    network = replace(mixed(0, 4, Metric.L2), provenance={"seed": 3}, classes=("a", "b", "c", "d", "e"))
    model = onnx_write.export(network, tmp_path / "net.onnx")
    assert {(item.domain, item.version) for item in model.opset_import} == {("", onnx_write.OPSET)}
    assert {node.domain for node in model.graph.node} == {""}
    told = {item.key: item.value for item in onnx.load(tmp_path / "net.onnx").metadata_props}
    assert json.loads(told["provenance"]) == {"seed": 3}
    assert json.loads(told["classes"]) == ["a", "b", "c", "d", "e"]
    assert float(told["input_scale"]) == 0.25


def test_writing_replaces_a_file_only_when_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.onnx"
    path.write_text("earlier")

    def full(self: Path, data: bytes) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match=r"No space left on device"):
        onnx_write.export(mixed(0, 4, Metric.L2), path)
    assert path.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [path]
