"""The uplink process: core's socket on one side, the alarm center's broker on the other, the delivery logic between.

One loop, one thread of our own. It decides nothing: it carries records out, and receipts and commands in, for core to
check. Where the file has a modem, its link hears the same news, and says by SMS what the center does not receipt.
"""

import logging
import select
import sys
from collections import deque
from collections.abc import Callable
from random import SystemRandom
from typing import TypeVar

from firmware.clock import Clock, SystemClock, utc_text
from firmware.config import Center, Loaded, MqttPath, SmsPath
from firmware.protocol.messages import Error, Path, Pull
from firmware.sd_notify import notify, watchdog_interval_s
from firmware.stopping import StopFlag
from firmware.uplink.core_link import CoreLink
from firmware.uplink.delivery import Delivery, Settings
from firmware.uplink.events import (
    Closed,
    Connect,
    CoreLost,
    Disconnect,
    FromCore,
    Input,
    Opened,
    Output,
    Publish,
    Pulled,
    Stop,
    Tick,
    ToCore,
)
from firmware.uplink.mqtt import MqttLink
from firmware.uplink.sms.link import SmsLink
from firmware.uplink.sms.setup import sms_link
from firmware.uplink.tls import BadTlsFiles, context

log = logging.getLogger("fenghuo.uplink")

EXIT_CONFIG = 2
LONGEST_WAIT_MS = 60_000


class Uplink:
    """One path to a broker, wired to core, and a modem behind it where there is one."""

    def __init__(
        self, delivery: Delivery, core: CoreLink, path: MqttLink, clock: Clock, sms: SmsLink | None = None
    ) -> None:
        self._delivery = delivery
        self._core = core
        self._path = path
        self._clock = clock
        self._sms = sms
        self._askers: deque[bool] = deque()
        """Whose pulls core has not answered yet, oldest first; True: the modem's."""

    def turn(self, stop: StopFlag, longest_ms: int) -> None:
        """Wait for something to happen, at most so long, and do what follows from it."""
        self._core.try_connect(self._clock.monotonic_ms())
        waited_on = [self._path.fileno(), stop.fileno()]
        if self._core.connected:
            waited_on.append(self._core.fileno())
        if self._sms is not None:
            waited_on.append(self._sms.fileno())
        select.select(waited_on, [], [], self._wait_s(longest_ms))
        for event in self._path.events():
            self._feed(event)
        for message in self._core.receive():
            self._hear(message)
        self._feed(Tick())
        self._with_sms(self._turn_sms)

    def stop(self) -> None:
        """Say goodbye to the broker and close everything."""
        self._feed(Stop(utc_text(self._clock.utc())))
        self._with_sms(lambda sms: sms.close())
        self._core.close()
        self._path.close()

    def _wait_s(self, longest_ms: int) -> float:
        if self._core.pending():
            return 0.0
        now = self._clock.monotonic_ms()
        moments = [self._delivery.next_deadline(), self._core.next_deadline()]
        if self._sms is not None:
            moments.append(self._sms.next_deadline())
        waits = [moment - now for moment in moments if moment is not None]
        return max(0, min([longest_ms, *waits])) / 1000

    def _hear(self, message: FromCore) -> None:
        """Core's answers go to who asked; all else is for everybody."""
        if isinstance(message, Pulled | Error) and self._askers and self._askers.popleft():
            records = message.records if isinstance(message, Pulled) else None
            self._with_sms(lambda sms: sms.answered(records))
            return
        if not isinstance(message, CoreLost):
            self._with_sms(lambda sms: sms.hear(message))
        self._feed(message)

    def _turn_sms(self, sms: SmsLink) -> None:
        for said in sms.turn():
            self._tell_core(said)
        if (pull := sms.wants()) is not None:
            self._askers.append(True)
            self._tell_core(pull)

    def _tell_core(self, message: ToCore) -> None:
        if (lost := self._core.send(message)) is not None:
            self._feed(lost)

    def _with_sms(self, do: Callable[[SmsLink], None]) -> None:
        """An error in the last resort must not cost the first path: it is told, and the uplink goes on without."""
        sms = self._sms
        if sms is None:
            return
        try:
            do(sms)
        except Exception:
            log.critical("the SMS path failed; it rests until the uplink is started anew", exc_info=True)
            self._sms = None
            self._tell_core(Path(path=sms.id, up=False, detail="internal error: see the log of the uplink"))
            sms.close()

    def _feed(self, first: Input) -> None:
        inputs = deque([first])
        while inputs:
            event = inputs.popleft()
            self._note(event)
            if isinstance(event, CoreLost):
                self._askers.clear()
                self._with_sms(lambda sms, lost=event: sms.hear(lost))  # type: ignore[misc]
            for output in self._delivery.feed(event, self._clock.monotonic_ms()):
                if (lost := self._do(output)) is not None:
                    inputs.append(lost)

    def _do(self, output: Output) -> Input | None:
        match output:
            case Publish():
                self._path.publish(output)
            case Connect():
                self._path.connect(output)
            case Disconnect():
                log.warning("ending the connection to the center: %s", output.reason)
                self._path.disconnect(output)
            case _:
                if isinstance(output, Path):
                    log.warning("path %s is %s %s", output.path, "up" if output.up else "down", output.detail)
                    told = output
                    self._with_sms(lambda sms: sms.path(told))
                if isinstance(output, Pull):
                    self._askers.append(False)
                return self._core.send(output)
        return None

    def _note(self, event: Input) -> None:
        match event:
            case Opened():
                log.info("connected to the center")
            case Closed():
                log.warning("no connection to the center: %s", event.reason)
                for reason, count in (self._delivery.gate.dropped + self._path.dropped).items():
                    log.warning("dropped from the center's side so far: %s %d", reason, count)
            case Error():
                log.warning("core did not take a message: %s", event.reason)


