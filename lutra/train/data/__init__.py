"""Data sets by name, from the folders that ``lutra fetch`` fills."""

from collections.abc import Callable
from pathlib import Path

from .base import Data, tensor
from .images import cifar10, fashion_mnist
from .sentences import film_reviews

__all__ = ["LOADERS", "Data", "load", "tensor"]

LOADERS: dict[str, Callable[[Path], Data]] = {"cifar10": cifar10, "fashion-mnist": fashion_mnist,
                                              "film-reviews": film_reviews}


def load(name: str, folder: Path) -> Data:
    """A data set by name; ``ValueError`` where it is unknown or not there."""
    if name not in LOADERS:
        raise ValueError(f"data set must be {', '.join(LOADERS)}, not {name}")
    return LOADERS[name](folder)
