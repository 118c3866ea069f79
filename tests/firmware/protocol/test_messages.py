"""The socket messages: nonsense gives a ValidationError and nothing else; good ones are read both ways."""

import json
from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from firmware.protocol import jws, signed
from firmware.protocol import messages as m
from firmware.protocol import updates as u
from firmware.protocol.lines import encode
from firmware.protocol.records import Record
from firmware.protocol.schemas import SOCKETS
from firmware.protocol.signed import CommandName
from firmware.protocol.vectors import records
from rules.stimuli import Right, Wish
from tests.firmware.protocol.strategies import any_json

HASH = "0" * 64
JOURNAL = "8f14e45f-ceea-4e7a-9c0d-5b2f1a6d3e47"
PICTURE = m.Picture(
    file="2026/a.jpg",
    sha256=HASH,
    bytes=1,
    offset_ms=-1,
    width=1,
    height=1,
    boxes=[m.Box(left=0, top=0, right=1, bottom=1, score=1)],
)
RECORD = Record.model_validate(records()["chain"][1]["record"])
HEAD = m.JournalHead(journal=JOURNAL, last={"alarm": 0, "status": 3}, first_undelivered={"alarm": 1, "status": 2})

REQUEST = "-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n"
CAPTURE = "2026-03-14/000007-hall-cam"
EXAMPLES: dict[str, list[BaseModel]] = {
    "socket-from-uplink": [
        m.Pull(journal=JOURNAL, lane="alarm", first=1, last=9),
        m.ReceiptIn(jws="a.b.c"),
        m.KeysIn(jws="a.b.c"),
        m.TimeIn(jws="a.b.c"),
        m.CommandIn(jws="not a token: core refuses it, and says so"),
        m.Path(path="center-1", up=False, detail="无收据"),
        m.Sms(path="gsm", record=f"{JOURNAL}-7", receiver="center-1", state="sent", parts=2),
        m.TakenOver(path="center-1", sure=True),
        m.Certificate(
            path="center-1", file="ca", not_before="2017-03-14T00:00:00.000Z", not_after="2027-03-14T00:00:00.000Z"
        ),
        m.RenewalAsk(path="center-1", csr=REQUEST, replaces="0" * 64),
        m.Renewed(path="center-1", old="0" * 64, new="1" * 64, not_after="2027-03-14T00:00:00.000Z"),
        m.Modem(path="gsm", signal_dbm=-73, network="home", operator="CMCC"),
    ],
    "socket-to-uplink": [
        m.TryPath(path="center-2", for_ms=30_000),
        m.Welcome(panel="bank-1", session=1, peer=1, version="0.1.0"),
        m.Head(journals=[HEAD]),
        m.Records(journal=JOURNAL, lane="alarm", records=[RECORD], next=2),
        m.Delivered(journal=JOURNAL, lane="alarm", ranges=[(1, 5), (7, 7)]),
        m.Beat(jws="a.b.c"),
        m.State(body={"areas": {}}),
        m.Telemetry(items=[{"kind": "telemetry.health"}]),
        m.ReplyOut(jws="a.b.c"),
        m.Authorities(certificates=["-----BEGIN CERTIFICATE-----"]),
        m.Renewal(path="center-1", jws="a.b.c"),
        m.Error(reason="message: no"),
    ],
    "socket-from-camera": [
        m.Manifest(
            incident=1,
            zone="hall",
            camera="cam",
            pictures=[PICTURE],
            thumbnail=None,
            verdict="unverified",
            score=0,
            model="none: no file",
            part=1,
        ),
        m.CameraHealth(camera="cam", ok=True),
        m.Held(held=True, journal=JOURNAL, incident=7),
        m.Stock(
            stored=2**30,
            free=2**33,
            reserve=2**28,
            today=0,
            per_day=2**25,
            days_left=-1,
            held=1,
            due=[m.Due(folder=CAPTURE, day="2026-03-14", files=61, bytes=2**21)],
        ),
    ],
    "socket-to-camera": [
        m.CaptureOrder(
            incident=1,
            kind="alarm.entry",
            zone="hall",
            cameras=["cam"],
            time="2026-03-14T23:09:26.123Z",
            monotonic_ms=1,
        ),
        m.Hold(
            held=True,
            journal=JOURNAL,
            incident=7,
            folders=[CAPTURE],
            by="Li Wei",
            reason="court",
            time="2026-03-14T23:09:26.123Z",
        ),
        m.Delete(folders=[CAPTURE]),
    ],
    "socket-from-clock": [m.ClockSet(how="slewed", off_ms=-1200)],
    "socket-to-clock": [m.SetClock(utc_ms=1_790_000_000_123, monotonic_ms=5_000), m.Error(reason="x")],
    "socket-from-updater": [
        u.Step(
            number=3, kind="update.good", version="0.2.0", sha256=HASH, slot="B", source="usb:", by=["fitter", "boss"]
        ),
        u.Trial(),
        u.UpdateStatus(stage="trying", slot="B", home="A", running="0.2.0", floor="0.1.0", data=1, offers=1),
    ],
    "socket-to-updater": [
        u.Offer(source="https://center.example/fenghuo-0.2.0.raucb", by="fitter", even_armed=True, reason="值班要求"),
        u.Consent(sha256=HASH, part="user", by="boss"),
        u.Withdraw(by="boss"),
        u.Panel(
            at_rest=True,
            linked=True,
            up_ms=1,
            read=True,
            failing=0,
            restored=True,
            journal=JOURNAL,
            stored=True,
            receipt=False,
        ),
        u.StepTaken(number=3),
        m.Error(reason="x"),
    ],
    "socket-from-technician": [
        u.AskUpdate(),
        u.UpdateOffer(source="/media/fenghuo-0.2.0.raucb", code="2468"),
        u.UpdateConsent(sha256=HASH, code="2468"),
        u.UpdateWithdraw(code="2468"),
        m.AskStatus(),
        m.AskDrivers(),
        m.AskSnapshot(),
        m.AskRecords(after=0),
        m.SetUser(id="wang", name="王芳", level=2, areas=["hall"], new_code="135790"),
        m.SetUser(
            id="temp",
            name="Temp",
            level=2,
            areas=["hall"],
            new_code="135790",
            rights=["arm", "users"],
            first_day="2026-12-01",
            last_day="2028-02-29",
            once=True,
        ),
        m.SetUser(id="wang", name="王芳", level=2, areas=["hall"], keep=True, code="135790"),
        m.Session(act="grant", code="135790"),
        m.RelearnCamera(camera="hall-cam", code="135790"),
        m.EvidenceAct(act="exported", journal=JOURNAL, incident=7, by="李伟", reason="case 2026-114"),
        m.EvidenceHold(held=True, journal=JOURNAL, incident=7, folders=[CAPTURE], by="Li Wei", reason="court"),
        m.SignBundle(index="0" * 64),
        m.SignEnrolment(csr=REQUEST, nonce="A" * 22),
        m.Enrolled(
            path="center-1",
            certificate="0" * 64,
            authorities=["1" * 64],
            keys=["k"],
            not_after="2027-03-14T00:00:00.000Z",
            proof="code",
        ),
        m.Acceptance(act="ended", run="0123456789abcdef" * 2, by="王工", passed=40, failed=1, waived=2, code="135790"),
        m.SignReport(what="trial", run="0123456789abcdef" * 2, manifest="a" * 64, by="王工", code="135790"),
        m.RunTest(test="walk-test", areas=["hall"], quiet=True, hold_up=True, code="135790"),
        m.EndTest(),
        m.AskTried(path="modem"),
        m.AskDelivered(journal=JOURNAL, lane="status", lane_seq=7),
        m.RemoveUser(id="wang", code="135790"),
    ],
    "socket-to-technician": [m.Answer(ok=False, reason="busy"), m.Answer(ok=True, detail={"path": "x"})],
    "socket-from-desk": [
        m.Move(zone="hall", position="cut"),
        m.Press(zone="hall"),
        m.Code(digits="1234#"),
        m.Code(digits="1234", wish="arm", part="night", instant=True, override=True),
        m.Code(digits="1234", wish="walk-test", quiet=True, hold_up=True),
        m.Mains(on=False),
        m.AskDesk(),
        m.Watch(),
    ],
    "socket-to-desk": [
        m.Seen(what="output", name="siren", value=True, monotonic_ms=1, utc="2026-03-14T23:09:26.123Z"),
        m.Answer(ok=True),
    ],
}
PAIRS = [(name, message) for name, found in EXAMPLES.items() for message in found]
adapters = st.sampled_from([adapter for _, adapter in SOCKETS.values()])
types = st.sampled_from(sorted({message.model_dump()["type"] for _, message in PAIRS}))


