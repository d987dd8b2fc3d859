"""lutra characterise: gates of a library with round numbers answer as the golden model, and what is wrong is named."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lutra_model.events import Events
from lutra_model.params import Array
from lutra_model.quantities import quantities
from lutra_model.structure import Structure
from lutra_sim.gates import characterise, facts, seen, workloads
from lutra_sim.gates.blocks import BLOCKS, block_of
from lutra_sim.gates.characterise import Session
from lutra_sim.gates.netlist import Netlist
from lutra_sim.gates.plan import PLAN, Point, points
from lutra_sim.gates.seen import Seen
from tests.sim.characterised import layer
from tests.sim.gates.circuits import toy

ARRAY = Array(rows=2, columns=2, encoders=1, length=2, entries=4)
POINT = Point(ARRAY, ("cells", "trees"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def session(cache: Path, *names: str) -> Session:
    return Session(toy(), 2.0, layer(), names or ("network", "random", "idle"), rows=16, cache=cache)


def test_gates_answer_as_recorded_and_measurements_are_kept(cache: Path, tmp_path: Path,
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    known = facts.facts_of(toy(), process_nm=9)
    data = characterise.characterise(session(cache), [POINT], known)
    found = {(item["block"], item["workload"]["name"]): item for item in data["measurements"]}
    assert set(found) == {(block, name) for block in POINT.blocks for name in ("network", "random", "idle")}
    for (block, name), item in found.items():
        energy = sum(item["energy_pj"].values())
        assert item["equal"]
        assert item["area_um2"] > 0 < item["delay_ns"], block
        assert energy > 0
        assert (name == "idle") == ("adds.register" not in item["events"]), (block, name)
        assert name == "idle" or energy >= item["energy_zero_delay_pj"] > 0
        assert item["quiet"] < item["nets"]
        assert item["activity"].keys() == (set() if name == "idle" else {"cells", "adds", "fill"} if block == "cells"
                                           else {"adds"})
        assert all(0 < rate <= 1 for rate in item["activity"].values())
    at_rest, at_work = (found["cells", name] for name in ("idle", "random"))
    assert at_rest["energy_pj"]["internal"] / at_rest["cycles"] < at_work["energy_pj"]["internal"] / at_work["cycles"]
    path = tmp_path / "toy.json"
    characterise.save(data, path)
    text = path.read_text()
    assert json.loads(text)["library"] | {"sources": 0} == {
        "name": "toy", "title": "toy, before layout", "process_nm": 9, "voltage": 2.0, "sources": 0,
        "corner": data["library"]["corner"], "licence": "as the library's files say"}
    assert sum('"block"' in line for line in text.splitlines()) == len(data["measurements"])

    def never(*_: object, **__: object) -> None:
        raise AssertionError("a measurement that is kept must not be made again")

    for what in ("synthesise", "measure", "Seen"):
        monkeypatch.setattr(characterise, what, never)
    again = characterise.characterise(session(cache), [POINT], known)
    assert again["measurements"] == data["measurements"]


def test_a_run_that_was_stopped_goes_on(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, honest = list[str](), characterise.measure

    def some(*args: object, what: str, **options: object) -> object:
        if len(made) == 1:
            raise KeyboardInterrupt
        made.append(what)
        return honest(*args, what=what, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(characterise, "measure", some)
    with pytest.raises(KeyboardInterrupt):
        session(tmp_path, "random").measurements(POINT)
    made.append("the second is let pass")
    found = session(tmp_path, "random").measurements(POINT)
    assert [item["block"] for item in found] == ["cells", "trees"]
    assert sum("cells" in what for what in made) == 1


def test_a_wrong_gate_is_found(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One cell of the adder trees is another one of as many inputs."""
    honest, planted = characterise.synthesise, list[str]()

    def other(*args: object, **options: object) -> Netlist:
        netlist = honest(*args, **options)  # type: ignore[arg-type]
        place = int(np.flatnonzero(netlist.type == netlist.types.index("XOR2"))[0])
        kinds = netlist.type.copy()
        kinds[place] = netlist.types.index("NAND2")
        planted.append(netlist.instances[place])
        return replace(netlist, type=kinds)

    monkeypatch.setattr(characterise, "synthesise", other)
    fresh = replace(session(cache, "random"), period_ns=2.5)
    with pytest.raises(ValueError, match=r"^trees of lookup 2x2, 4 entries of length 2, random: output tree_\d_o must "
                                         r"be 0x[0-9a-f]+ in cycle \d+, its gates give 0x[0-9a-f]+ \(\d+ of \d+ "):
        fresh.measurements(Point(ARRAY, ("trees",)))
    assert planted


