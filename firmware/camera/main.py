"""The camera process: watches every camera of the panel file, and takes pictures when core orders them.

It may be slow, broken or absent: core never waits for it. It writes the evidence folder and what its cameras should
see, and nothing else, and what is on the pictures is never told to a log.
"""

import logging
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from drivers.cameras import Camera, Plan, make
from firmware import sd_notify
from firmware.camera import memory, texts
from firmware.camera.capture import Studio
from firmware.camera.captures import Captures, Parts
from firmware.camera.health import Health
from firmware.camera.keeper import Keeper
from firmware.camera.link import Link, Outbox
from firmware.camera.lookout import Lookout
from firmware.camera.person import PersonCheck
from firmware.camera.reference import Kept
from firmware.camera.store import Store
from firmware.camera.tampers import KINDS
from firmware.camera.watch import Watch
from firmware.clock import Clock, SystemClock
from firmware.config import Camera as CameraTable
from firmware.config import Loaded, PanelFile
from firmware.config.hours import hours_of
from firmware.language import pick
from firmware.stopping import StopFlag

log = logging.getLogger("fenghuo.camera")

TURN_S = 1.0
ALL_HUNG_S = 60.0
"""When every camera has hung for so long, the process ends, since only a new one can let go of the devices."""
LAST_WORDS_S = 3.0


def run(loaded: Loaded) -> int:
    """Run until SIGTERM or SIGINT: 0; 1 to be started anew: all cameras hang, memory runs over, another panel file."""
    stop = StopFlag().install()
    try:
        return Process(loaded, stop).run()
    finally:
        stop.close()


class Process:
    """The threads of the process, wired to each other."""

    def __init__(self, loaded: Loaded, stop: StopFlag) -> None:
        file = loaded.file
        self._stop = stop
        self._file = loaded.sha256
        clock = SystemClock(file.panel.clock_rate if file.panel.pins == "simulated" else 1)
        outbox = Outbox()
        self._person = PersonCheck()
        self._health = Health((table.id for table in file.camera), outbox.put)
        self._watches = {table.id: self._watch(loaded, table, clock) for table in file.camera}
        store = Store(loaded.data / "evidence", budget=file.storage.evidence_mib_per_day * 2**20)
        self._keeper = Keeper(loaded.data / "evidence", file.storage.evidence_days, store, clock, outbox.put)
        studio = Studio(store, self._person, clock, outbox.put, Parts().next, file.panel.id)
        self._captures = Captures(self._watches, studio, self._health, stop)
        self._link = Link(
            loaded.run / "camera.sock", outbox, self._health, self._captures.take, self._relearn, self._keeper.take
        )
        self._limit_mib = memory.limit_mib(file.camera)
        self._watchdog_s = sd_notify.watchdog_interval_s()
        self._alive = time.monotonic()

    def run(self) -> int:
        """Start, serve until told to stop, let the captures end."""
        memory.tame()
        memory.bound(self._limit_mib)
        for watch in self._watches.values():
            watch.start()
        # Before the first alarm, not at it.
        self._person.load()
        self._ready = sd_notify.Readiness(int(time.monotonic() * 1000))
        log.info("watching %d cameras; person check: %s", len(self._watches), self._person.model)
        self._keeper.start()
        self._link.run(self._stop, self._turn, min(TURN_S, self._watchdog_s or TURN_S))
        sd_notify.notify("STOPPING=1")
        self._captures.join(LAST_WORDS_S)
        self._keeper.stop(LAST_WORDS_S)
        self._link.flush()
        self._link.close()
        for watch in self._watches.values():
            watch.join(LAST_WORDS_S / len(self._watches))
        log.info("stopped: %s", self._stop.reason)
        return 1 if self._stop.reason in ("hung", "memory", "file") else 0

    def _watch(self, loaded: Loaded, table: CameraTable, clock: Clock) -> Watch:
        plan = plan_of(loaded.file, table, loaded.folder, loaded.run)

        def maker() -> Camera:
            return make(plan, clock.monotonic_ms, clock.utc)

        return Watch(table, maker, self._lookout(loaded, table), self._health, self._stop)

    def _lookout(self, loaded: Loaded, table: CameraTable) -> Lookout:
        # With another mask it is learned anew: what is hidden now may stand in what is kept.
        of = f"{table.maker} {table.source} {table.width} {table.height}" + (f" {table.mask}" if table.mask else "")
        kept = Kept(loaded.data / "cameras", table.id, of)
        tell = partial(self._health.tampers, table.id)
        return Lookout(watched_of(table), table.dark, kept, tell, table.mask)

    def _relearn(self, camera: str) -> None:
        if camera in self._watches:
            self._watches[camera].lookout.relearn()

    def _turn(self) -> None:
        """The regular work of the main thread."""
        now = time.monotonic()
        if self._ready.turn(self._link.welcomed, int(now * 1000)) and self._watchdog_s:
            sd_notify.notify("WATCHDOG=1")
        most = self._limit_mib + memory.CAPTURING_MIB * self._captures.running()
        if (held := memory.resident_mib()) > most:
            log.error("%s", pick(texts.MEMORY, held=round(held), limit=self._limit_mib))
            self._stop.set("memory")
        if self._link.core_file not in ("", self._file):
            log.warning("core runs by another panel file: to be started anew")
            self._stop.set("file")
        hung = [watch.check(now) for watch in self._watches.values()]
        if not all(hung):
            self._alive = now
        elif now - self._alive > ALL_HUNG_S:
            log.error("%s", pick(texts.ALL_HUNG))
            self._stop.set("hung")


def watched_of(table: CameraTable) -> Sequence[str]:
    """The tampers to look for: what the file says, else all, but for a folder, whose pictures are of many places."""
    if table.tampers is not None:
        return table.tampers
    return () if table.maker == "folder" else KINDS


def plan_of(file: PanelFile, table: CameraTable, folder: Path, run_folder: Path) -> Plan:
    """What a maker needs to know of one `[[camera]]`; a relative `source` is relative to the panel file."""
    areas = {area.id for area in file.area if table.id in area.cameras}
    watched = [z for z in file.zone if table.id in z.cameras or (not z.cameras and areas.intersection(z.areas))]
    return Plan(
        id=table.id,
        maker=table.maker,
        source=str(folder / table.source) if table.maker == "folder" else table.source,
        width=table.width,
        height=table.height,
        frames_per_s=table.frames_per_s,
        still=(table.still_width, table.still_height) if table.still_width else None,
        secret=folder / table.secret_file if table.secret_file else None,
        exposure=table.exposure,
        day=hours_of(table.day_hours) if table.day_hours else None,
        timezone=file.panel.timezone,
        world=run_folder / "desk.json" if file.panel.pins == "simulated" else None,
        zones=tuple(zone.id for zone in watched),
        doors=tuple(zone.id for zone in watched if zone.sensor == "contact"),
    )
