"""What holds in every life of a panel whose site has everything, whatever happens to it."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules import (
    AreaMode,
    CodeEntered,
    Condition,
    DeadlinePassed,
    Effect,
    OutputKind,
    PanelState,
    Record,
    Switch,
    Tell,
    ZoneChanged,
    adapt,
    decode,
    encode,
    next_deadline,
    rebase,
)
from rules.vocabulary import KINDS
from tests.rules.branch import Panel
from tests.rules.full import bank
from tests.rules.wild import OWN_AND_DURESS, Night, nights, quiet_life, stimuli

lives = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
NORMAL, ACTIVE = Condition.NORMAL, Condition.ACTIVE
SILENT_ZONES = ("button", "button-2", "foot-rail")
EVERYTHING: dict[str, Any] = {"abort_ms": 30_000, "auto_part": "night", "reset_level": 3}


def site_of(panel_timings: bool) -> Panel:
    """With the timings of profile `cn`, or with all that reduces false alarms."""
    return bank(**EVERYTHING) if panel_timings else bank()


def played(panel: Panel, night: Night, each: Callable[[], None], *, punctual: bool = True) -> None:
    """Play a night; `punctual`: every deadline is called when it is due, as core does."""
    for pause, stimulus in night:
        end = panel.now + pause
        while punctual and (due := next_deadline(panel.state)) is not None and due <= end:
            panel.now = max(panel.now, due)
            panel.play(DeadlinePassed())
            each()
        panel.now = end
        panel.play(stimulus)
        each()


def seen(effects: Iterable[Effect]) -> list[Effect]:
    """What can be heard, seen or read at the panel."""
    return [e for e in effects if isinstance(e, Switch | Tell)]


def loud(effects: Iterable[Effect]) -> list[str]:
    """The kinds of what is not silent."""
    return [e.kind for e in effects if isinstance(e, Record) and not KINDS[e.kind].silent]


@lives
@given(nights(stimuli), st.booleans(), st.booleans())
def test_whatever_happens_a_step_is_sound(night: Night, everything: bool, punctual: bool) -> None:
    panel = site_of(everything)
    on: set[str] = set()

    def check() -> None:
        for effect in panel.effects:
            if isinstance(effect, Record):
                assert effect.kind in KINDS
                assert json.loads(json.dumps(effect.payload)) == effect.payload
            elif isinstance(effect, Switch):
                assert (effect.output in on) is not effect.on, f"{effect} changes nothing"
                (on.add if effect.on else on.discard)(effect.output)
        assert panel.on() == on, "what was switched is not what is wanted"
        due = next_deadline(panel.state)
        assert due is None or due > panel.now, "a deadline that has passed still stands"

    played(panel, night, check, punctual=punctual)
    assert decode(encode(panel.state)).durable == panel.state.durable
    assert adapt(panel.site, panel.state).durable == panel.state.durable


@lives
@given(nights(stimuli), st.booleans(), st.data())
def test_a_silent_button_changes_nothing_that_can_be_seen(night: Night, everything: bool, data: st.DataObject) -> None:
    plain, pressed = site_of(everything), site_of(everything)
    presses = data.draw(st.lists(st.tuples(st.integers(0, len(night) - 1), st.sampled_from(SILENT_ZONES)), min_size=1))
    heard = 0
    for i, (pause, stimulus) in enumerate(night):
        if isinstance(stimulus, ZoneChanged) and stimulus.zone in SILENT_ZONES:
            continue  # their lines are not silent
        if isinstance(stimulus, CodeEntered) and stimulus.hold_up:
            stimulus = replace(stimulus, hold_up=False)  # an installer who tests the buttons sees them
        for zone in [zone for at, zone in presses if at == i]:
            effects = pressed.read(zone, NORMAL if heard % 3 == 2 else ACTIVE)
            heard += 1
            assert (seen(effects), loud(effects)) == ([], [])
        for panel in (plain, pressed):
            panel.wait(pause)
            panel.play(stimulus)
        assert seen(plain.effects) == seen(pressed.effects)
        assert plain.on() == pressed.on()
        assert plain.view() == pressed.view()
        assert next_deadline(plain.state) == next_deadline(pressed.state)
    assert loud(e for _, e in plain.log) == loud(e for _, e in pressed.log)


@lives
@given(nights(quiet_life), st.booleans())
def test_a_duress_code_changes_nothing_that_can_be_seen(night: Night, everything: bool) -> None:
    own_of = {duress: own for own, duress in OWN_AND_DURESS.items()}
    plain, forced = site_of(everything), site_of(everything)
    for pause, stimulus in night:
        twin = stimulus
        if isinstance(stimulus, CodeEntered):
            stimulus = replace(stimulus, key=own_of.get(stimulus.key, stimulus.key))
            twin = replace(stimulus, key=OWN_AND_DURESS.get(stimulus.key, stimulus.key))
        known = isinstance(twin, CodeEntered) and twin.key in forced.state.durable.people.by_key
        plain.wait(pause)
        forced.wait(pause)
        usual, effects = plain.play(stimulus), forced.play(twin)
        if twin is not stimulus and twin != stimulus and known:
            assert next(e.kind for e in effects if isinstance(e, Record)) == "alarm.duress"
        assert seen(usual) == seen(effects)
        assert loud(usual) == loud(effects)
        assert plain.on() == forced.on()
        assert plain.view() == forced.view()


def stands(state: PanelState, zone: str) -> bool:
    """Whether what the zone reads was told, so that it says nothing new when it is read again."""
    known = state.zones.get(zone)
    entering = any(zone in a.entry_zones for a in state.areas.values() if a.mode is AreaMode.ENTRY_DELAY)
    return entering or (known is not None and bool(known.alarm or known.tamper or known.fault or known.day))


@lives
@given(nights(quiet_life), st.booleans(), st.sampled_from(["restart", "power-up"]), st.integers(0, 5_000))
def test_a_restart_alarms_for_nothing_that_stands(night: Night, everything: bool, cause: str, boot_ms: int) -> None:
    panel = site_of(everything)
    played(panel, night, lambda: None)
    state, view = panel.state, panel.view()
    brief = {o.id for o in panel.site.outputs.values() if o.kind is OutputKind.CHIME} | set(state.live.chimes)
    on = panel.on() - brief
    reads = {id_: state.live.conditions.get(id_, NORMAL) for id_ in panel.site.zones}
    new = {id_ for id_, c in reads.items() if c is not NORMAL and not stands(state, id_)}
    restored = decode(encode(state))
    if cause == "power-up":
        restored, panel.now = rebase(restored, boot_ms - panel.now), boot_ms
    panel.state = adapt(panel.site, restored)
    zones = panel.state.zones
    before = len(panel.log)
    panel.start(cause)
    for id_, condition in reads.items():
        panel.read(id_, condition)
    records = [e for _, e in panel.log[before:] if isinstance(e, Record)]
    told = [r for r in records if r.kind not in ("panel.started", "test.walk-ended")]
    assert {str(r.payload.get("zone")) for r in told} <= new, "something that stands was told again"
    if not told and state.durable.walk is None:
        assert panel.view() == view
        assert panel.on() - brief == on
        assert panel.state.zones == zones
