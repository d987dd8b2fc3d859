"""Many machines at once: cycles, events, energy and area of a workload as NumPy arrays, equal to the exact model's."""

from .designs import Designs
from .points import Points, evaluate
from .shapes import cut

__all__ = ["Designs", "Points", "cut", "evaluate"]
