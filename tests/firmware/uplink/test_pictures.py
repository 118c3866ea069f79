"""Pictures on their way to the center: ranges, resume, limits, and nothing outside the evidence folder."""

import base64
import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.protocol.envelope import MAX_CHUNK_BYTES, MAX_RANGE_BYTES, picture
from firmware.protocol.messages import PictureOrder
from firmware.uplink.evidence_file import opened
from firmware.uplink.pictures import LIFE_MS, MAX_OPEN, MAX_PICTURE_BYTES, Pictures

DATA = bytes(range(256)) * 1200  # 300 KiB: more than a range
FILE = "2026-03-14/000001-lobby/0000.jpg"


def transfer(number: int = 1) -> str:
    return f"{'k' * 43}.{number}"


def order(data: bytes = DATA, number: int = 1, **changes: Any) -> PictureOrder:
    made: dict[str, Any] = {
        "path": "center-1",
        "transfer": transfer(number),
        "file": FILE,
        "sha256": sha256(data).hexdigest(),
        "bytes": len(data),
        "offset": 0,
    }
    return PictureOrder(**made | changes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    file = tmp_path / "evidence" / FILE
    file.parent.mkdir(parents=True)
    file.write_bytes(DATA)
    return tmp_path / "evidence"


@pytest.fixture
def pictures(folder: Path) -> Pictures:
    return Pictures("bank-7", "center-1", folder)


def fetch(offset: int, size: int = MAX_RANGE_BYTES, number: int = 1) -> bytes:
    return json.dumps({"transfer": transfer(number), "offset": offset, "bytes": size}).encode()


def said(pictures: Pictures) -> list[dict[str, Any]]:
    """All that it would publish now."""
    found = []
    while (letter := pictures.next()) is not None:
        assert letter.words == ("picture",)
        picture.validate_json(letter.payload)
        found.append(json.loads(letter.payload))
    return found


def joined(chunks: list[dict[str, Any]]) -> bytes:
    return b"".join(base64.b64decode(chunk["data"]) for chunk in chunks)


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def results(pictures: Pictures) -> list[tuple[str, int]]:
    return [(told.fault, told.bytes) for told in pictures.told]


def test_range_by_range_until_it_is_confirmed(pictures: Pictures) -> None:
    pictures.ordered(order(), 0)
    first = said(pictures)
    assert joined(first) == DATA[:MAX_RANGE_BYTES]
    assert {len(base64.b64decode(chunk["data"])) for chunk in first[:-1]} == {MAX_CHUNK_BYTES}
    assert pictures.fetched(fetch(MAX_RANGE_BYTES), 1000)
    assert joined(said(pictures)) == DATA[MAX_RANGE_BYTES:]
    assert pictures.told == []
    assert pictures.fetched(fetch(len(DATA)), 2000)
    assert results(pictures) == [("", len(DATA))]
    assert said(pictures) == []
    assert pictures.fetched(fetch(0), 3000)
    assert [found["fault"] for found in said(pictures)] == ["unknown-transfer"]


def test_after_a_cut_it_goes_on_where_the_center_stands(pictures: Pictures) -> None:
    pictures.ordered(order(), 0)
    assert pictures.next() is not None
    pictures.cut()
    assert pictures.next() is None
    assert pictures.fetched(fetch(MAX_CHUNK_BYTES, 5000), 1000)
    assert joined(said(pictures)) == DATA[MAX_CHUNK_BYTES : MAX_CHUNK_BYTES + 5000]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(DATA) - 1), st.integers(1, MAX_RANGE_BYTES)), max_size=4), st.data())
