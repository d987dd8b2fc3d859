"""Area of one machine: its parts times prices, component by component."""

from .components import AREA_COMPONENTS
from .parts import parts
from .structure import Structure
from .technology import Technology

__all__ = ["area_um2", "logic_area_um2"]


def area_um2(structure: Structure, technology: Technology) -> dict[str, float]:
    """Area in square micrometres by component; the values sum to the total."""
    areas = dict.fromkeys(AREA_COMPONENTS, 0.0)
    for part in parts(structure):
        areas[part.component] += part.amount * technology.area(structure.kind(part.component), part)
    return areas


def logic_area_um2(structure: Structure, technology: Technology) -> float:
    """Area of everything but the memories."""
    return sum(part.amount * technology.area(structure.kind(part.component), part)
               for part in parts(structure) if part.entry != "sram")
