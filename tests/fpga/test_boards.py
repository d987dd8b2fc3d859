"""The boards: pins, clocks, and a page for each."""

import re
import shlex
from pathlib import Path

import pytest
from amaranth.hdl import ClockDomain, Elaboratable, Module
from amaranth.lib import io

from lutra.cli import parser
from lutra_hw.board.boards import BOARDS, Board
from lutra_hw.board.clock import Clock
from lutra_hw.board.fit import engine_array
from lutra_hw.board.pll import PLLS, Dividers, Ecp5Pll, GowinPll, Ice40Pll, Pll
from lutra_model.bare import Bare
from lutra_model.params import Array
from lutra_sim.fpga.families import FAMILIES
from lutra_sim.fpga.job import Job

DOCS = Path(__file__).parents[2] / "docs"
SMALL = Array(rows=2, columns=2, encoders=1, length=2, entries=2, lanes=2, codebooks=8, block_rows=16, index_words=16)
CLASSES = {"portable": Pll, **PLLS}
# By the boards' schematics: receive, transmit, first light, oscillator.
PINS = {
    "ulx3s-85f": ("M1", "L4", "B2", "G2"), "icepi-zero": ("K16", "K15", "E13", "M1"),
    "orangecrab-25f": ("N17", "M18", "K4", "A9"), "colorlight-i5": ("H18", "J17", "U16", "P3"),
    "colorlight-i9": ("H18", "J17", "L2", "P3"), "icebreaker": ("6", "9", "11", "35"),
    "hx8k-b-evn": ("B10", "B12", "C3", "J3"), "tang-nano-9k": ("18", "17", "10", "52"),
    "tang-nano-20k": ("70", "69", "15", "4")}
PATTERNS = {"ecp5": 'LOCATE COMP "{}" SITE "{}";', "ice40": "set_io {} {}\n", "gowin": 'IO_LOC "{}" {};'}

OUT_OF_REACH = {(kind, 25, clock) for kind in ("ice40", "ice40-pad") for clock in (10, 60, 400)}


@pytest.mark.parametrize("name", PINS)
def test_pins(name: str) -> None:
    """The line, four lights (or as many as there are), the oscillator, and nothing else."""
    board, (rx, tx, led, clock) = BOARDS[name], PINS[name]
    pins = Job.of(board, SMALL, board.clock_mhz, 1).pins
    pattern = PATTERNS[board.part.family]
    for port, pin in [("uart_0__rx__io", rx), ("uart_0__tx__io", tx), ("led_0__io", led)]:
        assert pattern.format(port, pin) in pins
    assert re.search(pattern.format("CLOCK", clock).replace("CLOCK", r"\w+__io"), pins)
    lights = {"orangecrab-25f": 3, "colorlight-i5": 1, "colorlight-i9": 1, "icebreaker": 2}.get(name, 4)
    assert len(re.findall(pattern.format(r"\w+", r"\w+"), pins)) == 3 + lights


@pytest.mark.parametrize("board", BOARDS.values(), ids=lambda board: board.name)
def test_records(board: Board) -> None:
    assert board.part.family in FAMILIES
    assert (board.clock_mhz * 1_000_000 / board.baud).is_integer()
    if board.clock_mhz != board.oscillator_mhz:
        assert board.pll.best(board.oscillator_mhz, board.clock_mhz)


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize(("oscillator", "clock"), [
    (25, 25), (25, 50), (25, 60), (50, 40), (48, 60), (25, 10), (25, 400), (12, 24), (12, 36), (12, 48),
    (27, 54), (27, 81)])
def test_dividers_make_the_clock(kind: str, oscillator: int, clock: int) -> None:
    """Every class makes exactly the clock that was asked for, inside its limits, or says that it cannot."""
    pll = CLASSES[kind]
    if (kind, oscillator, clock) in OUT_OF_REACH or (kind == "portable" and clock != oscillator):
        with pytest.raises(ValueError, match=rf"^clock must be a small ratio of the board's {oscillator} MHz, "):
            pll.best(oscillator, clock)
        return
    found = pll.best(oscillator, clock)
    inside = oscillator / found.reference * found.feedback * (1 if issubclass(pll, Ice40Pll) else found.output)
    assert inside == clock * found.output
    assert pll.VCO_MHZ[0] <= inside <= pll.VCO_MHZ[1]
    assert pll.PHASE_MHZ[0] <= oscillator / found.reference <= pll.PHASE_MHZ[1]


def test_dividers_of_boards() -> None:
    """Settings that the vendors' own tools print: ecppll, icepll, gowin_pll."""
    assert Ecp5Pll.best(25, 50) == Dividers(reference=1, feedback=2, output=16)
    assert Ice40Pll.best(12, 48) == Dividers(reference=1, feedback=64, output=16)
    assert GowinPll.best(27, 54) == Dividers(reference=1, feedback=2, output=16)


class Toggle(Elaboratable):
    """A register in the clock's domain."""

    def __init__(self, board: Board, pll: type[Pll], clock_mhz: int):
        self.board, self.clock = board, Clock(board.oscillator_mhz, clock_mhz, pll)

    def elaborate(self, platform):  # type: ignore[no-untyped-def]
        m = Module()
        m.domains.sync = ClockDomain()
        m.submodules.clock = self.clock
        m.submodules.led = led = io.Buffer("o", platform.request("led", 0, dir="-"))
        m.d.sync += led.o.eq(~led.o)
        return m


@pytest.mark.parametrize(("name", "cell"), [
    ("ulx3s-25f", "EHXPLLL"), ("icebreaker", "SB_PLL40_PAD"), ("hx8k-b-evn", "SB_PLL40_CORE"),
    ("tang-nano-9k", "rPLL")])
def test_the_clock_is_the_vendors_or_the_oscillator(name: str, cell: str) -> None:
    board = BOARDS[name]
    for pll, clock, there in [(board.pll, 2 * board.oscillator_mhz, True),
                              (board.pll, board.oscillator_mhz, False)]:
        plan = board.platform().prepare(Toggle(board, pll, clock), "lutra", emit_src=False)
        text = plan.files["lutra.il"]
        assert (f"\\{cell} " in (text if isinstance(text, str) else text.decode())) is there


@pytest.mark.parametrize("board", BOARDS.values(), ids=lambda board: board.name)
def test_every_board_has_its_page(board: Board) -> None:
    page = (DOCS / "boards" / f"{board.name}.md").read_text()
    assert f"](boards/{board.name}.md)" in (DOCS / "fpga.md").read_text()
    for part in ("Wiring", "Commands", "Expected output"):
        assert f"## {part}\n" in page
    assert board.part.name in page
    assert f"openFPGALoader -b {board.loader} " in page
    commands = [line for line in page.splitlines() if line.startswith("lutra ")]
    assert any(line.startswith(f"lutra bitstream --board {board.name}") for line in commands)
    for line in commands:
        parser().parse_args(shlex.split(line.partition("  #")[0].partition(" > ")[0])[1:])


def test_machines_that_small_boards_refuse() -> None:
    """A board too small for a machine has a bare array of its own, and says what a machine takes."""
    assert {board.name for board in BOARDS.values() if isinstance(board.array, Bare)} == {
        "icebreaker", "hx8k-b-evn", "tang-nano-9k"}
    assert not isinstance(engine_array(BOARDS["tang-nano-20k"], "lookup"), Bare)
