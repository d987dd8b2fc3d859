"""Results so far, kept beside the answer, so that an interrupted simulation goes on where it stopped."""

import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lutra_model.files import write_whole

__all__ = ["Partial", "fingerprint"]


def fingerprint(*parts: Any) -> str:
    """A key of everything that the results depend on: text by ``repr``, arrays and bytes by their content."""
    digest = hashlib.sha256()
    for part in parts:
        content = part if isinstance(part, bytes) else part.tobytes() if isinstance(part, np.ndarray) else b""
        digest.update(f"{type(part).__name__} {getattr(part, 'shape', '') if content else repr(part)}\n".encode())
        digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()


class Partial:
    """Batches that are done, in a file that is always whole.

    Parameters
    ----------
    path : the file, or None to keep nothing.
    key : what the results depend on; a file with another key, or a damaged one, is no file.
    """

    def __init__(self, path: Path | None, key: str) -> None:
        self.path, self.key = path, key
        self.found: dict[int, dict[str, NDArray[Any]]] = dict(self._read())

    def _read(self) -> Iterator[tuple[int, dict[str, NDArray[Any]]]]:
        if self.path is None or not self.path.is_file():
            return
        try:
            with self.path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                if str(archive["key"]) != self.key:
                    return
                content = {name: archive[name] for name in archive.files if name != "key"}
        except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile):
            return
        batches: dict[int, dict[str, NDArray[Any]]] = {}
        for name, values in content.items():
            number, _, kind = name.partition("/")
            batches.setdefault(int(number), {})[kind] = values
        yield from batches.items()

    def add(self, number: int, **values: NDArray[Any]) -> None:
        """Keep the results of one more batch."""
        self.found[number] = values
        if self.path is None:
            return
        content: dict[str, Any] = {f"{batch}/{kind}": array for batch, kinds in self.found.items()
                                   for kind, array in kinds.items()}

        def write(part: Path) -> None:
            with part.open("wb") as file:
                np.savez(file, key=np.array(self.key), **content)

        write_whole(self.path, write)

    def remove(self) -> None:
        """Everything is done: the file goes."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)
