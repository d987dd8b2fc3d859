"""Operations: what one step of a machine's program says, field by field, and its words in program memory.

The hardware decodes its settings by the same table of fields, so the two cannot drift apart.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from .params import Array
from .whole import up

__all__ = ["COMMAND", "FIELDS", "FIXED_WORDS", "LANE_FIELDS", "Arrange", "Error", "Field", "Kind", "Lane", "Opcode",
           "Operation", "State", "descriptor_words"]

FIXED_WORDS = 28  # then one for each lane
COMMAND = 0x4C0000  # upper bits of a command's first word; the others are its opcode


class Opcode(IntEnum):
    """What a command does."""

    WRITE_PROGRAM = 1
    WRITE_CODEBOOKS = 2
    WRITE_TABLES = 3
    RUN = 4
    WRITE_FUNCTIONS = 5  # of machines that have a function memory


class Kind(IntEnum):
    """What an operation does."""

    PRODUCT = 1  # windows -> encoders -> array -> finisher
    POOL = 2     # windows -> sum or maximum over the lanes -> finisher
    LOAD = 3     # input stream -> activation memory
    ROW = 4      # passes over the channels of pixels: softmax or norm -> finisher; of machines that have functions


class Arrange(IntEnum):
    """How the bytes of the gathered words become sub-vectors (docs/hardware.md)."""

    WINDOW = 0  # scalar v of encoder (g, b) is byte b of lane g * length + v
    RUN = 1     # scalar v of encoder (g, b) is byte b * V + v of the group's words, one after the other
    TAPS = 2    # scalar v of encoder e is byte ``group number`` of lane e * V + v


class State(IntEnum):
    """The machine's state in its status word."""

    IDLE = 0
    RUNNING = 1
    FAILED = 2


class Error(IntEnum):
    """Why a program failed, in the status word."""

    NONE = 0
    COMMAND = 1      # unknown command
    KIND = 2         # unknown kind of operation
    SIZE = 3         # a field beyond what the machine holds
    PROGRAM = 4      # an address beyond the program memory
    READ = 5         # an address beyond the activation memory
    WRITE = 6        # the same for a write
    CONFLICT = 7     # two words of one beat in one bank
    TABLE = 8        # an address beyond the table memory
    CODEBOOK = 9     # an address beyond the codebook memory
    SHORT = 10       # tlast before the last beat
    LONG = 11        # no tlast on the last beat
    WATCHDOG = 12    # nothing moved for the run's timeout
    FUNCTION = 13    # a slot beyond the function memory


class Field(NamedTuple):
    """Where a number lies in an operation's words; ``less`` is taken off before it is stored."""

    word: int
    low: int
    width: int
    less: int = 0
    signed: bool = False


FIELDS = {
    "kind": Field(0, 0, 4), "maximum": Field(0, 4, 1), "source_side": Field(0, 5, 1), "side": Field(0, 6, 1),
    "to_stream": Field(0, 7, 1), "residual": Field(0, 8, 1), "stream_tables": Field(0, 9, 1),
    "arrange": Field(0, 10, 2), "final": Field(0, 12, 1), "gather": Field(0, 13, 1),
    "source": Field(1, 0, 32, signed=True),
    "step_x": Field(2, 0, 32, signed=True), "step_y": Field(3, 0, 32, signed=True),
    "height": Field(4, 0, 16), "width": Field(4, 16, 16),
    "stride_y": Field(5, 0, 8), "stride_x": Field(5, 8, 8), "top": Field(5, 16, 8), "left": Field(5, 24, 8),
    "out_width": Field(6, 0, 16, less=1), "blocks": Field(6, 16, 16, less=1),
    "block": Field(7, 0, 16, less=1), "last_block": Field(7, 16, 16, less=1),
    "row_tiles": Field(8, 0, 16, less=1), "last_slots": Field(8, 16, 16, less=1),
    "column_tiles": Field(9, 0, 16, less=1), "last_columns": Field(9, 16, 16, less=1),
    "entries": Field(10, 0, 16, less=1), "length": Field(10, 16, 8), "word_bytes": Field(10, 24, 8),
    "parts_x": Field(11, 0, 8, less=1), "parts_y": Field(11, 8, 8, less=1), "groups": Field(11, 16, 16, less=1),
    "part_x_step": Field(12, 0, 16), "part_x_dx": Field(12, 16, 8),
    "part_y_step": Field(13, 0, 16), "part_y_dy": Field(13, 16, 8),
    "group_step": Field(14, 0, 16), "sweep": Field(14, 16, 16, less=1),
    "tables": Field(15, 0, 32), "codebooks": Field(16, 0, 32),
    "low": Field(17, 0, 8, signed=True), "high": Field(17, 8, 8, signed=True), "shift": Field(17, 16, 8),
    "function": Field(17, 24, 4), "second": Field(17, 28, 4),
    "multiplier": Field(18, 0, 16),
    "own_factor": Field(19, 0, 16), "residual_factor": Field(19, 16, 16),
    "add_shift": Field(20, 0, 8), "add_low": Field(20, 8, 8, signed=True), "add_high": Field(20, 16, 8, signed=True),
    "zero": Field(20, 24, 8),
    "target": Field(21, 0, 32), "target_step": Field(22, 0, 16), "tile_step": Field(22, 16, 16),
    "target_jump": Field(23, 0, 32, signed=True),
    "residual_source": Field(24, 0, 32), "residual_step": Field(25, 0, 16),
    "residual_jump": Field(26, 0, 32, signed=True),
    "epsilon": Field(27, 0, 32),
}
LANE_FIELDS = {"offset": Field(0, 0, 16), "dy": Field(0, 16, 7), "dx": Field(0, 23, 7),
               "enabled": Field(0, 30, 1), "enabled_last": Field(0, 31, 1)}


