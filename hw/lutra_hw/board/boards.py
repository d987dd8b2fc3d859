"""The boards as data: their part, their clock, the machine that fits them by default."""

from dataclasses import dataclass, replace

from amaranth.build import Platform
from amaranth_boards.ice40_hx8k_b_evn import ICE40HX8KBEVNPlatform
from amaranth_boards.icebreaker import ICEBreakerPlatform
from amaranth_boards.icepi_zero import IcepiZero1_3Platform
from amaranth_boards.tang_nano_9k import TangNano9kPlatform
from amaranth_boards.ulx3s import ULX3S_12F_Platform, ULX3S_25F_Platform, ULX3S_45F_Platform, ULX3S_85F_Platform

from lutra_model.bare import Bare
from lutra_model.params import Array, Metric

from .parts import ECP5_12F, ECP5_25F, ECP5_45F, ECP5_85F, GW1NR_9C, GW2AR_18C, HX8K, UP5K, Part
from .platforms import ColorlightI5, ColorlightI9, OrangeCrab25F, OrangeCrab85F, TangNano20K
from .pll import PLLS, Pll

__all__ = ["BOARDS", "Board", "board_named"]


@dataclass(frozen=True, kw_only=True)
class Board:
    """One board.

    Parameters
    ----------
    platform : its pins, from amaranth-boards or ours.
    place, pack : options that tell nextpnr and the packer of the part's package and of pins that are shared.
    oscillator_mhz : its clock; other clocks come from a PLL, and ``pad`` says that this is fed by the pin itself.
    clock_mhz : of the machine, by default.
    baud : of the serial line to the host.
    array : the machine that it holds by default.
    loader : the board's name in openFPGALoader.
    hard_squares : whether the encoders' squares take the multipliers that the columns leave: fewer LUT4 cells, but
        place and route take longer, so it is for parts that are nearly full.
    """

    name: str
    platform: type[Platform]
    part: Part
    place: tuple[str, ...] = ()
    pack: tuple[str, ...] = ()
    oscillator_mhz: int
    pad: bool = False
    clock_mhz: int
    baud: int = 1_000_000
    array: Array
    loader: str
    hard_squares: bool = False

    @property
    def square_multipliers(self) -> int:
        """Multipliers that columns and squares share; 0 where squares take none."""
        return self.part.dsp if self.hard_squares else 0

    @property
    def pll(self) -> type[Pll]:
        """What makes a clock other than the oscillator's."""
        return PLLS[self.part.family + "-pad" * self.pad]


# Depths that block RAMs of 512, 1024 or 2048 words fill; the large one holds lutra/networks/fashion-resnet8.lutra.
SMALL = Array(rows=8, columns=4, encoders=1, length=4, lanes=4, codebooks=64, block_rows=512, index_words=512,
              activation_words=8192, table_words=2048, codebook_words=2048, program_words=512)
LARGE = Array(rows=16, columns=8, encoders=1, fill=4, codebooks=128, block_rows=1024, index_words=1024,
              activation_words=16384, table_words=6144, codebook_words=4096, program_words=512)
TINY = Array(rows=4, columns=4, encoders=1, length=4, lanes=4, metric=Metric.TREE, codebooks=64, block_rows=256,
             index_words=512, activation_words=2048, table_words=1024, codebook_words=4096, program_words=512)
BARE = Bare(rows=8, columns=4, encoders=1, length=4, codebooks=64, block_rows=256)

ULX3S = Board(name="ulx3s-25f", platform=ULX3S_25F_Platform, part=ECP5_25F,
              place=("--package", "CABGA381", "--speed", "6"), oscillator_mhz=25, clock_mhz=40, array=SMALL,
              loader="ulx3s", hard_squares=True)
ORANGECRAB = replace(ULX3S, name="orangecrab-25f", platform=OrangeCrab25F, oscillator_mhz=48, loader="orangeCrab",
                     place=("--package", "CSFBGA285", "--speed", "8"), pack=("--freq", "38.8"))
ICEBREAKER = Board(name="icebreaker", platform=ICEBreakerPlatform, part=UP5K, place=("--package", "sg48"),
                   oscillator_mhz=12, pad=True, clock_mhz=24, array=replace(BARE, block_tables=True),
                   loader="ice40_generic")
NANO = Board(name="tang-nano-20k", platform=TangNano20K, part=GW2AR_18C, pack=("--sspi_as_gpio", "--mspi_as_gpio"),
             oscillator_mhz=27, clock_mhz=27, array=TINY, loader="tangnano20k")

BOARDS = {board.name: board for board in [
    replace(ULX3S, name="ulx3s-85f", platform=ULX3S_85F_Platform, part=ECP5_85F, clock_mhz=30, array=LARGE,
            hard_squares=False),
    replace(ULX3S, name="ulx3s-45f", platform=ULX3S_45F_Platform, part=ECP5_45F, hard_squares=False),
    ULX3S,
    replace(ULX3S, name="ulx3s-12f", platform=ULX3S_12F_Platform, part=ECP5_12F),
    replace(ULX3S, name="icepi-zero", platform=IcepiZero1_3Platform, place=("--package", "CABGA256", "--speed", "6"),
            oscillator_mhz=50, loader="icepi-zero"),
    replace(ORANGECRAB, name="orangecrab-85f", platform=OrangeCrab85F, part=ECP5_85F, clock_mhz=30, array=LARGE,
            hard_squares=False),
    ORANGECRAB,
    replace(ULX3S, name="colorlight-i5", platform=ColorlightI5, loader="colorlight-i5"),
    replace(ULX3S, name="colorlight-i9", platform=ColorlightI9, part=ECP5_45F, loader="colorlight-i9",
            hard_squares=False),
    ICEBREAKER,
    replace(ICEBREAKER, name="hx8k-b-evn", platform=ICE40HX8KBEVNPlatform, part=HX8K, place=("--package", "ct256"),
            pad=False),
    NANO,
    replace(NANO, name="tang-nano-9k", platform=TangNano9kPlatform, part=GW1NR_9C, array=BARE,
            loader="tangnano9k"),
]}


def board_named(name: str) -> Board:
    """The board called ``name``."""
    if name not in BOARDS:
        raise ValueError(f"board must be one of {', '.join(BOARDS)}, not {name}")
    return BOARDS[name]
