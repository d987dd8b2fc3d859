"""Errors of fits as a Markdown table, for the documentation."""

from collections.abc import Mapping
from typing import Any

__all__ = ["markdown"]


def _errors(row: Mapping[str, Any], what: str) -> str:
    if f"{what}_mean" not in row:
        return ""
    return f"{100 * row[f'{what}_mean']:.1f} ({100 * row[f'{what}_largest']:.1f})"


def markdown(data: Mapping[str, Any]) -> str:
    """Of every block and library: configurations fitted and held out, and of the latter mean and largest errors."""
    libraries = data["libraries"]
    lines = ["| block | " + " | ".join(f"`{name}`: configurations, energy, area (%)" for name in libraries) + " |",
             "|---" * (1 + len(libraries)) + "|"]
    rows: dict[str, dict[str, str]] = {}
    for name, library in libraries.items():
        for row in library["blocks"]:
            held, fitted = row["held_out"], row["fitted"]
            shown = (f"{held['count']} of {held['count'] + fitted['count']}: {_errors(held, 'energy')}, "
                     f"{_errors(held, 'area')}".removesuffix(", ") if held["count"] else f"0 of {fitted['count']}")
            rows.setdefault(row["block"], {})[name] = shown
    lines += [f"| {block} | " + " | ".join(cells.get(name, "") for name in libraries) + " |"
              for block, cells in sorted(rows.items())]
    return "\n".join(lines) + "\n"
