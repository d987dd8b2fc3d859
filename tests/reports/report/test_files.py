"""reports.write: whole or not at all, the same at every run, and a page that loads nothing."""

import errno
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lutra_reports.report import Report
from lutra_reports.write import check, write
from tests.reports.report.tiny import Machines, made


def test_two_reports_are_equal_byte_for_byte(machines: Machines, tmp_path: Path) -> None:
    first = write(made(), tmp_path / "first")
    second = write(made(), tmp_path / "second")
    assert [path.name for path in first] == [path.name for path in second]
    assert {path.suffix for path in first} == {".html", ".json", ".csv", ".svg", ".png"}
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_a_stamp_is_printed_only_when_given(report: Report, folder: Path, tmp_path: Path) -> None:
    assert "2031-01-02" not in (folder / "report.html").read_text()
    write(Report(report.data | {"stamp": "2031-01-02"}), tmp_path)
    assert "2031-01-02" in (tmp_path / "report.html").read_text()


class Links(HTMLParser):
    """Everything that a page would load, and every id."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "href", "xlink:href") and not (value or "").startswith("#"):
                self.loaded.append(f"{tag} {value}")
            if name == "id":
                self.ids.append(value or "")


def test_the_page_is_self_contained(report: Report, folder: Path) -> None:
    text = (folder / "report.html").read_text()
    links = Links()
    links.feed(text)
    assert links.loaded == []
    assert len(links.ids) == len(set(links.ids)) > 10
    assert set(re.findall(r"url\(#([^)]+)\)", text)) <= set(links.ids)
    assert "@import" not in text
    assert "<script" not in text
    assert 'name="viewport"' in text
    assert text.count("<svg") == 6 + len(report.data["technologies"])


def test_a_full_disk_leaves_the_old_report_whole(report: Report, folder: Path,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    write_bytes, left = Path.write_bytes, [3]

    def full(path: Path, content: bytes) -> int:
        if not left[0]:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        left[0] -= 1
        return write_bytes(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    sentence = (f"report folder {folder} cannot be written: No space left on device; "
                "an earlier report there is unchanged")
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        write(Report(report.data | {"stamp": "new"}), folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_other_files_in_the_folder_stay(report: Report, folder: Path) -> None:
    assert (folder / "mine.txt").read_text() == "mine"
    assert json.loads((folder / "report.json").read_text()) == report.data


def test_a_folder_that_is_a_file_is_refused_before_the_run(tmp_path: Path) -> None:
    (tmp_path / "report").write_text("")
    with pytest.raises(ValueError, match=r"^report folder .*report cannot be written: File exists$"):
        check(tmp_path / "report")
    check(tmp_path / "new" / "folder")
    assert list((tmp_path / "new" / "folder").iterdir()) == []
