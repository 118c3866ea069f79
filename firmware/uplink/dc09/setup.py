"""From the panel file to a running DC-09 path: names, key, ledger and the connection."""

from collections.abc import Sequence
from random import SystemRandom

from firmware.clock import Clock
from firmware.config import Dc09Path, Loaded, MqttPath
from firmware.protocol.records import Record
from firmware.uplink.dc09.codes import Names, Style, messages
from firmware.uplink.dc09.dialogue import Terms
from firmware.uplink.dc09.frame import Message, Station
from firmware.uplink.dc09.key import BadKey, read_key
from firmware.uplink.dc09.ledger import Ledger
from firmware.uplink.dc09.link import Dc09Link, Policy
from firmware.uplink.dc09.tcp import TcpClient
from firmware.uplink.floor import Floor
from firmware.uplink.identity import identity
from firmware.uplink.tls import BadTlsFiles

FOLDER = "uplink"
"""In the data folder: what the uplink keeps for itself."""


def dc09_link(loaded: Loaded, path: Dc09Path, clock: Clock) -> Dc09Link:
    """The link; it connects when it is driven. Raises `BadTlsFiles`, for a key file that can't be used too."""
    names, style = names_of(loaded, path), Style(path.format, path.x_data, path.text, path.mac)

    def encode(record: Record, now_s: float) -> Sequence[Message]:
        return messages(record, names, style, now_s)

    return Dc09Link(
        path.id,
        receivers_of(path),
        terms_of(loaded, path),
        encode,
        Ledger(loaded.data / FOLDER / f"{path.id}-dc09.json"),
        TcpClient(path.id),
        clock,
        SystemRandom(),
        policy_of(loaded, path),
        identity(path, loaded.folder, Floor(clock)),
    )


def receivers_of(path: Dc09Path) -> list[tuple[str, int]]:
    """Host and port of the receiver, and of the second one where there is one."""
    backup = [(path.backup_host, path.backup_port or path.port)] if path.backup_host else []
    return [(path.host, path.port), *backup]


def terms_of(loaded: Loaded, path: Dc09Path) -> Terms:
    """How the receivers are spoken to. Raises `BadTlsFiles`."""
    try:
        key = read_key(loaded.folder / path.key_file, path.key_encoding) if path.key_file else None
    except BadKey as bad:
        raise BadTlsFiles(f"path {path.id}: key_file {bad}") from None
    return Terms(
        Station(path.account, path.receiver, path.line),
        key,
        len(receivers_of(path)),
        path.retry_s * 1000,
        path.tries,
        path.supervision_s * 1000,
    )


def policy_of(loaded: Loaded, path: Dc09Path) -> Policy:
    """What an acknowledgement is worth."""
    center = loaded.file.center
    return Policy(
        counts=path.acknowledgement is not None,
        alone=path.acknowledgement is not None and not any(isinstance(p, MqttPath) for p in loaded.file.path),
        all_alarms=center is not None and center.alarm_paths == "all",
    )


def names_of(loaded: Loaded, path: Dc09Path) -> Names:
    """The numbers that the codes need."""
    file = loaded.file
    tables = (file.camera, file.output, file.box, file.modbus, file.osdp, file.reader)
    ids = [[row.id for row in rows] for rows in tables]
    return Names(
        {area.id: area.number for area in file.area},
        {zone.id: zone.name for zone in file.zone},
        dict(path.users),
        tuple(other.id for other in file.path),
        {id_: place for listed in ids for place, id_ in enumerate(listed, 1)},
    )
