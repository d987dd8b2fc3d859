"""lutra_hw.board.frames: frames taken apart into beats."""

from typing import Any

import pytest

from lutra_hw.board.frames import FrameReader
from lutra_model.link import LAST
from tests.fpga.link.bench import SIZES, simulate, sink, some_frames, source, stalls


def plain(taken: list[Any]) -> list[tuple[int, int]]:
    """Payloads with tlast as pairs."""
    return [(payload.data, payload.last) for payload in taken]


@pytest.mark.parametrize("seed", range(4))
def test_frames_become_beats(seed: int) -> None:
    dut, (data, beats, requests) = FrameReader(SIZES), some_frames(seed, count=25)
    taken: list[list[Any]] = [[], [], []]
    done: list[int] = []

    async def count(ctx: Any) -> None:
        while True:
            _, _, ended, request = await ctx.tick().sample(dut.done, dut.request)
            assert ended or not request
            done.extend([request] * ended)

    simulate(dut, lambda: len(done) == 25, source(dut.i, data, stalls(seed, 0)),
             background=[count, *(sink(output, stalls(seed, 1, number), taken[number])
                                  for number, output in enumerate(dut.outputs))])
    assert [plain(channel) for channel in taken] == beats
    assert len(done) == 25
    assert sum(done) == requests


def test_a_long_frame() -> None:
    dut, payload = FrameReader((1, 2)), list(range(256)) * 3
    taken: list[Any] = []
    data = [1 | LAST, len(payload) & 255, len(payload) >> 8, *payload]
    simulate(dut, lambda: len(taken) == len(payload) // 2, source(dut.i, data, stalls(0)),
             background=[sink(dut.outputs[1], stalls(1), taken)])
    assert plain(taken) == [(low | high << 8, int(place == len(payload) // 2 - 1))
                            for place, (low, high) in enumerate(zip(payload[::2], payload[1::2], strict=True))]
