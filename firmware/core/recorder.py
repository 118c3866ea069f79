"""The journal thread: takes commits from the rules thread without ever making it wait, and makes them durable.

What piles up while the disk is slow goes into one transaction. No exception ends the thread; a device that stalls
delays nobody but this thread.
"""

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from firmware.clock import Clock
from firmware.journal import Commit, Draft, Journal, Mark
from firmware.journal.chain import LOST_KIND
from firmware.journal.check import newest_receipt
from firmware.journal.ranges import Ranges
from rules.effects import JsonValue

log = logging.getLogger("fenghuo.core.recorder")

LIMIT = 1024
"""Commits that may wait."""
RESERVE = 256
"""Further commits that may wait when they hold an alarm."""
BATCH = 64
"""Commits in one transaction at most."""
REQUESTS = 16
TICK_MS = 10_000
"""While a deadline runs the moment is noted beside the state at least this often (DESIGN "The journal", Timers)."""
TURN_S = 0.5

T = TypeVar("T")


class QueueFull(Exception):
    """Too many requests wait for the journal thread."""


class Recorder:
    """Owns the journal from `start` to `close`. All public members may be used from any thread."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        on_durable: Callable[[int, Mark], object],
        on_trouble: Callable[[str], object],
    ) -> None:
        """`on_durable(ticket, mark)`: all commits up to `ticket` are safe (or counted as lost) and the journal reaches
        `mark`. `on_trouble(text)`: storage trouble began or changed, empty when it ended. Both on the journal thread.
        """
        self.deadline_running = False
        self.lost = 0
        """Records lost since the start: the queue was full, or they could not be written in any way."""
        self._journal = journal
        self._clock = clock
        self._on_durable = on_durable
        self._on_trouble = on_trouble
        self._wake = threading.Condition()
        self._waiting: deque[tuple[int, Commit]] = deque()
        self._requests: deque[Callable[[], object]] = deque()
        self._delivered: dict[tuple[str, str], tuple[Ranges, str]] = {}
        self._ticket = 0
        self._done = 0
        self._dropped: Counter[str] = Counter()
        self._dropped_ticket = 0
        self._dropped_state: object | None = None
        self._dropped_draft: Draft | None = None
        self._ending = False
        self._mark = journal.mark()
        self._trouble = ""
        self._ticked = clock.monotonic_ms()
        self._copying = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)

    # --- for other threads -------------------------------------------------------------------------

    def start(self) -> None:
        """Start the journal thread."""
        self._thread.start()

    def submit(self, commit: Commit) -> int:
        """Hand in a commit; its ticket. Never blocks: when too many wait it is dropped, counted, and recorded so."""
        alarm = any(self._lane(draft.kind) == "alarm" for draft in commit.drafts)
        with self._wake:
            self._ticket += 1
            if len(self._waiting) >= LIMIT + (RESERVE if alarm else 0):
                self._drop(self._ticket, commit)
            else:
                self._waiting.append((self._ticket, commit))
                if commit.state is not None:
                    self._dropped_state = None
            self._wake.notify()
            return self._ticket

    def settled(self) -> bool:
        """Whether everything handed in is durable."""
        with self._wake:
            return self._done == self._ticket

    def mark(self) -> Mark:
        """The durable mark."""
        return self._mark

    def mark_delivered(self, journal: str, lane: str, ranges: list[tuple[int, int]], receipt: str) -> None:
        """The center holds these: its checked receipt says so. Never blocks; while the disk stalls they are merged."""
        with self._wake:
            old, kept = self._delivered.get((journal, lane), (Ranges(), ""))
            self._delivered[journal, lane] = (old.add(ranges), newest_receipt(kept, receipt))
            self._wake.notify()

    def snapshot(self, path: Path) -> "Future[Path]":
        """A consistent copy of the journal in use at `path`; one at a time, beside the journal thread."""

        def make() -> Path:
            self._journal.snapshot(path)
            return path

        if self._journal.place == "memory":  # small, and its pages are the writer's own
            return self._ask(make)
        future: Future[Path] = Future()
        if not self._copying.acquire(blocking=False):
            future.set_exception(QueueFull("a snapshot is being made"))
            return future

        def copy() -> None:
            try:
                _settle(future, make)
            finally:
                self._copying.release()

        threading.Thread(target=copy, name="snapshot", daemon=True).start()
        return future

    def prune(self, before_utc: str) -> "Future[int]":
        """Remove delivered records older than `before_utc`, a thousand at a time; how many went."""
        return self._ask(lambda: self._journal.prune(before_utc))

    def close(self, timeout_s: float = 5.0) -> bool:
        """Write what waits, seal with a checkpoint, close; False when the disk did not answer in time."""
        with self._wake:
            self._ending = True
            self._wake.notify()
        if self._thread.ident is None:
            self._guard(self._journal.close)
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _ask(self, make: Callable[[], T]) -> "Future[T]":
        future: Future[T] = Future()

        def answer() -> None:
            _settle(future, make)

        with self._wake:
            if len(self._requests) >= REQUESTS or self._ending:
                future.set_exception(QueueFull("the journal thread is busy or ending"))
            else:
                self._requests.append(answer)
                self._wake.notify()
        return future

    def _lane(self, kind: str) -> str:
        try:
            return self._journal.lane_of(kind)
        except Exception:
            return "status"  # an unknown kind fails at the commit, where it is counted

    def _drop(self, ticket: int, commit: Commit) -> None:
        for draft in commit.drafts:
            self._dropped[self._lane(draft.kind)] += 1
            self._dropped_draft = self._dropped_draft or draft
        self.lost += len(commit.drafts)
        self._dropped_ticket = ticket
        if commit.state is not None:
            self._dropped_state = commit.state

    # --- the journal thread ------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            batch, requests, delivered, ending = self._next()
            if delivered:
                self._guard(lambda: self._deliver(delivered))  # noqa: B023
            if batch:
                self._commit(batch)
            elif delivered:
                self._tell()
            for request in requests:
                self._guard(request)
            self._tell_trouble()  # before `tend` may end it: even a short one is told
            self._guard(self._tend)
            self._tell_trouble()
            if ending and not batch:
                self._guard(self._journal.close)
                return

    def _next(
        self,
    ) -> tuple[list[tuple[int, Commit]], list[Callable[[], object]], dict[tuple[str, str], tuple[Ranges, str]], bool]:
        with self._wake:
            if not (self._waiting or self._requests or self._delivered or self._ending or self._dropped_ticket):
                self._wake.wait(TURN_S)
            batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
            if not self._waiting and self._dropped_ticket:
                batch.append(self._loss())
            requests, delivered = list(self._requests), self._delivered
            self._requests.clear()
            self._delivered = {}
            return batch, requests, delivered, self._ending

    def _loss(self) -> tuple[int, Commit]:
        """A commit that says what was dropped, with the newest state that was dropped with it."""
        drafts: tuple[Draft, ...] = ()
        if self._dropped:
            now = self._journal.moment()
            since = self._dropped_draft.time if self._dropped_draft else now.time
            payload: dict[str, JsonValue] = {
                "reason": "queue",
                "lanes": dict(sorted(self._dropped.items())),
                "since": since,
            }
            drafts = (Draft(LOST_KIND, payload, now.time, now.clock, now.boot, now.monotonic_ms),)
        found = (self._dropped_ticket, Commit(drafts, self._dropped_state))
        self._dropped.clear()
        self._dropped_ticket, self._dropped_state, self._dropped_draft = 0, None, None
        return found

    def _commit(self, batch: list[tuple[int, Commit]]) -> None:
        commits = [commit for _, commit in batch]
        try:
            self._journal.commit(commits)
        except Exception:
            log.exception("%d commits could not be written together, now one by one", len(commits))
            for commit in commits:
                self._commit_one(commit)
        self._ticked = self._clock.monotonic_ms()
        with self._wake:
            self._done = max(self._done, max(ticket for ticket, _ in batch))
        self._tell()

    def _commit_one(self, commit: Commit) -> None:
        try:
            self._journal.commit([commit])
        except Exception:
            kinds = ", ".join(draft.kind for draft in commit.drafts)
            # No kinds here: the log must not show a silent alarm.
            log.exception("%d records can't be written and are lost", len(commit.drafts))
            lanes = Counter(self._lane(draft.kind) for draft in commit.drafts)
            self.lost += len(commit.drafts)
            now = self._journal.moment()
            payload: dict[str, JsonValue] = {
                "reason": "unwritable",
                "lanes": dict(sorted(lanes.items())),
                "kinds": kinds[:200],
            }
            lost = Draft(LOST_KIND, payload, now.time, now.clock, now.boot, now.monotonic_ms)
            self._guard(lambda: self._journal.commit([replace(commit, drafts=(lost,))]))

    def _deliver(self, delivered: dict[tuple[str, str], tuple[Ranges, str]]) -> None:
        for (journal, lane), (ranges, receipt) in delivered.items():
            self._journal.mark_delivered(journal, lane, ranges.items)
            self._journal.keep_receipt(journal, lane, receipt)

    def _tend(self) -> None:
        if self.deadline_running and self._clock.monotonic_ms() - self._ticked >= TICK_MS:
            self._ticked = self._clock.monotonic_ms()
            self._journal.tick(None)
        self._journal.tend()
        if self._journal.mark().seq != self._mark.seq:
            self._tell()

    def _tell(self) -> None:
        self._mark = self._journal.mark()
        self._guard(lambda: self._on_durable(self._done, self._mark))

    def _tell_trouble(self) -> None:
        if self._journal.storage_trouble != self._trouble:
            self._trouble = self._journal.storage_trouble
            self._guard(lambda: self._on_trouble(self._trouble))

    def _guard(self, call: Callable[[], object]) -> None:
        try:
            call()
        except Exception:
            log.exception("the journal thread goes on after an error")


def _settle(future: "Future[T]", make: Callable[[], T]) -> None:
    if future.set_running_or_notify_cancel():
        try:
            future.set_result(make())
        except BaseException as error:
            future.set_exception(error)
