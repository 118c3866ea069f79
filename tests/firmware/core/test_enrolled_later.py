"""Enrolments that core finds at its start: recorded once, kept while it is busy; a file that is none of ours."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from firmware.core import enrolled_later
from firmware.core.enrolled_later import BadLeft, Late, LateEnrolments, read, written
from firmware.core.past import Past
from firmware.protocol.messages import Enrolled
from rules.effects import Record
from rules.stimuli import Noted


def late(mark: str) -> Late:
    enrolled = Enrolled(
        path="center-1",
        certificate=mark * 64,
        authorities=["a" * 64],
        keys=["kid"],
        not_after="2027-03-14T00:00:00.000Z",
        proof="code",
    )
    return Late(time="2026-03-14T00:00:00.000Z", enrolled=enrolled)


class Engine:
    """Takes as much as it has room for."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.took: list[Noted] = []

    def submit(self, noted: Noted) -> bool:
        if len(self.took) == self.room:
            return False
        self.took.append(noted)
        return True

    def durable(self, tell: Callable[[Record], None]) -> None:
        for noted in self.took:
            tell(Record(noted.kind, noted.payload))


def of(folder: Path, engine: Engine) -> LateEnrolments:
    return LateEnrolments(folder, engine.submit, Past(lambda: 0, lambda _: []))


def test_what_does_not_fit_waits_and_the_file_goes_with_the_last(tmp_path: Path) -> None:
    file = tmp_path / enrolled_later.NAME
    file.write_bytes(written([late("1"), late("2")]))
    engine = Engine(room=1)
    them = of(tmp_path, engine)
    them.look()
    engine.durable(them.recorded)
    assert file.exists()
    engine.room = 2
    them.look()
    engine.durable(them.recorded)
    assert [(noted.kind, noted.payload["new"]) for noted in engine.took] == [
        ("path.enrolled", "1" * 64),
        ("path.enrolled", "2" * 64),
    ]
    assert not file.exists()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{}", "file: "),
        (written([late("1")]).replace(b"1" * 64, b"x" * 64), "0.enrolled.certificate: String should"),
        (written([late("1")] * 17), "at most 16 items"),
        (b" " * 70_000, "longer than 65536 bytes"),
    ],
)
def test_what_is_none_of_ours_is_told_and_stays(
    content: bytes, why: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / enrolled_later.NAME).write_bytes(content)
    engine = Engine(room=9)
    with caplog.at_level(logging.ERROR, "fenghuo"):
        of(tmp_path, engine).look()
    assert engine.took == []
    assert why in caplog.text
    with pytest.raises(BadLeft, match=enrolled_later.NAME.replace(".", r"\.")):
        read(tmp_path)


def test_nothing_left_is_nothing_to_do(tmp_path: Path) -> None:
    engine = Engine(room=9)
    of(tmp_path, engine).look()
    assert engine.took == []
