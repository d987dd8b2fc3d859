"""Bitstreams by the real tools: the same bytes again, at the board's clock."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lutra_sim.fpga import build

CODE = """
import sys
from pathlib import Path
from lutra_hw.board.boards import BOARDS
from lutra_hw.board.fit import bare_array, engine_array
from lutra_sim.fpga import build
board, kind, out = BOARDS[sys.argv[1]], sys.argv[2], Path(sys.argv[3])
array = {"bare": bare_array, "machine": engine_array}[kind](board, "lookup", rows=2, columns=2, length=2, entries=2)
print(build(board.name, array, out=out, cache=out / "cache").sha256)
"""


@pytest.mark.parametrize(("board", "kind"), [
    ("icebreaker", "bare"), *(pytest.param(board, kind, marks=pytest.mark.slow) for board, kind in [
        ("hx8k-b-evn", "bare"), ("tang-nano-9k", "bare"), ("ulx3s-25f", "bare"), ("ulx3s-25f", "machine")])])
def test_a_bitstream_is_the_same_bytes_again(board: str, kind: str, tmp_path: Path) -> None:
    """In another folder, with another cache, and with Python's hashes of strings in another order."""
    hashes = []
    for seed in "12":
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run([sys.executable, "-c", CODE, board, kind, str(tmp_path / seed)], env=environment,
                              text=True, capture_output=True, check=True)
        (bitstream,) = (tmp_path / seed).glob(f"{board}-lutra.*")
        assert hashlib.sha256(bitstream.read_bytes()).hexdigest() == done.stdout.strip()
        hashes.append(done.stdout)
    assert hashes[0] == hashes[1]


@pytest.mark.slow
@pytest.mark.parametrize("board", ["ulx3s-25f", "icebreaker", "hx8k-b-evn", "tang-nano-9k"])
def test_a_board_of_each_part_meets_its_clock(board: str, tmp_path: Path) -> None:
    """Of the parts whose own arrays route in minutes."""
    report = build(board, out=tmp_path)
    assert report.meets_timing
    assert report.bitstream.stat().st_size > 20_000
