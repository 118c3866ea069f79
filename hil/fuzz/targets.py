"""The parsers of bytes from outside, each with sound frames to begin with and the errors it may raise.

A parser that takes a frame must keep its word about it: where there is a way back, what it took comes back the same.
"""

import base64
import hashlib
import io
import json
import time
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import BaseModel, TypeAdapter, ValidationError
from pymodbus.framer import FramerRTU

from drivers.bus import words
from drivers.ina219 import SETTING, BadChip, Shunt
from drivers.mcp3xxx import BadFrame, Chip
from drivers.modbus import profiles, wire
from drivers.osdp import cards
from drivers.reader.lines import Format, Lines
from firmware.camera import reference
from firmware.camera.sight import FINE
from firmware.core import enrolled_later, installing
from firmware.mirror import words as mirror_words
from firmware.protocol import jws, lines, release, signed, typ
from firmware.protocol import messages as m
from firmware.protocol.canonical import canonical, sha256_hex
from firmware.protocol.envelope import MAX_CHUNK_BYTES, Fetch, event
from firmware.uplink.dc09 import frame as dc09
from firmware.uplink.issued import Unfit, checked
from firmware.uplink.sms import dialogue, pdu
from hil.authority import Authority, Life, pem
from hil.center import reader
from hil.center.conform import said
from hil.center.conform.journal import Journal
from hil.center.keys import BadToken, Key, read_token
from hil.center.pictures import read_picture
from hil.dc09 import read_message
from hil.fleet import mqtt5
from hil.fuzz import bundles, disks, enrolment, reports, updates
from provisioning.accept.checking import check as check_report
from provisioning.accept.checking import rows_of
from provisioning.evidence.bundle_check import check_bundle
from provisioning.examined.board import mounts_in
from provisioning.flash import blockmap, partitions
from rules.site import Condition


@dataclass(frozen=True)
class Target:
    """`parse` takes a frame, or raises one of `refusals`; anything else that it raises is a defect."""

    name: str
    corpus: tuple[bytes, ...]
    parse: Callable[[bytes], None]
    refusals: tuple[type[Exception], ...]


class NotKept(Exception):
    """What was taken did not come back the same, or was not what it has to be."""


def _holds(kept: bool) -> None:
    if not kept:
        raise NotKept


def targets() -> list[Target]:
    """All of them."""
    return [
        _bus_words(),
        _bus_biddings(),
        *_mirror_words(),
        *_converters(),
        _meter(),
        _socket_lines(),
        *_socket_messages(),
        _jws(),
        _mountinfo(),
        _installed_file(),
        _enrolled_later(),
        _marks(),
        _issued_certificate(),
        *_pictures(),
        _camera_reference(),
        *_of_the_center(),
        *_to_the_center(),
        *_modem(),
        *_dc09(),
        *_modbus(),
        _cards(),
        _reader_lines(),
        *_bundles(),
        *(Target(*each) for each in enrolment.found()),
        *(Target(*each) for each in updates.found()),
        *_reports(),
        _broker(),
        *_release(),
    ]


