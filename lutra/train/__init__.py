"""Training of networks that compute by table lookup. Needs PyTorch (the extra ``train``), but for fetching data.

>>> from lutra.train import from_torch, fit, Schedule                                    # doctest: +SKIP
>>> graph = from_torch(model, x, scheme="lut-nn")          # a Graph, an nn.Module        # doctest: +SKIP
>>> lutra.save(graph.export(), "net.lutra")                                              # doctest: +SKIP
"""

from importlib import import_module
from typing import Any

HOMES = {"Data": "data", "Graph": "graph", "RECIPES": "recipes", "Recipe": "recipes", "Schedule": "loop",
         "Stage": "recipes", "Variant": "recipes", "fit": "loop", "from_torch": "adopt", "load": "data"}

__all__ = ["RECIPES", "Data", "Graph", "Recipe", "Schedule", "Stage", "Variant", "fit", "from_torch", "load"]


def __getattr__(name: str) -> Any:
    """The public names; PyTorch is imported when the first of them is asked for."""
    if name not in HOMES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)