def settings(loaded: Loaded) -> Settings:
    """What delivery needs of the panel file, for its first path to a broker."""
    center = loaded.file.center or Center(receipt_keys=["A" * 43])
    return Settings(
        panel=loaded.file.panel.id,
        path=first_of(loaded, MqttPath).id,
        receipt_timeout_ms=center.receipt_timeout_s * 1000,
        path_fault_ms=center.path_fault_s * 1000,
    )


P = TypeVar("P", MqttPath, SmsPath)


def first_of(loaded: Loaded, kind: type[P]) -> P:
    """The first path of this kind; raises `StopIteration` where there is none (every file with paths has one MQTT)."""
    return next(path for path in loaded.file.path if isinstance(path, kind))


def run(loaded: Loaded) -> int:
    """Run until SIGTERM or SIGINT; the exit code. 2: the TLS files can't be used."""
    path = first_of(loaded, MqttPath)
    for other in loaded.file.path:
        if isinstance(other, MqttPath) and other is not path:
            log.warning("path %s is not used: this version takes the first broker only", other.id)
    try:
        tls = context(path, loaded.folder)
    except BadTlsFiles as bad:
        print(bad, file=sys.stderr)
        return EXIT_CONFIG
    clock = SystemClock()
    stop = StopFlag().install()
    link = MqttLink(loaded.file.panel.id, path, tls, lambda: utc_text(clock.utc()))
    core = CoreLink(loaded.run / "uplink.sock", loaded.data / "evidence")
    modem = next((p for p in loaded.file.path if isinstance(p, SmsPath)), None)
    sms = None if modem is None else sms_link(loaded, modem, frozenset([path.id]), clock)
    uplink = Uplink(Delivery(settings(loaded), SystemRandom()), core, link, clock, sms)
    every_s = watchdog_interval_s()
    longest_ms = LONGEST_WAIT_MS if every_s is None else int(every_s * 1000)
    notify("READY=1")
    alive_at = clock.monotonic_ms()
    while not stop.is_set():
        uplink.turn(stop, longest_ms)
        if clock.monotonic_ms() >= alive_at:
            notify("WATCHDOG=1")
            alive_at = clock.monotonic_ms() + longest_ms // 2
    notify("STOPPING=1")
    log.info("stopping: %s", stop.reason)
    uplink.stop()
    stop.close()
    return 0