@pytest.mark.parametrize(("name", "message"), PAIRS, ids=lambda value: getattr(value, "type", ""))
def test_every_message_is_read_from_json_and_from_what_json_became(name: str, message: BaseModel) -> None:
    adapter = SOCKETS[name][1]
    line = encode(message)
    assert adapter.validate_json(line) == message
    assert adapter.validate_python(json.loads(line)) == message


def only_validation_errors(adapter: TypeAdapter[Any], line: bytes) -> None:
    """Both ways of reading take it or raise ValidationError; anything else fails the test."""
    try:
        message = adapter.validate_json(line)
    except ValidationError:
        return
    assert message.type in line.decode()


@settings(max_examples=400, deadline=None)
@given(adapters, types, st.dictionaries(st.sampled_from([*"ab", "journal", "first", "jws", "zone"]), any_json))
def test_random_members_give_validation_errors_only(
    adapter: TypeAdapter[Any], name: str, members: dict[str, Any]
) -> None:
    only_validation_errors(adapter, json.dumps({"type": name} | members).encode())


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(PAIRS), st.data())
def test_a_member_replaced_by_anything_gives_validation_errors_only(pair: Any, data: st.DataObject) -> None:
    name, message = pair
    members = json.loads(encode(message))
    member = data.draw(st.sampled_from(sorted(members)))
    changed = members | {member: data.draw(any_json)}
    only_validation_errors(SOCKETS[name][1], json.dumps(changed).encode())
    try:
        SOCKETS[name][1].validate_python(changed)
    except ValidationError:
        return


