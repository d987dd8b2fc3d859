"""What can happen in an operation that costs energy, and how often it did."""

from dataclasses import dataclass, fields

__all__ = ["DramBits", "Events"]


@dataclass(frozen=True, kw_only=True)
class DramBits:
    """Bits between the chip and its memory; whatever stays on the chip is loaded once for all images.

    Zeros that fill up tiles, beats and words are not charged here: they need not come from memory.
    """

    inputs: int = 0
    codebooks: int = 0
    tables: int = 0
    parameters: int = 0
    program: int = 0
    outputs: int = 0

    def __add__(self, other: "DramBits") -> "DramBits":
        return DramBits(**{name: value + vars(other)[name] for name, value in vars(self).items()})

    def __rmul__(self, times: int) -> "DramBits":
        return DramBits(**{name: times * value for name, value in vars(self).items()})

    @property
    def total(self) -> int:
        """All of them."""
        return sum(getattr(self, field.name) for field in fields(self))


@dataclass(frozen=True, kw_only=True)
class Events:
    """How often everything that costs energy happens in one operation, for all its images.

    Parameters
    ----------
    encodes : sub-vectors that pass an encoder (scalars in a MAC array).
    distance_steps : lanes of work in them: one difference, and its absolute value or square.
    compares : distances (or scalars and thresholds) compared.
    encoder_adds : additions of encoders and online table builders, those of distances aside.
    encoder_add_bits, encoder_compare_bits, encoder_mux_bits : adder, comparator and two-input multiplexer bits of
        encoders and online table builders. encoder_multiply_bits : products of widths of what they multiply.
    encoder_deep_bits : bits of adders (or maxima) that follow others in one cycle, once for each that they follow.
    codebook_read_bits, codebook_write_bits : codebook memory; what is read goes into the encoders' registers.
    gather_read_bits, activation_write_bits, residual_read_bits : activation memory.
    address_bits : adder bits of the lanes' addresses. gather_register_bits : register bits that a fed row passes.
    index_read_bits, index_write_bits : index memory, whole words.
    issues : rows that the walker sends through the array, once for each plane where weights have planes.
    cell_steps : entries read, products formed or signs chosen by cells.
    table_reads : table entries read; 0 in a MAC array.
    multiplies : products of 8 x 8 bits that the cells form. multiply_bits : products of widths of other ones.
    cell_adds : further additions before the finisher: negatives, sums of planes and of activations, the product of
        these and a zero point.
    cell_mux_bits, cell_add_bits : multiplexer and adder bits of the cells, before the trees.
    cell_register_bits : register bits clocked in cells or before them, beyond those that every issued row passes.
    cell_wire_bits : bits written into cells that are made in the array, each at every register that it is offered to.
    beside_add_bits, beside_mux_bits, beside_multiply_bits, beside_register_bits : the same of what belongs to the cells
        and lies beside their array: a sum lane's and its zero points', a transposer's, of code words on their way.
    table_writes : table entries (or weights) written into cells.
    table_read_bits, table_write_bits : table memory, parameters included.
    parameter_bits : finisher parameters written into their registers.
    turn_bits : weight bits that a MAC array moves from its loading to its working bank; a lookup array moves none.
    idle_cells : cells that an issue passes without work (ragged tiles).
    tree_adds, tree_add_bits : two-operand additions of the adder trees and their bits. tree_deep_bits : of trees that
        add in one cycle, bits of adders that follow others, once for each that they follow.
    accumulator_adds : additions of a tree's sum to an accumulator.
    accumulator_read_bits, accumulator_write_bits : accumulator memory, whole words.
    pool_add_bits : adder bits that reduce a pool's lanes; pool_compare_bits : comparator bits, for a maximum.
    finishes : outputs finished: one bias addition, one 16-bit multiplication, one rounding addition each.
    function_compare_bits, function_mux_bits, function_add_bits, function_multiply_bits, function_register_bits : of
        function units and of the row unit; ``multiply`` as products of widths.
    function_read_bits, function_write_bits : function memory; what is read goes into registers.
    row_read_bits, row_write_bits : the row unit's memories.
    residual_adds : outputs to which the add stage adds: two products of 16 x 8 bits, a sum, a rounding, a shift.
    encode_register_bits, issue_register_bits, accumulator_register_bits, finish_register_bits, add_register_bits :
        register bits clocked by data, in encoders; in cells, trees; in accumulators; in finishers; in the add stage.
    program_read_bits, program_write_bits : program memory.
    activation_beats, table_beats, output_beats : beats of the streams.
    dram : bits from and to memory.
    """

    encodes: int = 0
    distance_steps: int = 0
    compares: int = 0
    encoder_adds: int = 0
    encoder_add_bits: int = 0
    encoder_compare_bits: int = 0
    encoder_mux_bits: int = 0
    encoder_multiply_bits: int = 0
    encoder_deep_bits: int = 0
    codebook_read_bits: int = 0
    codebook_write_bits: int = 0
    gather_read_bits: int = 0
    activation_write_bits: int = 0
    residual_read_bits: int = 0
    address_bits: int = 0
    gather_register_bits: int = 0
    index_read_bits: int = 0
    index_write_bits: int = 0
    issues: int = 0
    cell_steps: int = 0
    table_reads: int = 0
    multiplies: int = 0
    multiply_bits: int = 0
    cell_adds: int = 0
    cell_mux_bits: int = 0
    cell_add_bits: int = 0
    cell_register_bits: int = 0
    cell_wire_bits: int = 0
    beside_add_bits: int = 0
    beside_mux_bits: int = 0
    beside_multiply_bits: int = 0
    beside_register_bits: int = 0
    table_writes: int = 0
    table_read_bits: int = 0
    table_write_bits: int = 0
    parameter_bits: int = 0
    turn_bits: int = 0
    idle_cells: int = 0
    tree_adds: int = 0
    tree_add_bits: int = 0
    tree_deep_bits: int = 0
    accumulator_adds: int = 0
    accumulator_read_bits: int = 0
    accumulator_write_bits: int = 0
    pool_add_bits: int = 0
    pool_compare_bits: int = 0
    finishes: int = 0
    function_compare_bits: int = 0
    function_mux_bits: int = 0
    function_add_bits: int = 0
    function_multiply_bits: int = 0
    function_register_bits: int = 0
    function_read_bits: int = 0
    function_write_bits: int = 0
    row_read_bits: int = 0
    row_write_bits: int = 0
    residual_adds: int = 0
    encode_register_bits: int = 0
    issue_register_bits: int = 0
    accumulator_register_bits: int = 0
    finish_register_bits: int = 0
    add_register_bits: int = 0
    program_read_bits: int = 0
    program_write_bits: int = 0
    activation_beats: int = 0
    table_beats: int = 0
    output_beats: int = 0
    dram: DramBits = DramBits()

    def __add__(self, other: "Events") -> "Events":
        return Events(**{name: value + vars(other)[name] for name, value in vars(self).items()})

    def __rmul__(self, times: int) -> "Events":
        return Events(**{name: times * value for name, value in vars(self).items()})

    @property
    def operations(self) -> int:
        """Arithmetic done: distance lanes and their sums, compares, tables made, steps of cells, additions, finishers.

        Pools, functions and the row unit, which are the same beside every engine, are not counted.
        """
        lanes = 2 * self.distance_steps  # difference, and absolute value or square
        sums = max(self.distance_steps - self.compares - self.encodes, 0) if self.distance_steps else 0
        cells = self.cell_steps + self.cell_adds
        return (lanes + sums + self.compares + self.encoder_adds + cells + self.tree_adds + self.accumulator_adds
                + 3 * self.finishes + 4 * self.residual_adds)
