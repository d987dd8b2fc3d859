"""An estimate as tables for people."""

from typing import Any

from .common import REST, rest, table

__all__ = ["shown"]

SHARES = ("on_chip", "total")  # of an energy


def shown(data: dict[str, Any]) -> list[Any]:
    """Tables for people; shapes stand in ``lutra info`` and in ``--json``."""
    array = data["array"]
    rows = [[layer["name"], f"{layer['cycles']:,}", layer["binding"], f"{100 * layer['binding_busy']:.1f}%",
             f"{100 * layer['cell_utilisation']:.1f}%", rest(layer["causes"], layer["binding"], layer["ragged"])]
            for layer in data["layers"]]
    rows.append(["sum", f"{data['cycles']:,}", "", f"{100 * data['binding_busy']:.1f}%", "",
                 rest(data["causes"], "", sum(layer["ragged"] for layer in data["layers"]))])
    host = f"; on the host: {', '.join(data['host'])}" if data["host"] else ""
    title = (f"{data['workload']} on {array['rows']}x{array['columns']} cells, {array['encoders']} encoders: "
             f"{data['cycles']:,} cycles for one input{host}")
    tables = [table(title, ["layer", "cycles", "bound by", "busy", "cells", REST], rows)]
    return tables + [table(f"{tech}: MAC arrays at equal or better throughput",
                          ["design", "array", "cycles", "energy (range), uJ", "area, mm2", "DRAM bytes/MAC"],
                          [_design(design, price) for design, price in designs.items()])
                    for tech, designs in data["energy"].items()] + _overall(data["overall"])


def _overall(data: dict[str, Any]) -> list[Any]:
    """Ranges over all technologies, with memories of other kinds and other memory outside the chip."""
    rows = [[design, *(f"{found[which]['low'] / 1e6:.3g} to {found[which]['high'] / 1e6:.3g}" for which in SHARES),
             *("" if design not in data["ratios"] else
               "{low:.2f} to {high:.2f}".format(**data["ratios"][design][which]) for which in SHARES)]
            for design, found in data["energy_pj"].items()]
    head = ["design", "on the chip, uJ", "with memory, uJ", "over lookup, on the chip", "with memory"]
    return [table("over all of them, all kinds of memory and of DRAM", head, rows)] if rows else []


def _design(design: str, price: dict[str, Any]) -> list[str]:
    middle, low, high = (price[key] / 1e6 for key in ("energy_pj", "energy_pj_low", "energy_pj_high"))
    return [design, price["array"], f"{price['cycles']:,}", f"{middle:.4g} ({low:.3g} to {high:.3g})",
            f"{price['area_um2'] / 1e6:.3g}", f"{price['dram_bytes_per_mac']:.3g}"]
