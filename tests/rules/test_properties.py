"""What holds in every life of a panel, whatever happens to it."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from rules import (
    AreaMode,
    CodeEntered,
    Condition,
    DeadlinePassed,
    PanelStarted,
    PanelState,
    Record,
    Stimulus,
    Switch,
    Tell,
    ZoneChanged,
    decode,
    encode,
    next_deadline,
    private_view,
    rebase,
)
from rules.state import Durable
from rules.vocabulary import KINDS
from tests.rules.branch import CLERK, MANAGER, MANAGER_DURESS, SIREN_MAX_MS, Panel, kinds
from tests.rules.oracle import Oracle
from tests.rules.strategies import SPARE, nights, pauses, stimuli, wild_nights

lives = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

Night = list[tuple[int, Stimulus]]


def played(panel: Panel, night: Night, each: Callable[[PanelState, Stimulus], None], *, punctual: bool = True) -> None:
    """Play a night; `punctual`: every deadline is called when it is due, as core does."""
    for pause, stimulus in night:
        end = panel.now + pause
        while punctual and (due := next_deadline(panel.state)) is not None and due <= end:
            panel.now = max(panel.now, due)
            before = panel.state
            panel.play(DeadlinePassed())
            each(before, DeadlinePassed())
        panel.now = end
        before = panel.state
        panel.play(stimulus)
        each(before, stimulus)


@pytest.mark.clause("GB 50394 no missed alarm", "EN 50131-1 siren 90 s to 15 min")
@lives
@given(nights, st.booleans())
def test_no_intruder_unheard_no_disarming_without_authority_no_siren_past_its_limit(
    night: Night, punctual: bool
) -> None:
    panel = Panel()
    oracle = Oracle(panel.view())
    oracle.users = {
        "manager": ({MANAGER, MANAGER_DURESS}, {"hall", "vault"}),
        "clerk": ({CLERK}, {"hall"}),
    }
    oracle.key_rested = True
    played(panel, night, lambda _, s: oracle.watch(s, panel.now, panel.effects, panel.view()), punctual=punctual)
    assert oracle.on == panel.on()


def recorded_part(state: PanelState) -> Durable:
    """The durable state without what may be lost by a crash, since it is worked out again or was only told.

    A siren's own time, what of a closing time was warned of, a grant that ran out, a trouble whose report waits, and of
    an exit delay who left and when it is told or ends.
    """
    durable = state.durable
    leaving = AreaMode.EXIT_DELAY
    areas = {
        id_: replace(a, left=False, warn_at=None, deadline=None if a.mode is leaving else a.deadline)
        for id_, a in durable.areas.items()
    }
    troubles = {name: text for name, text in durable.troubles.items() if name not in durable.delayed}
    return replace(
        durable, areas=areas, troubles=troubles, delayed={}, sirens={}, closings={}, granted=None, reported_day=0
    )


@lives
@given(wild_nights, st.booleans())
def test_a_step_never_raises_and_what_changes_is_recorded(night: Night, punctual: bool) -> None:
    panel = Panel()

    def check(before: PanelState, _: Stimulus) -> None:
        records = [e for e in panel.effects if isinstance(e, Record)]
        if recorded_part(before) != recorded_part(panel.state):
            assert records, "the durable state changed without a record"
        for record in records:
            assert record.kind in KINDS
            json.dumps(record.payload, ensure_ascii=False).encode()
        assert decode(encode(panel.state)).durable == panel.state.durable
        due = next_deadline(panel.state)
        assert due is None or due > panel.now, "a deadline that has passed still stands"

    played(panel, night, check, punctual=punctual)


@lives
@given(wild_nights)
def test_the_snapshot_is_canonical_json_and_holds_all_that_counts(night: Night) -> None:
    panel = Panel()
    played(panel, night, lambda *_: None)
    data = encode(panel.state)
    general = json.dumps(json.loads(data), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert data == general.encode()


@lives
@given(nights)
def test_alarm_goes_with_its_mode(night: Night) -> None:
    panel = Panel()

    def check(*_: object) -> None:
        for area in panel.state.areas.values():
            if area.mode.value in ("armed", "alarm"):  # this site has no zones that guard lives
                assert (area.mode.value == "alarm") is (area.alarm is not None)
            assert (area.mode.value in ("exit-delay", "entry-delay")) is (area.deadline is not None)
            if area.alarm is not None:
                assert area.alarm.until - area.alarm.since <= SIREN_MAX_MS

    played(panel, night, check)


def _shown(effects: Iterable[object]) -> list[object]:
    return [e for e in effects if isinstance(e, Switch | Tell)]


@pytest.mark.clause("EN 50131-1 hold-up set", "EN 50131-1 hold-up unset")
@lives
@given(nights, st.data())
def test_a_hold_up_shows_nowhere(night: Night, data: st.DataObject) -> None:
    night = [(p, s) for p, s in night if not (isinstance(s, ZoneChanged) and s.zone == "button")]
    plain, pressed = Panel(), Panel()
    presses = data.draw(st.sets(st.integers(0, len(night)), min_size=1))
    count = 0
    for i, (pause, stimulus) in enumerate(night):
        if i in presses:
            effects = pressed.trip("button") if i % 2 else pressed.read("button")
            assert not _shown(effects)
            count += kinds(effects).count("alarm.hold-up")
            assert pressed.view() == plain.view()
        for panel in (plain, pressed):
            panel.wait(pause)
            panel.play(stimulus)
        assert _shown(plain.effects) == _shown(pressed.effects)
        assert pressed.view() == plain.view()
        assert pressed.on() == plain.on()
        assert private_view(plain.site, plain.state) == private_view(pressed.site, pressed.state)
    plain_log = [e for _, e in plain.log if isinstance(e, Record) and not KINDS[e.kind].silent]
    pressed_log = [e for _, e in pressed.log if isinstance(e, Record) and not KINDS[e.kind].silent]
    assert [r.kind for r in plain_log] == [r.kind for r in pressed_log]


@pytest.mark.clause("EN 50131-1 duress looks the same")
@lives
@given(nights)
def test_duress_shows_nowhere(night: Night) -> None:
    plain, forced = Panel(), Panel()
    for pause, stimulus in night:
        twin = stimulus
        if isinstance(stimulus, CodeEntered) and stimulus.key in (MANAGER, MANAGER_DURESS):
            stimulus = CodeEntered(stimulus.source, MANAGER, stimulus.wish, stimulus.areas, stimulus.zone)
            twin = CodeEntered(stimulus.source, MANAGER_DURESS, stimulus.wish, stimulus.areas, stimulus.zone)
        plain.wait(pause)
        forced.wait(pause)
        usual, effects = plain.play(stimulus), forced.play(twin)
        if twin is not stimulus:
            assert kinds(effects)[0] == "alarm.duress"
        assert _shown(usual) == _shown(effects)
        assert plain.view() == forced.view()


@pytest.mark.clause("EN 50131-1 power loss", "CP-01 25")
@lives
@given(nights, pauses, st.sampled_from(["restart", "power-up"]))
def test_a_restart_keeps_what_was_and_alarms_for_nothing_that_stands(night: Night, dark: int, cause: str) -> None:
    panel = Panel()
    # Drivers report every zone after each start; here only after the last one.
    played(panel, [(p, s) for p, s in night if not isinstance(s, PanelStarted)], lambda *_: None)
    assume(panel.state.durable.walk is None and not panel.state.live.chimes)  # a start ends a test
    readings = {zone: panel.state.live.conditions.get(zone, Condition.NORMAL) for zone in panel.site.zones}
    view, on, zones = panel.view(), panel.on(), panel.state.zones
    left = {a.id: a.alarm.until - panel.now for a in panel.state.areas.values() if a.alarm}
    # What reads active in an armed area without having alarmed counts as just changed: not in this test.
    standing = {z.id for z in zones.values() if z.alarm or z.tamper or z.fault or z.bypassed}
    armed = {id_ for id_, area in view["areas"].items() if area["mode"] not in ("disarmed", "exit-delay")}
    open_ = {z for z, c in readings.items() if c is not Condition.NORMAL and z not in standing}
    assume(not any(armed & set(panel.site.zones[z].areas) for z in open_))
    restored = decode(encode(panel.state))
    if cause == "power-up":
        restored, panel.now = rebase(restored, dark - panel.now), dark
    panel.state = restored
    before = len(panel.log)
    panel.play(PanelStarted(cause, dark, "1", panel.state.durable.config_hash))
    for zone, condition in readings.items():
        panel.read(zone, condition)
    assert kinds(effect for _, effect in panel.log[before:]) == ["panel.started"]
    assert (panel.view(), panel.on(), panel.state.zones) == (view, on, zones)
    assert {a.id: a.alarm.until - panel.now for a in panel.state.areas.values() if a.alarm} == left


@lives
@given(nights, st.lists(stimuli, max_size=8))
def test_the_same_stimuli_give_the_same_effects_and_leave_the_state_before_alone(
    night: Night, more: list[Stimulus]
) -> None:
    first, second = Panel(), Panel()
    played(first, night, lambda *_: None)
    kept, data = first.state, bytes(encode(decode(encode(first.state))))
    for stimulus in more:
        first.play(stimulus)
    assert encode(decode(encode(kept))) == data
    played(second, night, lambda *_: None)
    for stimulus in more:
        second.play(stimulus)
    assert first.log == second.log
    assert first.state == second.state


@lives
@given(nights)
def test_no_key_leaves_the_rules(night: Night) -> None:
    panel = Panel()
    played(panel, night, lambda *_: None)
    text = str([e for _, e in panel.log]) + str(private_view(panel.site, panel.state, silent=True))
    assert not any(key in text for key in (MANAGER, MANAGER_DURESS, CLERK, SPARE))
