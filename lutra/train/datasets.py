"""Image data sets as arrays: Fashion-MNIST from IDX files, CIFAR-10 from its PNG sheets."""

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["CLASSES", "Images", "load"]

CLASSES = {
    "fashion-mnist": ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag",
                      "ankle boot"),
    "cifar10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
}
SYSTEM = Path("/usr/share/datasets/fashion-mnist")  # where the Debian package puts its files


@dataclass(frozen=True, kw_only=True)
class Images:
    """A data set: ``uint8`` images ``(count, height, width, channels)`` and ``int64`` labels."""

    name: str
    classes: tuple[str, ...]
    train: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test: NDArray[np.uint8]
    test_labels: NDArray[np.int64]

    def first(self, train: int, test: int) -> "Images":
        """The same set cut to its first images."""
        return Images(name=self.name, classes=self.classes, train=self.train[:train],
                      train_labels=self.train_labels[:train], test=self.test[:test],
                      test_labels=self.test_labels[:test])


def _idx(path: Path) -> NDArray[np.uint8]:
    data = gzip.decompress(path.read_bytes())
    if data[:3] != b"\0\0\x08":
        raise ValueError(f"{path} must be an IDX file of bytes, not one that starts with {data[:3].hex()}")
    shape = np.frombuffer(data, ">u4", count=data[3], offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def _fashion_mnist(folder: Path) -> Images:
    where = next((place for place in (folder / "fashion-mnist", SYSTEM) if place.is_dir()), None)
    if where is None:
        raise ValueError(f"data set fashion-mnist must lie in {folder / 'fashion-mnist'}: "
                         "run python -m lutra.train.fetch fashion-mnist")
    images = {part: _idx(where / f"{part}-images-idx3-ubyte.gz")[..., None] for part in ("train", "t10k")}
    labels = {part: _idx(where / f"{part}-labels-idx1-ubyte.gz").astype(np.int64) for part in ("train", "t10k")}
    return Images(name="fashion-mnist", classes=CLASSES["fashion-mnist"], train=images["train"],
                  train_labels=labels["train"], test=images["t10k"], test_labels=labels["t10k"])


def _sheet(path: Path) -> NDArray[np.uint8]:
    """A PNG sheet: every row of pixels is one 32 x 32 image."""
    from matplotlib.image import imread

    pixels = np.rint(imread(path)[..., :3] * 255).astype(np.uint8)
    return pixels.reshape(-1, 32, 32, 3)


def _cifar10(folder: Path) -> Images:
    where = folder / "cifar10"
    if not where.is_dir():
        raise ValueError(f"data set cifar10 must lie in {where}: run python -m lutra.train.fetch cifar10")
    train = np.concatenate([_sheet(where / f"data_batch_{part}.png") for part in range(1, 6)])
    labels = {part: np.array(json.loads((where / f"{part}_lables.json").read_text()), np.int64)
              for part in ("train", "test")}
    return Images(name="cifar10", classes=CLASSES["cifar10"], train=train, train_labels=labels["train"],
                  test=_sheet(where / "test_batch.png"), test_labels=labels["test"])


def load(name: str, folder: Path) -> Images:
    """A data set by name, from the folder that the fetch script fills (or the Debian package's own folder)."""
    if name not in CLASSES:
        raise ValueError(f"data set must be {' or '.join(CLASSES)}, not {name}")
    return _fashion_mnist(folder) if name == "fashion-mnist" else _cifar10(folder)
