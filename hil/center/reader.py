"""What a panel publishes, read as a center's engineer would from docs/alarm-center.md: bytes in, checked parts out.

It shares no model with the firmware, only the canonical bytes under the hashes. Whatever is not exactly what the
contract says raises `Garbage` with a short reason and what was found.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from firmware.protocol.canonical import NotCanonical, canonical, check_domain, sha256_hex

MAX_PAYLOAD = 256 * 1024
MAX_BATCH = 64
MAX_THUMBNAIL = 24 * 1024
LANES = ("alarm", "status", "evidence")
_MAX_INT = 2**53 - 1


class Garbage(Exception):
    """Something that does not count. `reason` is a short word for the counters, `detail` what was found."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class RecordIn:
    """A whole record: its hashes fit. `stored` says that it waited for the link."""

    panel: str
    header: dict[str, Any]
    payload: dict[str, Any] | None
    hash: str
    stored: bool
    thumbnail: bytes | None

    def size(self) -> int:
        """About how many bytes it takes in a store."""
        return len(str(self.header)) + len(str(self.payload)) + len(self.thumbnail or b"") + 256


@dataclass(frozen=True)
class LinkIn:
    """Online or offline, with its order."""

    panel: str
    online: bool
    order: tuple[int, int, int]


def panel_of(topic: str) -> tuple[str, tuple[str, ...]]:
    """The panel and the words behind it; raises `Garbage`."""
    parts = topic.split("/")
    if len(parts) < 4 or parts[:2] != ["fenghuo", "v1"]:
        raise Garbage("topic", f"{topic[:100]!r}, expected fenghuo/v1/PANEL/...")
    return parts[2], tuple(parts[3:])


def read_json(data: bytes, floats: bool = False) -> Any:
    """JSON of the contract: no member twice, bounded depth, floats only where allowed; raises `Garbage`."""
    if len(data) > MAX_PAYLOAD:
        raise Garbage("oversize", f"{len(data)} bytes, at most {MAX_PAYLOAD}")
    try:
        number = str if floats else None
        return check_domain(json.loads(data, object_pairs_hook=_unique, parse_float=number))
    except (ValueError, RecursionError, NotCanonical) as error:
        raise Garbage("malformed", f"{type(error).__name__}: {str(error)[:150]}") from None


def read_records(panel: str, lane: str, data: bytes, batch: bool) -> tuple[list[RecordIn], list[Garbage]]:
    """The records of an `event` or `batch` message; one that is bad does not spoil the others."""
    value = read_json(data)
    if batch and not (isinstance(value, list) and 1 <= len(value) <= MAX_BATCH):
        raise Garbage("malformed", f"a batch of {len(value) if isinstance(value, list) else type(value).__name__}")
    good: list[RecordIn] = []
    bad: list[Garbage] = []
    for event in value if batch else [value]:
        try:
            good.append(read_event(panel, lane, event))
        except Garbage as garbage:
            bad.append(garbage)
    return good, bad


def read_event(panel: str, lane: str, event: object) -> RecordIn:
    """One CloudEvent that carries a record of this panel and lane; raises `Garbage`."""
    if not isinstance(event, dict):
        raise Garbage("malformed", "the event is not an object")
    data = event.get("data")
    if not (isinstance(data, dict) and set(data) - {"thumbnail"} == {"header", "payload", "hash"}):
        raise Garbage("malformed", "data: expected the members header, payload, hash, at most a thumbnail")
    header, payload, own_hash = data["header"], data["payload"], data["hash"]
    _check_header(header)
    _expect(header["panel"] == panel, "wrong-panel", f"a record of {header['panel']!r} on the topic of {panel!r:.64}")
    _expect(header["lane"] == lane, "wrong-lane", f"a record of lane {header['lane']!r} on the topic of {lane!r:.64}")
    _expect(own_hash == sha256_hex(canonical(header)), "altered", f"seq {header['seq']}: hash does not fit the header")
    if payload is not None:
        _expect(isinstance(payload, dict), "malformed", "the payload is not an object")
        fits = sha256_hex(canonical(payload)) == header["payload_hash"]
        _expect(fits, "altered", f"seq {header['seq']}: payload does not fit its hash")
    _check_envelope(event, header)
    return RecordIn(panel, header, payload, own_hash, event["stored"], _thumbnail(data, payload))


