"""lutra_sim.library and lutra_sim.generated: what is kept, and when it is made anew."""

import re
from pathlib import Path
from typing import Any

import pytest

from lutra_model.params import Array
from lutra_sim import generated
from lutra_sim.library import library
from tests.sim.compiled.echo import ECHO


def test_a_damaged_cache_is_no_cache(cache: Path) -> None:
    path = library(ECHO + "// 7", cache=cache)
    intact = path.read_bytes()
    path.write_bytes(intact[:1000])
    told: list[tuple[str, int, int]] = []

    def tell(*what: Any) -> None:
        told.append(what)

    again = library(ECHO + "// 7", cache=cache, progress=tell)
    assert told == [("compiling the machine", 0, 1), ("compiling the machine", 1, 1)]
    assert again.stat().st_size == len(intact)
    told.clear()
    assert library(ECHO + "// 7", cache=cache, progress=tell) == again
    assert told == []


def test_verilog_is_generated_once(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    array = Array(rows=1, columns=1, encoders=1, length=1, entries=2)
    calls: list[tuple[Array, str]] = []

    def verilog(*what: Any) -> str:
        calls.append(what)
        return "module lutra; endmodule"

    monkeypatch.setattr(generated.machine, "verilog", verilog)
    assert generated.generate(array, cache=cache) == generated.generate(array, cache=cache)
    assert calls == [(array, "lutra")]
    generated.generate(array.resized(columns=2), cache=cache)
    monkeypatch.setattr(generated, "SOURCES", ["edited"])
    generated.generate(array, cache=cache)
    assert len(calls) == 3


def test_the_key_of_the_verilog_knows_all_that_the_hardware_imports() -> None:
    texts = "".join(path.read_text() for path in Path(generated.machine.__file__).parent.glob("*.py"))
    known = {module.__name__.split(".")[1] for module in generated.MODEL}
    assert set(re.findall(r"(?:from|import) lutra_model\.?(\w*)", texts)) <= known


def test_a_cache_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    sentence = re.escape(f"the cache must be a folder that can be made, not {tmp_path / 'file'} (File exists)")
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        library(ECHO, cache=tmp_path / "file")