def _release() -> tuple[Target, ...]:
    """What `fenghuo flash` reads: a manifest under a right signature, a block map, partition tables."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    signer = jws.Signer(private)
    ring = jws.KeyRing([signer.public])
    files = {"fenghuo-1.0.img": release.ReleaseFile(size=4096, sha256="0" * 64)}
    made = release.Manifest(
        version="1.0", created="2026-11-27T10:00:00.000Z", target="pi-arm64", floor="1.0", files=files
    )
    head = jws.b64url(json.dumps({"alg": "EdDSA", "kid": signer.kid, "typ": typ.RELEASE}).encode())
    parts = (blockmap.Range(0, 1, "1" * 64), blockmap.Range(3, 3, "2" * 64))
    chart = blockmap.written(blockmap.BlockMap(4 * blockmap.BLOCK, parts))

    def manifest(frame: bytes) -> None:
        body = f"{head}.{jws.b64url(frame)}"
        found = release.read_manifest(ring, f"{body}.{jws.b64url(private.sign(body.encode()))}")
        _holds(release.read_manifest(ring, release.sign_manifest(signer, found)) == found)

    def chart_(frame: bytes) -> None:
        found = blockmap.read_block_map(frame)
        _holds(blockmap.read_block_map(blockmap.written(found)) == found)

    def table(frame: bytes) -> None:
        found = partitions.read_table(lambda offset, length: frame[offset : offset + length], 2**30)
        if not found:
            raise partitions.BadTable("none")
        _holds(all(512 <= part.start < part.start + part.size <= 2**30 for part in found))

    return (
        Target("release manifest", (canonical(made.model_dump()),), manifest, (jws.Refused,)),
        Target("block map", (chart,), chart_, (blockmap.BadBlockMap,)),
        Target("partition table", disks.tables(), table, (partitions.BadTable,)),
    )


def _camera_reference() -> Target:
    edges = np.full((FINE[1] // 2, FINE[0] // 2), 0.5 - 0.25j, np.complex64)
    sound = reference.packed(reference.Reference(80.0, 0.2, 0.5, edges), "camera")

    def parse(frame: bytes) -> None:
        taken = reference.unpacked(frame, "camera")
        _holds(reference.unpacked(reference.packed(taken, "camera"), "camera").mean == taken.mean)

    return Target("what a camera should see", (sound,), parse, (ValueError,))


def _bus_words() -> Target:
    sound = (
        words.Sensed("door", Condition.ACTIVE),
        words.Failed("m1", True, "no answer"),
        words.Up(),
        words.ReadBack("siren", True),
        words.Entered("keypad", "code", "1234"),
        words.Figures({"cycle_ms": 80.5}),
    )

    def parse(frame: bytes) -> None:
        word = words.saying(frame)
        _holds(words.saying(words.packed(word)) == word)

    return Target("bus child to core", tuple(words.packed(word) for word in sound), parse, (words.BadWord,))


def _mirror_words() -> tuple[Target, Target]:
    status = mirror_words.Status("full", "database or disk is full", 7, 3, 0, False)
    setup = mirror_words.Setup("panel-1", "/data", "/run", "/media/usb", "/etc/panel.toml", "0" * 64, "{}", True)

    def parse_status(frame: bytes) -> None:
        word = mirror_words.status(frame)
        _holds(mirror_words.status(mirror_words.packed(word)) == word)

    def parse_setup(frame: bytes) -> None:
        word = mirror_words.setup(frame)
        _holds(mirror_words.setup(mirror_words.packed(word)) == word)

    refusals = (mirror_words.BadWord,)
    return (
        Target("mirror child to core", (mirror_words.packed(status),), parse_status, refusals),
        Target("core to mirror child", (mirror_words.packed(setup),), parse_setup, refusals),
    )


def _bus_biddings() -> Target:
    sound = (
        words.Setup({"port": "/dev/ttyUSB0", "modules": [{"id": "m1"}]}, {"siren": False}),
        words.Order("siren", True),
        words.Report(),
        words.Show("keypad", {"text": "已布防"}),
    )

    def parse(frame: bytes) -> None:
        word = words.bidding(frame)
        _holds(words.bidding(words.packed(word)) == word)

    return Target("core to bus child", tuple(words.packed(word) for word in sound), parse, (words.BadWord,))


def _converters() -> list[Target]:
    return [_converter(Chip("adc", bits)) for bits in (10, 12)]


def _converter(chip: Chip) -> Target:
    def parse(frame: bytes) -> None:
        _holds(0 <= chip.value(3, list(frame)) <= chip.full)

    values = (0, 1, chip.full // 3, chip.full)
    name = "MCP3208" if chip.bits == 12 else "MCP3008"
    return Target(name, tuple(_answer(chip, v) for v in values), parse, (BadFrame,))


def _answer(chip: Chip, value: int) -> bytes:
    """As figure 5-2 of the data sheet has it: null bit, value, and its upper bits again, lowest first."""
    again = int(f"{value >> 1:0{chip.bits - 1}b}"[::-1], 2)
    return ((value << 16) | (again << (16 - chip.bits + 1))).to_bytes(5, "big")


def _meter() -> Target:
    shunt = Shunt(1, 0x40, 100)
    registers = ((SETTING, 350, 3_400 << 3), (SETTING, 0xFE00, 2_600 << 3 | 2), (SETTING, 0, 0))

    def parse(frame: bytes) -> None:
        config, drop, volts = (int.from_bytes(frame[at : at + 2], "big") for at in (0, 2, 4))
        mv, ma = shunt.values(config, drop, volts)
        _holds(0 <= mv <= 26_000 and abs(ma) <= 3_276.8)

    corpus = tuple(b"".join(word.to_bytes(2, "big") for word in words_) for words_ in registers)
    return Target("INA219", corpus, parse, (BadChip,))


def _socket_lines() -> Target:
    def parse(frame: bytes) -> None:
        found = lines.Splitter(limit=12).feed(frame)
        _holds(b"\n".join([*found, b""]) == frame[: frame.rfind(b"\n") + 1])

    return Target("socket lines", (b"{}\n" * 9, b'{"a":1}\n'), parse, (lines.LineTooLong,))


def _socket_messages() -> list[Target]:
    technician = (
        m.AskStatus(),
        m.AskRecords(after=7),
        m.RemoveUser(id="li", code="271828"),
        m.MarkAlarm(
            journal="6d1f7c1e-2b1a-4e50-9d59-0f2f7f9b7c11",
            seq=7,
            says="false",
            reason="a spider",
            by="Wang",
            code="271828",
        ),
        m.RunTest(test="siren-test", code="271828"),
    )
    desk = (m.Press(zone="holdup-1"), m.Code(digits="1234#"), m.Mains(on=False))
    uplink = (m.ReceiptIn(jws="a.b.c"), m.CommandIn(jws="a.b.c"), m.KeysIn(jws="a.b.c"), m.TimeIn(jws="a.b.c"))
    return [
        _adapted("technician to core", m.from_technician, technician),
        _adapted("desk to core", m.from_desk, desk),
        _adapted("uplink to core", m.from_uplink, uplink),
        _adapted("clock to core", m.from_clock, (m.ClockSet(how="stepped", off_ms=-90_000),)),
        _adapted("core to clock", m.to_clock, (m.SetClock(utc_ms=1_790_000_000_000, monotonic_ms=7),)),
    ]


def _marks() -> Target:
    """What a record of a journal file that somebody brings says of an alarm."""
    from firmware.core.alarm_marks import KIND
    from provisioning.accept.marks import marked
    from provisioning.accept.results import MAX_WORD

    mark = {"journal": "8f14e45f", "seq": 7, "says": "false", "reason": "a spider", "by": "Wang", "user": "fitter"}

    def parse(frame: bytes) -> None:
        payload = json.loads(frame)
        found = marked(KIND, payload if isinstance(payload, dict) else {})
        _holds(found is None or max(len(found[1].cause), len(found[1].by), len(found[1].user)) <= MAX_WORD)

    return Target("alarm marks", (json.dumps(mark).encode(),), parse, (ValueError, RecursionError))


def _enrolled_later() -> Target:
    """What an enrolment left for core to record, in a folder that root writes to."""
    told = m.Enrolled(
        path="center-1",
        certificate="1" * 64,
        authorities=["2" * 64],
        keys=["kid"],
        not_after="2027-03-14T00:00:00.000Z",
        proof="code",
    )
    sound = enrolled_later.written([enrolled_later.Late(time="2026-03-14T00:00:00.000Z", enrolled=told)])

    def parse(frame: bytes) -> None:
        _holds(len(enrolled_later.parse(frame)) <= enrolled_later.MOST)

    return Target("enrolled.json", (sound,), parse, (ValueError,))


def _adapted(name: str, adapter: TypeAdapter[Any], sound: Sequence[BaseModel]) -> Target:
    def parse(frame: bytes) -> None:
        adapter.validate_json(frame)

    return Target(name, tuple(word.model_dump_json().encode() for word in sound), parse, (ValidationError,))


class _LeftOut(Exception):
    """Lines that are none were left out."""


def _mountinfo() -> Target:
    """What the kernel says of mounts, whose names somebody else chose."""
    sound = b"36 35 179:4 / /data rw,noatime shared:1 - ext4 /dev/mmcblk0p4 rw,errors=remount-ro\n"

    def parse(frame: bytes) -> None:
        told = frame.decode(errors="replace").splitlines()
        found = mounts_in(told)
        _holds(len(found) <= len(told))
        if len(found) < len(told):
            raise _LeftOut

    return Target("mountinfo", (sound * 3,), parse, (_LeftOut,))


def _installed_file() -> Target:
    """A panel file as the technician's socket brings it: it comes whole, by its hash, or not at all."""
    raw = b'[panel]\nid = "bank-1"\n' * 9
    sha256 = hashlib.sha256(raw).hexdigest()

    def parse(frame: bytes) -> None:
        _holds(installing.unpack(frame.decode(errors="replace"), sha256) == raw)

    return Target("panel file", (base64.b64encode(zlib.compress(raw)),), parse, (installing.NotInstallable,))


