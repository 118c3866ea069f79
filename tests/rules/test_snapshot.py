"""The durable state as bytes: what is kept, what is refused, and how it moves to another boot or another panel file."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import (
    AreaMode,
    Condition,
    Site,
    TroubleChanged,
    User,
    UserSet,
    Wish,
    ZoneType,
    adapt,
    decode,
    encode,
    next_deadline,
    rebase,
)
from rules.members import AREA
from rules.snapshot import MAX_BYTES
from rules.state import Alarm, AreaState, Durable, PanelState, People, ZoneState, changed
from tests.rules.branch import CLERK, MANAGER, SIREN_MS, WRONG, Panel, branch, kinds


def _busy() -> Panel:
    """Something of everything."""
    panel = Panel()
    panel.code(CLERK, Wish.BYPASS, zone="pir")
    panel.play(TroubleChanged("path", True, "中心", "断"))
    for _ in range(5):
        panel.code(WRONG, at="kp-9")
    panel.armed()
    panel.trip("door")
    panel.read("window")
    panel.read("button")
    panel.read("corridor", Condition.OPEN)
    panel.read("door", Condition.FAULT)
    panel.remote(9, Wish.SILENCE, "vault")
    panel.start("restart", "c1")
    return panel


def test_a_busy_state_comes_back_whole() -> None:
    panel = _busy()
    back = decode(encode(panel.state))
    assert back.durable == panel.state.durable
    assert encode(back) == encode(panel.state)
    assert (back.live.conditions, back.live.attempts) == ({}, {})


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
ids = st.text("abz-09", min_size=1, max_size=5)
moments = st.integers(-(2**53) + 1, 2**53 - 1)
alarms = st.builds(Alarm, moments, moments, st.booleans(), st.tuples(ids))


def _area(id_: str, mode: AreaMode, moment: int, alarm: Alarm, text: str, ids_: tuple[str, ...]) -> AreaState:
    timed = mode in (AreaMode.EXIT_DELAY, AreaMode.ENTRY_DELAY)
    how = "" if mode is AreaMode.DISARMED else "code"
    kept = alarm if mode in (AreaMode.ALARM, AreaMode.DISARMED) else None
    return AreaState(
        id_,
        mode,
        moment if timed else None,
        text,
        text,
        how,
        entry_zones=ids_,
        alarm=kept,
        strobe=bool(moment % 2),
        memory=ids_,
    )


areas = st.dictionaries(ids, st.tuples(st.sampled_from(AreaMode), moments, alarms, texts, st.tuples(ids)), max_size=4)
zones = st.dictionaries(
    ids,
    st.tuples(st.booleans(), st.sampled_from(["", "alarm.hold-up"]), st.sampled_from(["", "short"]), st.just("masked")),
)
users = st.dictionaries(ids, st.tuples(texts, st.integers(2, 3), st.tuples(ids), texts, texts), max_size=3)


@settings(max_examples=150, deadline=None)
@given(
    areas, zones, users, st.dictionaries(texts, texts, max_size=3), st.dictionaries(texts, moments, max_size=3), moments
)
def test_any_state_comes_back_and_is_canonical(
    areas: Any, zones: Any, users: Any, troubles: dict[str, str], lockouts: dict[str, int], moment: int
) -> None:
    durable = Durable(
        areas={id_: _area(id_, *rest) for id_, rest in areas.items()},
        zones={id_: ZoneState(id_, b, False, *rest) for id_, (b, *rest) in zones.items()},
        people=People({id_: User(id_, *rest) for id_, rest in users.items()}),
        troubles=troubles,
        lockouts=lockouts,
        incident=abs(moment),
        powered_ms=moment,
    )
    data = encode(PanelState(durable))
    assert decode(data).durable == durable
    plain = json.dumps(json.loads(data), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert data == plain.encode()


def test_a_changed_copy_forgets_the_pieces_of_the_original() -> None:
    area = AreaState("hall", memory=("door",))
    assert AREA.write(area) == '{"memory":["door"]}'
    other = changed(area, strobe=True)
    assert other == replace(area, strobe=True)
    assert AREA.write(other) == '{"memory":["door"],"strobe":true}'


def _broken(**changes: Any) -> bytes:
    value = json.loads(encode(_busy().state))
    for path, new in changes.items():
        *way, last = path.split("__")
        place = value if path == "version" else value["state"]
        for name in way:
            place = place[name]
        place[last] = new
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "snapshot: found no JSON"),
        (b"\xff\xfe", "snapshot: found no JSON"),
        (b"[" * 100_000, "snapshot: found no JSON"),
        (b" " * (MAX_BYTES + 1), f"snapshot: found {MAX_BYTES + 1} bytes, expected at most {MAX_BYTES}"),
        (b"[]", "$.version: found '[]', expected version 2 or 1"),
        (b"{}", "$.version: found 'None', expected version 2 or 1"),
        (b" " + _broken(), "snapshot: found other spacing, order or escapes"),
        (_broken(version=3), "$.version: found '3', expected version 2 or 1"),
        (_broken(cellar=1), "$.state: found 'areas cellar"),
        (_broken(areas__hall__cellar=1), "$.state.areas.hall: found 'alarm"),
        (_broken(zones__door={}), "$.state.zones.door: found '{}', expected something that stands"),
        (_broken(zones__door={"alarm": "alarm.fun"}), "$.state.zones.door.alarm: found 'alarm.fun'"),
        (_broken(counter=-1), "$.state.counter: found '-1', expected 0 or more"),
        (_broken(counter=True), "$.state.counter: found 'True', expected int"),
        (_broken(incident=1.5), "$.state.incident: found '1.5', expected int"),
        (_broken(counter=2**53), "$.state.counter: found '9007199254740992', expected a whole number"),
        (
            _broken(areas__hall__mode="asleep"),
            "$.state.areas.hall.mode: found 'asleep', expected one of disarmed, exit-delay",
        ),
        (_broken(areas__hall__mode="entry-delay"), "$.state.areas.hall.deadline: found 'None', expected a moment"),
        (_broken(areas__hall__deadline=5), "$.state.areas.hall.deadline: found '5', expected null"),
        (_broken(areas__hall__alarm=None), "$.state.areas.hall.alarm: found 'None', expected an object"),
        (_broken(areas__vault__how=""), "$.state.areas.vault.how: found '', expected how it was armed"),
        (_broken(areas__hall__memory=["a", 1]), "$.state.areas.hall.memory[1]: found '1', expected str"),
        (_broken(zones__pir__tamper="torn"), "$.state.zones.pir.tamper: found 'torn', expected one of"),
        (_broken(lockouts=[["kp"]]), "$.state.lockouts[0]: found \"['kp']\", expected a pair"),
        (_broken(people__clerk__key=5), "$.state.people.clerk.key: found 'int', expected str"),
        (
            _broken(config_hash="c2").replace(b'"c2"', b'"\\ud800"'),
            "snapshot: found text with a lone surrogate, expected Unicode text",
        ),
    ],
)
def test_malformed_snapshots_are_refused_with_place_found_and_expected(data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        decode(data)


def _read(data: bytes) -> PanelState | str:
    """The state, or what was wrong."""
    try:
        return decode(data)
    except ValueError as error:
        return str(error)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_mutated_snapshots_are_refused_or_mean_just_what_they_say(data: st.DataObject) -> None:
    whole = bytearray(encode(_busy().state))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=4))
    found = _read(bytes(whole))
    assert encode(found) == bytes(whole) if isinstance(found, PanelState) else "expected" in found


def test_no_key_is_in_an_error() -> None:
    value = json.loads(encode(_busy().state))
    value["state"]["people"]["clerk"]["key"] = [CLERK]
    with pytest.raises(ValueError, match="expected str") as caught:
        decode(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())
    assert CLERK not in str(caught.value)


@pytest.mark.parametrize("shift", [-10_000_000, -1, 0, 1, 10_000_000])
def test_rebase_moves_every_moment(shift: int) -> None:
    panel = _busy()
    panel.start("power-up", "c1")
    panel.read("pir")
    panel.trip("door")
    state, moved = panel.state, rebase(panel.state, shift)
    due, later = next_deadline(state), next_deadline(moved)
    assert due is not None
    assert later == due + shift
    assert rebase(moved, -shift) == state
    found = moved.areas["hall"].alarm
    was = state.areas["hall"].alarm
    assert found is not None
    assert was is not None
    assert (found.since, found.until) == (was.since + shift, was.until + shift)
    assert moved.durable.lockouts["kp-9"] == state.durable.lockouts["kp-9"] + shift
    assert moved.durable.powered_ms == panel.now + shift


def _without(site: Site, *gone: str) -> Site:
    areas = {id_: a for id_, a in site.areas.items() if id_ not in gone}
    zones = {
        id_: replace(z, areas=kept)
        for id_, z in site.zones.items()
        if id_ not in gone and (kept := tuple(a for a in z.areas if a in areas))
    }
    outputs = {
        id_: replace(o, areas=kept)
        for id_, o in site.outputs.items()
        if id_ not in gone and (kept := tuple(a for a in o.areas if a in areas))
    }
    return Site(areas, zones, outputs, site.timings)


def test_a_state_that_fits_is_not_changed_by_fitting() -> None:
    panel = _busy()
    assert encode(adapt(panel.site, panel.state)) == encode(panel.state)


def test_an_area_that_remains_stays_armed_and_sounding() -> None:
    panel = Panel().armed()
    panel.read("window")
    panel.read("door")
    panel.site = _without(branch(), "vault", "window")
    panel.state = adapt(panel.site, panel.state)
    assert panel.mode() is AreaMode.ALARM
    assert panel.on() == {"bell", "buzzer", "strobe", "lamp"}
    assert set(panel.state.areas) == {"hall"}
    assert panel.state.users["manager"].areas == ("hall",)
    panel.wait(SIREN_MS)
    assert panel.mode() is AreaMode.ARMED


def test_a_new_area_begins_disarmed() -> None:
    panel = Panel(_without(branch(), "vault"), users=False)
    panel.play(UserSet("t", User("m", "m", 2, ("hall",), MANAGER)))
    panel.armed("hall")
    panel.site = branch()
    panel.state = adapt(panel.site, panel.state)
    assert (panel.mode("hall"), panel.mode("vault")) == (AreaMode.ARMED, AreaMode.DISARMED)


def test_an_entry_delay_whose_door_left_the_panel_file_still_ends_in_an_alarm() -> None:
    panel = Panel().armed("hall")
    panel.trip("door")
    panel.site = _without(branch(), "door")
    panel.state = adapt(panel.site, panel.state)
    panel.wait(60_000)
    assert panel.mode() is AreaMode.ALARM
    assert "bell" in panel.on()


def test_the_bypass_of_a_zone_that_may_not_be_bypassed_any_more_ends() -> None:
    panel = Panel()
    panel.code(CLERK, Wish.BYPASS, zone="window")
    site = branch()
    panel.site = replace(site, zones={**site.zones, "window": replace(site.zones["window"], bypassable=False)})
    panel.state = adapt(panel.site, panel.state)
    assert not panel.state.zones


@pytest.mark.parametrize("left", ["a bypass", "an alarm"])
def test_a_zone_that_became_a_hold_up_button_swallows_no_press(left: str) -> None:
    panel = Panel()
    if left == "a bypass":
        panel.code(CLERK, Wish.BYPASS, zone="window")
    else:
        panel.armed()
        panel.read("window")
    site = branch()
    button = replace(site.zones["window"], type=ZoneType.HOLD_UP)
    panel.site = replace(site, zones={**site.zones, "window": button})
    panel.state = adapt(panel.site, panel.state)
    panel.start(config="c1")
    assert "alarm.hold-up" in kinds(panel.read("window"))
