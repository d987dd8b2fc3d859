"""Decoder of the command stream: writes of the memories, and runs."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from lutra_model.operation import COMMAND, Error, Opcode
from lutra_model.params import Array

from .engines import beat_width, engine_of
from .functions import FUNCTION_WORDS, function_write

__all__ = ["Commands", "codebook_pieces", "codebook_write", "memory_write", "table_beat"]


def codebook_pieces(array: Array) -> int:
    """Command words of a word of the codebook memory."""
    return -(-engine_of(array).codebook(array) // 4)


def memory_write(width: int) -> wiring.Signature:
    """Write of a memory word of ``width`` bits."""
    return wiring.Signature({"en": Out(1), "address": Out(32), "data": Out(width)})


def codebook_write() -> wiring.Signature:
    """Write of 32 bits of a codebook memory word, piece 0 lowest."""
    return wiring.Signature({"en": Out(1), "address": Out(32), "piece": Out(8), "data": Out(32)})


def table_beat(array: Array) -> data.StructLayout:
    """A beat of the table stream."""
    return data.StructLayout({"data": beat_width(array), "last": 1})


class Commands(wiring.Component):
    """Takes one command word (or one beat of WRITE_TABLES) in a cycle; a run must end before the next command.

    Members
    -------
    i : command words.
    tables : beats for WRITE_TABLES.
    program, codebook, table, function : writes, in the cycle in which their word or beat is taken; the last one of a
        machine with functions.
    run : RUN's last word is taken in this cycle; ``address`` and ``count`` (of runs) are valid.
    watched, patience : of the last RUN, from the cycle after it on: whether it has a timeout; its cycles, less one.
    ended : the run ends in this cycle.
    failed : the machine has failed: words are dropped until one begins a command.
    clear : the word taken in this cycle does so.
    fault : the error seen in this cycle.
    """

    i: stream.Interface
    tables: stream.Interface

    def __init__(self, array: Array):
        self.array = array
        super().__init__({
            "i": In(stream.Signature(32)), "tables": In(stream.Signature(table_beat(array))),
            "program": Out(memory_write(32)), "codebook": Out(codebook_write()),
            "table": Out(memory_write(beat_width(array))),
            "run": Out(1), "address": Out(32), "count": Out(32), "patience": Out(32), "watched": Out(1),
            "ended": In(1), "failed": In(1), "clear": Out(1), "fault": Out(Error),
            **({"function": Out(function_write())} if array.functions else {})})

    def elaborate(self, platform):
        m = Module()
        word, opcode = self.i.payload, Signal(Opcode)
        self._last = Signal()  # word or beat of a write
        m.d.comb += [
            self._last.eq(self.count == 1),
            self.program.address.eq(self.address), self.program.data.eq(word),
            self.codebook.address.eq(self.address), self.codebook.data.eq(word),
            self.table.address.eq(self.address), self.table.data.eq(self.tables.payload.data)]
        with m.FSM():
            with m.State("COMMAND"):
                self._begin(m, opcode)
            with m.State("ADDRESS"):
                m.d.comb += self.i.ready.eq(1)
                with m.If(self.i.valid):
                    m.d.sync += self.address.eq(word)
                    m.next = "COUNT"
            with m.State("COUNT"):
                m.d.comb += self.i.ready.eq(1)
                with m.If(self.i.valid):
                    m.d.sync += self.count.eq(word)
                    self._choose(m, opcode)
            with m.State("PROGRAM"):
                m.d.comb += self.i.ready.eq(1)
                self._write(m, self.i.valid, self.program, self.array.program_words, Error.PROGRAM)
            with m.State("CODEBOOKS"):
                m.d.comb += self.i.ready.eq(1)
                self._pieces(m, self.codebook, codebook_pieces(self.array), self.array.codebook_words, Error.CODEBOOK)
            if self.array.functions:
                m.d.comb += [self.function.address.eq(self.address), self.function.data.eq(word)]
                with m.State("FUNCTIONS"):
                    m.d.comb += self.i.ready.eq(1)
                    self._pieces(m, self.function, FUNCTION_WORDS, self.array.functions, Error.FUNCTION)
            with m.State("TABLES"):
                m.d.comb += self.tables.ready.eq(1)
                self._beats(m)
            with m.State("TIMEOUT"):
                m.d.comb += [self.i.ready.eq(1), self.run.eq(self.i.valid)]
                with m.If(self.run):
                    m.d.sync += [self.patience.eq(word - 1), self.watched.eq(word != 0)]
                    m.next = "RUNNING"
            with m.State("RUNNING"), m.If(self.ended | self.failed):
                m.next = "COMMAND"
        return m

    def _begin(self, m: Module, opcode: Signal) -> None:
        word = self.i.payload
        m.d.comb += self.i.ready.eq(1)
        with m.If(self.i.valid):
            with m.If((word[8:] == COMMAND) & word[:8].matches(*self._opcodes)):
                m.d.comb += self.clear.eq(self.failed)
                m.d.sync += opcode.eq(word[:8])
                m.next = "ADDRESS"
            with m.Elif(~self.failed):
                m.d.comb += self.fault.eq(Error.COMMAND)

    @property
    def _opcodes(self) -> dict[Opcode, str]:
        """The commands that the machine has, and the states that follow their count."""
        found = {Opcode.WRITE_PROGRAM: "PROGRAM", Opcode.WRITE_CODEBOOKS: "CODEBOOKS", Opcode.WRITE_TABLES: "TABLES",
                 Opcode.RUN: "TIMEOUT"}
        return found | ({Opcode.WRITE_FUNCTIONS: "FUNCTIONS"} if self.array.functions else {})

    def _choose(self, m: Module, opcode: Signal) -> None:
        with m.Switch(opcode):
            for name, state in self._opcodes.items():
                with m.Case(name):
                    m.next = state
        with m.If(self.i.payload == 0):
            self._fail(m, Error.SIZE)

    def _fail(self, m: Module, error: Error) -> None:
        m.d.comb += self.fault.eq(error)
        m.next = "COMMAND"

    def _write(self, m: Module, moves: Signal, port: wiring.PureInterface, words: int, error: Error,
               whole: Signal | int = 1) -> None:
        """A word (``whole``: or the last piece of one) goes to memory, unless that has no such address."""
        with m.If(moves):
            m.d.comb += port.en.eq(1)
            with m.If(whole):
                m.d.sync += [self.address.eq(self.address + 1), self.count.eq(self.count - 1)]
                with m.If(self._last):
                    m.next = "COMMAND"
            with m.If(self.address >= words):
                m.d.comb += port.en.eq(0)
                self._fail(m, error)

    def _pieces(self, m: Module, port: wiring.PureInterface, pieces: int, words: int, error: Error) -> None:
        piece, last = port.piece, pieces - 1
        with m.If(self.i.valid):
            m.d.sync += piece.eq(Mux(piece == last, 0, piece + 1))
        self._write(m, self.i.valid, port, words, error, piece == last)
        with m.If(self.fault != Error.NONE):
            m.d.sync += piece.eq(0)

    def _beats(self, m: Module) -> None:
        last = self.tables.payload.last
        self._write(m, self.tables.valid, self.table, self.array.table_words, Error.TABLE)
        with m.If(self.tables.valid & (last != self._last)):
            self._fail(m, Error.LONG)
            with m.If(last):
                m.d.comb += self.fault.eq(Error.SHORT)
