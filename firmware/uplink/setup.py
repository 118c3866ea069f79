"""From the panel file to the links of the uplink, in the file's order, and to the terms of their routing."""

import logging
from random import SystemRandom

from firmware.clock import Clock, utc_text
from firmware.config import Center, Dc09Path, Loaded, MqttPath, SmsPath
from firmware.uplink import put
from firmware.uplink.dc09.setup import dc09_link
from firmware.uplink.delivery import Delivery
from firmware.uplink.floor import Floor
from firmware.uplink.identity import identity
from firmware.uplink.mqtt import MqttLink
from firmware.uplink.path_link import MqttPathLink, PathLink
from firmware.uplink.pictures import Pictures
from firmware.uplink.renewal import Renewal
from firmware.uplink.routing import Terms
from firmware.uplink.settings import Settings
from firmware.uplink.sms.setup import sms_link
from firmware.uplink.tls import BadTlsFiles
from firmware.uplink.unusable import UnusableLink

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
                links.append(receiver_link(loaded, path, clock))
            case SmsPath():
                better = frozenset(other.id for other in loaded.file.path if other is not path)
                links.append(sms_link(loaded, path, better, clock))
    return links


def mqtt_link(loaded: Loaded, path: MqttPath, place: str, clock: Clock) -> MqttPathLink:
    """A broker's link. Raises `BadTlsFiles`."""
    panel = loaded.file.panel.id
    client = f"{panel}-{place}" if place else panel
    shown = identity(path, loaded.folder, Floor(clock))
    link = MqttLink(panel, path, shown, lambda: utc_text(clock.utc()), client)
    delivery = Delivery(settings(loaded, path, place, clock), SystemRandom())
    renewal = None if shown is None else Renewal(path.id, panel, shown, owns_files(loaded, path))
    pictures = None
    if loaded.file.camera:
        pictures = Pictures(panel, path.id, loaded.data / "evidence", put_terms(loaded))
    return MqttPathLink(path.id, delivery, link, clock, shown, renewal, pictures)


def receiver_link(loaded: Loaded, path: Dc09Path, clock: Clock) -> PathLink:
    """A DC-09 receiver's link; one that only tells its fault where key or certificate can't be used.

    Raises `BadTlsFiles` where it is the only path.
    """
    try:
        return dc09_link(loaded, path, clock)
    except BadTlsFiles as bad:
        if len(loaded.file.path) == 1:
            raise
        log.error("%s; the other paths go on without it", bad)
        return UnusableLink(path.id, str(bad))


def put_terms(loaded: Loaded) -> put.Terms | None:
    """Where pictures may be put, None for nowhere."""
    center = loaded.file.center
    if center is None or not center.picture_hosts or center.picture_ca is None:
        return None
    return put.Terms(tuple(center.picture_hosts), loaded.folder / center.picture_ca)


def owns_files(loaded: Loaded, path: MqttPath) -> bool:
    """Whether this path renews its client certificate: of several with the same files, the first does."""
    same = [
        other
        for other in loaded.file.path
        if isinstance(other, MqttPath) and other.tls and path.tls and other.tls.certificate == path.tls.certificate
    ]
    return bool(same) and same[0] is path


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
