"""Curves over a product table's size, where they cross the multiplier's, and what follows in words."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from lutra_model.technology import Technology

from .base import Found, Row, Table
from .crossing import crossings, enough
from .measured import Measured
from .product_figure import drawn
from .product_stimuli import STIMULI

__all__ = ["COSTS", "LEVELS", "MANY", "SHARE", "curves", "find", "sharing", "width"]

LEVELS = (4, 8, 16, 32, 64)
SHARE, MANY = 4, 16  # cells of a row; of one where more cells share the table
Point = Mapping[str, Any]


def _area(point: Point) -> float:
    return float(point["area_um2"]) / int(point["share"])


def _energy(stimulus: str, point: Point) -> float:
    return float(point["energy_pj"][stimulus])


COSTS: dict[str, Callable[[Point], float]] = {  # of one cell, or of one product
    "area, um2": _area, **{f"energy, pJ, {stimulus} data": partial(_energy, stimulus) for stimulus in STIMULI}}
TABLES = {"table in gates": ("burnt-in", "flip-flop"), "own row, flip-flops": ("row", "flip-flop"),
          "own row, latches": ("row", "latch")}
SHARED = {"shared table, flip-flops": ("column", "flip-flop"), "shared table, latches": ("column", "latch"),
          "shared table, registers between": ("told", "flip-flop")}
STORED = "flip-flop"
RIVAL, WIDE = "multiplier, equal operands", "value decoded, multiplier 8x8"


def width(levels: int) -> int:
    """Bits of the product of two numbers of so many levels: an entry as wide as what the multiplier gives."""
    return 2 * (levels.bit_length() - 1)


def curves(measured: Measured, cost: Callable[[Point], float]) -> dict[str, dict[int, float]]:
    """Cost over the levels of each form; of shared tables for `MANY` cells, and for any number of them."""
    found: dict[str, dict[int, float]] = {RIVAL: {}, WIDE: {}, **{name: {} for name in TABLES}}
    for levels in LEVELS:
        wanted = {RIVAL: {"form": "multiplier"}, WIDE: {"form": "decoded"}} | {
            name: {"form": form, "storage": storage, "bits": width(levels)} for name, (form, storage) in TABLES.items()}
        for name, values in wanted.items():
            if point := measured.one(levels=levels, share=SHARE, **values):
                found[name][levels] = cost(point)
        for name, form in SHARED.items():
            if both := sharing(measured, levels, width(levels), form, cost):
                shared, each = both
                found.setdefault(f"{name}, {MANY} cells", {})[levels] = shared / MANY + each
                if form[1] == STORED:  # the cells of tables of latches are the same ones
                    found.setdefault(f"{name}, any number", {})[levels] = each
    return {name: curve for name, curve in found.items() if curve}


def sharing(measured: Measured, levels: int, bits: int, form: tuple[str, str],
            cost: Callable[[Point], float]) -> tuple[float, float] | None:
    """Cost that all cells share, and of each cell: a straight line through rows of `SHARE` and of `MANY` cells."""
    few, many = (measured.one(form=form[0], levels=levels, bits=bits, storage=form[1], share=share)
                 for share in (SHARE, MANY))
    if not (few and many):
        return None
    shared, each, _ = enough((SHARE, SHARE * cost(few)), (MANY, MANY * cost(many)), 0.0)
    return shared, each


def verdict(curve: Mapping[int, float], rival: Mapping[int, float]) -> tuple[str, float | None]:
    """Where a table costs less than the rival, in words, and the number of levels where that changes."""
    x = [levels for levels in curve if levels in rival]
    ours, theirs = [curve[levels] for levels in x], [rival[levels] for levels in x]
    found = crossings(x, ours, theirs)
    cheaper = ours[0] < theirs[0]
    if not found:
        return (f"at every size from {x[0]} to {x[-1]}" if cheaper else f"at no size from {x[0]} to {x[-1]}"), None
    return f"{'up to' if cheaper else 'from'} {found[0]:.1f} levels" + " (and again)" * (len(found) > 1), found[0]


def _sentence(measured: Measured, name: str, found: Mapping[str, dict[int, float]], rival: str) -> str:
    """Where each form beats the rival, forms of one verdict together; and the nearest that a form comes to it."""
    forms = {form: curve for form, curve in found.items() if form not in (RIVAL, WIDE)}
    said: dict[str, list[str]] = {}
    for form, curve in forms.items():
        said.setdefault(verdict(curve, found[rival])[0], []).append(form)
    least, levels, nearest = min((cost / found[rival][levels], levels, form) for form, curve in forms.items()
                                 for levels, cost in curve.items())
    words = "; ".join(f"{where}: {', '.join(names)}" for where, names in said.items())
    return (f"{measured.library}, {name}: a table costs less than \"{rival}\" {words}. Least: {least:.2f} times, "
            f"{nearest}, {levels} levels.")


def _crossing_rows(measured: Measured, name: str, found: Mapping[str, dict[int, float]]) -> list[Row]:
    rows = []
    for rival in (RIVAL, WIDE):
        for form, curve in found.items():
            place = None if form in (RIVAL, WIDE) else verdict(curve, found[rival])[1]
            if place is not None:
                rows.append(Row(f"{form}: as dear as {rival} in {name}", "levels", {measured.basis: place},
                                "Up to here the table costs less; straight lines between measured sizes on logarithmic "
                                "axes."))
    return rows


def _curve_table(measured: Measured, name: str, found: Mapping[str, Mapping[int, float]]) -> Table:
    rows = [[form, *(f"{curve[levels]:.4g}" if levels in curve else "" for levels in LEVELS)]
            for form, curve in found.items()]
    return Table(f"{name} of one cell, {measured.basis}; levels of each operand, entries as wide as the product",
                 ["form", *map(str, LEVELS)], rows)


def _sharing_table(measured: Measured) -> Table:
    """How many cells must share a whole table before it costs less than the multiplier of equal operands."""
    rows = []
    for name, form in SHARED.items():
        for levels in LEVELS:
            for bits in sorted({point["bits"] for point in measured.points if point["form"] == form[0]
                                and point["levels"] == levels}):
                row: list[Any] = [name, levels, bits]
                for cost in COSTS.values():
                    rival, both = measured.one(form="multiplier", levels=levels, share=SHARE), sharing(
                        measured, levels, bits, form, cost)
                    if rival is None or both is None:
                        break
                    shared, each = both
                    least = enough((0, shared), (1, shared + each), cost(rival))[2]
                    row.append("never" if least is None else f"{least:.1f}")
                if len(row) == 3 + len(COSTS):
                    rows.append(row)
    return Table(f"cells that must share one table to beat multipliers of equal operands, {measured.basis}",
                 ["form", "levels", "bits", *COSTS], rows)


def _uses(measured: Measured) -> Table:
    """For how many activations a weight must stay until its own row has paid for being written."""
    rows, rival = list[list[Any]](), measured.one(form="multiplier", levels=256, share=SHARE)
    for name, (form, storage) in TABLES.items():
        for levels in LEVELS:
            point, wide = (measured.one(form=kind, levels=levels, share=SHARE, **more) for kind, more in (
                (form, {"storage": storage, "bits": width(levels)}), ("decoded", {})))
            if form == "row" and point and wide and rival:
                rows.append([name, levels, *(_payback(point, wide, rival, stimulus) for stimulus in STIMULI)])
    return Table(f"activations that a weight must stay for its row to need less than decoding and 8x8, "
                 f"{measured.basis}", ["form", "levels", *(f"{stimulus} data" for stimulus in STIMULI)], rows)


def _payback(point: Point, wide: Point, rival: Point, stimulus: str) -> str:
    """The row's writing, beyond that of a weight of eight bits, over what a product saves."""
    saved = wide["energy_pj"][stimulus] - point["energy_pj"][stimulus]
    paid = point["load_pj"][stimulus] - rival["load_pj"][stimulus]
    return "never" if saved <= 0 else f"{max(0.0, paid / saved):.0f}"


