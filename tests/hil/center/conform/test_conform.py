"""The kit against the reference center, which passes, and against centers that each do one thing wrong."""

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from pathlib import Path
from xml.etree import ElementTree

import pytest

from firmware.language import Text
from hil.broker import free_port
from hil.center import Arrival, Center, main
from hil.center.conform import report
from hil.center.conform.play import SCENES, play
from hil.center.conform.points import POINTS, Result
from hil.center.conform.trial import FOUND, Pace
from hil.center.exchange import TimeService
from hil.center.keys import Key
from hil.center.wire import Broker
from tests.hil.center.conform import broken

ROOT = Path(__file__).parents[4]
PACE = Pace(receipt_s=2.5, quiet_s=0.1, beat_s=0.5, commands_s=30.0, missed_s=0.0)
"""A command may take as long as two heartbeats: a second, on a busy machine too."""
_numbers = count(1)

Make = Callable[[], Center]


class Desk:
    """The operator of the center under trial: answers, restarts it, and sends commands while heartbeats come."""

    def __init__(self, make: Make) -> None:
        self._make = make
        self.center = make().start()
        self.asked: list[str] = []

    def __call__(self, point: str, question: Text) -> bool | None:
        assert all(question)
        self.asked.append(point)
        if point == "stop":
            self.center.stop()
        elif point == "start":
            self.center = self._make().start()
        elif point == "commands":
            TimeService().attach(self.center)
            sent = count(1)

            def heard(arrival: Arrival) -> None:
                if arrival.what == "heartbeat" and next(sent) in (2, 4, 6):
                    self.center.command(arrival.panel, "status", {}, "wang")

            self.center.on_arrival(heard)
        return True


RECORDS = [name for name in SCENES if name not in ("commands", "missed")]
COMMANDS = ["begin", "commands", "retained"]
FEW: dict[type[Center], list[str]] = {
    broken.NoDuplicates: ["order", "reconnect"],
    broken.DropsUnknown: ["tolerated", "refused"],
    broken.WrongTyp: ["batches", "order", "forgery"],
    broken.WrongKey: ["batches", "order", "forgery"],
    broken.WrongHash: ["batches", "order", "forgery"],
    broken.MoreMembers: ["batches", "order", "forgery"],
}
"""What is wrong with every receipt, or leaves a receipt to be waited for, is played in some scenes, the rest in all."""


def tried(kind: type[Center], port: int, folder: Path, scenes: Iterable[str] = SCENES) -> dict[str, Result]:
    panel, key = f"kit-{os.getpid()}-{next(_numbers)}", Key.new()
    keys = {panel: key.x}
    desk = Desk(lambda: kind("127.0.0.1", port, folder, keys.get))
    try:
        receipt, command = desk.center.receipt_key.x, desk.center.command_key.x
        results = play(Broker("127.0.0.1", port), panel, key, [receipt], [command], PACE, desk, scenes)
    finally:
        desk.center.stop()
    assert [result.point.id for result in results] == list(POINTS)
    return {result.point.id: result for result in results}


def of(results: dict[str, Result], verdict: str) -> set[str]:
    return {name for name, result in results.items() if result.verdict == verdict}


def test_the_reference_center_passes_all(mosquitto: int, tmp_path: Path) -> None:
    results = tried(Center, mosquitto, tmp_path)
    assert {name: result.found for name, result in results.items() if result.verdict != "pass"} == {}
    assert report.exit_code(list(results.values())) == 0


BROKEN: list[tuple[type[Center], set[str]]] = [
    (broken.WrongTyp, {"receipt-typ"}),
    (broken.WrongKey, {"receipt-signature"}),
    (broken.WrongHash, {"receipt-hash"}),
    (broken.MoreMembers, {"receipt-form"}),
    (broken.Joins, {"gap", "linked-range"}),
    (broken.NoSession, {"receipt-qos", "away"}),
    (broken.RetainsCommands, {"command-retained"}),
    (broken.ForeverCommands, {"command-expiry", "command-once"}),
    (broken.StaleNonce, {"command-nonce"}),
    (broken.SameCounter, {"command-counter"}),
    (broken.Believes, {"heartbeat-forged", "time-answer"}),
    (
        broken.Blind,
        {"altered-header", "altered-payload", "wrong-panel", "wrong-envelope", "wrong-lane", "twice-member",
         "thumbnail-wrong"},
    ),
    (broken.NoDuplicates, {"duplicate", "reconnect"}),
    (broken.DropsUnknown, {"unknown-kind", "expired-payload"}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "wrong"), BROKEN, ids=[kind.__name__ for kind, _ in BROKEN])