def read_link(panel: str, data: bytes) -> LinkIn:
    """A `link` message; raises `Garbage`."""
    value = read_json(data)
    if not (isinstance(value, dict) and value.get("panel") == panel and isinstance(value.get("online"), bool)):
        raise Garbage("malformed", "link: expected panel, online, order")
    order = value.get("order")
    if not (isinstance(order, list) and len(order) == 3 and all(map(_number, order))):
        raise Garbage("malformed", f"link order {order!r:.60}, expected three numbers")
    return LinkIn(panel, value["online"], (order[0], order[1], order[2]))


def read_heartbeat(panel: str, beat: dict[str, Any]) -> dict[str, Any]:
    """The checked payload of a heartbeat whose signature holds; raises `Garbage`."""
    lanes, troubles = beat.get("lanes"), beat.get("troubles")
    checks = (
        beat.get("panel") == panel,
        _positive(beat.get("session")) and _positive(beat.get("beat")) and _number(beat.get("seq")),
        isinstance(beat.get("journal"), str) and _JOURNAL(beat["journal"]),
        isinstance(beat.get("hash"), str) and _HASH(beat["hash"]),
        isinstance(beat.get("nonce"), str) and bool(re.fullmatch(r"[A-Za-z0-9_-]{22}", beat["nonce"])),
        isinstance(lanes, dict) and all(lane in LANES and _number(last) for lane, last in lanes.items()),
        isinstance(troubles, list) and all(isinstance(trouble, str) for trouble in troubles),
    )
    _expect(all(checks), "malformed", f"heartbeat, point {checks.index(False) + 1 if False in checks else 0}")
    return beat


def _pattern(pattern: str) -> Callable[[object], bool]:
    compiled = re.compile(pattern)
    return lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None


def _number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_INT


def _positive(value: object) -> bool:
    return _number(value) and value != 0


_HASH = _pattern(r"[0-9a-f]{64}")
_JOURNAL = _pattern(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HEADER: dict[str, Callable[[object], bool]] = {
    "panel": _pattern(r"[a-z0-9][a-z0-9-]{2,47}"),
    "journal": _JOURNAL,
    "seq": _positive,
    "lane": lambda value: value in LANES,
    "lane_seq": _positive,
    "boot": _pattern(r"(?s).{0,64}"),
    "time": _pattern(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
    "clock": lambda value: value in ("synchronised", "free-running", "unset"),
    "monotonic_ms": _number,
    "kind": _pattern(r"(?s).{1,64}"),
    "payload_hash": _HASH,
    "state_hash": _HASH,
    "prev": _HASH,
}


def _check_header(header: object) -> None:
    if not (isinstance(header, dict) and set(header) == set(_HEADER)):
        raise Garbage("malformed", f"header: expected exactly the members {', '.join(_HEADER)}")
    for name, check in _HEADER.items():
        _expect(_hashable(header[name]) and check(header[name]), "malformed", f"header.{name}: {header[name]!r:.100}")


def _hashable(value: object) -> bool:
    return isinstance(value, (str, int))


def _check_envelope(event: dict[str, Any], header: dict[str, Any]) -> None:
    expected = {
        "specversion": "1.0",
        "id": f"{header['journal']}-{header['seq']}",
        "source": f"/panels/{header['panel']}",
        "type": f"cn.fenghuo.{header['kind']}",
        "time": header["time"],
        "lane": header["lane"],
    }
    for name, value in expected.items():
        _expect(event.get(name) == value, "envelope", f"{name}: {event.get(name)!r:.100}, expected {value!r}")
    _expect(isinstance(event.get("stored"), bool), "envelope", f"stored: {event.get('stored')!r:.100}")


def _thumbnail(data: dict[str, Any], payload: dict[str, Any] | None) -> bytes | None:
    text = data.get("thumbnail")
    if text is None:
        return None
    _expect(isinstance(text, str) and len(text) <= 4 * MAX_THUMBNAIL // 3 + 4, "thumbnail", "too long, or no text")
    named = (payload or {}).get("thumbnail")
    if not isinstance(named, dict):
        raise Garbage("thumbnail", "the payload names none")
    try:
        picture = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Garbage("thumbnail", str(error)[:100]) from None
    _expect(sha256_hex(picture) == named.get("sha256"), "thumbnail", "its SHA-256 is not the one in the record")
    return picture


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member stands twice")
    return members


def _expect(fits: bool, reason: str, detail: str) -> None:
    if not fits:
        raise Garbage(reason, detail)