def descriptor_words(array: Array) -> int:
    """Words of one operation in program memory."""
    return FIXED_WORDS + array.lanes


def _place(value: int, field: Field, name: str) -> int:
    stored = int(value) - field.less
    low, high = (-(1 << field.width - 1), (1 << field.width - 1) - 1) if field.signed else (0, (1 << field.width) - 1)
    if not low <= stored <= high:
        raise ValueError(f"{name} must be {low + field.less} to {high + field.less}, not {value}")
    return (stored & (1 << field.width) - 1) << field.low


@dataclass(frozen=True, kw_only=True)
class Lane:
    """One word of every gathered beat.

    Parameters
    ----------
    offset : words from the beat's base address.
    dy, dx : its pixel, relative to the window's first.
    enabled, enabled_last : whether it is read in the groups before the last; in the last one.
    """

    offset: int = 0
    dy: int = 0
    dx: int = 0
    enabled: bool = False
    enabled_last: bool = False

    def encode(self) -> int:
        """Its program word."""
        return sum(_place(getattr(self, name), field, name) for name, field in LANE_FIELDS.items())


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One step of a program. Everything is in words of activation memory unless it says otherwise.

    Parameters
    ----------
    kind, arrange : see `Kind` and `Arrange`.
    source_side, side : which side of the activation memory is read; written.
    maximum : a pool takes the largest, not the sum; a ROW is a softmax, not a norm.
    to_stream : results leave by the output stream, not to memory.
    residual : the add stage adds a value from the side that is not ``source_side``.
    stream_tables : table beats come from the table stream, not from table memory.
    final : the program ends with this operation.
    gather : of a table only the entries that the block's activation rows selected are loaded, each as the entry of its
        row's number.
    source : address of the word at window place (0, 0) of output pixel (0, 0), group 0; may lie before the image.
    step_x, step_y : added to it from one output pixel to the next in a row; from a row's last pixel to the next row's
        first.
    height, width : of the source, in pixels. Words outside it read as padding.
    stride_y, stride_x, top, left : of the window.
    out_width : pixels in a row of the output.
    blocks, block, last_block : blocks of output pixels; pixels in one; in the last one.
    row_tiles, last_slots : row tiles (a pool's parts); beats of an index word of the last one (array.slots in others).
    column_tiles, last_columns : column tiles (a pool's groups of channels); bytes of the last one.
    sweep : column tiles whose sums a vector machine holds together; its tables are built for each sweep again.
    entries, length : of the layer's tables; scalars of its sub-vectors.
    word_bytes : of a LOAD: stream bytes that go into each memory word.
    parts_x, parts_y, groups : slots lie ``for group: for part_y: for part_x``; their numbers.
    part_x_step, part_y_step, group_step : added to the base address from one to the next.
    part_x_dx, part_y_dy : pixels that a part lies further right; further down.
    zero : activation level of the value 0, of a layer of levels.
    tables, codebooks : addresses of the layer's first table beat; of its first codebook.
    low, high : clamp of the finisher. shift, multiplier : of a pool's finisher, or a softmax's.
    function : function slot plus one, 0 for none: of the finisher; of a ROW the exponential or the reciprocal root.
    second : the same for the reciprocal of a softmax.
    epsilon : of a norm.
    own_factor, residual_factor, add_shift, add_low, add_high : of the add stage.
    target, target_step, target_jump : address of output pixel 0; from a pixel to the next in a row; from a row's last
        pixel to the next row's first.
    tile_step : from one column tile to the next, of target and residual alike.
    residual_source, residual_step, residual_jump : the same for what the add stage reads.
    lanes : one for each of the machine's.
    name : of the layer, for people.
    """

    name: str = "operation"
    kind: Kind
    arrange: Arrange = Arrange.WINDOW
    maximum: bool = False
    source_side: int = 0
    side: int = 0
    to_stream: bool = False
    residual: bool = False
    stream_tables: bool = False
    final: bool = False
    gather: bool = False
    source: int = 0
    step_x: int = 0
    step_y: int = 0
    height: int = 1
    width: int = 1
    stride_y: int = 1
    stride_x: int = 1
    top: int = 0
    left: int = 0
    out_width: int = 1
    blocks: int = 1
    block: int = 1
    last_block: int = 1
    row_tiles: int = 1
    last_slots: int = 1
    column_tiles: int = 1
    last_columns: int = 1
    sweep: int = 1
    entries: int = 1
    length: int = 1
    word_bytes: int = 1
    parts_x: int = 1
    parts_y: int = 1
    groups: int = 1
    part_x_step: int = 0
    part_x_dx: int = 0
    part_y_step: int = 0
    part_y_dy: int = 0
    group_step: int = 0
    zero: int = 0
    tables: int = 0
    codebooks: int = 0
    low: int = -128
    high: int = 127
    shift: int = 15
    multiplier: int = 1 << 15
    function: int = 0
    second: int = 0
    epsilon: int = 0
    own_factor: int = 0
    residual_factor: int = 0
    add_shift: int = 1
    add_low: int = -128
    add_high: int = 127
    target: int = 0
    target_step: int = 0
    tile_step: int = 0
    target_jump: int = 0
    residual_source: int = 0
    residual_step: int = 0
    residual_jump: int = 0
    lanes: tuple[Lane, ...] = ()

    def encode(self, array: Array) -> list[int]:
        """The operation's words in program memory; lanes that it does not name are off.

        Raises ``ValueError`` where a number does not fit its field.
        """
        words = [0] * FIXED_WORDS
        for name, field in FIELDS.items():
            words[field.word] |= _place(getattr(self, name), field, f"{name} of {self.name}")
        lanes = self.lanes + (Lane(),) * (array.lanes - len(self.lanes))
        if len(lanes) > array.lanes:
            raise ValueError(f"{self.name} must use at most {array.lanes} lanes, not {len(lanes)}")
        return words + [lane.encode() for lane in lanes]

    @property
    def rows(self) -> int:
        """Output pixels."""
        return (self.blocks - 1) * self.block + self.last_block

    @property
    def sweeps(self) -> int:
        """Sweeps of a vector machine over the outputs of a block."""
        return -(-self.column_tiles // self.sweep)

    def features(self, array: Array) -> int:
        """Outputs of one output pixel of a product."""
        return (self.column_tiles - 1) * array.columns + self.last_columns

    @property
    def slots(self) -> int:
        """Passes of the window former over a block: codebook groups of a product, parts of a pool times its groups."""
        return self.parts_x * self.parts_y * self.groups

    def tile_slots(self, array: Array) -> tuple[int, ...]:
        """Slots of each row tile of a product."""
        return (array.slots,) * (self.row_tiles - 1) + (self.last_slots,)

    def row_groups(self, array: Array) -> int:
        """Groups of ``fill`` array rows in all row tiles of a product."""
        full, last = (up(slots * array.encoders, array.fill) for slots in (array.slots, self.last_slots))
        return (self.row_tiles - 1) * full + last

    @property
    def lane_reads(self) -> int:
        """Words that all lanes read of one output pixel and part, in all groups."""
        return sum(lane.enabled * (self.groups - 1) + lane.enabled_last for lane in self.lanes)

    @property
    def used_lanes(self) -> int:
        """Lanes that it names."""
        return len(self.lanes)

    @property
    def words_inside(self) -> int:
        """Words that it gathers: those of enabled lanes inside the image."""
        rows = np.arange(self.rows // self.out_width) * self.stride_y - self.top
        columns = np.arange(self.out_width) * self.stride_x - self.left
        total = 0
        for lane in self.lanes:
            times = lane.enabled * (self.groups - 1) + lane.enabled_last
            if times:
                y = rows[:, None] + np.arange(self.parts_y) * self.part_y_dy + lane.dy
                x = columns[:, None] + np.arange(self.parts_x) * self.part_x_dx + lane.dx
                inside = ((y >= 0) & (y < self.height)).sum() * ((x >= 0) & (x < self.width)).sum()
                total += times * int(inside)
        return total

    @property
    def block_sizes(self) -> tuple[int, ...]:
        """Output pixels of each block."""
        return (self.block,) * (self.blocks - 1) + (self.last_block,)
