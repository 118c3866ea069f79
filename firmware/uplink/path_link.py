"""A way to the center as the uplink's loop sees it, whatever its kind; and the one over MQTT.

A link hears core's news, is told its duty, and gives back what core has to hear. It may fail: the loop then lets it go
and keeps the others.
"""

import logging
from collections.abc import Sequence
from typing import Protocol

from firmware.clock import Clock, utc_text
from firmware.protocol import messages as m
from firmware.uplink.delivery import Delivery
from firmware.uplink.events import (
    Closed,
    Connect,
    CoreLost,
    Disconnect,
    Duty,
    FromCore,
    FromPath,
    Input,
    NotSwitched,
    Opened,
    Output,
    Publish,
    Pulled,
    Received,
    Stop,
    Switch,
    Switched,
    Tick,
    ToCore,
)
from firmware.uplink.identity import Identity
from firmware.uplink.mqtt import MqttLink
from firmware.uplink.pictures import Pictures
from firmware.uplink.records_out import ALL_LANES
from firmware.uplink.renewal import Renewal

log = logging.getLogger("fenghuo.uplink")


PUT_LOOK_MS = 500


class PathLink(Protocol):
    """One path. For the process's one loop; no method waits."""

    @property
    def id(self) -> str:
        """As in the panel file."""
        ...

    @property
    def lanes(self) -> frozenset[str]:
        """The lanes that it can carry; none for one that looks after itself."""
        ...

    @property
    def final(self) -> bool:
        """Whether what it brings back delivers a record."""
        ...

    @property
    def works(self) -> bool:
        """Whether it could carry something now."""
        ...

    def fileno(self) -> int:
        """Readable when something happened."""
        ...

    def next_deadline(self) -> int | None:
        """When to call `turn` if nothing happens before (monotonic ms)."""
        ...

    def hear(self, event: FromCore) -> None:
        """What core says to all paths."""
        ...

    def path(self, message: m.Path) -> None:
        """Another path came up or went down."""
        ...

    def duty(self, lanes: frozenset[str]) -> None:
        """The lanes that it carries from now on. Told when that changes."""
        ...

    def answered(self, pulled: Pulled | None) -> None:
        """Core's answer to the oldest `Pull` of this path; None where core refused it."""
        ...

    def turn(self) -> Sequence[ToCore]:
        """Do what is due; what to tell core, in order."""
        ...

    def close(self) -> None:
        """Say goodbye and give everything back."""
        ...


