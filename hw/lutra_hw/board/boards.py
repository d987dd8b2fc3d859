"""The boards as data: their part, their clock, the machine that fits them by default."""

from dataclasses import dataclass

from amaranth.vendor import LatticeECP5Platform
from amaranth_boards.icepi_zero import IcepiZero1_3Platform
from amaranth_boards.ulx3s import ULX3S_25F_Platform, ULX3S_85F_Platform

from lutra_model.params import Array

__all__ = ["BOARDS", "Board", "Part", "board_named"]


@dataclass(frozen=True, kw_only=True)
class Part:
    """What an FPGA has: LUT4 cells (carry and distributed RAM included), RAM write ports, block RAMs, multipliers."""

    name: str
    lut4: int
    ramw: int
    block_ram: int
    dsp: int


ECP5_25F = Part(name="LFE5U-25F", lut4=24_288, ramw=3_036, block_ram=56, dsp=28)
ECP5_85F = Part(name="LFE5U-85F", lut4=83_640, ramw=10_455, block_ram=208, dsp=156)


@dataclass(frozen=True, kw_only=True)
class Board:
    """One board.

    Parameters
    ----------
    platform : its pins, from amaranth-boards.
    package : of the part, as nextpnr names it.
    oscillator_mhz : its clock; other clocks come from a PLL.
    clock_mhz : of the machine, by default.
    baud : of the serial line to the host.
    array : the machine that it holds by default.
    hard_squares : whether the encoders' squares take the multipliers that the columns leave: fewer LUT4 cells, but
        place and route take longer, so it is for parts that are nearly full.
    """

    name: str
    platform: type[LatticeECP5Platform]
    part: Part
    package: str
    speed: int
    oscillator_mhz: int
    clock_mhz: int
    baud: int = 1_000_000
    array: Array
    hard_squares: bool = False

    @property
    def square_multipliers(self) -> int:
        """Multipliers that columns and squares share; 0 where squares take none."""
        return self.part.dsp if self.hard_squares else 0


# Depths that block RAMs of 512, 1024 or 2048 words fill; the large one holds lutra/networks/fashion-resnet8.lutra.
SMALL = Array(rows=8, columns=4, encoders=1, length=4, lanes=4, codebooks=64, block_rows=512, index_words=512,
              activation_words=8192, table_words=2048, codebook_words=2048, program_words=512)
LARGE = Array(rows=16, columns=8, encoders=1, fill=4, codebooks=128, block_rows=1024, index_words=1024,
              activation_words=16384, table_words=6144, codebook_words=4096, program_words=512)

BOARDS = {board.name: board for board in [
    Board(name="ulx3s-85f", platform=ULX3S_85F_Platform, part=ECP5_85F, package="CABGA381", speed=6,
          oscillator_mhz=25, clock_mhz=30, array=LARGE),
    Board(name="ulx3s-25f", platform=ULX3S_25F_Platform, part=ECP5_25F, package="CABGA381", speed=6,
          oscillator_mhz=25, clock_mhz=40, array=SMALL, hard_squares=True),
    Board(name="icepi-zero", platform=IcepiZero1_3Platform, part=ECP5_25F, package="CABGA256", speed=6,
          oscillator_mhz=50, clock_mhz=40, array=SMALL, hard_squares=True),
]}


def board_named(name: str) -> Board:
    """The board called ``name``."""
    if name not in BOARDS:
        raise ValueError(f"board must be one of {', '.join(BOARDS)}, not {name}")
    return BOARDS[name]
