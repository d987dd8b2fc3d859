"""Commands that refuse, in one sentence."""

import pytest

from lutra.cli import main

__all__ = ["refused"]


def refused(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """The sentence with which a command refuses."""
    assert main(argv) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    sentence = captured.err.removeprefix("lutra: ").removesuffix("\n")
    assert "\n" not in sentence
    return sentence
