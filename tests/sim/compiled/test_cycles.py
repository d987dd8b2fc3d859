"""lutra_sim.compiled: cycles, state and stalls of a design whose every cycle is known."""

import threading
from pathlib import Path

import numpy as np
import pytest

from lutra_sim import commands
from lutra_sim.traffic import Traffic
from tests.sim.compiled.echo import echo, expected, traffic


@pytest.mark.parametrize(("activations", "tables"), [(1, 1), (3, 1), (1, 2), (2, 5)])
def test_cycles_of_a_period(cache: Path, activations: int, tables: int) -> None:
    work, period = traffic(rows=10), max(activations, tables)
    run = echo(cache).execute(work, activation_period=activations, table_period=tables)
    assert run.beats.tolist() == expected(work)
    assert run.cycles == 9 * period + 3  # the first pair of beats in cycle 1, the last beat leaves one later
    assert (run.times - run.times[0]).tolist() == [period * beat for beat in range(10)]
    assert run.elapsed == run.times[-1] + 2
    assert run.runs == 5


def test_a_machine_keeps_its_state_between_jobs(cache: Path) -> None:
    machine, tables = echo(cache), np.zeros((7, 3), np.uint8)
    assert machine.execute(Traffic(commands.write_tables(7), tables=tables, tables_last=np.arange(7) == 6)).runs == 0
    for rows in (10, 1, 4):
        assert machine.execute(traffic(rows)).beats.tolist() == expected(traffic(rows))


def test_a_long_job_can_be_watched_and_interrupted(cache: Path) -> None:
    machine, work, seen = echo(cache), traffic(rows=50_000), list[int]()
    machine.execute(work, tick=seen.append)
    assert seen == [20_000, 40_000]

    def interrupt(cycles: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        machine.execute(work, tick=interrupt)
    assert machine.execute(traffic(rows=3)).beats.tolist() == expected(traffic(rows=3))


@pytest.mark.parametrize("seed", range(5))
def test_stalls_change_cycles_alone(cache: Path, seed: int) -> None:
    machine, work = echo(cache), traffic(rows=200, seed=seed)
    run = machine.execute(work, stalls=seed)
    assert run.beats.tolist() == expected(work)
    assert run.cycles > 2 * 200
    assert run.cycles == machine.execute(work, stalls=seed).cycles


@pytest.mark.parametrize("first", [0, 1])
def test_machines_run_side_by_side_and_end_in_any_order(cache: Path, first: int) -> None:
    machines, work, results = [echo(cache), echo(cache)], traffic(rows=30_000), dict[int, list[list[int]]]()

    def run(number: int) -> None:
        results[number] = machines[number].execute(work).beats.tolist()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {0: expected(work), 1: expected(work)}
    del machines[first], machines[0]
