"""What could turn a report's verdict, in words."""

from collections.abc import Mapping
from typing import Any

from .style import PLACES, times

__all__ = ["doubts", "factor", "overall"]


def overall(data: Mapping[str, Any]) -> str:
    """The ratio over everything that no price list decides."""
    said = {"lookup": "lookup needs less in all of it", "mac": "the MAC array needs less in all of it",
            "open": "so it is open"}
    parts = []
    for which, place in PLACES.items():
        item = data["overall"]["ratios"]["int8"][which]
        parts.append(f"{place} {times(item['low'])} ({_form(item['low_at'], which)}) to {times(item['high'])} "
                     f"({_form(item['high_at'], which)}), {said[item['winner']]}")
    return (f"INT8 MAC over lookup, over all technologies, {len(data['memories'])} kinds of memory and "
            f"{1 + len(data['drams'])} of DRAM, uncertainties of each included: {'; '.join(parts)}.")


def _form(found: Mapping[str, str], which: str) -> str:
    """A technology, with what is not its own."""
    others = [found["memory"], *([found["dram"]] if which == "total" else [])]
    return " with ".join([found["technology"], *(name for name in others if name != "own")])


def factor(item: Mapping[str, Any]) -> str:
    """The factor that would turn the verdict, two digits of it; nothing where none would."""
    flip = item["flip"]
    return "" if flip is None else f"x {flip:.2g}" if flip < 100 else f"x {flip:,.0f}"


def _distance(item: Mapping[str, Any]) -> float:
    """How far a constant is from turning the verdict, whether up or down."""
    flip = item["flip"]
    return float("inf") if flip is None else max(flip, 1 / flip)


def doubts(data: Mapping[str, Any]) -> list[str]:
    """Which constants alone could turn the verdict against INT8 within their uncertainty, and which come nearest."""
    found = []
    for which, place in PLACES.items():
        flips = [f"{item['name']} ({name})" for name, places in data["tornado"].items()
                 for item in places[which] if item["flips"]]
        nearest = [(name, min(places[which], key=_distance)) for name, places in data["tornado"].items()]
        near = ", ".join(f"{item['name']} {factor(item)} in {name}" for name, item in nearest
                         if item["flip"] is not None)
        found.append(f"Constants that alone could turn the verdict {place} within their uncertainty: "
                     f"{', '.join(flips) or 'none'}; nearest to turning it: {near or 'none'}.")
    return found
