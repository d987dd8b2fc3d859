"""What the tests of reports share."""

from pathlib import Path

import pytest

from lutra_reports.report import Report
from lutra_reports.write import write
from tests.reports.report.tiny import Machines, install, made


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> Machines:
    return install(monkeypatch)


@pytest.fixture(scope="session")
def report() -> Report:
    """One report for all tests that only look at it."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        install(monkeypatch)
        return made()


@pytest.fixture(scope="session")
def folder(report: Report, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where it is written."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "mine.txt").write_text("mine")
    write(report, folder)
    return folder
