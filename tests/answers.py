"""What commands answer: a JSON object, or one sentence that refuses."""

import json
from typing import Any

import pytest

from lutra.cli import main

__all__ = ["answered", "refused"]


def answered(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, Any]:
    """The JSON object with which a command answers."""
    assert main([*argv, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def refused(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """The sentence with which a command refuses."""
    assert main(argv) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    sentence = captured.err.removeprefix("lutra: ").removesuffix("\n")
    assert "\n" not in sentence
    return sentence
