"""lutra_sim.network: simulations that go on, progress, traces, and what is refused."""

import re
from pathlib import Path
from typing import Any

import pytest

from lutra_model.network import Network
from lutra_model.params import Array
from lutra_sim import network as simulation
from lutra_sim.network import simulate, trace
from tests.sim.network.small import ARRAYS, LOOKUPS, images, network


def interrupted(net: Network, keep: Path, after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A simulation that Ctrl-C ends when so many batches are done."""
    add = simulation.Partial.add

    def stopping(self: Any, number: int, **values: Any) -> None:
        add(self, number, **values)
        if len(self.found) == after:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(simulation.Partial, "add", stopping)
        with pytest.raises(KeyboardInterrupt):
            simulate(net, images(5), ARRAYS, batch=1, keep=keep)


def test_an_interrupted_simulation_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net, keep = network(*LOOKUPS), tmp_path / "y.npy.partial"
    interrupted(net, keep, 3, monkeypatch)
    assert [path.name for path in tmp_path.iterdir()] == [keep.name]
    run = simulate(net, images(5), ARRAYS, batch=1, keep=keep)
    assert run.fresh == 2
    assert run.bit_exact
    assert run.cycles_exact
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("damage", ["other inputs", "cut", "junk"])
def test_results_of_something_else_are_not_taken(damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net, keep = network(*LOOKUPS), tmp_path / "partial"
    interrupted(net, keep, 2, monkeypatch)
    x = images(5)
    match damage:
        case "other inputs":
            x = x ^ 1
        case "cut":
            keep.write_bytes(keep.read_bytes()[:-100])
        case "junk":
            keep.write_text("junk")
    run = simulate(net, x, ARRAYS, batch=1, keep=keep)
    assert run.fresh == 5
    assert run.bit_exact


def test_a_folder_keeps_results_by_what_they_depend_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    net = network(*LOOKUPS)
    interrupted(net, tmp_path, 1, monkeypatch)
    assert simulate(net, images(4), ARRAYS, batch=1, keep=tmp_path).fresh == 4
    assert simulate(net, images(5), ARRAYS, batch=1, keep=tmp_path).fresh == 4


def test_progress_ends_at_all_cycles() -> None:
    told: list[tuple[str, int, int]] = []
    run = simulate(network(*LOOKUPS), images(3), ARRAYS, batch=1, progress=lambda *what: told.append(what))
    last = [what for what in told if what[0].startswith("simulating")][-1]
    assert last == ("simulating small, cycles", int(run.predicted.sum()), int(run.predicted.sum()))


def test_a_trace_of_some_cycles(tmp_path: Path) -> None:
    path = tmp_path / "t.vcd"
    trace(network(*LOOKUPS), images(1), ARRAYS, path, (100, 119), kind="vcd")
    steps = [int(step) for step in re.findall(r"^#(\d+)$", path.read_text(), re.MULTILINE)]
    assert steps == list(range(200, 240))


@pytest.mark.parametrize(("cycles", "kind", "sentence"), [
    ((0, 10**9), "vcd", r"cycles to trace must be within 0:\d+, not 0:1000000000"),
    ((0, 9), "txt", r"a trace must be \.fst or \.vcd, not \.txt")])
def test_a_trace_that_cannot_be_made(cycles: tuple[int, int], kind: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        trace(network(*LOOKUPS), images(1), ARRAYS, tmp_path / "t", cycles, kind=kind)


@pytest.mark.parametrize(("arrays", "sentence"), [
    ({}, "network small needs an array for scheme lut-nn, there are arrays for none"),
    ({"int8": ARRAYS["int8"]}, "network small needs an array for scheme lut-nn, there are arrays for int8")])
def test_a_missing_array_is_refused(arrays: dict[str, Array], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        simulate(network(*LOOKUPS), images(1), arrays)


def test_wrong_numbers_are_refused() -> None:
    net = network(*LOOKUPS)
    with pytest.raises(ValueError, match=r"^x must hold at least one input, not 0$"):
        simulate(net, images(0), ARRAYS)
    for name in ("batch", "threads", "table_period"):
        with pytest.raises(ValueError, match=rf"^{name} must be at least 1, not 0$"):
            simulate(net, images(1), ARRAYS, **{name: 0})
