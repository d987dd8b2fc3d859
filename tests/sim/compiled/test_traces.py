"""lutra_sim.compiled: traces, read by the descriptions of their formats."""

import re
from pathlib import Path

from lutra_sim.compiled import CompiledMachine
from lutra_sim.library import library
from tests.sim.compiled.echo import ARRAY, ECHO, traffic


def lz4_block(data: bytes) -> bytes:
    """A block's content, by the format's description: sequences of literals and matches."""
    out, source = bytearray(), iter(data)

    def length(nibble: int) -> int:
        while nibble >= 15:
            more = next(source)
            nibble += more
            if more < 255:
                break
        return nibble

    for token in source:
        out += bytes(next(source) for _ in range(length(token >> 4)))
        for low in source:  # none after the last literals
            offset = low | next(source) << 8
            for _ in range(length(token & 15) + 4):
                out.append(out[-offset])
            break
    return bytes(out)


def test_a_trace_holds_the_cycles_that_were_asked_for(cache: Path, tmp_path: Path) -> None:
    """Value changes of the text format; each cycle is two steps, clock low and clock high."""
    machine, path = CompiledMachine(library(ECHO, trace="vcd", cache=cache), ARRAY), tmp_path / "t.vcd"
    with machine.tracing(path, 3, 6):
        machine.execute(traffic(rows=10))
    text = path.read_text()
    assert "s_axis_act_tdata" in text
    assert [int(step) for step in re.findall(r"^#(\d+)$", text, re.MULTILINE)] == list(range(6, 14))


def test_a_compressed_trace_names_every_port(cache: Path, tmp_path: Path) -> None:
    """FST: blocks of one byte of kind and eight of length; kind 6 is the hierarchy, packed by LZ4."""
    machine, path = CompiledMachine(library(ECHO, trace="fst", cache=cache), ARRAY), tmp_path / "t.fst"
    with machine.tracing(path, 3, 6):
        machine.execute(traffic(rows=10))
    content, at, blocks = path.read_bytes(), 0, dict[int, bytes]()
    while at < len(content):
        size = int.from_bytes(content[at + 1:at + 9], "big")
        blocks[content[at]], at = content[at + 9:at + 1 + size], at + 1 + size
    assert at == len(content)
    assert [int.from_bytes(blocks[0][i:i + 8], "big") for i in (0, 8)] == [6, 13]  # first and last time
    names = lz4_block(blocks[6][8:])
    assert len(names) == int.from_bytes(blocks[6][:8], "big")
    assert all(name in names for name in (b"s_axis_cmd_tdata", b"m_axis_tlast", b"held"))
