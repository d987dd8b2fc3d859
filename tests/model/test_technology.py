"""model.technology: the files that come with Lutra, their laws, and what a bad file is told."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from lutra_model.components import Quantity
from lutra_model.entries import REQUIRED
from lutra_model.technology import NAMES, STATUSES, builtin, load, parse


def raw(name: str = "horowitz-45") -> dict[str, Any]:
    text = (files("lutra_model") / "technologies" / f"{name}.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


@pytest.mark.parametrize("name", NAMES)
def test_every_entry_names_source_status_and_uncertainty(name: str) -> None:
    technology = builtin(name)
    assert technology.name == name
    assert set(REQUIRED) <= set(technology.entries)
    for entry in technology.entries.values():
        assert entry.source
        assert entry.status in STATUSES
        assert 0 <= entry.uncertainty < 1


@pytest.mark.parametrize(("bytes_", "picojoules"), [(8192, 10), (32768, 20), (1048576, 100)])
def test_horowitz_sram_goes_through_the_published_points(bytes_: int, picojoules: float) -> None:
    assert builtin("horowitz-45").entries["sram_read"].at(bytes_) == pytest.approx(picojoules, rel=1e-12)


def test_horowitz_sram_is_a_square_root_below_32_kb() -> None:
    """E = 3.5 pJ * sqrt(KB) at 8 to 32 KB, and the same law below."""
    entry = builtin("horowitz-45").entries["sram_read"]
    for kilobytes in (1, 2, 8, 16, 32):
        assert entry.at(1024 * kilobytes) == pytest.approx(3.5 * kilobytes**0.5, rel=0.02)


def test_logic_shrinks_more_than_small_sram() -> None:
    old, new = builtin("horowitz-45"), builtin("tpuv4i-7")
    assert old.entries["sram_read"].at(8192) / new.entries["sram_read"].at(8192) == pytest.approx(4 / 3)
    assert 2.4 < old.price("multiply") / new.price("multiply") < 4
    assert 2.4 < old.price("add") / new.price("add") < 4


def test_a_deeper_memory_costs_more_per_bit() -> None:
    technology = builtin("nangate45-gates")
    prices = [technology.price("sram_read", words=words) for words in (64, 128, 512, 4096, 2**17, 2**20)]
    assert prices == sorted(prices)
    assert prices[1] < prices[2]
    assert technology.price("sram_read", words=1) == technology.price("sram_read", words=64)


def test_a_users_file_is_read(tmp_path: Path) -> None:
    data = raw()
    data["name"] = "mine"
    (tmp_path / "mine.json").write_text(json.dumps(data), encoding="utf-8")
    assert load(tmp_path / "mine.json").price("multiply") == 0.2


OWN: dict[str, Any] = {"value": 0.01, "unit": "pJ/bit", "status": "measured", "uncertainty": 0.1, "source": "here"}


def broken(*path: str, value: Any) -> str:
    data = raw()
    target: Any = data
    for key in path[:-1]:
        target = target[key]
    if value is KeyError:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    return json.dumps(data)


@pytest.mark.parametrize(("text", "message"), [
    ("{", r"t: line 1 must be JSON \(Expecting property name enclosed in double quotes\)"),
    ("[]", r"t: format must be lutra-technology-1, not \[\]"),
    (broken("format", value="x"), 't: format must be lutra-technology-1, not "x"'),
    (broken("title", value=""), 't: title must be a text, not ""'),
    (broken("entries", value=3), "t: entries must be an object, not 3"),
    (broken("entries", "dram", value=KeyError), r"t: entry dram \(pJ/bit\) is missing"),
    (broken("entries", "dram", "unit", value="pJ"), 't: entry dram: unit must be pJ/bit, not "pJ"'),
    (broken("entries", "dram", "value", value=-1),
     "t: entry dram: value must be a number above 0, not -1"),
    (broken("entries", "dram", "value", value=0), "t: entry dram: value must be a number above 0, not 0"),
    (broken("entries", "clock_period", "value", value=0),
     "t: entry clock_period: value must be a number above 0, not 0"),
    (broken("entries", "dram", "unit", value=KeyError), "t: entry dram: unit must be given"),
    (broken("entries", "dram", "source", value=KeyError), "t: entry dram: source must be given"),
    (broken("entries", "encoder.add", value=OWN | {"value": -1}),
     "t: entry encoder.add: value must be a number of at least 0, not -1"),
    (broken("entries", "encoder.add", value=OWN | {"unit": "pJ"}),
     't: entry encoder.add: unit must be pJ/bit, not "pJ"'),
    (broken("entries", "dram.add", value=OWN), "t: entry dram.add: component must be one of accumulators, add, adds, "
     "cells, codebooks, control, encoder, fill, finisher, functions, gather, pool, program, way, not dram"),
    (broken("entries", "lokup.cells.add", value=OWN),
     r"t: entry lokup.cells.add: the kind of a component must be one of lookup, .*, not lokup"),
    (broken("entries", "lookup.dram.add", value=OWN),
     "t: entry lookup.dram.add: component must be one of .*, not dram"),
    (broken("entries", "pool.multiply", value=OWN),
     "t: entry pool.multiply: pool has no price of its own for multiply, only for add, compare, mux"),
    (broken("entries", "encoder.add", value=OWN | {"activity": 3}),
     "t: entry encoder.add: activity must have idle and rate, numbers of at least 0, not 3"),
    (broken("entries", "encoder.add", value=OWN | {"activity": {"idle": 0, "rate": 0}}),
     "t: entry encoder.add: activity: rate must be above 0, not 0"),
    (broken("entries", "encoder.add", value=OWN | {"activity": {"idle": 3, "rate": 0.5}}),
     "t: entry encoder.add: activity: idle must be at most the value, not 3"),
    (broken("entries", "dram", "status", value="rumour"),
     't: entry dram: status must be one of published, unverified, measured, derived, not "rumour"'),
    (broken("entries", "dram", "source", value=" "),
     't: entry dram: source must say where the number is from, not " "'),
    (broken("entries", "dram", "uncertainty", value=1),
     "t: entry dram: uncertainty must be at least 0 and below 1, not 1"),
    (broken("entries", "sram_read", "value", value=3),
     r"t: entry sram_read: value must be a list of \[bytes, price\] points, not 3"),
    (broken("entries", "sram_read", "value", value=[[2, 1], [1, 2]]),
     r"t: entry sram_read: points must be in growing order of bytes, not \[\[2, 1\], \[1, 2\]\]"),
    (broken("entries", "dram", value={"value": 1}),
     "t: entry dram: source and status and uncertainty and unit must be given"),
    (broken("entries", "dram", "origin", value="x"),
     "t: entry dram must have source, status, uncertainty, unit, value and perhaps activity, not origin"),
])
def test_a_bad_file_is_told_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}$"):
        parse(text, "t")


def test_a_component_has_its_own_price() -> None:
    technology = parse(broken("entries", "encoder.add", value=OWN | {"value": 0}), "t")
    assert technology.entry_of("lookup", "encoder", "add") == "encoder.add"
    assert technology.entry_of("lookup", "cells", "add") == "add"
    assert technology.entry_of("lookup", "encoder", "clock") is None
    assert technology.price("encoder.add") == 0 < technology.price("add")


def test_a_component_has_a_price_for_one_engine() -> None:
    technology = parse(broken("entries", "lookup.cells.mux", value=OWN), "t")
    assert technology.entry_of("lookup", "cells", "mux") == "lookup.cells.mux"
    assert technology.entry_of("mac", "cells", "mux") == "mux"


def test_an_area_has_its_own_price() -> None:
    own = OWN | {"unit": "um2/bit"}
    technology = parse(broken("entries", "adds.add_area", value=own), "t")
    assert technology.area("lookup", Quantity("adds", "add", 3)) == 0.01
    assert technology.area("lookup", Quantity("encoder", "add", 3)) == technology.price("add_area")


def test_a_price_follows_the_toggles_of_its_data() -> None:
    own = OWN | {"value": 0.03, "activity": {"idle": 0.01, "rate": 0.4}}
    technology = parse(broken("entries", "encoder.add", value=own), "t")
    for toggles, price in [(None, 0.03), (0.4, 0.03), (0.0, 0.01), (0.2, 0.02), (0.8, 0.05)]:
        assert technology.price("encoder.add", toggles=toggles) == pytest.approx(price, rel=1e-12)
    assert technology.price("add", toggles=0.0) == technology.price("add")


def test_an_unknown_entry_is_named() -> None:
    data = raw()
    data["entries"]["muxx"] = data["entries"]["mux"]
    with pytest.raises(ValueError, match=r"^t: entry muxx is not known; known are clock_period, add, .*, clock, .*$"):
        parse(json.dumps(data), "t")


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match=rf"^technology must be one of {', '.join(NAMES)}, not x$"):
        builtin("x")


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^technology file .*none.json cannot be read: No such file or directory$"):
        load(tmp_path / "none.json")
