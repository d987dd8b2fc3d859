"""Files written whole or not at all, locks between processes, and JSON files of a known form read."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

__all__ = ["locked", "parse_json", "read_text", "write_whole"]


def read_text(path: str | os.PathLike[str], what: str) -> str:
    """The text of a file; ``what`` it is names it in the ``ValueError`` where it cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ValueError(f"{what} {path} cannot be read: {reason}") from None


def parse_json(text: str, file: str, form: str) -> dict[str, Any]:
    """A JSON object whose ``format`` is ``form``; ``file`` names it in the ``ValueError`` for anything else."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{file}: line {error.lineno} must be JSON ({error.msg})") from None
    if not isinstance(data, dict) or data.get("format") != form:
        found = data.get("format") if isinstance(data, dict) else data
        raise ValueError(f"{file}: format must be {form}, not {json.dumps(found)}")
    return data


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


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Only one process at a time holds the lock of this name; the file stays, empty, for the next one."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
