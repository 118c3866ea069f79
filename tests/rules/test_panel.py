"""Start, stop, settling, troubles, notes: the panel itself."""

import pytest

from rules import (
    AreaMode,
    Condition,
    Noted,
    PanelStarted,
    PanelStopping,
    TroubleChanged,
    Wish,
    ZoneType,
    decode,
    encode,
    rebase,
)
from rules.troubles import MAX_TROUBLES
from tests.rules.branch import (
    CLERK,
    ENTRY_MS,
    EXIT_MS,
    LOCKOUT_MS,
    SIREN_MS,
    WRONG,
    Panel,
    branch,
    kinds,
    payload,
    switched,
    told,
)


def _restart(panel: Panel, cause: str = "restart", dark_ms: int = 0) -> None:
    """Killed at this moment, and back from its bytes `dark_ms` later (a new boot's clock starts at 500)."""
    panel.state = decode(encode(panel.state))
    if cause == "power-up":
        panel.state = rebase(panel.state, 500 - panel.now)
        panel.now = 500
    else:
        panel.now += dark_ms
    panel.start(cause)


def test_a_start_is_recorded_with_its_cause_and_the_panel_file() -> None:
    panel = Panel()
    effects = panel.start("first", "c1")
    assert payload(effects, "panel.started") == {"cause": "first", "dark_ms": 5, "version": "1.0", "config_hash": "c1"}
    assert payload(effects, "config.installed") == {"old": "", "new": "c1"}
    assert kinds(panel.start("restart", "c1")) == ["panel.started"]
    assert payload(panel.start("restart", "c2"), "config.installed") == {"old": "c1", "new": "c2"}


def test_a_start_from_an_image_names_the_verified_root() -> None:
    started = PanelStarted("power-up", 5, "1.0", "c1", root_hash="ab" * 32)
    assert payload(Panel().play(started), "panel.started")["root_hash"] == "ab" * 32


def test_a_stop_is_recorded() -> None:
    assert payload(Panel().play(PanelStopping("update")), "panel.stopped") == {"reason": "update"}


@pytest.mark.clause("GB 50394 comes back set", "GB 50394 power off", "EN 50131-1 power loss")
@pytest.mark.parametrize("cause", ["restart", "power-up"])
def test_an_armed_panel_comes_back_armed(cause: str) -> None:
    panel = Panel().armed()
    _restart(panel, cause)
    assert panel.mode() is AreaMode.ARMED
    assert kinds(panel.read("window")) == ["alarm.intruder"]


def test_a_siren_goes_on_for_the_time_that_remained() -> None:
    panel = Panel().armed()
    panel.read("window")
    panel.wait(100_000)
    _restart(panel, "power-up")
    assert "bell" in panel.on()
    panel.wait(SIREN_MS - 100_000 - 1)
    assert "bell" in panel.on()
    assert kinds(panel.wait(1)) == ["siren.stopped"]


def test_a_siren_whose_time_passed_in_the_dark_stops_at_the_start() -> None:
    panel = Panel().armed()
    panel.read("window")
    _restart(panel, "restart", SIREN_MS + 1)
    assert kinds(panel.effects) == ["panel.started", "config.installed", "siren.stopped"]
    assert ("bell", False) in switched(panel.effects)


def test_an_entry_delay_that_ran_out_in_the_dark_is_an_alarm() -> None:
    panel = Panel().armed()
    panel.read("door")
    _restart(panel, "restart", ENTRY_MS + 1)
    assert "alarm.entry" in kinds(panel.effects)
    assert "bell" in panel.on()


def test_the_exit_delay_goes_on() -> None:
    panel = Panel()
    panel.code(CLERK, Wish.ARM)
    panel.wait(20_000)
    _restart(panel, "power-up")
    assert kinds(panel.wait(EXIT_MS - 20_001)) == []
    assert panel.mode() is AreaMode.EXIT_DELAY
    assert kinds(panel.wait(1)) == ["area.armed"]


def test_bypass_and_lock_out_survive_and_attempts_do_not() -> None:
    panel = Panel()
    panel.code(CLERK, Wish.BYPASS, zone="window")
    for _ in range(5):
        panel.code(WRONG)
    _restart(panel, "power-up")
    assert panel.state.zones["window"].bypassed
    assert told(panel.code(CLERK)) == ["locked-out"]
    panel.wait(LOCKOUT_MS)
    assert told(panel.code(WRONG)) == ["wrong-code"]


def test_what_changed_in_the_dark_is_noticed() -> None:
    panel = Panel().armed()
    _restart(panel)
    assert kinds(panel.read("window")) == ["alarm.intruder"]
    assert kinds(panel.read("door")) == ["alarm.entry"]


def test_what_ended_in_the_dark_is_restored() -> None:
    panel = Panel().armed()
    panel.read("window")
    panel.read("pir", Condition.OPEN)
    panel.read("corridor", Condition.FAULT)
    _restart(panel)
    ended = [kinds(panel.read(zone, Condition.NORMAL)) for zone in ("window", "pir", "corridor")]
    assert ended == [["restore.intruder"], ["restore.sensor-tamper"], ["zone.fault-ended"]]


