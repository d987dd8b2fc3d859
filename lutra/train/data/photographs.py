"""Pictures to be enlarged twofold: luminance of free photographs, cut into tiles."""

from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..tasks import Enlarge
from .base import Data
from .images import present

__all__ = ["HALO", "TILE", "bicubic", "pictures"]

TESTED = ("astronaut", "chelsea", "coffee", "rocket")
LEFT_OUT = ("chessboard_GRAY", "chessboard_RGB", "horse", "logo", "microaneurysms", "motorcycle_right", "page",
            "phantom", "text")  # drawings, pages, and what is there twice
LUMINANCE = (65.481, 128.553, 24.966)  # of red, green and blue
TILE = 32   # pixels of a small picture whose four each are wanted, to a side
HALO = 5    # pixels around them that the network looks at: 2 + 1 + 1 + 1
TILES = 128  # of each picture trained on
SEED = 1

Pixels = NDArray[np.uint8]


def _sizes(path: Path) -> tuple[Pixels, Pixels]:
    """A picture's luminance with even sides, and half that size by Pillow's ``BICUBIC`` (with its antialiasing).

    Luminance is ITU-R BT.601's, 16 to 235, as papers on super-resolution have it.
    """
    with Image.open(path) as file:
        colours = np.asarray(file.convert("RGB"), np.float64)
    height, width = (side // 2 for side in colours.shape[:2])
    large = np.rint(16 + colours[:2 * height, :2 * width] @ LUMINANCE / 255).astype(np.uint8)
    return large, np.asarray(Image.fromarray(large).resize((width, height), Image.Resampling.BICUBIC))


def _wanted(large: Pixels, small: Pixels) -> NDArray[np.float32]:
    """What `Enlarge` wants of a picture, ``(5, height, width)``: the four pixels in reading order, then the small."""
    height, width = small.shape
    four = large.reshape(height, 2, width, 2).transpose(1, 3, 0, 2).reshape(4, height, width)
    return np.concatenate([four, small[None]]).astype(np.float32) / np.float32(255)


def _tiles(path: Path, corners: list[tuple[int, int]] | None) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Inputs and what is wanted of them at corners as parts of 2^16 of what there is; None: the whole picture.

    The picture's edge goes on behind it, and nothing (NaN) is wanted there.
    """
    large, small = _sizes(path)
    height, width = small.shape
    rows, columns = -(-height // TILE) * TILE, -(-width // TILE) * TILE
    around = np.pad(small, ((HALO, HALO + rows - height), (HALO, HALO + columns - width)), mode="edge")
    inputs = (around.astype(np.float32) - 128) / 128
    wanted = np.full((5, rows, columns), np.nan, np.float32)
    wanted[:, :height, :width] = _wanted(large, small)
    places = [*product(range(0, rows, TILE), range(0, columns, TILE))] if corners is None else [
        (i * (height - TILE + 1) >> 16, j * (width - TILE + 1) >> 16) for i, j in corners]
    side = TILE + 2 * HALO
    return (np.stack([inputs[i:i + side, j:j + side, None] for i, j in places]),
            np.stack([wanted[:, i:i + TILE, j:j + TILE] for i, j in places]))


def pictures(folder: Path) -> Data:
    """Tiles ``(TILE + 2 HALO, TILE + 2 HALO, 1)`` of small pictures, ``(pixel - 128) / 128`` in float32.

    Trained on at random places of all pictures but four, tested on the whole of those four.
    """
    where = present("pictures", folder)
    found = {path.stem: path for path in sorted(where.glob("*.[pj][np]g"))}
    missing = [name for name in TESTED if name not in found]
    if missing:
        raise ValueError(f"{where} must hold the pictures {', '.join(TESTED)}, but there is no {', '.join(missing)}")
    corners = np.random.default_rng(SEED).integers(0, 2**16, (TILES, 2)).tolist()
    train = [_tiles(path, corners) for name, path in found.items() if name not in TESTED + LEFT_OUT]
    test = [_tiles(found[name], None) for name in TESTED]
    mixed = np.random.default_rng(SEED).permutation(TILES * len(train))
    return Data(name="pictures", task=Enlarge(tuple(len(inputs) for inputs, _ in test)), pixel_scale=None,
                train=np.concatenate([inputs for inputs, _ in train])[mixed],
                train_wanted=np.concatenate([wanted for _, wanted in train])[mixed],
                test=np.concatenate([inputs for inputs, _ in test]),
                test_wanted=np.concatenate([wanted for _, wanted in test]),
                source="pictures of scikit-image 0.26.0 and stdlib 0.2.3 (public domain, CC0, CC BY)")


def bicubic(folder: Path) -> dict[str, float]:
    """PSNR in dB of the tested pictures enlarged by Pillow's ``BICUBIC``, by name: what a network must beat."""
    found = {}
    for path in sorted(present("pictures", folder).glob("*.[pj][np]g")):
        if path.stem in TESTED:
            large, small = _sizes(path)
            again = Image.fromarray(small).resize(large.shape[::-1], Image.Resampling.BICUBIC)
            error = np.square(large.astype(np.float64) - np.asarray(again)).mean()
            found[path.stem] = float(10 * np.log10(255**2 / error))
    return found