def _jws() -> Target:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    signer = jws.Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    ring = jws.KeyRing([signer.public])
    token = signer.sign("receipt", {"panel": "bank", "seq": 7})

    def parse(frame: bytes) -> None:
        # A frame that passes is the very token: nobody can sign another.
        ring.verify("receipt", frame.decode("latin-1"))
        _holds(frame == token.encode())

    return Target("signed receipt", (token.encode(),), parse, (jws.Refused,))


def _to_the_center() -> list[Target]:
    """What the reference center reads of panels, and the conformance kit of centers."""
    journal = Journal("bank-0001")
    records = [event(journal.add("alarm.tamper", "alarm"), True) for _ in range(3)]
    beat = {"panel": "bank-0001", "session": 1, "beat": 1, "journal": journal.id, "seq": 0, "hash": "0" * 64,
            "lanes": {}, "troubles": [], "nonce": "A" * 22}  # fmt: skip
    key = Key.new()
    kit = said.Reader([key.x])
    ranges = [{"first": 1, "last": 3, "hash": journal.head[1]}]
    receipt = {"panel": "bank-0001", "journal": journal.id, "lane": "alarm", "ranges": ranges}

    def parse_event(frame: bytes) -> None:
        good, bad = reader.read_records("bank-0001", "alarm", frame, batch=False)
        for record in good:
            _holds(sha256_hex(canonical(record.header)) == record.hash)
        for garbage in bad:
            raise garbage

    def parse_beat(frame: bytes) -> None:
        found = reader.read_json(frame)
        if not isinstance(found, dict):
            raise reader.Garbage("malformed", "no object")
        _holds(reader.read_heartbeat("bank-0001", found)["panel"] == "bank-0001")

    def parse_token(frame: bytes) -> None:
        read_token(key.x, typ.HEARTBEAT, frame)

    def parse_said(frame: bytes) -> None:
        found = kit.read(said.Heard("receipt", frame, 1, False, None, 0.0), typ.RECEIPT, signed.Receipt)
        if found.faults:
            raise reader.Garbage("faults", str(found.faults))
        _holds(found.body is not None and found.body.model_dump() == found.raw)

    return [
        Target("center: event", tuple(json.dumps(one).encode() for one in records), parse_event, (reader.Garbage,)),
        Target("center: heartbeat", (json.dumps(beat).encode(),), parse_beat, (reader.Garbage,)),
        Target("center: token", (key.sign(typ.HEARTBEAT, beat).encode(),), parse_token, (BadToken,)),
        Target("kit: receipt", (key.sign(typ.RECEIPT, receipt).encode(),), parse_said, (reader.Garbage,)),
    ]


