"""A person on the pictures, from the drawn lobby to the center's alarms: real core, uplink, camera and broker."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from firmware.protocol import messages as m
from hil.broker import HOST, Mosquitto
from hil.center import Center
from hil.center.alarms import alarms
from tests.system.rig import Rig, rig

WAIT_S = 40.0
THRESHOLD = "threshold = 400"


@contextmanager
def site(folder: Path, edit: Callable[[str], str] = lambda text: text) -> Iterator[tuple[Rig, Center]]:
    """A panel at whose lobby somebody stands when the hold-up button is pressed, and its center."""
    keys: dict[str, str] = {}
    with (
        Mosquitto(folder) as broker,
        Center(HOST, broker.port, folder / "center", panels=keys.get) as center,
        rig(port=broker.port, center=(center.receipt_key.x, center.command_key.x)) as panel,
    ):
        panel.rewrite(edit)
        panel.start("core", "uplink", "camera")
        keys[panel.panel] = str(panel.panel_x())
        panel.add_user()
        panel.settle()
        panel.move("hall-pir", "open")
        panel.desk(m.Press(zone="holdup-1"))
        yield panel, center


def held(center: Center, panel: Rig, kind: str) -> list[dict[str, Any]]:
    return [record for record in center.records(panel.panel) if record["header"]["kind"] == kind]


def ended(center: Center, panel: Rig) -> list[dict[str, Any]]:
    """The records of pictures, once the capture has told its last part."""

    def last(_: Center) -> bool:
        return any(record["payload"]["last"] for record in held(center, panel, "evidence.pictures"))

    assert center.wait(last, WAIT_S)
    return held(center, panel, "evidence.pictures")


def test_a_person_is_told_ahead_of_the_pictures_and_marks_the_alarm(tmp_path: Path) -> None:
    with site(tmp_path) as (panel, center):
        pictures = ended(center, panel)
        [person] = held(center, panel, "camera.person")
        [alarm] = held(center, panel, "alarm.hold-up")
        first = next(record for record in pictures if record["payload"]["verdict"] == "person")
        told, shown = person["payload"], first["payload"]
        assert person["header"]["lane"] == "status"
        assert person["header"]["seq"] == first["header"]["seq"] - 1
        assert (told["part"], told["score"]) == (shown["part"], shown["score"])
        assert told["score"] >= told["threshold"] == 400
        assert told["incident"] == alarm["payload"]["incident"]
        assert alarm["header"]["seq"] < person["header"]["seq"], "the alarm waits for no model"
        assert [a.note for a in alarms(center.store) if a.kind == "alarm.hold-up"] == ["person"]
        assert [len(model["sha256"]) for model in shown["models"]] == [64, 64]
        assert not held(center, panel, "alarm.confirmed")


def test_behind_a_mask_nobody_is_told(tmp_path: Path) -> None:
    """The same person, all but a strip of the picture masked."""

    def masked(text: str) -> str:
        assert THRESHOLD in text
        return text.replace(THRESHOLD, f"{THRESHOLD}\nmask = [[0, 120, 1000, 120, 1000, 1000, 0, 1000]]", 1)

    with site(tmp_path, masked) as (panel, center):
        assert {record["payload"]["verdict"] for record in ended(center, panel)} == {"unverified"}
        assert not held(center, panel, "camera.person")
        assert [a.note for a in alarms(center.store) if a.kind == "alarm.hold-up"] == [""]