def test_an_alarm_that_stands_does_not_alarm_again_after_a_restart() -> None:
    panel = Panel().armed()
    panel.read("window")
    panel.read("pir", Condition.OPEN)
    panel.read("button")
    panel.wait(SIREN_MS)
    _restart(panel)
    assert [panel.read("window"), panel.read("pir", Condition.OPEN), panel.read("button")] == [(), (), ()]
    assert panel.on() == {"strobe", "lamp"}


def test_a_door_that_alarmed_and_is_still_open_starts_no_entry_delay_after_a_restart() -> None:
    panel = Panel().armed()
    panel.read("door")
    panel.wait(ENTRY_MS + SIREN_MS)
    assert panel.mode() is AreaMode.ARMED
    _restart(panel)
    assert panel.read("door") == ()


def test_a_masked_detector_is_told_once_whatever_its_area_did_since() -> None:
    panel = Panel().armed()
    panel.read("pir", Condition.MASKED)
    panel.code(CLERK)
    _restart(panel)
    assert panel.read("pir", Condition.MASKED) == ()


def test_a_key_that_is_found_turned_moves_nothing() -> None:
    panel = Panel().armed()
    _restart(panel)
    assert panel.read("key") == ()
    assert panel.mode("vault") is AreaMode.ARMED


@pytest.mark.clause("CP-01 25")
@pytest.mark.parametrize("cause", ["first", "power-up"])
def test_a_pir_settles_after_power_up_and_counts_at_the_end(cause: str) -> None:
    panel = Panel().armed()
    panel.start(cause)
    assert panel.read("pir") == ()
    assert panel.wait(59_999) == ()
    assert kinds(panel.wait(1)) == ["alarm.intruder"]


def test_a_pir_that_came_to_rest_while_settling_does_not_alarm() -> None:
    panel = Panel().armed()
    panel.start("power-up")
    panel.trip("pir")
    assert kinds(panel.wait(60_000)) == []
    assert kinds(panel.read("pir")) == ["alarm.intruder"]


def test_settling_hides_no_cut_line() -> None:
    panel = Panel().armed()
    panel.start("power-up")
    panel.read("pir")
    assert kinds(panel.read("pir", Condition.OPEN)) == ["alarm.sensor-tamper"]
    assert kinds(panel.wait(60_000)) == []


@pytest.mark.parametrize(("zone", "kind"), [("button", "alarm.hold-up"), ("lid", "alarm.tamper")])
def test_hold_up_and_tamper_never_settle(zone: str, kind: str) -> None:
    panel = Panel()
    assert panel.site.zones[zone].settle_ms > 0
    panel.start("power-up")
    assert kinds(panel.read(zone)) == [kind]


def test_a_restart_of_the_process_alone_does_not_settle_anew() -> None:
    panel = Panel().armed()
    panel.start("restart")
    assert kinds(panel.read("pir")) == ["alarm.intruder"]


def test_a_restart_while_settling_goes_on_settling() -> None:
    panel = Panel().armed()
    panel.start("power-up")
    panel.wait(40_000)
    _restart(panel)
    assert panel.read("pir") == ()
    panel.wait(19_999)
    assert kinds(panel.wait(1)) == ["alarm.intruder"]


def test_a_trouble_is_recorded_once_each_way() -> None:
    panel = Panel()
    effects = panel.play(TroubleChanged("path", True, "center-1", "no receipt"))
    assert payload(effects, "trouble.path") == {"trouble": "path", "subject": "center-1", "detail": "no receipt"}
    assert panel.play(TroubleChanged("path", True, "center-1", "again")) == ()
    assert panel.view()["troubles"] == ["path:center-1"]
    assert kinds(panel.play(TroubleChanged("path", False, "center-1"))) == ["trouble.path-ended"]
    assert panel.play(TroubleChanged("path", False, "center-1")) == ()
    assert panel.view()["troubles"] == []


def test_troubles_are_bounded_and_the_bound_is_reported() -> None:
    panel = Panel()
    for i in range(MAX_TROUBLES + 10):
        panel.play(TroubleChanged("driver", True, f"bus-{i}"))
    assert len(panel.state.durable.troubles) == MAX_TROUBLES + 1
    assert "rules" in panel.view()["troubles"]


def test_notes_of_a_noted_kind_are_recorded_and_others_are_not() -> None:
    panel = Panel()
    note = Noted("evidence.pictures", {"incident": 3})
    assert payload(panel.play(note), "evidence.pictures") == {"incident": 3}
    assert panel.play(Noted("alarm.intruder", {})) == ()
    assert panel.play(Noted("area.disarmed", {})) == ()
    assert panel.play(Noted("no.such-kind", {})) == ()


def test_unknown_names_have_no_effect() -> None:
    panel = Panel()
    assert panel.read("nothing") == ()
    assert panel.play(TroubleChanged("nothing", True)) == ()
    assert set(branch().zones) >= set(panel.state.zones)
    assert ZoneType.HOLD_UP in {zone.type for zone in panel.site.zones.values()}