def _of_the_center() -> list[Target]:
    """What a key of the center's signed and what is in it nonetheless: the payload alone is played with."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    signer, x = jws.Signer(private), jws.b64url(private.public_key().public_bytes_raw())
    ring = jws.KeyRing([signer.public])
    lists = {"panel": "*", "serial": 3, "receipt_keys": [x], "command_keys": [x], "authorities": []}
    time = {"panel": "bank-0001", "nonce": "A" * 22, "time": "2026-03-14T23:09:30.250Z"}

    def read(of: str, reader: Callable[[jws.KeyRing, str], BaseModel]) -> Callable[[bytes], None]:
        head = jws.b64url(json.dumps({"alg": "EdDSA", "kid": signer.kid, "typ": of}).encode())

        def parse(frame: bytes) -> None:
            body = f"{head}.{jws.b64url(frame)}"
            found = reader(ring, f"{body}.{jws.b64url(private.sign(body.encode()))}")
            _holds(reader(ring, signer.sign(of, found.model_dump())) == found)

        return parse

    return [
        Target("exchange of keys", (json.dumps(lists).encode(),), read(typ.KEYS, signed.read_keys), (jws.Refused,)),
        Target("center's time", (json.dumps(time).encode(),), read(typ.TIME, signed.read_time), (jws.Refused,)),
    ]


class NoAnswer(Exception):
    """The lines of a modem that do not end the command."""


def _issued_certificate() -> Target:
    authority = Authority.fresh(Path(), "panel ca", Life.days(1, 100))
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    before = authority.certify("bank-7", authority.key.public_key())
    sound = json.dumps({"panel": "bank-7", "chain": [pem(authority.certify("bank-7", key, (), Life.days(1, 30)))]})
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    def parse(data: bytes) -> None:
        found, _ = checked(data, "bank-7", before, spki, [authority.certificate], time.time())
        _holds(found.public_key() == key)

    return Target("issued certificate", (sound.encode(),), parse, (Unfit,))


def _pictures() -> tuple[Target, Target]:
    """What the uplink reads of `fetch`, and the center of `picture`."""
    transfer = f"{'k' * 43}.7"
    chunk = {"panel": "bank-7", "transfer": transfer, "offset": 0, "total": 3, "sha256": "0" * 64, "data": "YWJj"}
    none = {"panel": "bank-7", "transfer": transfer, "fault": "gone"}

    def parse_fetch(frame: bytes) -> None:
        fetch = Fetch.model_validate_json(frame)
        _holds(Fetch.model_validate_json(fetch.model_dump_json()) == fetch)

    def parse_picture(frame: bytes) -> None:
        found = read_picture("bank-7", frame)
        _holds("fault" in found or 1 <= len(found["data"]) <= MAX_CHUNK_BYTES)

    fetch = json.dumps({"transfer": transfer, "offset": 0, "bytes": 1})
    return (
        Target("fetch of a picture", (fetch.encode(),), parse_fetch, (ValidationError,)),
        Target(
            "part of a picture",
            tuple(json.dumps(body).encode() for body in (chunk, none)),
            parse_picture,
            (reader.Garbage,),
        ),
    )


def _dc09() -> list[Target]:
    """Answers of a receiver, with a right checksum too, in plain text and encrypted; and what the receiver reads."""
    key, station = bytes(range(16)), dc09.Station("1234")
    sealed = dc09.encrypt(key, b"PADPADPADP|]_15:09:26,03-14-2026")
    answers = (
        b'"ACK"0042R1L0#1234[]',
        b'"NAK"0000L0R0A0[]_15:09:26,03-14-2026',
        b'"DUH"0042L0#1234[][K1]',
        b'"*ACK"0042R1L0#1234[' + sealed,
    )
    events = (dc09.NULL, dc09.Message("ADM-CID", "1131 01 015", ("Ia-1",)), dc09.Message("SIA-DCS", "Nri1/BA015"))
    heard = tuple(dc09.frame(event, 42, station, 0.0) for event in events)

    def stream(frame: bytes) -> None:
        by_byte = dc09.Splitter()
        found = list(dc09.Splitter().feed(frame))
        _holds(found == [whole for byte in frame for whole in by_byte.feed(bytes([byte]))])
        if not found:
            raise dc09.BadFrame("no frame")
        for whole in found:
            dc09.read_reply(whole, key)

    def reply(body: bytes) -> None:
        found = dc09.read_reply(dc09.wrapped(body)[1:-1], key)
        _holds(found.encrypted == (b"*" in body[:2]) and 0 <= found.sequence <= 9999)

    def message(frame: bytes) -> None:
        found = read_message(frame[1:-1])
        event = dc09.Message(cast("dc09.Ident", found.ident), found.content, found.extras)
        if found.moment is not None and found.receiver and event.ident != "NULL" and found.content.isascii():
            sender = dc09.Station(found.account, found.receiver, found.line)
            again = dc09.frame(event, found.sequence, sender, found.moment)
            _holds(replace(read_message(again[1:-1]), encrypted=found.encrypted) == found)

    def summed(body: bytes) -> None:
        message(dc09.wrapped(body))

    refusals = (dc09.BadFrame, dc09.TooLong)
    return [
        Target("DC-09 answers", tuple(map(dc09.wrapped, answers)), stream, refusals),
        Target("DC-09 answer, sum right", answers, reply, refusals),
        Target("DC-09 receiver", heard, message, refusals),
        Target("DC-09 receiver, sum right", tuple(sound[9:-1] for sound in heard), summed, refusals),
    ]


def _modem() -> list[Target]:
    signal = dialogue.Command("AT+CSQ", prefix="+CSQ:")
    report = "07911326040000F0062A0D91683108108300F0621132516500236211325175002300"

    def heard(*chunks: bytes) -> list[dialogue.Heard]:
        talk = dialogue.Dialogue()
        talk.ask(signal, 0)
        return [found for chunk in chunks for found in talk.feed(chunk, 0)]

    def lines_(frame: bytes) -> None:
        found = heard(frame)
        _holds(found == heard(frame[: len(frame) // 2], frame[len(frame) // 2 :]))
        if not any(isinstance(reply, dialogue.Reply) and reply.ok for reply in found):
            raise NoAnswer

    def reports(frame: bytes) -> None:
        found = pdu.report(frame.decode("latin-1"))
        _holds(0 <= found.reference <= 255 and found.outcome in ("delivered", "trying", "failed"))

    answers = (
        b"AT+CSQ\r\r\n+CSQ: 17,99\r\n\r\nOK\r\n",
        b"\r\n+CDS: 33\r\n" + report.encode() + b"\r\n+CSQ: 99,99\r\nOK\r\n",
    )
    return [
        Target("modem's lines", answers, lines_, (NoAnswer,)),
        Target("SMS status report", (report.encode(),), reports, (pdu.BadPdu,)),
    ]


def _modbus() -> list[Target]:
    """Frames as they come, and such as have a right checksum whatever is in them."""
    questions = (
        wire.Question(7, profiles.READ_DISCRETES, 0, 8),
        wire.Question(7, profiles.READ_HOLDING, 100, 4),
        wire.Question(7, profiles.WRITE_COIL, 3, value=profiles.COIL_ON),
    )
    sound = (b"\x07\x02\x01\x05", b"\x07\x03\x08\x00\x01\x00\x02\x00\x03\x00\x04", b"\x07\x05\x00\x03\xff\x00")

    def parse(frame: bytes) -> None:
        for question in questions:
            with suppress(wire.Unanswered, wire.Refused):
                found = wire.answer(question, frame)
                _holds(len(found) == (0 if question.value is not None else question.count))
                return
        raise wire.Unanswered("no answer to any of them", late=False)

    def checked(body: bytes) -> None:
        parse(_summed(body))

    return [
        Target("Modbus frame", tuple(_summed(body) for body in sound), parse, (wire.Unanswered,)),
        Target("Modbus, sum right", sound, checked, (wire.Unanswered,)),
    ]


def _summed(body: bytes) -> bytes:
    return body + FramerRTU.compute_CRC(body).to_bytes(2, "big")


class NoPacket(Exception):
    """Nothing of a broker's is complete."""