class MqttPathLink:
    """A broker: the delivery logic with its adapter."""

    lanes = ALL_LANES
    final = True

    def __init__(
        self,
        id_: str,
        delivery: Delivery,
        link: MqttLink,
        clock: Clock,
        identity: Identity | None = None,
        renewal: Renewal | None = None,
        pictures: Pictures | None = None,
    ) -> None:
        """`identity`, `renewal`: of a path with TLS. `pictures`: of a panel that has any."""
        self.id = id_
        self._identity = identity
        self._renewal = renewal
        self._pictures = pictures
        self._delivery = delivery
        self._link = link
        self._clock = clock
        self._for_core: list[ToCore] = []

    @property
    def works(self) -> bool:
        """Whether the broker is connected, and the center not known to be deaf."""
        return self._delivery.works

    def fileno(self) -> int:
        """Readable when the broker or the network did something."""
        return self._link.fileno()

    def next_deadline(self) -> int | None:
        """When something is due (monotonic ms)."""
        moments = [self._delivery.next_deadline()]
        if self._renewal is not None:
            moments.append(self._renewal.next_deadline())
        if self._pictures is not None:
            moments.append(self._pictures.next_deadline())
            moments.append(self._clock.monotonic_ms() + PUT_LOOK_MS if self._pictures.putting else None)
        return min((moment for moment in moments if moment is not None), default=None)

    def hear(self, event: FromCore) -> None:
        """Records, heartbeats, state and receipts that counted; authorities that count from now on."""
        if isinstance(event, m.Authorities):
            if self._identity is not None:
                self._identity.trust(event.certificates)
            return
        if isinstance(event, m.Welcome | CoreLost):
            self._core_changed(event)
        if isinstance(event, m.PictureOrder):
            if self._pictures is not None:
                self._pictures.ordered(event, self._clock.monotonic_ms())
            return
        self._feed(event)

    def _core_changed(self, event: m.Welcome | CoreLost) -> None:
        if self._identity is not None and isinstance(event, m.Welcome):
            self._identity.floor.raise_to(event.floor)
        if self._renewal is not None:
            self._renewal.core(isinstance(event, m.Welcome))

    def path(self, message: m.Path) -> None:
        """Nothing here depends on the other paths but the duty."""

    def duty(self, lanes: frozenset[str]) -> None:
        """Carry these."""
        self._feed(Duty(lanes))

    def answered(self, pulled: Pulled | None) -> None:
        """Records, or core's refusal."""
        self._feed(pulled if pulled is not None else m.Error(reason="refused"))

    def turn(self) -> list[ToCore]:
        """Take what the adapter has, let time pass, hand over what core has to hear."""
        for event in self._link.events():
            of_renewal = self._renewal is not None and self._of_renewal(self._renewal, event)
            if not of_renewal and not (self._pictures is not None and self._of_pictures(self._pictures, event)):
                self._feed(event)
        self._feed(Tick())
        if self._pictures is not None:
            self._show(self._pictures)
        if self._renewal is not None:
            self._renew(self._renewal)
        told, self._for_core = self._for_core, []
        return told

    def close(self) -> None:
        """Say goodbye to the broker."""
        self._feed(Stop(utc_text(self._clock.utc())))
        self._link.close()
        if self._pictures is not None:
            self._pictures.close()

    def _of_pictures(self, pictures: Pictures, event: FromPath) -> bool:
        """What an event means for the pictures; True where it means nothing else."""
        match event:
            case Received(word="fetch") if self._delivery.phase == "open":
                # What is no sound question goes on to the gate, which counts it and hangs up on a flood.
                return pictures.fetched(event.payload, self._clock.monotonic_ms())
            case Closed() | Switched() | Opened():
                pictures.cut()
        return False

    def _show(self, pictures: Pictures) -> None:
        """Keep one chunk ready for the moment at which no record wants the line."""
        pictures.passed(self._clock.monotonic_ms())
        while self._delivery.phase == "open" and self._delivery.outbox.wants_chunk:
            chunk = pictures.next()
            if chunk is None:
                break
            self._delivery.outbox.offer(chunk)
            self._feed(Tick())
        pictures.line(self._delivery.free)
        self._for_core += pictures.told
        pictures.told.clear()

    def _renew(self, renewal: Renewal) -> None:
        told, switch = renewal.turn(self._clock.monotonic_ms(), self._delivery.phase == "open")
        self._for_core += told
        if renewal.overdue(self._clock.monotonic_ms()) and not self._link.give_up_second("the broker did not answer"):
            renewal.interrupted()
        if switch:
            self._feed(Switch())

    def _of_renewal(self, renewal: Renewal, event: FromPath) -> bool:
        """What an event means for the certificate; True where it means nothing else."""
        now_ms = self._clock.monotonic_ms()
        match event:
            case Received() if renewal.wants(event.word):
                renewal.answered(event.payload, now_ms)
                return True
            case NotSwitched():
                renewal.failed(event.reason, now_ms)
                return True
            case Switched():
                renewal.worked()
            case Opened() if self._identity is not None and self._identity.shows_next:
                renewal.worked()
            case Closed():
                renewal.interrupted()
        return False

    def _feed(self, event: Input) -> None:
        self._note(event)
        for output in self._delivery.feed(event, self._clock.monotonic_ms()):
            self._do(output)

    def _do(self, output: Output) -> None:
        match output:
            case Publish():
                self._link.publish(output)
            case Connect():
                self._link.connect(output)
            case Disconnect():
                log.warning("path %s: ending the connection to the center: %s", self.id, output.reason)
                self._link.disconnect(output)
            case _:
                self._for_core.append(output)

    def _note(self, event: Input) -> None:
        match event:
            case Opened():
                log.info("path %s: connected to the center", self.id)
            case Switched():
                log.info("path %s: connected to the center anew, with the renewed certificate", self.id)
            case Closed():
                log.warning("path %s: no connection to the center: %s", self.id, event.reason)
                for reason, count in (self._delivery.gate.dropped + self._link.dropped).items():
                    log.warning("path %s: dropped from the center's side so far: %s %d", self.id, reason, count)
            case m.Error():
                log.warning("path %s: core did not take a message: %s", self.id, event.reason)
