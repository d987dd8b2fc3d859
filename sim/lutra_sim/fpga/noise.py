"""Faults on the line of a simulated board, and what becomes of the jobs: ``python -m lutra_sim.fpga.noise``."""

import argparse
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from lutra_model.params import Array

from ..case import Case
from ..cases import random_case
from .host import BoardFailed, Host
from .simulated import SimulatedBoard, build_board

__all__ = ["ARRAY", "KINDS", "NoisyPort", "Vanished", "tally", "trial", "trial_case"]

ARRAY = Array(rows=2, columns=3, encoders=2, length=2, entries=4, codebooks=64, block_rows=4, index_words=8,
              activation_words=512, table_words=64, codebook_words=64, program_words=512)
KINDS = {
    "flip": "a bit of a byte turns over", "lose": "a byte is lost", "double": "a byte comes twice",
    "garbage": "up to eight random bytes come in between", "reset": "a break on the line",
    "power": "the board starts anew, memories hold anything",
    "vanish": "the host dies, another one starts and does everything from the load on"}
GAP = 3000        # bytes in either direction from one fault to the next, on average
RUNS = 3          # of each trial, after its load
PATIENCE = 30_000  # cycles: longer than any machine of ours computes in silence
HOSTS = 4         # of each trial, one after the other; only the last does not die


class Vanished(BaseException):
    """The host dies here: nothing that handles mistakes may handle this."""


class NoisyPort:
    """A port that spoils what it carries.

    Parameters
    ----------
    board : what it leads to.
    kinds : faults, of `KINDS`, among which each fault is drawn.
    gap : bytes from one to the next, on average.
    """

    def __init__(self, board: SimulatedBoard, kinds: Iterable[str], rng: np.random.Generator, gap: float = GAP):
        self.board, self.kinds, self.rng, self.gap = board, list(kinds), rng, gap
        self.faults: Counter[str] = Counter()
        self._next = rng.exponential(gap)

    def write(self, data: bytes) -> None:
        """Sends some of ``data``, or more."""
        for piece in self._pieces(data):
            self.board.write(piece)

    def read(self) -> bytes:
        """What comes, or what might have come."""
        heard = b""
        while not heard:  # a byte that is lost is no silence
            came = self.board.read()
            if not came:
                return b""
            heard = b"".join(self._pieces(came))
        return heard

    def reset(self) -> None:
        """A break that comes through."""
        self.board.reset()

    def _pieces(self, data: bytes) -> Iterable[bytes]:
        while self._next < len(data):
            place = int(self._next)
            yield data[:place]
            yield self._spoil(data[place:place + 1])
            data = data[place + 1:]
            self._next = self.rng.exponential(self.gap)
        self._next -= len(data)
        yield data

    def _spoil(self, byte: bytes) -> bytes:
        if not self.kinds:
            return byte
        kind = self.kinds[self.rng.integers(len(self.kinds))]
        self.faults[kind] += 1
        match kind:
            case "flip":
                return bytes([byte[0] ^ 1 << self.rng.integers(8)])
            case "lose":
                return b""
            case "double":
                return byte * 2
            case "garbage":
                return self.rng.bytes(int(self.rng.integers(1, 9))) + byte
            case "vanish":
                raise Vanished
            case "reset":
                self.board.line_break()
            case "power":
                self.board.power_up()
        return byte


def trial_case(seed: int) -> Case:
    """The first random network from ``seed`` on that is not too long for a slow line."""
    while True:
        case = random_case(ARRAY, seed)
        if len(case.program.tables) + len(case.program.streamed) * len(case.inputs) < 100:
            return case
        seed += 1


def trial(board: SimulatedBoard, kinds: Iterable[str], seed: int, gap: float = GAP) -> Counter[str]:
    """Loads and runs a random network through faults.

    Counts faults, ``again``: jobs done again, ``right``, ``wrong`` and ``refused`` runs: with an error instead of an
    answer, or with none because the load had one.
    """
    case, found = trial_case(seed), Counter[str]()
    port = NoisyPort(board, kinds, np.random.default_rng((seed, 77)), gap)
    for left in reversed(range(HOSTS)):
        port.kinds = [kind for kind in port.kinds if left or kind != "vanish"]
        host = Host(port)
        try:
            host.load(case.program)
            while found.total() - found["again"] < RUNS:
                found[_answer(host, case)] += 1
        except Vanished:
            pass
        except BoardFailed:
            found["refused"] += RUNS - found.total() + found["again"]
        found["again"] += len(host.faults)
    return found + Counter(faults=port.faults.total())


def _answer(host: Host, case: Case) -> str:
    try:
        return "right" if host.run(case.inputs).tolist() == case.expected.tolist() else "wrong"
    except BoardFailed:
        return "refused"


def tally(path: Path, kinds: Iterable[str], seeds: Iterable[int]) -> Counter[str]:
    """The trials of all seeds, on one board."""
    board, kinds = SimulatedBoard(path, patience=PATIENCE), list(kinds)
    return sum((trial(board, kinds, seed) for seed in seeds), Counter())


def main() -> None:
    """Prints a table of all kinds of faults."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=100, metavar="N", help="of each kind (100)")
    trials = range(parser.parse_args().trials)
    path = build_board(ARRAY)
    print("| fault | faults | jobs done again | right answers | errors instead of answers | wrong answers |")
    print("|---|---|---|---|---|---|")
    for name, kinds in [*((text, [kind]) for kind, text in KINDS.items()), ("all of these", list(KINDS))]:
        found = tally(path, kinds, trials)
        print(f"| {name} |", " | ".join(str(found[key]) for key in ("faults", "again", "right", "refused", "wrong")),
              "|", flush=True)


if __name__ == "__main__":
    main()
