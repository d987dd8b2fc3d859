"""FIGLUT: half a table by symmetry, and how it is built."""

from collections.abc import Sequence

from lutra_model.params import Array, Layer
from lutra_model.structure import Structure
from lutra_model.technology import Technology

from .base import Found, Paper, Row, Study
from .crossing import enough
from .figlut_cells import GROUP, measure
from .figlut_cells import READERS as MEASURED
from .machines import counted
from .measured import Measured

__all__ = ["STUDY", "tree_additions"]

READERS = MEASURED[-1]  # cells that read a table
PLACE = "FIGLUT (HPCA 2025), full translation read: "
FULL, FULL_MUX, HALF, HALF_MUX = 1.0, 0.003, 0.494, 0.005  # power relative to a full flip-flop table


def tree_additions(group: int) -> tuple[int, int]:
    """Additions for the half table of a group's signed sums: one activation at a time, and each entry by itself.

    >>> tree_additions(4)
    (14, 24)
    """
    signs: list[tuple[int, ...]] = [(1,)]  # of the partial sums so far; the first sign is fixed
    added = 0
    for _ in range(group - 1):
        signs = [(*made, sign) for made in signs for sign in (1, -1)]
        added += len(signs)
    return added, len(signs) * (group - 1)


def _built() -> float:
    """Additions of our builder for one table, as the machine counts them."""
    layer = Layer(name="groups", rows=64, codebooks=16, columns=READERS, length=GROUP, entries=1, engine="lut-tc")
    array = Array(engine="lut-tc", rows=16, columns=READERS, encoders=16, length=GROUP, entries=1)
    return counted(layer, array).encoder_adds / (layer.rows * layer.codebooks)


def _priced(technologies: Sequence[Technology]) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
    """Half over full: flip-flops clocked in every cycle; with the readers' selection; and that over the flip-flops."""
    structure = Structure(Array(engine="lut-tc", rows=8, columns=READERS, encoders=8, length=GROUP, entries=1))
    width, entries = structure.term_bits, 1 << GROUP
    flops, both, share = {}, {}, {}
    for technology in technologies:
        register, mux = technology.price("register"), technology.price("mux")
        full, half = entries * width * register, entries // 2 * width * register
        read, folded = (READERS * count * width * mux for count in (entries - 1, entries // 2 - 1 + 1))
        flops[technology.name] = half / full
        both[technology.name] = (half + folded) / (full + read)
        share[technology.name] = read / READERS / full
    return flops, both, share


def _gates(item: Measured) -> tuple[float, float, float] | None:
    """The same three of measured tables; a table is what is left without its readers."""
    points = {half: [item.one(half=half, readers=count) for count in MEASURED] for half in (False, True)}
    parts = dict[bool, tuple[float, float, float]]()  # a table, one reader, a table with many readers
    for half, (few, many) in points.items():
        if not few or not many:
            return None
        ends = (MEASURED[0], float(few["energy_fj"])), (MEASURED[1], float(many["energy_fj"]))
        shared, each, _ = enough(*ends, 0.0)
        parts[half] = shared, each, ends[1][1]
    (full, read, all_full), (table, _, all_half) = parts[False], parts[True]
    return table / full, all_half / all_full, read / full


def _find(technologies: Sequence[Technology], measured: Sequence[Measured]) -> Found:
    tree, each = tree_additions(GROUP)
    flops, both, share = _priced(technologies)
    for item in measured:
        if found := _gates(item):
            flops[item.basis], both[item.basis], share[item.basis] = found
    rows = [
        Row("additions that build a half table, mu = 4", "", {"counted": tree},
            "Counted by building it: one activation at a time, every partial sum with both signs.",
            Paper(14, PLACE + "14 adds for mu = 4"), digits=0),
        Row("additions saved against every entry by itself", "%", {"counted": 100 * (1 - tree / each)},
            "The same count.", Paper(42, PLACE + "42 % fewer than direct"), digits=0),
        Row("additions of Lutra's own builder", "", {"counted": _built()},
            "Ours adds pairs first and shares their sums: 4 sums of two, then 8 of four.",
            Paper(14, PLACE + "14 adds for mu = 4")),
        Row("half table over full table, flip-flops", "", flops,
            "Half the flip-flops, half the clock; that theirs needs slightly less than half comes from placement.",
            Paper(HALF / FULL, PLACE + "hFFLUT 0.494 of FFLUT's power")),
        Row(f"half table over full table, with {READERS} readers", "", both,
            "Ours charges every reader its own multiplexers for every read, and an inversion beside the half table (in "
            "gates its registers of index and result, too); the paper's decoder is nearly free, so that flip-flops "
            "that are clocked in every cycle are nearly all it has.",
            Paper((HALF + HALF_MUX) / (FULL + FULL_MUX), PLACE + "tables with their multiplexers")),
        Row("one reader's selection over the full table's flip-flops", "", share,
            "Random indices switch a whole tree of multiplexers (and in gates two registers): a tenth to a quarter of "
            "the table, not thousandths of it. The paper's figure fits a selection that rarely changes.",
            Paper(FULL_MUX / FULL, PLACE + "multiplexer 0.003 of FFLUT's power"))]
    return Found(rows, ["Half a table is half the flip-flops; what the readers select is what the table costs as soon "
                        "as its flip-flops are not clocked while they hold."])


STUDY = Study("figlut", "FIGLUT: half tables of flip-flops, and their builder",
              "G. Park et al., FIGLUT: An Energy-Efficient Accelerator Design for FP-INT GEMM Using Look-Up Tables, "
              "HPCA 2025", _find, measure)
