"""A comparison of all schemes in a terminal: facts, then costs in each technology, then what to keep in mind."""

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

__all__ = ["tables"]

Row = Mapping[str, Any]
VERDICT = {True: "yes", False: "NO", None: "-"}
COSTS = ["scheme", "pJ/MAC", "on chip", "mm2", "nJ us", "mm2 us", "as good", "fast"]

LEGEND = """\
RTL: whether its bits are the golden model's. right, agrees: share of true classes, of the float model's. off by, dB:
largest error in output steps, signal over error, against the float model. bound: stage with the most work; cells: share
of them at work. tables: bytes of tables and codebooks. B/MAC, ops: bytes from outside, operations done, for an
equivalent MAC. As many cells do not mean as much area or speed: see mm2, cycles, and energy and area times delay. as
good: energy on the chip of the cheapest multiplying scheme here that errs no more, over the lookup scheme's; fast: of
the best INT8 array of at least its speed."""


def _short(value: float) -> str:
    """Two digits, three of large numbers."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.0f}" if value >= 99.5 else f"{value:.2g}"


def _range(found: Row) -> str:
    """Nominal value and its uncertainty, which is the same to both sides."""
    low, high = found["range"]
    return f"{_short(found['nominal'])} ±{50 * (high - low) / found['nominal']:.0f}%"


def _quality(row: Row) -> list[str]:
    """Accuracy or agreement, if there is one; else signal over error, and the largest error in steps."""
    share = row["agreement"] if row["accuracy"] is None else row["accuracy"]
    error = row["error"] or {"sqnr_db": None, "max_abs_steps": None}
    if share is not None:
        return [f"{100 * share:.1f}%", "-" if error["sqnr_db"] is None else f"{error['sqnr_db']:.1f}"]
    return ["-" if value is None else f"{value:.1f}" for value in (error["max_abs_steps"], error["sqnr_db"])]


def _table(title: str, head: list[str], rows: list[list[str]]) -> Table:
    made = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name in head:
        made.add_column(name, justify="left" if name == head[0] else "right", overflow="fold", no_wrap=name == head[0])
    for row in rows:
        made.add_row(*row)
    return made


def _cycles(row: Row) -> str:
    """The cycles of one input; what the RTL took where it differs."""
    predicted, simulated = row["cycles"]["predicted"], row["cycles"]["simulated"]
    return f"{predicted:,}" if simulated in (None, predicted) else f"{predicted:,} (RTL {simulated:,})"


def _facts(row: Row) -> list[str]:
    return [row["label"], VERDICT[row["bit_exact"]], *_quality(row), _cycles(row),
            row["binding"], f"{100 * row['utilisation']:.0f}%", _short(row["table_bytes"] + row["codebook_bytes"]),
            f"{row['dram_bytes_per_equivalent_mac']:.1g}", f"{row['operations_done'] / row['equivalent_macs']:.2f}"]


def _costs(row: Row, technology: str) -> list[str]:
    best, fair = row["best_mac"].get(technology), row["against_int8"].get(technology)
    return [row["label"], _range(row["pj_per_equivalent_mac"][technology]),
            _range(row["pj_per_equivalent_mac_on_chip"][technology]), f"{row['area_um2'][technology] * 1e-6:.2g}",
            _short(row["energy_delay_pj_us"][technology] * 1e-3),
            _short(row["area_delay_mm2_us"][technology]),
            "" if best is None else f"{best['on_chip']['ratio']:.2f} {best['on_chip']['scheme']}",
            "" if fair is None else f"{fair['int8']['on_chip']['ratio']:.2f}"]


def _overall(row: Row) -> list[str]:
    """Ranges over everything, for an equivalent MAC, and against the best INT8 array of at least its speed."""
    found, shares = row["overall"], ("total", "on_chip")
    energies = [[found["energy_pj"][share][end] / row["equivalent_macs"] for end in ("low", "high")]
                for share in shares]
    fair = [found["against_int8"][share] for share in shares] if found["against_int8"] else []
    return [row["label"], *(" to ".join(map(_short, ends)) for ends in energies),
            *(f"{item['low']:.2f} to {item['high']:.2f}" for item in fair), *[""] * (2 - len(fair))]


def tables(data: Row) -> list[Any]:
    """Everything that a terminal shows."""
    rows = [row for row in data["schemes"] if row["refused"] is None]
    array, subject = data["array"], data["subject"]
    judged = next((name for name, key in [("right", "accuracy"), ("agrees", "agreement")]
                   if any(row[key] is not None for row in rows)), "off by")
    shown: list[Any] = [_table(
        f"{subject['name']}: {rows[0]['equivalent_macs'] // data['batch']:,} equivalent MACs on "
        f"{array['rows']}x{array['columns']} cells",
        ["scheme", "RTL", judged, "dB", "cycles", "bound", "cells", "tables", "B/MAC", "ops"],
        [_facts(row) for row in rows])]
    shown += [_table(f"in {technology}", COSTS, [_costs(row, technology) for row in rows])
              for technology in data["technologies"]]
    shown.append(_table("over all of them, all kinds of memory and of DRAM",
                        ["scheme", "pJ/MAC", "on chip", "fast", "fast, on chip"], [_overall(row) for row in rows]))
    shown += [f"{row['label']} takes no part: {row['refused']}" for row in data["schemes"] if row["refused"]]
    shown.append(LEGEND.replace("\n", " "))
    return shown
