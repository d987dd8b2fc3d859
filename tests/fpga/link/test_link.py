"""lutra_hw.board.link: a window of bytes is buffered, a hello is answered."""

from typing import Any

import numpy as np
from amaranth import ResetInserter, Signal

from lutra_hw.board.link import HostLink
from lutra_model.link import VERSION, WINDOW_BYTES, Line, hello
from tests.fpga.link.bench import SIZES, packets, sealed, simulate, sink

DIGEST = bytes(range(50, 57))


def test_the_link_buffers_a_whole_window() -> None:
    """The host may send a window of bytes while the machine takes nothing."""
    dut = HostLink(SIZES, 2, DIGEST)
    out: list[int] = []
    taken: list[Any] = []
    payload = np.random.default_rng(0).integers(0, 256, WINDOW_BYTES - 8, np.uint8).tobytes()
    data = Line().sealed(bytes([0]) + len(payload).to_bytes(2, "little") + payload)
    cycles: list[int] = []

    async def fill(ctx: Any) -> None:
        for byte in data:
            ctx.set(dut.i.payload, byte)
            ctx.set(dut.i.valid, 1)
            await ctx.tick()
            cycles.append(ctx.get(dut.buffer.refused))
        ctx.set(dut.i.valid, 0)

    always = iter(lambda: True, None)
    simulate(dut, lambda: len(cycles) == len(data), fill, background=[sink(dut.o0, iter(lambda: False, None), taken)])
    assert not any(cycles)
    assert taken == []
    dut, cycles = HostLink(SIZES, 2, DIGEST), []
    simulate(dut, lambda: len(out) == 5, fill,
             background=[sink(dut.o0, always, taken), sink(dut.o, always, out)])
    assert packets(out, 2) == [b"\0"]
    assert b"".join(payload.data.to_bytes(4, "little") for payload in taken) == payload


def test_a_hello_is_answered_and_the_mark_outlives_a_reset() -> None:
    link = HostLink(SIZES, 2, DIGEST)
    again = Signal()
    dut, out = ResetInserter(again)(link), list[int]()
    answers = list[list[bytes]]()

    async def talk(ctx: Any) -> None:
        for greetings in [[hello(b"abcd")], [hello(b"efgh", keep=True)], [hello(b"ijkl")], [hello(b"mnop")]]:
            for byte in sealed(greetings):
                ctx.set(link.i.payload, byte)
                ctx.set(link.i.valid, 1)
                await ctx.tick()
            ctx.set(link.i.valid, 0)
            await ctx.tick().repeat(80)
            answers.append([packet for packet in packets(out, 2) if packet[0] == 3])
            out.clear()
            ctx.set(again, 1)
            await ctx.tick()
            ctx.set(again, 0)

    simulate(dut, lambda: len(answers) == 4, talk, background=[sink(link.o, iter(lambda: True, None), out)])
    head = bytes([3, VERSION]) + DIGEST
    assert answers == [[head + b"\0\0\0\0abcd"], [head + b"efghefgh"], [head + b"efghijkl"], [head + b"efghmnop"]]
