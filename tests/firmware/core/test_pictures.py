"""Pictures that the center asks for: only those that the journal names, by a signed command, each recorded."""

import json
from typing import Any

import pytest

from firmware.core.pictures import MAX_OPEN
from firmware.protocol.canonical import canonical, sha256_hex
from firmware.protocol.jws import key_id
from firmware.protocol.messages import PictureSent
from firmware.protocol.stored import StoredRecord
from rules.effects import Answer
from rules.stimuli import Wish
from tests.firmware.core.test_commands import CENTER, Desk, command

JOURNAL = "8f14e45f-ceea-4e7a-9c0d-5b2f1a6d3e47"
EVENT = f"{JOURNAL}-17"
KID = key_id(CENTER.public)
PICTURE = {
    "file": "2026-03-14/000001-lobby/0000.jpg",
    "sha256": "ab" * 32,
    "bytes": 50_000,
    "offset_ms": 0,
    "width": 640,
    "height": 480,
    "boxes": [],
}


def record(kind: str = "evidence.pictures", pictures: Any = (PICTURE,), altered: bool = False) -> StoredRecord:
    payload = canonical({"pictures": list(pictures)})
    header = json.dumps({"kind": kind, "payload_hash": sha256_hex(b"" if altered else payload)}).encode()
    return StoredRecord(17, "evidence", 1, header, payload, "0" * 64)


def ask(desk: Desk, counter: int = 1, path: str = "center-1", **args: Any) -> str:
    args = {"event": EVENT, "picture": 1} | args
    desk.commands.received(command(counter=counter, command="picture", args=args), path)
    return f"{KID}.{counter}"


def desk_with(made: StoredRecord | None = None) -> Desk:
    desk = Desk()
    desk.journal[JOURNAL, 17] = made or record()
    return desk


def test_it_is_ordered_once_the_command_is_durable() -> None:
    desk = desk_with()
    transfer = ask(desk, offset=7)
    assert [(order.wish, order.about) for order in desk.orders] == [(Wish.PICTURE, f"{EVENT}/1")]
    assert desk.ordered == []
    desk.commands.answer(Answer(1, True, "", {}, KID))
    (order,) = desk.ordered
    assert (order.transfer, order.path, order.file, order.sha256, order.bytes, order.offset) == (
        transfer,
        "center-1",
        PICTURE["file"],
        PICTURE["sha256"],
        50_000,
        7,
    )
    assert desk.replies()[-1]["detail"] == {"transfer": transfer, "sha256": PICTURE["sha256"], "bytes": 50_000}


def test_what_the_rules_refuse_is_not_sent() -> None:
    desk = desk_with()
    ask(desk)
    desk.commands.answer(Answer(1, False, "replayed", {}, KID))
    assert desk.ordered == []
    assert desk.replies()[-1]["reason"] == "replayed"


@pytest.mark.parametrize(
    ("made", "args"),
    [
        (record(), {"event": f"{JOURNAL}-18"}),
        (record(), {"event": ""}),
        (record(), {"picture": 0}),
        (record(), {"picture": 2}),
        (record(), {"offset": 50_000}),
        (record("alarm.intruder"), {}),
        (record(altered=True), {}),
        (record(pictures=[]), {}),
        (record(pictures=[PICTURE | {"file": "../../keys/core.key"}]), {}),
        (record(pictures=[{"file": "a.jpg"}]), {}),
        (record(pictures=[7]), {}),
    ],
)
def test_no_other_file_can_be_asked_for(made: StoredRecord, args: dict[str, Any]) -> None:
    desk = desk_with(made)
    ask(desk, **args)
    assert desk.orders == []
    assert desk.records[-1].payload["reason"] == "unknown-picture"
    assert desk.replies()[-1]["reason"] == "unknown-picture"


def test_it_is_put_only_to_a_host_of_the_panel_file() -> None:
    desk = desk_with()
    ask(desk, put="https://elsewhere.example/x")
    assert desk.replies()[-1]["reason"] == "unknown-host"
    transfer = ask(desk, 2, put="https://pictures.example/secret?token=1")
    desk.commands.answer(Answer(2, True, "", {}, KID))
    assert desk.ordered[0].put == "https://pictures.example/secret?token=1"
    desk.pictures.sent(PictureSent(transfer=transfer, bytes=50_000, fault=""))
    note = desk.records[-1].payload
    assert (note["result"], note["to"]) == ("put", "pictures.example")
    assert "token" not in json.dumps(note)


def test_a_path_that_is_not_of_this_panel() -> None:
    desk = desk_with()
    ask(desk, path="")
    assert desk.records[-1].payload["reason"] == "unknown-path"


def test_its_end_is_recorded_once_and_only_for_what_was_ordered() -> None:
    desk = desk_with()
    transfer = ask(desk)
    desk.pictures.sent(PictureSent(transfer=transfer, bytes=50_000, fault=""))
    assert desk.records == []
    desk.commands.answer(Answer(1, True, "", {}, KID))
    for _ in range(2):
        desk.pictures.sent(PictureSent(transfer=transfer, bytes=50_000, fault=""))
    (note,) = desk.records
    assert note.kind == "evidence.sent"
    assert note.payload["about"] == f"{EVENT}/1"
    assert note.payload["by"] == "remote:Li Wei"
    assert note.payload["result"] == "confirmed"


def test_requests_without_an_end_are_bounded() -> None:
    desk = desk_with()
    for counter in range(1, MAX_OPEN + 2):
        ask(desk, counter)
        desk.commands.answer(Answer(counter, True, "", {}, KID))
    for counter in (1, 2):
        desk.pictures.sent(PictureSent(transfer=f"{KID}.{counter}", bytes=1, fault="gone"))
    assert [note.payload["result"] for note in desk.records] == ["gone"]
