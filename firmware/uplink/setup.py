"""From the panel file to the links of the uplink, in the file's order, and to the terms of their routing."""

import logging
from collections.abc import Sequence
from random import SystemRandom

from firmware.clock import Clock, utc_text
from firmware.config import Center, Dc09Path, Loaded, MqttPath, SmsPath
from firmware.uplink.dc09.setup import dc09_link
from firmware.uplink.delivery import Delivery, Settings
from firmware.uplink.mqtt import MqttLink
from firmware.uplink.path_link import MqttPathLink, PathLink
from firmware.uplink.routing import Terms
from firmware.uplink.sms.setup import sms_link
from firmware.uplink.tls import BadTlsFiles, context

log = logging.getLogger("fenghuo.uplink")

PLACES = ("", "second", "third", "fourth")
"""The first broker knows the panel as ever; what the others are called stands behind its name."""


def links_of(loaded: Loaded, clock: Clock) -> list[PathLink]:
    """The links; none is started. Raises `BadTlsFiles`."""
    brokers = [path for path in loaded.file.path if isinstance(path, MqttPath)]
    links: list[PathLink] = []
    for path in loaded.file.path:
        match path:
            case MqttPath():
                links.append(mqtt_link(loaded, path, PLACES[brokers.index(path)], clock))
            case Dc09Path():
                links.append(dc09_link(loaded, path, clock))
            case SmsPath():
                better = frozenset(other.id for other in loaded.file.path if other is not path)
                links.append(sms_link(loaded, path, better, clock))
    return links


def mqtt_link(loaded: Loaded, path: MqttPath, place: str, clock: Clock) -> MqttPathLink:
    """A broker's link. Raises `BadTlsFiles`."""
    panel = loaded.file.panel.id
    client = f"{panel}-{place}" if place else panel
    link = MqttLink(panel, path, context(path, loaded.folder), lambda: utc_text(clock.utc()), client)
    delivery = Delivery(settings(loaded, path, place, clock), SystemRandom())
    return MqttPathLink(path.id, delivery, link, clock, lambda more: retrust(loaded, path, link, more))


def retrust(loaded: Loaded, path: MqttPath, link: MqttLink, authorities: Sequence[str]) -> None:
    """Believe brokers of these authorities too; where the files can't be read now, all stays as it was."""
    try:
        link.trust(context(path, loaded.folder, authorities))
    except BadTlsFiles as bad:
        log.error("the authorities stay as they are: %s", bad)


def settings(loaded: Loaded, path: MqttPath, place: str, clock: Clock) -> Settings:
    """What delivery needs of the panel file for this path."""
    center = center_of(loaded)
    return Settings(
        panel=loaded.file.panel.id,
        path=path.id,
        link=("link", place) if place else ("link",),
        boot=clock.boot(),
        receipt_timeout_ms=center.receipt_timeout_s * 1000,
        path_fault_ms=center.path_fault_s * 1000,
        proof_ms=center.standby_proof_s * 1000,
    )


def terms_of(loaded: Loaded) -> Terms:
    """What the panel file says of the paths together."""
    center = center_of(loaded)
    return Terms(
        escalate_ms=center.escalate_s * 1000,
        failover_ms=center.failover_s * 1000,
        alarms_on_all=center.alarm_paths == "all",
    )


def center_of(loaded: Loaded) -> Center:
    """`[center]`; its defaults where the file has none, and no path either."""
    return loaded.file.center or Center(receipt_keys=["A" * 43])
