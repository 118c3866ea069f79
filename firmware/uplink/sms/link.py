"""The SMS path as the uplink's loop sees it: a file descriptor to wait on, core's messages in, messages for core out.

It wires the port, the modem's script, the choice of alarms and the health of it all. Everything runs on the loop's
thread but the port itself.
"""

import logging
from datetime import UTC, datetime, tzinfo
from typing import TypeAlias

from firmware.clock import Clock
from firmware.protocol import messages as m
from firmware.uplink.events import CoreLost, FromCore, Pulled
from firmware.uplink.sms import pdu
from firmware.uplink.sms.health import Health
from firmware.uplink.sms.last_resort import LastResort
from firmware.uplink.sms.modem import Accepted, Fault, Figures, Modem, Output, Rejected, Reopen, Write
from firmware.uplink.sms.port import PortEvent, PortLost, PortOpened, SerialPort

log = logging.getLogger("fenghuo.uplink.sms")

ToCore: TypeAlias = m.Path | m.Sms | m.Modem
Said: TypeAlias = ToCore | m.Pull
MAX_FOR_CORE = 256
"""Telemetry that waits for core; the oldest goes first, and is counted."""
_OF_THE_MESSAGES = ("sending", "reports", "limit", "memory")


class SmsLink:
    """One SMS path. For the process's one loop. It carries no lane: which alarms it sends, `LastResort` decides."""

    lanes: frozenset[str] = frozenset()
    final = False
    works = False

    def __init__(
        self,
        path: str,
        port: SerialPort,
        modem: Modem,
        resort: LastResort,
        clock: Clock,
        grace_ms: int,
        timezone: tzinfo = UTC,
    ) -> None:
        """`grace_ms`: so long a fault that may heal has to stand. `timezone`: whose days the limit counts."""
        self.id = path
        self.dropped = 0
        self._port = port
        self._modem = modem
        self._resort = resort
        self._clock = clock
        self._timezone = timezone
        self._health = Health(path, grace_ms, clock.monotonic_ms())
        self._core = False
        self._for_core: list[ToCore] = []

    def fileno(self) -> int:
        """Readable when the port has something."""
        return self._port.fileno()

    def next_deadline(self) -> int | None:
        """When to call `turn` if nothing happens before (monotonic ms)."""
        now_ms = self._clock.monotonic_ms()
        moments = [self._modem.next_deadline(), self._resort.next_deadline(now_ms), self._health.next_deadline()]
        return min((moment for moment in moments if moment is not None), default=None)

    def path(self, message: m.Path) -> None:
        """A better path came up or went down."""
        self._resort.path(message.path, message.up)

    def hear(self, event: FromCore) -> None:
        """What core says to all paths."""
        match event:
            case m.Welcome():
                self._core = True
                self._resort.core()
                if (told := self._health.message()) is not None:
                    self._say(told)
            case CoreLost():
                self._core = False
                self._resort.core_lost()
            case m.Head():
                self._resort.head(event, self._clock.monotonic_ms())
            case m.Delivered():
                self._resort.delivered(event)
            case m.TryPath() if event.path == self.id:
                self._resort.tried()

    def duty(self, lanes: frozenset[str]) -> None:
        """Never any."""

    def answered(self, pulled: Pulled | None) -> None:
        """Core's answer to our pull; None where it refused it."""
        now_ms = self._clock.monotonic_ms()
        if pulled is None:
            self._resort.refused(now_ms)
        else:
            self._resort.answered(pulled.records, now_ms, self._clock.utc())

    def turn(self) -> list[Said]:
        """Do what is due; what to tell core, where it is there."""
        now_ms = self._clock.monotonic_ms()
        for event in self._port.events():
            self._do(self._heard(event, now_ms), now_ms)
        self._do(self._modem.tick(now_ms), now_ms)
        now_s = self._clock.utc()
        self._resort.passed(now_ms, now_s)
        if self._modem.free and (job := self._resort.next_job(now_ms, now_s, self._day(now_s))) is not None:
            self._do(self._modem.send(job, now_ms), now_ms)
        self._tell(now_ms)
        pull = self._resort.wants(now_ms) if self._core else None
        return [*self._taken(), *([pull] if pull else [])]

    def close(self) -> None:
        """Let the port go."""
        self._port.close()

    def _heard(self, event: PortEvent, now_ms: int) -> list[Output]:
        match event:
            case PortOpened():
                log.info("the modem's port is open")
                return self._modem.opened(now_ms)
            case PortLost():
                return self._modem.lost(event.reason, now_ms)
            case _:
                return self._modem.received(event, now_ms)

    def _do(self, outputs: list[Output], now_ms: int) -> None:
        for output in outputs:
            match output:
                case Write():
                    self._port.write(output.data)
                case Reopen():
                    self._port.reopen(output.pause_ms / 1000)
                case Fault():
                    log.warning("modem: %s: %s", output.what, output.detail or "well")
                    self._health.fault(output.what, output.detail, now_ms, output.hard)
                case Accepted():
                    self._resort.accepted(output)
                case Rejected():
                    log.warning("an SMS could not be sent: %s", output.reason)
                    self._resort.rejected(output, now_ms)
                case pdu.Report():
                    self._resort.reported(output, now_ms)
                case Figures():
                    figures = m.Modem(
                        path=self.id,
                        signal_dbm=output.signal_dbm,
                        network=output.network,
                        operator=output.operator,
                    )
                    self._say(figures)

    def _tell(self, now_ms: int) -> None:
        for what in _OF_THE_MESSAGES:
            self._health.fault(what, self._resort.faults.get(what, ""), now_ms, hard=True)
        if (change := self._health.passed(now_ms)) is not None:
            log.warning("path %s is %s %s", change.path, "up" if change.up else "down", change.detail)
            self._say(change)
        for said in self._resort.said:
            log.info("SMS to %s: %s %s", said.receiver, said.state, said.detail)
            self._say(said)
        self._resort.said.clear()

    def _say(self, message: ToCore) -> None:
        # A path's state is told anew at each welcome; telemetry waits for core.
        if isinstance(message, m.Path) and not self._core:
            return
        self._for_core.append(message)
        if len(self._for_core) > MAX_FOR_CORE:
            del self._for_core[0]
            self.dropped += 1

    def _taken(self) -> list[ToCore]:
        if not self._core:
            return []
        taken, self._for_core = self._for_core, []
        return taken

    def _day(self, now_s: float) -> str:
        return f"{datetime.fromtimestamp(now_s, self._timezone):%Y-%m-%d}"
