"""Which multiplying schemes of a comparison a lookup scheme has to stand against, and how it does."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from lutra_model.energy import Bill
from lutra_model.runs import Priced

from . import estimate

__all__ = ["against"]


def _goodness(row: Mapping[str, Any]) -> float | None:
    """What decides whether one scheme's numbers are at least as good as another's; None where nothing is known."""
    for value in (row["accuracy"], row["agreement"], row["error"] and row["error"]["sqnr_db"]):
        if value is not None:
            return float(value)
    return None


def _rivals(row: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Multiplying schemes of the comparison that are no worse: in what they compute, or, unknown, in weights."""
    own = _goodness(row)
    return [other for other in rows if not other["looks_up"] and
            (other["weight_levels"] >= row["weight_levels"] if own is None or _goodness(other) is None
             else _goodness(other) >= own)]  # type: ignore[operator]


def against(row: dict[str, Any], rows: Sequence[dict[str, Any]], priced: Mapping[str, Mapping[str, Priced]]) -> None:
    """Against the multiplying schemes on as many cells that are at least as good: the one of least energy."""
    row["best_mac"] = {}
    rivals = _rivals(row, rows) if row["looks_up"] else []
    for technology, machines in priced.items() if rivals else ():
        own, others = machines[row["label"]], [machines[other["label"]] for other in rivals]
        row["best_mac"][technology] = {"total": _cheapest(own, others, lambda item: item.bill),
                                       "on_chip": _cheapest(own, others, lambda item: item.bill.on_chip)}


def _cheapest(own: Priced, others: Sequence[Priced], energy: Callable[[Priced], Bill]) -> dict[str, Any]:
    best = min(others, key=lambda item: energy(item).picojoules)
    return {"scheme": best.run.design.name, "cycles": best.run.cycles, "area_um2": best.area,
            **estimate.ratio(energy(best), energy(own))}
