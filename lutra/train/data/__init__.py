"""Data sets by name, from the folders that ``lutra fetch`` fills."""

from collections.abc import Callable
from pathlib import Path

from .base import Data, tensor
from .images import cifar10, cifar10_normalised, fashion_mnist
from .photographs import pictures
from .sentences import film_reviews
from .shapes import points
from .speech import spoken_digits

__all__ = ["LOADERS", "Data", "load", "tensor"]

LOADERS: dict[str, Callable[[Path], Data]] = {
    "cifar10": cifar10, "cifar10-normalised": cifar10_normalised, "fashion-mnist": fashion_mnist,
    "film-reviews": film_reviews, "pictures": pictures, "points": points, "spoken-digits": spoken_digits}


def load(name: str, folder: Path) -> Data:
    """A data set by name; ``ValueError`` where it is unknown or not there."""
    if name not in LOADERS:
        raise ValueError(f"data set must be {', '.join(LOADERS)}, not {name}")
    return LOADERS[name](folder)
