"""The uplink process: core's socket on one side, the ways to the alarm center on the other, the routing between.

One loop, one thread of our own. It decides nothing about the site: it carries records out, and receipts and commands
in, for core to check. Each path of the panel file is a link; which lanes it carries, `routing.py` says.
"""

import logging
import select
import sys
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

from firmware.clock import Clock, SystemClock
from firmware.config import Loaded
from firmware.protocol import messages as m
from firmware.sd_notify import Readiness, notify, watchdog_interval_s
from firmware.stopping import StopFlag
from firmware.uplink.core_link import CoreLink
from firmware.uplink.events import CoreLost, FromCore, Pulled, ToCore
from firmware.uplink.path_link import PathLink
from firmware.uplink.routing import Route, Routing, Terms
from firmware.uplink.setup import links_of, terms_of
from firmware.uplink.tls import BadTlsFiles

log = logging.getLogger("fenghuo.uplink")

EXIT_CONFIG = 2
EXIT_ANEW = 1
LONGEST_WAIT_MS = 60_000
REST_MS = 600_000
"""After an internal error of one path the others go on so long; then the process ends, to be started anew."""

T = TypeVar("T")


class Uplink:
    """The paths of a panel, wired to core."""

    def __init__(self, core: CoreLink, links: Sequence[PathLink], terms: Terms, clock: Clock, file: str = "") -> None:
        """`file`: SHA-256 of the panel file that the links were made from."""
        self._core = core
        self._file = file
        self.welcomed = False
        """Whether core has answered since the start."""
        self._outdated = False
        self._links = list(links)
        self._clock = clock
        routes = [Route(link.id, link.lanes, link.final) for link in links if link.lanes]
        self._routing = Routing(routes, terms, clock.monotonic_ms())
        self._duties: dict[str, frozenset[str]] = {}
        self._askers: deque[PathLink] = deque()
        """Whose pulls core has not answered yet, oldest first."""
        self._more = False
        """A link was told something after its turn: it has another one at once."""
        self._anew_at: int | None = None

    def turn(self, stop: StopFlag, longest_ms: int) -> None:
        """Wait for something to happen, at most so long, and do what follows from it."""
        self._core.try_connect(self._clock.monotonic_ms())
        waited_on = [stop.fileno(), *(link.fileno() for link in self._links)]
        if self._core.connected:
            waited_on.append(self._core.fileno())
        select.select(waited_on, [], [], self._wait_s(longest_ms))
        for message in self._core.receive():
            self._hear(message)
        self._more = False
        for link in list(self._links):
            for said in self._with(link, link.turn) or ():
                self._say(link, said)
        self._assign()

    def stop(self) -> None:
        """Say goodbye to the center on every path and close everything."""
        for link in list(self._links):
            self._with(link, link.close)
        self._core.close()

    def anew(self) -> bool:
        """Whether the process should be started anew: a path failed by an error of ours, or there is another file."""
        return (
            self._outdated
            or not self._links
            or (self._anew_at is not None and self._clock.monotonic_ms() >= self._anew_at)
        )

    def _wait_s(self, longest_ms: int) -> float:
        if self._more or self._core.pending():
            return 0.0
        now = self._clock.monotonic_ms()
        moments = [link.next_deadline() for link in self._links]
        moments += [self._core.next_deadline(), self._routing.next_deadline(now), self._anew_at]
        waits = [moment - now for moment in moments if moment is not None]
        return max(0, min([longest_ms, *waits])) / 1000

    def _hear(self, message: FromCore) -> None:
        """Core's answers go to who asked; all else is for every path."""
        now = self._clock.monotonic_ms()
        match message:
            case Pulled() | m.Error() if self._askers:
                link = self._askers.popleft()
                pulled = message if isinstance(message, Pulled) else None
                if link in self._links:
                    self._with(link, lambda: link.answered(pulled))
                return
            case m.Head():
                self._routing.head(message, now)
            case m.Delivered():
                self._routing.delivered(message)
            case m.TryPath():
                self._routing.tried(message.path, now + message.for_ms)
                self._more = True
            case CoreLost():
                self._askers.clear()
            case m.Welcome():
                self.welcomed = True
                self._outdated |= bool(message.file and self._file and message.file != self._file)
        for link in list(self._links):
            self._with(link, lambda link=link: link.hear(message))  # type: ignore[misc]

    def _say(self, link: PathLink, message: ToCore) -> None:
        if isinstance(message, m.Path):
            self._tell_path(link, message)
            return
        if isinstance(message, m.Pull):
            self._askers.append(link)
        self._tell_core(message)

    def _tell_path(self, link: PathLink, message: m.Path) -> None:
        """The other paths have to know too: the last resort waits for it."""
        log.warning("path %s is %s %s", message.path, "up" if message.up else "down", message.detail)
        self._more = True
        for other in [other for other in self._links if other is not link]:
            self._with(other, lambda other=other: other.path(message))  # type: ignore[misc]
        self._tell_core(message)

    def _tell_core(self, message: ToCore) -> None:
        if (lost := self._core.send(message)) is not None:
            self._more = True
            self._hear(lost)

    def _assign(self) -> None:
        works = {link.id: link.works for link in self._links if link.lanes}
        for id_, lanes in self._routing.duties(works, self._clock.monotonic_ms()).items():
            if self._duties.get(id_) != lanes:
                self._duties[id_] = lanes
                self._more = True
                log.info("path %s carries %s", id_, ", ".join(sorted(lanes)) or "nothing")
                for link in self._links:
                    if link.id == id_:
                        self._with(link, lambda link=link, lanes=lanes: link.duty(lanes))  # type: ignore[misc]

    def _with(self, link: PathLink, do: Callable[[], T]) -> T | None:
        """An error in one path must not cost the others: it is told, and the uplink goes on without."""
        try:
            return do()
        except Exception:
            log.critical("path %s failed; it rests until the uplink is started anew", link.id, exc_info=True)
        self._links.remove(link)
        self._anew_at = self._anew_at or self._clock.monotonic_ms() + REST_MS
        self._tell_path(link, m.Path(path=link.id, up=False, detail="internal error: see the log of the uplink"))
        try:
            link.close()
        except Exception:
            log.exception("path %s could not be closed", link.id)
        return None


def run(loaded: Loaded) -> int:
    """Run until SIGTERM or SIGINT; the exit code. 2: the TLS files can't be used; 1: to be started anew."""
    clock = SystemClock()
    try:
        links = links_of(loaded, clock)
    except BadTlsFiles as bad:
        print(bad, file=sys.stderr)
        return EXIT_CONFIG
    stop = StopFlag().install()
    core = CoreLink(loaded.run / "uplink.sock", loaded.data / "evidence")
    uplink = Uplink(core, links, terms_of(loaded), clock, loaded.sha256)
    every_s = watchdog_interval_s()
    longest_ms = LONGEST_WAIT_MS if every_s is None else int(every_s * 1000)
    alive_at = clock.monotonic_ms()
    ready = Readiness(alive_at)
    while not stop.is_set() and not uplink.anew():
        uplink.turn(stop, longest_ms)
        now = clock.monotonic_ms()
        if ready.turn(uplink.welcomed, now) and now >= alive_at:
            notify("WATCHDOG=1")
            alive_at = now + longest_ms // 2
    notify("STOPPING=1")
    log.info("stopping: %s", stop.reason if stop.is_set() else "to be started anew")
    code = 0 if stop.is_set() else EXIT_ANEW
    uplink.stop()
    stop.close()
    return code
