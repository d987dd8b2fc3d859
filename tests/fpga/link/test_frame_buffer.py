"""lutra_hw.board.frame_buffer: of frames whose check is wrong, or that are out of order, no byte is let through."""

from typing import Any

import numpy as np
import pytest

from lutra_hw.board.frame_buffer import FrameBuffer
from lutra_model.link import WINDOW_BYTES, Line
from tests.fpga.link.bench import sealed, simulate, sink, some_frames, source, stalls


def spoilt(data: bytes, rng: np.random.Generator) -> bytes:
    """The bytes with a wrong bit, or with a byte lost, sent twice or put in."""
    place, kind = int(rng.integers(len(data))), rng.integers(4)
    bad = [bytes([data[place] ^ 1 << rng.integers(8)]), b"", data[place:place + 1] * 2,
           bytes([rng.integers(256), data[place]])][kind]
    return data[:place] + bad + data[place + 1:]


def buffered(data: bytes, seed: int, cycles: int = 600) -> tuple[bytes, bool]:
    """What a frame buffer makes of the bytes, and whether it refused one."""
    dut, out, refused = FrameBuffer(), list[int](), list[int]()

    async def watch(ctx: Any) -> None:
        while True:
            refused.append((await ctx.tick().sample(dut.refused))[2])

    left = iter(range(cycles))
    simulate(dut, lambda: next(left, None) is None, source(dut.i, list(data), stalls(seed, 0)),
             background=[watch, sink(dut.o, stalls(seed, 1), out)])
    assert refused == sorted(refused)
    return bytes(out), bool(refused[-1])


def frames_of(data: list[int]) -> list[bytes]:
    """The frames that make up the bytes."""
    result = []
    while data:
        size = 3 + data[1] + 256 * data[2]
        result.append(bytes(data[:size]))
        data = data[size:]
    return result


@pytest.mark.parametrize("seed", range(3))
def test_right_frames_are_let_through(seed: int) -> None:
    frames = frames_of(some_frames(seed)[0])
    assert buffered(sealed(frames), seed) == (b"".join(frames), False)


@pytest.mark.parametrize("seed", range(12))
def test_no_byte_of_a_wrong_frame_is_let_through(seed: int) -> None:
    """A fault anywhere: what is let through is whole frames, as many as came before it."""
    frames, rng = frames_of(some_frames(seed, count=6)[0]), np.random.default_rng((seed, 5))
    whole = [b"".join(frames[:count]) for count in range(len(frames) + 1)]
    good = sealed(frames)
    bad = spoilt(good, rng)
    out, refused = buffered(bad, seed)
    same = next((place for place, (one, other) in enumerate(zip(good, bad, strict=False)) if one != other), len(good))
    before = sum(len(sealed(frames[:count])) <= same for count in range(1, len(frames) + 1))
    assert out == whole[before]
    assert refused or before == len(frames) or len(bad) < len(good) or bad[same:same + 3] != good[same:same + 3]


@pytest.mark.parametrize("change", ["lost", "twice", "swapped"])
def test_frames_out_of_order_are_refused(change: str) -> None:
    """Each has a right check, but not here."""
    frames = [bytes([0, 4, 0, number, 1, 2, 3]) for number in range(6)]
    line = Line()
    sent = [line.sealed(frame) for frame in frames]
    order = {"lost": [0, 1, 3, 4, 5], "twice": [0, 1, 1, 2, 3, 4, 5], "swapped": [0, 1, 3, 2, 4, 5]}[change]
    assert buffered(b"".join(sent[number] for number in order), 0) == (b"".join(frames[:2]), True)


def test_a_frame_without_room_is_refused() -> None:
    """A window of bytes is held back, one more is not."""
    dut, refused = FrameBuffer(), []

    async def fill(ctx: Any) -> None:
        for byte in [0, 255, 255, *[7] * (WINDOW_BYTES - 3), 8, 9]:
            ctx.set(dut.i.payload, byte)
            ctx.set(dut.i.valid, 1)
            await ctx.tick()
            refused.append(ctx.get(dut.refused))

    simulate(dut, lambda: len(refused) == WINDOW_BYTES + 2, fill)
    assert refused == [0] * WINDOW_BYTES + [1, 1]
