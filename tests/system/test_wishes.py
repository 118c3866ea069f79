"""What people ask for at the keypad and the technician's socket, and what the clock brings, over real processes."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from firmware.protocol import messages as m
from firmware.protocol.lines import Client
from hil import desk
from hil.demo_panel import Refused
from tests.system.rig import CODE, Process, Rig, rig

HERE = ZoneInfo("Asia/Shanghai")
TEMP, FITTER = "577215", "161803"


def quick(text: str) -> str:
    """The demo's bank without exit delays; its back door may be forced out of the way."""
    text = text.replace("exit_delay_s = 8", "exit_delay_s = 0")
    return text.replace('id = "back-door"', 'id = "back-door"\nforceable = true')


@pytest.fixture
def panel() -> Iterator[Rig]:
    with rig(edit=quick) as made:
        made.start("core")
        made.add_user()
        made.settle()
        yield made


def status_of(panel: Rig, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What `fenghuo desk status` shows, a row each, without the frame."""
    assert desk.main(["status", "--dir", str(panel.folder)]) == 0
    return [" ".join(line.replace("│", " ").split()) for line in capsys.readouterr().out.splitlines()]


def code(panel: Rig, wish: str, told: str, *words: str, digits: str = CODE) -> None:
    """Type a code with `fenghuo desk`, and wait for what the keypad shows."""
    since = panel.mark()
    assert desk.main(["code", digits, "--wish", wish, *words, "--dir", str(panel.folder)]) == 0
    panel.wait("tell", told, since=since)


def test_a_part_is_armed_and_shown_and_what_is_out_of_it_rests(panel: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    part = panel_part(panel)
    code(panel, "arm", "armed", "--part", part, "--instant", "--area", "hall")
    assert panel.status()["areas"]["hall"] | {"memory": []} == {
        "mode": "armed",
        "part": part,
        "instant": True,
        "alarm": False,
        "exit_error": False,
        "memory": [],
    }
    assert any(row.startswith(f"hall armed {part}, instant") for row in status_of(panel, capsys))
    assert "area.part-armed" in panel.kinds()


def panel_part(panel: Rig) -> str:
    """The first part set of the panel file."""
    text = panel.panel_toml.read_text().partition("[[part]]")[2]
    return text.partition('id = "')[2].partition('"')[0]


@pytest.mark.clause("GB 50394 zone shown", "GB 50394 held until reset")
def test_an_indication_stands_until_it_is_reset(panel: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    code(panel, "arm", "armed", "--area", "hall")
    since = panel.mark()
    panel.move("back-door", "open")
    panel.wait("tell", "alarm", since=since)
    panel.move("back-door", "close")
    panel.wait("condition", "back-door", "normal", since=since)
    code(panel, "disarm", "disarmed")
    rows = status_of(panel, capsys)
    (shown,) = [row for row in rows if row.startswith("1. intruder alarm: zone ")]
    assert shown.endswith("(hall)")
    code(panel, "reset", "reset")
    assert panel.status()["indications"] == []
    assert not [row for row in status_of(panel, capsys) if row.startswith("1. ")]


@pytest.mark.clause("EN 50131-1 prevention detector active", "EN 50131-1 log override")
def test_an_override_arms_in_spite_of_an_open_zone_and_is_recorded(panel: Rig) -> None:
    panel.move("back-door", "open")
    panel.wait("condition", "back-door", "active")
    code(panel, "arm", "arming-refused", "--area", "hall")
    assert panel.mode() == "disarmed"
    code(panel, "arm", "armed", "--area", "hall", "--override")
    assert (panel.mode(), panel.status()["zones"]["back-door"]["bypassed"]) == ("armed", True)
    (record,) = [r for r in panel.records() if r["kind"] == "area.arming-overridden"]
    assert record["payload"]["reasons"] == ["active:back-door"]


@pytest.mark.clause("EN 50131-1 log battery")
@pytest.mark.parametrize(("line", "ok"), [("close", True), ("gone", False)])
def test_a_battery_is_tested_by_its_line(line: str, ok: bool) -> None:
    def edit(text: str) -> str:
        return text if line == "close" else text.replace("battery_line =", "# battery_line =")

    with rig(edit=edit) as panel:
        panel.start("core")
        panel.add_user()
        panel.settle()
        if ok:
            read(panel)
        since = panel.mark()
        panel.code(wish="battery-test")
        ended = panel.wait("record", "test.battery-ended", since=since)
        assert ended.value["ok"] is ok
        assert ended.value["detail"] == ("line only, no load test" if ok else "no battery line")
        assert "battery-test" not in panel.status()["troubles"], "what can't be tested is no trouble"


def read(panel: Rig) -> None:
    """Until core has read its supply: its lines are debounced longer than the zones'."""
    panel.desk(m.Mains(on=False))
    end = time.monotonic() + 15
    while "mains" not in panel.status()["troubles"]:
        assert time.monotonic() < end
        time.sleep(0.05)


def day(offset: int) -> str:
    """A day from now, at the panel."""
    return (datetime.now(HERE).date() + timedelta(days=offset)).isoformat()


@pytest.mark.parametrize(("first", "last", "counts"), [(0, 1, True), (-9, -1, False), (1, 9, False)])
def test_a_dated_code_counts_on_its_days(panel: Rig, first: int, last: int, counts: bool) -> None:
    days = {"first_day": day(first), "last_day": day(last)}
    panel.technician(
        m.SetUser(id="temp", name="Temp", level=2, areas=["hall"], new_code=TEMP, code=CODE, **days)  # type: ignore[arg-type]
    )
    assert panel.status()["users"]["temp"]["first_day"] == days["first_day"]
    code(panel, "arm", "armed" if counts else "not-valid-now", digits=TEMP)
    assert panel.mode() == ("armed" if counts else "disarmed")
    assert ("code.refused" in panel.kinds()) is not counts


@pytest.mark.clause("EN 50131-1 levels consent", "EN 50131-1 levels users")
def test_an_installer_commissions_and_then_needs_a_grant() -> None:
    with rig() as panel:
        panel.start("core")
        panel.settle()
        add(panel, "fitter", 3, FITTER, "")
        add(panel, "manager", 2, CODE, FITTER)
        with pytest.raises(Refused, match="no-grant"):
            add(panel, "clerk", 2, TEMP, FITTER)
        with pytest.raises(Refused, match="code: not that of a user"):
            add(panel, "second", 3, TEMP, CODE)
        code(panel, "grant", "granted")
        add(panel, "clerk", 2, TEMP, FITTER)
        assert panel.status()["installer"] is True
        assert set(panel.status()["users"]) == {"fitter", "manager", "clerk"}


def add(panel: Rig, id_: str, level: int, new: str, code: str) -> None:
    panel.technician(m.SetUser(id=id_, name=id_, level=level, areas=["hall"], new_code=new, code=code))


def test_the_wall_clock_runs_though_no_socket_can_be_opened() -> None:
    """The daily report is due three minutes from now, and the panel's minutes pass in a second."""
    now = datetime.now(UTC).astimezone(HERE)
    due = now + timedelta(minutes=3)
    report = f'[timings]\nreport_time = "{due:%H:%M}"'
    with rig(clock_rate=60, edit=lambda text: text.replace("[timings]", report)) as panel:
        for name in ("uplink", "camera", "technician", "desk"):
            (panel.run / f"{name}.sock").mkdir(parents=True)
        panel.processes["core"] = Process(panel, "core").wait_ready()
        end = time.monotonic() + 20
        while "test.report" not in {kind.removesuffix("-trouble") for kind in panel.kinds()}:
            assert time.monotonic() < end, panel.kinds()
            time.sleep(0.1)
        (record,) = [r for r in panel.records() if r["kind"].startswith("test.report")]
        began = next(r for r in panel.records() if r["kind"] == "panel.started")
        assert record["monotonic_ms"] - began["monotonic_ms"] > 60_000, "it was due at the start, not by the clock"


def test_a_pressed_duress_button_is_in_no_telemetry() -> None:
    """Telemetry is chatter of zones, for whoever maintains them: a silent one must not chat."""

    def edit(text: str) -> str:
        before, holdup, after = text.partition('id = "holdup-1"')
        return before + holdup + after.replace('type = "hold-up"', 'type = "duress"', 1)

    with rig(edit=edit) as panel:
        panel.start("core")
        panel.settle()
        uplink = Client(panel.run / "uplink.sock")
        panel.desk(m.Press(zone="holdup-1", hold_ms=1000))
        panel.wait("record", "alarm.duress-button")
        panel.move("back-door", "open")
        told: list[str] = []
        end = time.monotonic() + 15
        while "back-door" not in told:
            assert time.monotonic() < end, told
            line = uplink.receive(1.0) or {}
            told += [item["data"].get("zone", "") for item in line.get("items", ())]
        uplink.close()
        assert "holdup-1" not in told
