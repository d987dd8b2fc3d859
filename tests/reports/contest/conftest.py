"""What the tests of the comparison share."""

import pytest

import lutra_reports.contest
from tests.reports.contest.compared import Simulator


@pytest.fixture(autouse=True)
def simulator(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Simulator:
    found = Simulator()
    monkeypatch.setattr(lutra_reports.contest, "simulate", found)
    monkeypatch.setenv("LUTRA_CACHE", str(tmp_path_factory.getbasetemp() / "contest-cache"))
    return found
