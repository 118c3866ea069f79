"""A way to the center as the uplink's loop sees it, whatever its kind; and the one over MQTT.

A link hears core's news, is told its duty, and gives back what core has to hear. It may fail: the loop then lets it go
and keeps the others.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from firmware.clock import Clock, utc_text
from firmware.protocol import messages as m
from firmware.uplink.delivery import ALL_LANES, Delivery
from firmware.uplink.events import (
    Closed,
    Connect,
    Disconnect,
    Duty,
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

log = logging.getLogger("fenghuo.uplink")


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
        trust: Callable[[Sequence[str]], object] = lambda _: None,
    ) -> None:
        """`trust`: with these authorities besides the file's from the next connection on."""
        self.id = id_
        self._trust = trust
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
        return self._delivery.next_deadline()

    def hear(self, event: FromCore) -> None:
        """Records, heartbeats, state and receipts that counted; authorities that count from now on."""
        if isinstance(event, m.Authorities):
            self._trust(event.certificates)
            return
        self._feed(event)

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
            self._feed(event)
        self._feed(Tick())
        told, self._for_core = self._for_core, []
        return told

    def close(self) -> None:
        """Say goodbye to the broker."""
        self._feed(Stop(utc_text(self._clock.utc())))
        self._link.close()

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
            case Closed():
                log.warning("path %s: no connection to the center: %s", self.id, event.reason)
                for reason, count in (self._delivery.gate.dropped + self._link.dropped).items():
                    log.warning("path %s: dropped from the center's side so far: %s %d", self.id, reason, count)
            case m.Error():
                log.warning("path %s: core did not take a message: %s", self.id, event.reason)
