"""The camera's socket over a real server: what is told of cameras becomes troubles, once each."""

import queue
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware.core.camera_port import KEPT_PERSONS, TAMPERS, CameraFacts, CameraPort
from firmware.core.damping import Allowance
from firmware.core.sockets import Server
from firmware.protocol import messages as m
from firmware.protocol.lines import Client
from rules.stimuli import Noted, TroubleChanged


class Bench:
    def __init__(self, folder: Path) -> None:
        self.submitted: list[Noted | TroubleChanged] = []
        self._heard = threading.Condition()
        self.server = Server()
        self.port = CameraPort(CameraFacts("bank-1", 1, "test", frozenset({"lobby"})), self._submit, self.server)
        self.server.add(self.port.role(folder / "camera.sock"))
        self.server.start()
        self.client = Client(folder / "camera.sock")
        assert (self.client.receive(10.0) or {})["type"] == "welcome"

    def _submit(self, stimulus: Noted | TroubleChanged) -> bool:
        with self._heard:
            self.submitted.append(stimulus)
            self._heard.notify_all()
        return True

    def troubles(self, name: str, count: int) -> list[tuple[bool, str, str]]:
        def found() -> list[tuple[bool, str, str]]:
            of = [s for s in self.submitted if isinstance(s, TroubleChanged) and s.trouble == name]
            return [(s.present, s.subject, s.detail) for s in of]

        with self._heard:
            assert self._heard.wait_for(lambda: len(found()) >= count, 10), self.submitted
            return found()

    def notes(self, count: int) -> list[Noted]:
        def found() -> list[Noted]:
            return [s for s in self.submitted if isinstance(s, Noted)]

        with self._heard:
            assert self._heard.wait_for(lambda: len(found()) >= count, 10), self.submitted
            return found()

    def say(self, *tampers: str, known: bool = True, ok: bool = True) -> None:
        said = {"type": "camera", "camera": "lobby", "ok": ok, "tampers": list(tampers) if known else None}
        self.client.send(m.from_camera.validate_python(said))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.client.close()
    bench.server.stop()


def test_a_tamper_is_a_trouble_of_that_camera_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FENGHUO_LANG", "zh")
    bench.say(known=False)
    for _ in range(5):
        bench.say("covered", "moved")
    bench.say(known=False)
    bench.say()
    assert bench.troubles("camera-tamper", 2) == [(True, "lobby", "covered 被遮挡, moved 被转动"), (False, "lobby", "")]
    assert set(TAMPERS) == {"black", "bright", "covered", "blurred", "moved", "frozen"}


def test_a_camera_process_that_starts_anew_does_not_end_what_stood(bench: Bench) -> None:
    bench.say("black")
    bench.say(known=False)
    bench.say(ok=False, known=False)
    bench.troubles("camera", 2)
    assert [present for present, _, _ in bench.troubles("camera-tamper", 1)] == [True]


def test_relearning_goes_to_the_process_that_is_there(bench: Bench) -> None:
    heard: queue.Queue[bool] = queue.Queue()
    bench.server.call(lambda: heard.put(bench.port.relearn("lobby")))
    assert bench.client.receive(10.0) == {"type": "relearn", "camera": "lobby"}
    assert heard.get(timeout=10)


def pictures(incident: int, verdict: str, part: int = 1, score: int = 700) -> m.Manifest:
    said = {"incident": incident, "zone": "pir", "camera": "lobby", "verdict": verdict, "score": score, "part": part}
    rest: dict[str, object] = {"type": "pictures", "pictures": [], "thumbnail": None, "model": "x", "threshold": 400}
    return m.Manifest.model_validate(said | rest)


def test_a_person_is_told_once_ahead_of_its_pictures(bench: Bench) -> None:
    for manifest in (
        pictures(7, "unverified", score=12),
        pictures(7, "person", part=2),
        pictures(7, "person", part=3, score=900),
        pictures(8, "person"),
    ):
        bench.client.send(manifest)
    assert [note.kind for note in bench.notes(6)] == [
        "evidence.pictures",
        "camera.person",
        "evidence.pictures",
        "evidence.pictures",
        "camera.person",
        "evidence.pictures",
    ]
    first = bench.notes(6)[1].payload
    assert first == {"incident": 7, "zone": "pir", "camera": "lobby", "score": 700, "threshold": 400, "part": 2}


def test_what_is_remembered_of_persons_is_bounded(bench: Bench) -> None:
    for incident in range(1, KEPT_PERSONS + 3):
        bench.client.send(pictures(incident, "person"))
    bench.client.send(pictures(KEPT_PERSONS + 2, "person", part=2))
    bench.client.send(pictures(1, "person", part=2))
    kinds = [note.kind for note in bench.notes(2 * (KEPT_PERSONS + 2) + 3)]
    assert kinds[-3:] == ["evidence.pictures", "camera.person", "evidence.pictures"], "the newest is known, 1 is not"


def test_where_the_journal_has_no_room_for_pictures_it_has_none_for_the_person(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.port, "_room", Allowance(300, 0))
    bench.client.send(pictures(1, "unverified"))
    bench.client.send(pictures(2, "person"))
    answer = bench.client.receive(10.0) or {}
    assert answer["type"] == "error"
    assert [note.kind for note in bench.notes(1)] == ["evidence.pictures"]
