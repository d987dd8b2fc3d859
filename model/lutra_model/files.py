"""Files written whole or not at all."""

import os
from collections.abc import Callable
from pathlib import Path

__all__ = ["write_whole"]


def write_whole(path: str | os.PathLike[str], write: Callable[[Path], object]) -> None:
    """Write beside the file and move it there once it is whole, so that an earlier file is never half lost.

    ``write`` is given the path to write to; an ``OSError`` names the file that was asked for.
    """
    path = Path(path)
    part = path.with_name(f".{path.name}.part")
    try:
        write(part)
        part.replace(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        part.unlink(missing_ok=True)
