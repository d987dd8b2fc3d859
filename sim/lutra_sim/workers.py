"""Work spread over threads, each with machines of its own, that can be watched and stopped."""

import os
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

__all__ = ["Stopped", "cores", "spread"]

Tick = Callable[[int], None]

GLANCE = 0.1  # seconds between two looks at how far the work is


class Stopped(Exception):
    """The work is to stop here."""


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def spread(items: Sequence[Any], workers: Sequence[Callable[[Any, Tick], Any]],
           glance: Tick) -> Iterator[tuple[Any, Any]]:
    """Results as they come; each worker, in a thread of its own, takes one item after the other.

    Parameters
    ----------
    workers : called with an item and ``tick``, which they call with the units of the item done so far, often.
    glance : told, in this thread, the units of items under way, every now and then.

    Whatever is raised, here or in a worker, stops all of them; it is raised here once they have ended.
    """
    todo: queue.SimpleQueue[Any] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[Any, Any, BaseException | None]] = queue.SimpleQueue()
    stop, under_way = threading.Event(), [0] * len(workers)
    for item in items:
        todo.put(item)

    def work(number: int) -> None:
        def tick(units: int) -> None:
            under_way[number] = units
            if stop.is_set():
                raise Stopped

        while not stop.is_set():
            try:
                item = todo.get_nowait()
            except queue.Empty:
                return
            try:
                done.put((item, workers[number](item, tick), None))
            except BaseException as error:
                done.put((item, None, error))
            under_way[number] = 0

    threads = [threading.Thread(target=work, args=(number,), daemon=True) for number in range(len(workers))]
    try:
        for thread in threads:
            thread.start()
        for _ in items:
            yield _next(done, under_way, glance)
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _next(done: Any, under_way: list[int], glance: Tick) -> tuple[Any, Any]:
    while True:
        try:
            item, result, error = done.get(timeout=GLANCE)
        except queue.Empty:
            glance(sum(under_way))
            continue
        if error is not None:
            raise error
        return item, result