def test_a_workload_that_moves_nothing_is_refused(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A product never moves the pool's tree."""
    monkeypatch.setitem(BLOCKS, "pool", replace(BLOCKS["pool"], workload="product"))
    array = Array(engine="mac", rows=2, columns=2, encoders=2, length=1, entries=1)
    honest = seen.record

    def still(*args: object) -> object:
        found = honest(*args)  # type: ignore[arg-type]
        return replace(found, ports={block: {port: rows * (port not in part.inputs) for port, rows in ports.items()}
                                     for (block, ports), part in zip(found.ports.items(), args[1].values(),
                                                                     strict=True)})

    monkeypatch.setattr(seen, "record", still)
    with pytest.raises(ValueError, match=r"^pool of mac 2x2, 1 entries of length 1, random: the workload never changes "
                                         r"any of the block's \d+ nets$"):
        session(cache, "random").measurements(Point(array, ("pool",)))


@pytest.mark.parametrize("array", [ARRAY, Array(engine="mac", rows=4, columns=2, encoders=2, length=1, entries=1),
                                   Array(engine="lut-tc", rows=4, columns=4, encoders=2, length=4, entries=2)])
def test_blocks_share_the_bill_among_them(array: Array) -> None:
    """What cells, trees and accumulators owe together is what the bill says, nothing twice and nothing forgotten."""
    found = workloads.make("random", "product", array, layer(), rows=16)
    sized = workloads.machine(found, array)
    events = Events(**Seen(found, array, (), None, None).events)
    cycles, structure = 1000, Structure(sized)
    whole: dict[str, float] = {}
    for item in quantities(events, cycles, structure):
        name = f"{item.component}.{item.entry}"
        whole[name] = whole.get(name, 0.0) + item.amount
    names = ("array", "accumulators", "finisher", "gather", "encoder")
    owed = [BLOCKS[name].charges(events, cycles, structure) for name in names if BLOCKS[name].runs_on(sized)]
    sums = {name: sum(charges.get(name, 0) for charges in owed) for charges in owed for name in charges}
    for name in {"cells.clock", "adds.add", "adds.clock", "adds.register", "accumulators.register", "fill.register",
                 "gather.add", "encoder.clock"} & set(sums):
        assert sums[name] == pytest.approx(whole[name]), name
    if array.engine == "lookup":
        parts = [BLOCKS[name].charges(events, cycles, structure) for name in ("cells", "trees", "accumulators")]
        for name in ("adds.register", "adds.add"):  # clock gates of parts are more than those of the whole
            assert sum(charges.get(name, 0) for charges in parts) == pytest.approx(whole[name])


def test_every_planned_machine_has_its_blocks() -> None:
    assert {name for point in PLAN for name in point.blocks} == set(BLOCKS)
    for point in PLAN:
        assert all(BLOCKS[name].runs_on(point.array) for name in point.blocks), point


def test_mistakes() -> None:
    with pytest.raises(ValueError, match=r"^block must be one of encoder, .*, control, not nix$"):
        block_of("nix")
    with pytest.raises(ValueError, match=r"^array must be one of 2x2 for encoder, not 3x5$"):
        points(["encoder"], [(3, 5)])
    with pytest.raises(ValueError, match=r"^workload must be one of network, random, idle, not mine$"):
        Session(toy(), 2.0, layer(), ("mine",))
    with pytest.raises(ValueError, match=r"^the process of the library toy must be given, --process in nanometres$"):
        facts.facts_of(toy())
    with pytest.raises(ValueError, match=r"^layer layer has 16 x 16 weights, the array needs 64 x 16$"):
        workloads.make("network", "product", Array(rows=8, columns=8, encoders=1, length=4, entries=4), layer())