def test_whatever_is_asked_in_whatever_order_is_that_part(
    tmp_path_factory: pytest.TempPathFactory, asked: list[tuple[int, int]], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("evidence")
    (folder / "a.jpg").write_bytes(DATA)
    pictures = Pictures("bank-7", "center-1", folder)
    start = data.draw(st.integers(0, len(DATA) - 1))
    pictures.ordered(order(file="a.jpg", offset=start), 0)
    assert joined(said(pictures)) == DATA[start : start + MAX_RANGE_BYTES]
    for turn, (offset, size) in enumerate(asked):
        assert pictures.fetched(fetch(offset, size), 1000 * turn)
        chunks = said(pictures)
        if "fault" in chunks[0]:
            assert chunks[0]["fault"] == "spent"
            break
        assert joined(chunks) == DATA[offset : offset + size]
    pictures.close()


def test_what_is_not_what_the_record_says_is_not_sent(pictures: Pictures, folder: Path) -> None:
    (folder / FILE).write_bytes(DATA[:-1] + b"!")
    pictures.ordered(order(), 0)
    (folder / FILE).write_bytes(DATA[:-1])
    pictures.ordered(order(number=2), 0)
    (folder / FILE).unlink()
    pictures.ordered(order(number=3), 0)
    os.mkfifo(folder / FILE)
    pictures.ordered(order(number=4), 0)
    pictures.ordered(order(number=5, file=FILE.rpartition("/")[0]), 0)
    faults = ["altered", "altered", "gone", "gone", "gone"]
    assert [found["fault"] for found in said(pictures)] == faults
    assert results(pictures) == [(fault, 0) for fault in faults]


def test_too_large_a_picture_is_not_read(pictures: Pictures, folder: Path) -> None:
    with (folder / FILE).open("wb") as file:
        file.truncate(MAX_PICTURE_BYTES + 1)
    pictures.ordered(order(bytes=MAX_PICTURE_BYTES + 1), 0)
    assert [found["fault"] for found in said(pictures)] == ["too-large"]


def test_the_order_of_another_path_is_none(pictures: Pictures) -> None:
    pictures.ordered(order(path="center-2"), 0)
    assert (said(pictures), pictures.told) == ([], [])


def test_there_are_limits(pictures: Pictures) -> None:
    for number in range(1, MAX_OPEN + 2):
        pictures.ordered(order(number=number), 0)
    assert results(pictures) == [("busy", 0)]
    before = open_files()
    pictures.passed(LIFE_MS)
    assert results(pictures) == [("busy", 0)] + MAX_OPEN * [("unconfirmed", 0)]
    assert open_files() == before - MAX_OPEN
    assert pictures.next_deadline() is None


def test_a_center_that_asks_for_ever_gets_four_times_its_length(pictures: Pictures) -> None:
    pictures.ordered(order(), 0)
    sent = 0
    for turn in range(1, 40):
        chunks = said(pictures)
        if "fault" in chunks[-1]:
            break
        sent += len(joined(chunks))
        assert pictures.fetched(fetch(0), 1000 * turn)
    assert chunks[-1]["fault"] == "spent"
    assert 4 * len(DATA) < sent <= 5 * len(DATA)
    assert results(pictures) == [("spent", sent)]


def test_garbage_and_floods_are_for_the_gate(pictures: Pictures) -> None:
    pictures.ordered(order(), 0)
    bad = [b"", b"{}", b"[]", fetch(-1), fetch(0, 0), fetch(0, MAX_RANGE_BYTES + 1), fetch(0)[:-1], b" " * 513]
    assert [pictures.fetched(data, 60_000 * turn) for turn, data in enumerate(bad)] == [False] * len(bad)
    assert sum(pictures.fetched(fetch(0), 600_000) for _ in range(100)) == 20


@pytest.mark.parametrize("name", ["..", "../secret", "a/../../secret", "/etc/passwd", "a//b", "", "a\0b", "./secret"])
def test_no_name_leads_out_of_the_folder(folder: Path, name: str) -> None:
    (folder.parent / "secret").write_bytes(b"key")
    (folder / "a").mkdir()
    with pytest.raises(OSError, match="evidence"):
        opened(folder, name)


def test_no_link_is_followed(folder: Path) -> None:
    (folder.parent / "secret").write_bytes(b"key")
    (folder / "link.jpg").symlink_to("../secret")
    (folder / "up").symlink_to("..")
    for name in ("link.jpg", "up/secret", "up/evidence/" + FILE):
        with pytest.raises(OSError, match=name.split("/")[0]):
            opened(folder, name)
    os.close(opened(folder, FILE))