def _deep_lookup(measured: Measured) -> list[Row]:
    """Tables of 32 x 32 entries of eight bits, as Deep Lookup Network has them, over the exact alternative."""
    found, wide = list[Row](), measured.one(form="decoded", levels=32, share=SHARE)
    for name, (form, storage) in TABLES.items():
        point = measured.one(form=form, storage=storage, levels=32, bits=8, share=SHARE)
        for cost, of in COSTS.items():
            if point and wide:
                found.append(Row(
                    f"32 x 32 levels, 8-bit entries, {name}, over decoding and 8x8: {cost}", "",
                    {measured.basis: of(point) / of(wide)},
                    "The rival decodes the activation's level by 32 values, once for all cells, and multiplies by the "
                    "weight's value, 8 x 8 bits: the same products where the table has rank one."))
    return found


def find(technologies: Sequence[Technology], measured: Sequence[Measured]) -> Found:
    """Crossovers of every library that has been measured."""
    rows, answer, tables, figures = list[Row](), list[str](), list[Table](), {}
    for item in measured:
        by_cost = {name: curves(item, cost) for name, cost in COSTS.items()}
        for name, found in by_cost.items():
            tables.append(_curve_table(item, name, found))
            rows += _crossing_rows(item, name, found)
            answer += [_sentence(item, name, found, rival) for rival in (RIVAL, WIDE)]
        tables += [_sharing_table(item), _uses(item)]
        rows += _deep_lookup(item)
        figures[f"product-table-{item.library.lower()}"] = drawn(item.library, by_cost, RIVAL)
    return Found(rows, answer, tables, figures)
