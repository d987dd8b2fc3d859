"""What the data of a report's networks do, in words."""

from collections.abc import Mapping
from typing import Any

__all__ = ["moves", "toggling"]


def toggling(data: Mapping[str, Any]) -> list[str]:
    """Components whose toggles were counted, in the order of the ports."""
    seen = {component for found in data["activity"]["networks"].values() for rates in found["toggles"].values()
            for component in rates}
    components = dict.fromkeys(port.partition(".")[0] for port in data["activity"]["ports"])
    return [name for name in components if name in seen]


def _percent(change: Mapping[str, float]) -> str:
    return f"{100 * (change['pj'] / change['default_pj'] - 1):+.1f}%"


def moves(data: Mapping[str, Any]) -> str:
    """How much the data moved both sides' energy on the chip, by technology."""
    if "int8" not in data["activity"]["networks"]:
        return ("No multiplying twin was simulated, so that energies of both sides are those of the data that prices "
                "hold for.")
    following = {name: found for name, found in data["moved"].items() if found["entries"]}
    said = "; ".join(
        f"in {name} lookup's by {_percent(found['designs']['lookup'])}, the MAC array's by "
        f"{_percent(found['designs']['int8'])}, so that INT8 MAC over lookup is {found['ratios']['int8']['ratio']:.2f} "
        f"instead of {found['ratios']['int8']['default']:.2f}" for name, found in following.items())
    rest = [name for name in data["moved"] if name not in following]
    parts = [f"This network's own data move energies on the chip: {said}."] if said else []
    return " ".join(parts + ([f"No price of {', '.join(rest)} follows the data."] if rest else []))
