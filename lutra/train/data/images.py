"""Image data sets as arrays: Fashion-MNIST from IDX files, CIFAR-10 from its PNG sheets."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .base import Data

__all__ = ["cifar10", "cifar10_normalised", "fashion_mnist", "present"]

CLASSES = {
    "fashion-mnist": ("t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag",
                      "ankle boot"),
    "cifar10": ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
}
MEAN = np.array([0.485, 0.456, 0.406], np.float32)  # of ImageNet's channels, as is the custom
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
SYSTEM = Path("/usr/share/datasets/fashion-mnist")  # where the Debian package puts its files


def present(name: str, folder: Path, *others: Path) -> Path:
    """Where a fetched data set lies; ``ValueError`` that says how to get it where it does not."""
    for place in (folder / name, *others):
        if place.is_dir():
            return place
    raise ValueError(f"data set {name} must lie in {folder / name}: run lutra fetch {name}")


def _idx(path: Path) -> NDArray[np.uint8]:
    data = gzip.decompress(path.read_bytes())
    if data[:3] != b"\0\0\x08":
        raise ValueError(f"{path} must be an IDX file of bytes, not one that starts with {data[:3].hex()}")
    shape = np.frombuffer(data, ">u4", count=data[3], offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)


def fashion_mnist(folder: Path) -> Data:
    """Fashion-MNIST, 28 x 28 x 1; the Debian package's own folder does, too."""
    where = present("fashion-mnist", folder, SYSTEM)
    images = {part: _idx(where / f"{part}-images-idx3-ubyte.gz")[..., None] for part in ("train", "t10k")}
    labels = {part: _idx(where / f"{part}-labels-idx1-ubyte.gz").astype(np.int64) for part in ("train", "t10k")}
    return Data(name="fashion-mnist", classes=CLASSES["fashion-mnist"], train=images["train"],
                  train_wanted=labels["train"], test=images["t10k"], test_wanted=labels["t10k"])


def _sheet(path: Path) -> NDArray[np.uint8]:
    """A PNG sheet: every row of pixels is one 32 x 32 image."""
    from matplotlib.image import imread

    pixels = np.rint(imread(path)[..., :3] * 255).astype(np.uint8)
    return pixels.reshape(-1, 32, 32, 3)


def cifar10(folder: Path) -> Data:
    """CIFAR-10, 32 x 32 x 3."""
    where = present("cifar10", folder)
    train = np.concatenate([_sheet(where / f"data_batch_{part}.png") for part in range(1, 6)])
    labels = {part: np.array(json.loads((where / f"{part}_lables.json").read_text()), np.int64)
              for part in ("train", "test")}
    return Data(name="cifar10", classes=CLASSES["cifar10"], train=train, train_wanted=labels["train"],
                  test=_sheet(where / "test_batch.png"), test_wanted=labels["test"])


def cifar10_normalised(folder: Path) -> Data:
    """CIFAR-10 as published weights expect it: ``float32``, ``(pixel / 255 - mean) / deviation`` of each channel."""
    data = cifar10(folder)
    train, test = (((part / np.float32(255) - MEAN) / DEVIATION).astype(np.float32) for part in (data.train, data.test))
    return replace(data, name="cifar10-normalised", train=train, test=test, pixel_scale=None)