def _broker() -> Target:
    sound = (
        bytes.fromhex("2006000003210014"),
        bytes.fromhex("9005000200010140020007d000"),
        mqtt5.publish("fenghuo/v1/bank-0001/receipt", b"a.b.c", 7, False, "application/jose"),
        mqtt5.publish("fenghuo/v1/bank-0001/command", b"a.b.c", None, True, ""),
    )

    def parse(frame: bytes) -> None:
        parser = mqtt5.Parser(1_000)
        found = mqtt5.Parser(1_000).feed(frame)
        _holds(found == [packet for byte in frame for packet in parser.feed(bytes([byte]))])
        if not found:
            raise NoPacket

    return Target("broker to the fleet's client", sound, parse, (mqtt5.BadPacket, NoPacket))


class NotGenuine(Exception):
    """A bundle in which the check has found something."""


def _bundles() -> list[Target]:
    def whole(frame: bytes) -> None:
        checked = check_bundle(io.BytesIO(frame), bundles.SIGNER.public)
        if checked.found:
            raise NotGenuine
        _holds(checked.claim is not None and checked.files == 2)

    def inside(name: str) -> Callable[[bytes], None]:
        return lambda frame: whole(bundles.bundle(**{name: frame}))

    sealed = bundles.manifest()
    return [
        Target("evidence bundle", (bundles.bundle(),), whole, (NotGenuine,)),
        Target("a bundle's manifest", (sealed,), inside("manifest"), (NotGenuine,)),
        Target("a bundle's chain", (bundles.chain(sealed),), inside("chain"), (NotGenuine,)),
        Target("a bundle's index", (bundles.index(),), inside("index"), (NotGenuine,)),
        Target("a bundle's keys", (bundles.keys(),), inside("keys"), (NotGenuine,)),
    ]