def test_a_center_that_does_one_thing_wrong_fails_exactly_there(
    mosquitto: int, tmp_path: Path, kind: type[Center], wrong: set[str]
) -> None:
    about_commands = any(name.startswith(("command", "heartbeat")) for name in wrong)
    results = tried(kind, mosquitto, tmp_path, COMMANDS if about_commands else FEW.get(kind, RECORDS))
    assert of(results, "fail") == wrong, {n: r.found for n, r in results.items() if r.verdict == "fail"}
    assert all(results[name].found for name in wrong)
    assert report.exit_code(list(results.values())) == int(bool(wrong))


def test_a_center_that_says_nothing_fails_once_and_the_rest_is_not_seen(mosquitto: int) -> None:
    broker, nobody = Broker("127.0.0.1", mosquitto), Key.new()
    pace, scenes = Pace(0.2, 0.05, 0.1, 0.2), ["order", "refused", "away", "commands"]
    panel = f"kit-{os.getpid()}-silent"
    results = play(broker, panel, nobody, [nobody.x], [], pace, lambda *_: None, scenes)
    by_id = {result.point.id: result for result in results}
    assert by_id["receipt-in-time"].verdict == "fail"
    assert by_id["receipt-in-time"].found == "no receipt for status 1 within 0.2 s"
    unseen = {"gap", "altered-header", "receipt-signature", "command-nonce", "eye-gap", "away", "time-answer"}
    assert {by_id[name].verdict for name in unseen} == {"not-seen"}, "nothing is said of what could not be seen"


@pytest.fixture
def kit(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str, str]]:
    """The command as a person types it, in this process."""

    def run(*words: str, lang: str = "en") -> tuple[int, str, str]:
        monkeypatch.setenv("FENGHUO_LANG", lang)
        monkeypatch.setenv("COLUMNS", "200")
        code = main(["conform", *words])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def center_of(mosquitto: int, tmp_path: Path) -> Iterator[Callable[[dict[str, str]], Center]]:
    made: list[Center] = []

    def make(keys: dict[str, str]) -> Center:
        made.append(Center("127.0.0.1", mosquitto, tmp_path / "center", keys.get).start())
        return made[-1]

    yield make
    for center in made:
        center.stop()


def test_the_command_makes_a_key_then_reports_in_words_json_and_junit(
    kit: Callable[..., tuple[int, str, str]],
    mosquitto: int,
    tmp_path: Path,
    center_of: Callable[[dict[str, str]], Center],
) -> None:
    panel = f"kit-{os.getpid()}-cli"
    keys: dict[str, str] = {}
    center = center_of(keys)
    words = ["--broker", f"mqtt://127.0.0.1:{mosquitto}", "--panel", panel, "--panel-key", str(tmp_path / "kit.jwk"),
             "--receipt-key", center.receipt_key.x, "--quiet-s", "0.1", "--commands-s", "0",
             "--scene", "order"]  # fmt: skip
    code, out, err = kit(*words)
    assert code == 2
    assert "Enrol panel" in err
    keys[panel] = json.loads(out)["x"]
    code, out, err = kit(*words, "--json", "--junit", str(tmp_path / "kit.xml"))
    assert code == 0, out + err
    told = {point["id"]: point for point in json.loads(out)["points"]}
    assert told["gap"]["verdict"] == "pass"
    assert told["eye-gap"]["verdict"] == "not-seen"
    assert told["gap"]["section"] == "docs/alarm-center.md, Receipts"
    suite = ElementTree.parse(tmp_path / "kit.xml").getroot()  # noqa: S314
    assert (suite.get("failures"), len(suite)) == ("0", len(POINTS))
    other = Key.new()
    wrong = [other.x if word == center.receipt_key.x else word for word in words]
    code, out, _ = kit(*wrong, lang="zh")
    assert code == 1
    assert "receipt-signature" in out
    assert "1 项错误" in out


def test_what_can_not_be_tried_is_told(kit: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    key = Key.at(tmp_path / "kit.jwk")
    words = ["--broker", f"mqtt://127.0.0.1:{free_port()}", "--panel-key", str(tmp_path / "kit.jwk")]
    assert kit(*words, "--receipt-key", key.x)[0] == 2
    for wrong, said in (
        (["--receipt-key", "short"], "--receipt-key"),
        (["--receipt-key", key.x, "--scene", "other"], "expected one of begin"),
        (["--receipt-key", key.x, "--panel", "NO"], "3 to 48"),
    ):
        code, _, err = kit(*words, *wrong)
        assert code == 2
        assert said in " ".join(err.replace("│", " ").split())


def test_every_point_names_a_section_of_the_page_and_speaks_both_languages() -> None:
    page = (ROOT / "docs" / "alarm-center.md").read_text()
    headings = set(re.findall(r"^#+ (.*)$", page, re.MULTILINE))
    for point in POINTS.values():
        assert point.section in headings
        assert re.search(r"[\u4e00-\u9fff]", point.text[1])
    for en, zh in FOUND.values():
        assert set(re.findall(r"{(\w+)", en)) == set(re.findall(r"{(\w+)", zh))
    assert set(SCENES) >= {"begin", "commands", "forgery"}
