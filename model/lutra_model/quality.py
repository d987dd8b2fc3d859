"""How far integers are from the real numbers that they stand for."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["errors"]


def errors(found: NDArray[np.signedinteger[Any]], scale: float, expected: NDArray[np.floating[Any]]) -> dict[str, Any]:
    """Errors of ``found * scale`` against real numbers of the same shape.

    ``sqnr_db`` : ten times the logarithm of signal power over error power; None where there is no error, or no signal.
    ``max_abs_steps``, ``rms_steps`` : the largest error, and the root of the mean square, in steps of ``scale``.
    """
    if found.shape != expected.shape:
        raise ValueError(f"outputs must have shape {expected.shape}, not {found.shape}")
    wanted = expected.astype(np.float64)
    wrong = found.astype(np.float64) * scale - wanted
    signal, noise = float((wanted**2).mean()), float((wrong**2).mean())
    return {"sqnr_db": 10 * float(np.log10(signal / noise)) if signal and noise else None,
            "max_abs_steps": float(np.abs(wrong).max() / scale), "rms_steps": float(np.sqrt(noise) / scale)}