@settings(max_examples=300, deadline=None)
@given(adapters, st.binary(max_size=200))
def test_random_bytes_give_validation_errors_only(adapter: TypeAdapter[Any], line: bytes) -> None:
    with pytest.raises(ValidationError):
        adapter.validate_json(line)


@pytest.mark.parametrize(
    "line", [b"[" * 250_000, b'{"type":' * 30_000, b'{"type":"pull","first":' + b"9" * 200_000 + b"}"]
)
def test_deep_and_huge_json_is_refused(line: bytes) -> None:
    for _, adapter in SOCKETS.values():
        with pytest.raises(ValidationError):
            adapter.validate_json(line)


@pytest.mark.parametrize(
    "change",
    [
        {"first": 2**53},
        {"first": 10**30},
        {"first": 0},
        {"first": 1.0},
        {"first": "1"},
        {"limit": 65},
        {"lane": "telemetry"},
        {"journal": JOURNAL.upper()},
        {"more": 1},
        {"type": "receipt"},
    ],
)
def test_a_pull_is_bounded(change: dict[str, Any]) -> None:
    good = {"type": "pull", "journal": JOURNAL, "lane": "alarm", "first": 1, "last": 2}
    m.from_uplink.validate_python(good)
    with pytest.raises(ValidationError):
        m.from_uplink.validate_python(good | change)


@pytest.mark.parametrize("ranges", [[[1]], [[1, 2, 3]], [["1", 2]], [[1.0, 2]], [[True, 2]], [[0, 1]], [[1, 2]] * 65])
def test_delivered_ranges_are_pairs_of_whole_numbers(ranges: list[Any]) -> None:
    members = {"type": "delivered", "journal": JOURNAL, "lane": "alarm", "ranges": ranges}
    readers: list[Callable[[object], object]] = [
        m.to_uplink.validate_python,
        lambda value: m.to_uplink.validate_json(json.dumps(value)),
    ]
    for read in readers:
        with pytest.raises(ValidationError):
            read(members)


@pytest.mark.parametrize(
    "file",
    ["/etc/passwd", "../keys/core.pem", "a/../../b", ".hidden", "a//b", "a/", "", "a b", "a\n", "a\x00b", "图.jpg"],
)
def test_a_picture_can_not_name_a_file_outside_the_evidence_folder(file: str) -> None:
    with pytest.raises(ValidationError):
        m.Picture.model_validate(PICTURE.model_dump() | {"file": file})


def test_the_names_on_the_sockets_are_those_of_the_rules() -> None:
    assert set(get_args(m.WishName)) == {wish.value for wish in Wish}
    assert set(get_args(m.RightName)) == {right.value for right in Right}
    assert set(get_args(CommandName)) <= set(get_args(m.WishName))


@pytest.mark.parametrize(
    "day", ["2026-02-29", "2026-13-01", "2026-1-1", "20261201", "tomorrow", "2026-12-01 ", "0000-01-01"]
)
def test_a_day_is_a_date_that_is_in_the_calendar(day: str) -> None:
    good = {"type": "user-set", "id": "li", "name": "Li", "level": 2, "areas": ["hall"], "new_code": "135790"}
    m.from_technician.validate_python(good | {"first_day": "2028-02-29", "last_day": ""})
    for member in ("first_day", "last_day"):
        with pytest.raises(ValidationError):
            m.from_technician.validate_python(good | {member: day})


def test_codes_are_ascii_digits() -> None:
    with pytest.raises(ValidationError):
        m.Code(digits="١٢٣٤")


def test_the_limits_agree() -> None:
    assert m.MAX_TOKEN == jws.MAX_BYTES
    assert m.MAX_DELIVERED == signed.MAX_RANGES
    assert set(EXAMPLES) == set(SOCKETS)
