"""The top level of a board: clock, serial line, host link, machine, status lights."""

from amaranth import Cat, ClockDomain, Elaboratable, Module, ResetInserter, Signal
from amaranth.build import Subsignal
from amaranth.lib import io, stream, wiring
from amaranth.lib.wiring import In, Out

from lutra_model.link import machine_digest
from lutra_model.operation import State
from lutra_model.params import Array

from ..engines import beat_width
from ..machine import machine_of
from .boards import Board
from .clock import Clock
from .link import HostLink
from .uart import Receiver, Transmitter

__all__ = ["BoardTop", "LinkedMachine", "SerialMachine", "serial_divisor"]


def serial_divisor(clock_mhz: float, baud: int) -> int:
    """Clock cycles in a bit time; raises ``ValueError`` where no whole number is within 1%."""
    exact = clock_mhz * 1e6 / baud
    divisor = round(exact)
    if divisor < 4 or abs(divisor / exact - 1) > 0.01:
        raise ValueError(f"clock must be at least 4 times the {baud} baud of the serial line and within 1% of a "
                         f"multiple, not {clock_mhz:g} MHz")
    return divisor


class LinkedMachine(wiring.Component):
    """The machine behind the host link, with the frames and packets of docs/fpga.md.

    Members
    -------
    i, o : bytes from the host and to it.
    state : the machine's state.
    """

    i: stream.Interface
    o: stream.Interface
    state: Signal

    def __init__(self, array: Array):
        self.array = array
        super().__init__({"i": In(stream.Signature(8, always_ready=True)), "o": Out(stream.Signature(8)),
                          "state": Out(State)})

    def elaborate(self, platform):
        m = Module()
        array = self.array
        m.submodules.machine = machine = machine_of(array)
        m.submodules.link = link = HostLink((4, array.activation_bytes, beat_width(array) // 8),
                                            len(machine.m_axis_tdata) // 8, machine_digest(array))
        wiring.connect(m, wiring.flipped(self.i), link.i)
        wiring.connect(m, link.o, wiring.flipped(self.o))
        for number, name in enumerate(["cmd", "act", "table"]):
            channel = getattr(link, f"o{number}")
            m.d.comb += [getattr(machine, f"s_axis_{name}_tdata").eq(channel.payload.data),
                         getattr(machine, f"s_axis_{name}_tvalid").eq(channel.valid),
                         channel.ready.eq(getattr(machine, f"s_axis_{name}_tready"))]
        m.d.comb += [machine.s_axis_act_tlast.eq(link.o1.payload.last),
                     machine.s_axis_table_tlast.eq(link.o2.payload.last),
                     link.beats.payload.eq(machine.m_axis_tdata), link.beats.valid.eq(machine.m_axis_tvalid),
                     machine.m_axis_tready.eq(link.beats.ready),
                     link.status.eq(machine.status), self.state.eq(machine.status[:2])]
        return m


class SerialMachine(wiring.Component):
    """The machine behind a serial line; a break on the line resets it.

    Parameters
    ----------
    array : the machine.
    divisor : clock cycles in one bit time of the line.

    Members
    -------
    rx, tx : the line.
    status : a program runs; it has failed; a byte comes or goes; a break.
    """

    rx: Signal
    tx: Signal
    status: Signal

    def __init__(self, array: Array, divisor: int):
        self.array = array
        self.divisor = divisor
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1), "status": Out(4)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.receiver = receiver = Receiver(self.divisor)
        m.submodules.transmitter = transmitter = Transmitter(self.divisor)
        linked = LinkedMachine(self.array)
        m.submodules.linked = ResetInserter(receiver.line_break)(linked)
        m.d.comb += [receiver.rx.eq(self.rx), self.tx.eq(transmitter.tx)]
        wiring.connect(m, receiver.o, linked.i)
        wiring.connect(m, linked.o, transmitter.i)
        m.d.comb += self.status.eq(Cat(linked.state == State.RUNNING, linked.state == State.FAILED,
                                       receiver.o.valid | transmitter.i.valid, receiver.line_break))
        return m


class BoardTop(Elaboratable):
    """Everything on one board; its LEDs show the status, as far as it has four."""

    def __init__(self, board: Board, array: Array, clock_mhz: int):
        self.board = board
        self.clock = Clock(board.oscillator_mhz, clock_mhz, board.pll)
        self.machine = SerialMachine(array, serial_divisor(clock_mhz, board.baud))

    def elaborate(self, platform):
        m = Module()
        m.domains.sync = ClockDomain()
        m.submodules.clock = self.clock
        m.submodules.machine = machine = self.machine
        line = platform.lookup("uart", 0).ios
        pins = platform.request("uart", 0, dir={wire.name: "-" for wire in line if isinstance(wire, Subsignal)})
        m.submodules.rx = rx = io.Buffer("i", pins.rx)
        m.submodules.tx = tx = io.Buffer("o", pins.tx)
        m.d.comb += [machine.rx.eq(rx.i), tx.o.eq(machine.tx)]
        for number in range(len(machine.status)):
            if ("led", number) not in platform.resources:
                break
            m.submodules[f"led_{number}"] = led = io.Buffer("o", platform.request("led", number, dir="-"))
            m.d.comb += led.o.eq(machine.status[number])
        return m