class NoCard(Exception):
    """What a reader said names no card, or no tag."""


def _cards() -> Target:
    def parse(frame: bytes) -> None:
        if not frame:
            raise NoCard
        kind, bits = ("wiegand", frame[0]) if frame[:1] < b"\x80" else ("raw", 2 * frame[0])
        found = [cards.bits_card(kind, bits, frame[1:]), cards.text_card(frame)]
        if not any(found):
            raise NoCard
        for card in filter(None, found):
            _holds(cards.CARD.fullmatch(card) is not None and not card.isdigit())

    return Target("OSDP card", (b"\x1a\x2a\xb3\x4c\x00", b"04A1B2C3", b"\x84" + bytes(33)), parse, (NoCard,))


def _reader_lines() -> Target:
    form = Format(prefix="TAG:", least=6, most=16)

    def parse(frame: bytes) -> None:
        whole, by_byte = Lines(form), Lines(form)
        found = whole.feed(frame)
        # However the port cuts it, the same numbers come out.
        _holds(found == [number for byte in frame for number in by_byte.feed(bytes([byte]))])
        _holds(all(form.least <= len(number) <= form.most and number.isalnum() for number in found))
        if not found:
            raise NoCard

    return Target("reader's lines", (b"TAG:04A1B2\r\n", b"\x02TAG:0123456789ABCDEF\x03"), parse, (NoCard,))


def _reports() -> list[Target]:
    def whole(frame: bytes) -> None:
        checked = check_report(io.BytesIO(frame), reports.SIGNER.public)
        if checked.found:
            raise NotGenuine(checked.found[0])

    made = reports.parts(reports.small())

    def inside(name: str) -> Callable[[bytes], None]:
        return lambda frame: whole(reports.zipped({**made, name: frame}))

    told = rows_of(made["report.en.html"].decode())

    def page(frame: bytes) -> None:
        if rows_of(frame.decode("utf-8", "replace")) != told:
            raise NotGenuine

    return [
        Target("acceptance report", (reports.zipped(made),), whole, (NotGenuine,)),
        Target("a report's data", (made["acceptance.json"],), inside("acceptance.json"), (NotGenuine,)),
        Target("a report's page", (made["report.en.html"],), page, (NotGenuine,)),
        Target("a report's keys", (made["keys.json"],), inside("keys.json"), (NotGenuine,)),
    ]
