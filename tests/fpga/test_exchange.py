"""lutra_model.exchange: packets in pieces, old, broken or another's."""

import pytest

from lutra_model.exchange import Exchange
from lutra_model.link import (
    VERSION,
    Line,
    LinkFault,
    frames,
    hello,
    machine_digest,
)
from lutra_model.operation import State
from tests.fpga.counting_board import ARRAY, status


def answered(exchange: Exchange, nonce: bytes = b"once", mark: bytes = bytes(4)) -> Line:
    """The board's end of the line, after it has taken and answered the exchange's hello."""
    assert exchange.send() == Line().sealed(hello(b"once"))
    assert exchange.send() == b"", "nothing else may be sent before the answer"
    line = Line()
    exchange.feed(line.sealed(b"\0") + line.sealed(b"\3" + bytes([VERSION]) + machine_digest(ARRAY) + mark + nonce))
    return line


@pytest.mark.parametrize("cuts", [1, 2, 7])
def test_packets_in_pieces(cuts: int) -> None:
    exchange = Exchange([hello(b"once"), *frames("command") * 2], ARRAY, Line())
    line = answered(exchange)
    data = b"".join(map(line.sealed, [b"\0", *[b"\1abcdef"] * 3, b"\0", status(State.IDLE, rest=1)]))
    assert len(exchange.send()) == 14
    for start in range(0, len(data), cuts):
        assert not exchange.complete
        exchange.feed(data[start:start + cuts])
    assert exchange.complete
    assert exchange.beats.tobytes() == b"abcdef" * 3
    assert exchange.status == 1 << 8


def test_a_status_older_than_the_last_frame_is_no_end() -> None:
    exchange = Exchange([hello(b"once"), *frames("command") * 2], ARRAY, Line())
    line = answered(exchange)
    exchange.send()
    for state, complete in [(None, False), (State.IDLE, False), (None, False), (State.RUNNING, False),
                            (State.IDLE, True)]:
        exchange.feed(line.sealed(b"\0" if state is None else status(state)))
        assert exchange.complete == complete


@pytest.mark.parametrize(("data", "sentence"), [
    (b"\7", "a packet from the board started with 7"),
    (b"\0\0\0\0\0", "the check of a packet from the board was wrong"),
    (Line().sealed(b"\0"), "the board acknowledged a frame that nobody sent"),
    (Line().sealed(b"\4"), "the board refused a frame")])
def test_a_broken_packet(data: bytes, sentence: str) -> None:
    with pytest.raises(LinkFault, match=f"^{sentence}$"):
        Exchange([hello(b"once")], ARRAY, Line()).feed(data)


def test_an_answer_to_another_hello() -> None:
    with pytest.raises(LinkFault, match=r"^the board answered another hello$"):
        answered(Exchange([hello(b"once")], ARRAY, Line()), nonce=b"then")
