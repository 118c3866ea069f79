"""Many lives: one after another, or spread over processes; ended in good order when somebody has seen enough."""

import logging
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.synchronize import Event
from typing import Any

from hil.life.life import Life, Makers, Outcome, Terms

Tell = Callable[[int], None]
"""Called with the number of days that were lived since it was called before."""


class Enough(Exception):
    """Somebody ended the lives."""


def default_makers() -> Makers:
    """The model of the disk, the far end with the real delivery logic, and the oracle."""
    from hil.life.far_end import LifeFarEnd
    from hil.life.oracle import Oracle
    from hil.life.real_disk import RealDisk

    return Makers(
        lambda ground, clock, random: RealDisk(ground, clock, random),
        lambda ground, clock, disk, random: LifeFarEnd(ground, clock, disk, random),
        lambda ground: Oracle(ground.site),
    )


def quiet() -> None:
    """A life refuses and loses much; its log would hide what counts."""
    logging.getLogger("fenghuo").setLevel(logging.CRITICAL)


def live(terms: Terms, tell: Tell | None = None, makers: Makers | None = None) -> Outcome:
    """One life. What `tell` raises ends it; the outcome is then what was lived so far."""
    quiet()
    life = Life(terms, makers or default_makers())
    try:
        life.run(tell and (lambda _day: tell(1)))
    except (Enough, KeyboardInterrupt):
        life.outcome.ended_early = True
    return life.outcome


def live_all(every: Sequence[Terms], jobs: int, tell: Tell, makers: Makers | None = None) -> Iterator[Outcome]:
    """All of these lives, in `jobs` processes; outcomes as they come. A `KeyboardInterrupt` yields what there is."""
    if jobs == 1:
        for terms in every:
            outcome = live(terms, tell, makers)
            yield outcome
            if outcome.ended_early:
                return
        return
    yield from _spread(every, jobs, tell, makers)


def _spread(every: Sequence[Terms], jobs: int, tell: Tell, makers: Makers | None) -> Iterator[Outcome]:
    # By fork: sites and makers are handed over as they are.
    own = multiprocessing.get_context("fork")
    ended = own.Event()
    workers: dict[Connection, Any] = {}
    # Whoever started the lives ends them, not the terminal: the workers inherit the mask, and a Ctrl-C meanwhile waits.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    for number in range(min(jobs, len(every))):
        ours, theirs = own.Pipe()
        args = (every[number::jobs], theirs, ended, makers, os.getpid())
        process = own.Process(target=_work, args=args, daemon=True)
        process.start()
        theirs.close()
        workers[ours] = process
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    except KeyboardInterrupt:
        ended.set()
    try:
        while workers:
            try:
                yield from _hear(workers, tell)
            except KeyboardInterrupt:
                ended.set()
    finally:
        ended.set()
        for process in workers.values():
            process.join(5.0)
            if process.is_alive():
                process.terminate()


def _hear(workers: dict[Connection, Any], tell: Tell) -> Iterator[Outcome]:
    for ready in wait(list(workers), timeout=1.0):
        assert isinstance(ready, Connection)  # noqa: S101 - for the type checker
        try:
            word = ready.recv()
        except EOFError:
            workers.pop(ready).join(5.0)
            continue
        if isinstance(word, Outcome):
            yield word
        else:
            tell(word)


def _work(every: Sequence[Terms], told: Connection, ended: Event, makers: Makers | None, parent: int) -> None:
    """In a process of its own: the one who started it decides when it ends, or ends without a word."""

    def tell(days: int) -> None:
        if ended.is_set() or os.getppid() != parent:
            raise Enough
        told.send(days)

    for terms in every:
        outcome = live(terms, tell, makers)
        told.send(outcome)
        if outcome.ended_early:
            return
