"""What travels with the package: the default network with its test images, the zoo and its measured scores."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lutra_model.netfile import load
from lutra_model.network import Network

__all__ = ["DEFAULT", "accuracy", "is_default", "network", "path", "records", "test_set"]

DEFAULT = "fashion-resnet8"


def path(name: str) -> Path:
    """Where an embedded file lies."""
    return Path(str(files("lutra") / "networks" / name))


def network(name: str | None = None) -> Network:
    """An embedded network by its name, or the network in a file; without a name, the default.

    Raises ``ValueError`` when there is neither, which says what there is.
    """
    embedded, own = path(f"{name or DEFAULT}.lutra"), Path(name or DEFAULT)
    if not embedded.is_file() and not own.exists():
        known = ", ".join(item.stem for item in sorted(path(".").glob("*.lutra")))
        raise ValueError(f"network must be a network file or one of {known}, not {name}")
    return load(embedded if embedded.is_file() else own)


def is_default(name: str | None) -> bool:
    """Whether :func:`network` gives the default network: networks of other files may be called the same."""
    return (name or DEFAULT) == DEFAULT


def test_set() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The embedded held-out images ``(256, 28, 28, 1)`` and their labels ``(256,)``."""
    with np.load(path("fashion-test.npz"), allow_pickle=False) as archive:
        return archive["images"], archive["labels"]


def records() -> dict[str, dict[str, Any]]:
    """Scores of the zoo's recipes on their full test sets, as `lutra train` writes them, by the recipe's name."""
    return {item.stem: json.loads(item.read_text()) for item in sorted(path(".").glob("*.json"))}


def accuracy() -> dict[str, Any]:
    """Accuracy of the default network on the full test set, and how its recipe measured it.

    The views are ``float``, ``int8``, ``converted`` (lookup in real arithmetic) and ``golden``.
    """
    measured = records()[DEFAULT]
    int8, lookup = (measured["variants"][name] for name in ("int8", "lut-nn"))
    shares = {"float": measured["float"], "int8": int8["golden"], "converted": lookup["converted"],
              "golden": lookup["golden"]}
    return {view: share / 100 for view, share in shares.items()} | {
        name: measured[name] for name in ("test_inputs", "recipe", "data", "seed", "versions")}
