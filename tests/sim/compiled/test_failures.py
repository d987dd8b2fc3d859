"""lutra_sim.compiled: broken rules of streams, wrong numbers of beats, and failures are reported."""

from pathlib import Path

import numpy as np
import pytest

from lutra_model.operation import Error
from lutra_sim.compiled import MachineFailed
from lutra_sim.traffic import Traffic
from tests.sim.compiled.echo import echo, expected, traffic


@pytest.mark.parametrize(("bug", "message"), [
    (1, r"the machine withdrew an output beat before it was taken: cycle \d+, after \d+ of 50 output beats"),
    (2, r"the machine changed an output beat before it was taken: cycle \d+, after \d+ of 50 output beats"),
    (3, r"the machine offered an output beat that nothing asked for: cycle \d+, after 50 of 50 output beats"),
    (4, r"tkeep of beat 0 must mark 2 bytes, not \[1, 1, 1\]"),
    (5, r"tlast of beat \d+ must be 0, not 1"),
    (6, r"the machine made tvalid wait for tready: cycle \d+, after \d+ of 50 output beats")],
    ids=["withdrawn", "changed", "unasked", "tkeep", "tlast", "waits"])
def test_a_broken_stream_rule_is_reported(cache: Path, bug: int, message: str) -> None:
    with pytest.raises(RuntimeError, match=f"^{message}$"):
        echo(cache).execute(traffic(rows=50, bug=bug), stalls=1)


def cut(work: Traffic, rows: int) -> Traffic:
    return Traffic(work.command, work.activations[:rows], work.activations_last[:rows], work.tables,
                   work.tables_last, work.used, work.last)


def test_a_limit_says_how_far_it_got_and_resets(cache: Path) -> None:
    machine, whole = echo(cache), traffic(rows=10)
    with pytest.raises(RuntimeError, match=r"^the machine is not done after 1000 cycles, with 3 of 10 output beats$"):
        machine.execute(cut(whole, 3), limit=1000)
    assert machine.execute(whole).cycles == 12


def test_beats_left_over_are_reported(cache: Path) -> None:
    work = traffic(rows=10)
    longer = Traffic(work.command, np.concatenate([work.activations] * 2), np.tile(work.activations_last, 2),
                     work.tables, work.tables_last, work.used, work.last)
    with pytest.raises(RuntimeError, match=r"^the machine took 10 of 20 activation beats$"):
        echo(cache).execute(longer)


def test_fewer_beats_than_expected_are_reported(cache: Path) -> None:
    work, more = traffic(rows=10), traffic(rows=11)
    with pytest.raises(RuntimeError, match=r"^the machine is idle after 10 of 11 output beats$"):
        echo(cache).execute(Traffic(work.command, work.activations, work.activations_last, work.tables,
                                    work.tables_last, more.used, more.last))


@pytest.mark.parametrize("stalls", [None, 3])
def test_a_failed_machine_says_why_and_goes_on(cache: Path, stalls: int | None) -> None:
    machine, work = echo(cache), traffic(rows=10)
    short = Traffic(work.command, work.activations, work.activations_last | (np.arange(10) == 4), work.tables,
                    work.tables_last, work.used, work.last)
    with pytest.raises(MachineFailed, match=r"^the machine failed with error SHORT at program address 64$") as failure:
        machine.execute(short, stalls=stalls)
    assert failure.value.error is Error.SHORT
    assert machine.execute(work, stalls=stalls).beats.tolist() == expected(work)
