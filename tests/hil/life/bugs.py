"""Rules that are broken on purpose, one at a time: what a simulator must find, or it proves nothing.

Each bug is a small change that is made by a context manager and taken back at its end; `caught_by` are the promises of
which the oracle must see one broken. The lives that find it are the same that are clean without it.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import rules
from rules import (
    alarms,
    arming,
    daily,
    detect,
    entry,
    filters,
    pending,
    people,
    sessions,
    sirens,
    stepping,
    table,
    testing,
    tours,
    troubles,
    who,
    zones,
)
from rules.draft import Draft
from rules.site import Condition, Output, Zone, ZoneType
from rules.state import AreaState, changed
from rules.stimuli import ClockTold, CodeEntered, User
from rules.table import AreaEvent, AreaMode
from rules.zones import Reaction

Break = Callable[[], AbstractContextManager[None]]
_BURGLARS = {"burglary": 20.0, "prepared-burglary": 20.0, "late-visitor": 10.0}
_ALARMS = {"kill": 300.0, "burglary": 60.0, "tamper": 100.0, "chatter": 60.0}
_GUESSERS = {"code-guesser": 60.0}
_VISITORS = {"dated-user": 60.0, "one-time-user": 60.0}
_KILLS = {"kill": 20.0, "kill-in-alarm": 40.0, "power-cut": 10.0, "tamper": 40.0, "bypass-early": 40.0}


@dataclass(frozen=True)
class Bug:
    """One broken rule. `more`: kinds of `hil.life.rates` that happen so many times as often, so that it shows soon.

    `days`: the length of one life; several seeds are lived until it is found.
    """

    name: str
    break_: Break
    caught_by: tuple[str, ...]
    site: str = "crowded"
    more: Mapping[str, float] = field(default_factory=dict)
    days: int = 5


@contextmanager
def exchanged(old: Any, new: Any) -> Iterator[None]:
    """The room's modules hold `new` wherever they hold `old`."""
    places = [
        (module, name)
        for key, module in list(sys.modules.items())
        if key == "rules" or key.startswith("rules.")
        for name, value in list(vars(module).items())
        if value is old
    ]
    if not places:
        raise LookupError(f"nothing holds {old!r}")
    for module, name in places:
        setattr(module, name, new)
    try:
        yield
    finally:
        for module, name in places:
            setattr(module, name, old)


def _cells(old: Mapping[Any, Any], **_: None) -> Callable[[Mapping[Any, Any]], Break]:
    return lambda cells: lambda: exchanged(old, MappingProxyType({**old, **cells}))


_reactions, _following = _cells(zones.REACTIONS), _cells(table.FOLLOWING)


def _instead(old: Any, new: Any) -> Break:
    return lambda: exchanged(old, new)


# --- the broken rules that are more than a cell ---------------------------------------------------------------


def _nothing(*_: Any, **__: Any) -> None:
    """Instead of what a rule does."""


def _common_zone(d: Draft, zone: Zone) -> AreaMode:
    """Armed as soon as one of its areas is."""
    modes = {d.mode_in(zone, id_) for id_ in zone.areas}
    return next(mode for mode in reversed(table.PRECEDENCE) if mode in modes)


@contextmanager
def _common_zones() -> Iterator[None]:
    right = Draft.mode_of
    setattr(Draft, "mode_of", _common_zone)  # noqa: B010 - the type says that nobody should
    try:
        yield
    finally:
        setattr(Draft, "mode_of", right)  # noqa: B010


_zone_alarm = alarms.zone_alarm


def _hold_up_told(d: Draft, zone: Zone, kind: str, **more: Any) -> None:
    _zone_alarm(d, zone, kind, **more)
    if kind == "alarm.hold-up":
        d.tell("", "alarm", {"kind": "alarm", "areas": list(zone.areas)})


_cause = sirens._cause


def _everywhere(area: AreaState, output: Output, now: int) -> int | None:
    """External sirens sound for a disarmed area as well."""
    alarm = area.alarm
    return alarm.since if alarm is not None and not alarm.silenced else _cause(area, output, now)


def _endless(d: Draft, output: Output, was: Any) -> Any:
    """A siren knows no limit, nor the end of its alarm."""
    return was if was.on else _siren(d, output, was)


_siren = sirens._siren
_decode = rules.decode


def _forgets_alarms(data: bytes) -> rules.PanelState:
    """The snapshot loses the alarms that go on."""
    state = _decode(data)
    areas = {
        id_: changed(area, alarm=None, mode=table.FOLLOWING[area.mode, AreaEvent.ALARM_ENDED])
        for id_, area in state.areas.items()
    }
    return replace(state, durable=replace(state.durable, areas=areas, sirens={}))


def _forgets_what_stands(data: bytes) -> rules.PanelState:
    """The snapshot loses which alarms are told already."""
    state = _decode(data)
    stood = {id_: changed(z, alarm="", tamper="", fault="") for id_, z in state.zones.items()}
    return replace(state, durable=replace(state.durable, zones=stood))


def _forgets_bypasses(data: bytes) -> rules.PanelState:
    state = _decode(data)
    stood = {id_: changed(z, bypassed=False) for id_, z in state.zones.items()}
    return replace(state, durable=replace(state.durable, zones=stood))


def _comes_back_disarmed(data: bytes) -> rules.PanelState:
    state = _decode(data)
    return replace(state, durable=replace(state.durable, areas={id_: AreaState(id_) for id_ in state.areas}))


_code_entered = people.code_entered


def _deaf_in_lock_out(d: Draft, entered: CodeEntered) -> None:
    """During a lock-out not even a duress code is heard."""
    locked = d.durable.lockouts.get(entered.source, d.now) > d.now
    _code_entered(d, replace(entered, key="0") if locked else entered)


def _one_lock_for_all(_d: Draft, _source: str) -> str:
    return "*"


def _never_locks(d: Draft, asker: str, _source: str, _slot: str) -> None:
    d.tell(asker, "wrong-code", {})


def _drops_held(d: Draft, ids: list[str], who_: who.Who) -> None:
    """What waits is forgotten when somebody disarms."""
    gone = set(ids)
    d.keep(pending=tuple(p for p in d.durable.pending if not gone.intersection(p.areas)))
    _disarmed(d, ids, who_)


_disarmed = pending.disarmed
_delay_of, _told, _record = entry.delay_of, daily.told, Draft.record


def _twice_as_long(d: Draft, zone: Zone, area: AreaState) -> int:
    return 2 * _delay_of(d, zone, area)


def _disarms_at_opening(d: Draft, clock: ClockTold) -> None:
    """The schedule opens the doors too."""
    _told(d, clock)
    for area in list(d.areas.values()):
        schedule = d.site.schedules.get(d.site.areas[area.id].schedule)
        hours = schedule.week[(clock.day - 1) % 7] if schedule else None
        if hours and hours.opens == clock.minute and area.mode is AreaMode.ARMED:
            d.set_area(area, mode=AreaMode.DISARMED)


def _resets_all(d: Draft, ids: list[str], who_: who.Who) -> list[str]:
    """Disarming resets the indications too."""
    d.keep(indications=())
    return _disarm(d, ids, who_)


_disarm = arming.disarm


def _alone(_d: Draft, zone: Zone) -> list[Zone]:
    return [zone]


def _once(_d: Draft, _zone: Zone) -> bool:
    return True


def _every_day(_d: Draft, _user: User) -> bool:
    return True


_moved = detect.zone_changed


def _trusts_restless(d: Draft, id_: str, condition: Condition) -> None:
    """A driver that repeats what stands alarms again."""
    if d.live.conditions.get(id_) is condition:
        d.set_zone(changed(d.zone(id_), alarm="", tamper=""))
        detect.react(d, d.site.zones[id_], condition)
    _moved(d, id_, condition)


_hold = pending.hold


def _hurried(d: Draft, zone: Zone, kind: str, incident: int) -> bool:
    """A held report goes out at once all the same."""
    held = _hold(d, zone, kind, incident)
    for p in d.durable.pending if held else ():
        if p.incident == incident:
            d.keep(pending=tuple(replace(q, due=d.now + 1) if q is p else q for q in d.durable.pending))
    return held


def _all_day(d: Draft, clock: ClockTold) -> None:
    """The daily report comes every hour."""
    _told(d, clock)
    if clock.minute % 60 == 0:
        d.record("test.report", {"set": [], "troubles": [], "bypassed": [], "isolated": [], "indications": 0})


def _only_told(d: Draft) -> None:
    """Mains that were lost for long are forgotten, not reported."""
    over = [name for name, until in d.durable.delayed.items() if until <= d.now]
    if over:
        d.keep(delayed={name: until for name, until in d.durable.delayed.items() if name not in over})


def _goes_on(d: Draft) -> None:
    """A walk test that is over begins anew."""
    walk = d.durable.walk
    if walk is not None and walk.until <= d.now:
        d.keep(walk=replace(walk, until=d.now + 3_600_000))
    _over(d)


_over = testing.over


def _swept(over: Callable[[Draft], None], instead: Callable[[Draft], None]) -> Break:
    """One of the deadlines is looked at in another way."""
    kept = tuple(instead if each is over else each for each in stepping._DEADLINES)
    return _instead(stepping._DEADLINES, kept)


ARMED, ALARM, DISARMED = AreaMode.ARMED, AreaMode.ALARM, AreaMode.DISARMED
_ACTIVE, _OPEN, _NO = Condition.ACTIVE, Condition.OPEN, Reaction.NOTHING
_AUTHORITY = ("disarmed-without-authority", "armed-without-cause")

BUGS: tuple[Bug, ...] = (
    # tables
    Bug(
        "an instant zone is not heard",
        _reactions({(ZoneType.INSTANT, _ACTIVE, ARMED): _NO}),
        ("missed-alarm", "silent-siren"),
        more={"burglary": 30},
    ),
    Bug(
        "a cut line is not heard while disarmed",
        _reactions({(type_, _OPEN, DISARMED): _NO for type_ in ZoneType}),
        ("missed-line", "silent-siren"),
        more={"cut-line": 60},
    ),
    Bug(
        "a hold-up button is not heard while disarmed",
        _reactions({(ZoneType.HOLD_UP, _ACTIVE, DISARMED): _NO}),
        ("missed-hold-up",),
        more={"hold-up": 60},
    ),
    Bug(
        "the sirens' end disarms",
        _following({(ALARM, AreaEvent.ALARM_ENDED): DISARMED}),
        ("disarmed-without-authority",),
        more={"burglary": 30},
    ),
    Bug("an entry starts no delay", _following({(ARMED, AreaEvent.ENTRY): ARMED}), ("missed-entry",)),
    Bug("a common zone is armed when one of its areas is", _common_zones, ("resting-alarm", "false-alarm")),
    # arming, entry, bypass
    Bug(
        "a bypass does not end with its arming",
        _instead(arming._end_bypasses, _nothing),
        ("bypass-kept",),
        more={"bypass-early": 60},
    ),
    Bug("the entry delay is twice as long", _instead(_delay_of, _twice_as_long), ("entry-too-long",), more=_BURGLARS),
    Bug("the schedule disarms", _instead(_told, _disarms_at_opening), ("disarmed-without-authority",), days=8),
    # silence
    Bug("a hold-up is told to keypads", _instead(_zone_alarm, _hold_up_told), ("silent-shows",), more={"hold-up": 60}),
    # sirens, indications
    Bug("sirens know no limit", _instead(_siren, _endless), ("siren-too-long", "rules-raised"), more=_BURGLARS),
    Bug(
        "external sirens sound while disarmed",
        _instead(_cause, _everywhere),
        ("external-while-disarmed",),
        more={"tamper": 100, "box-opened": 100},
    ),
    Bug("disarming resets indications", _instead(_disarm, _resets_all), ("indication-lost",), more={"tamper": 100}),
    # what survives
    Bug("a restart forgets running alarms", _instead(_decode, _forgets_alarms), ("siren-cut-short",), more=_ALARMS),
    Bug(
        "a restart tells again what stands", _instead(_decode, _forgets_what_stands), ("repeated-alarm",), more=_ALARMS
    ),
    Bug("a restart forgets bypasses", _instead(_decode, _forgets_bypasses), ("bypass-lost",), more=_KILLS),
    Bug("a restart disarms", _instead(_decode, _comes_back_disarmed), ("arming-lost",), more=_KILLS),
    Bug(
        "detectors are believed at power-up",
        _instead(zones.NEVER_SETTLES, frozenset(ZoneType)),
        ("false-alarm", "repeated-alarm"),
        more={"power-cut": 60},
    ),
    # codes
    Bug(
        "duress is not heard during a lock-out",
        _instead(_code_entered, _deaf_in_lock_out),
        ("missed-hold-up",),
        more={"code-guesser": 300, "duress-code": 300, "duress-at-night": 300},
    ),
    Bug("wrong codes never lock", _instead(people._wrong, _never_locks), ("missed-lock-out",), more=_GUESSERS),
    Bug(
        "a lock-out locks all keypads",
        _instead(people._slot, _one_lock_for_all),
        ("authority-ignored", "wrong-lock-out", "missed-lock-out"),
        more=_GUESSERS,
    ),
    Bug(
        "dated codes count on every day",
        _instead(sessions._valid_today, _every_day),
        _AUTHORITY,
        more=_VISITORS,
    ),
    Bug(
        "one-time codes count for ever",
        _instead(people._spent, _nothing),
        ("one-time-code", *_AUTHORITY),
        more=_VISITORS,
    ),
    # false alarms
    Bug(
        "a held report is forgotten",
        _instead(_disarmed, _drops_held),
        ("report-unresolved",),
        more=_BURGLARS,
    ),
    Bug("a held report does not wait", _instead(_hold, _hurried), ("report-early",), more=_BURGLARS),
    Bug("one of a cross group alarms alone", _instead(filters.crossing, _alone), ("cross-zone",), more={"rattle": 60}),
    Bug("one pulse is enough", _instead(filters._knocked, _once), ("false-alarm",), more={"rattle": 60}),
    Bug("no zone is ever shut down", _instead(alarms._count, _nothing), ("swinger",), more={"chatter": 60}),
    Bug(
        "a driver that repeats itself alarms again",
        _instead(_moved, _trusts_restless),
        ("repeated-alarm",),
        more={"repeats": 60, "tamper": 100, "driver-dies": 60, "cut-line": 100},
    ),
    # what ends by itself, what the clock asks for
    Bug("a walk test never ends", _swept(_over, _goes_on), ("test-endless",), more={"walk-test": 60}),
    Bug("a checkpoint is never reached", _instead(tours.reached, _nothing), ("tour",)),
    Bug(
        "mains are never reported",
        _swept(troubles.reports_due, _only_told),
        ("missed-trouble",),
        more={"mains-cut": 60},
    ),
    Bug("late to close is nobody's concern", _instead(daily._tend, _nothing), ("late-to-close", "auto-arm"), days=8),
    Bug("daily reports come every hour", _instead(_told, _all_day), ("daily-report",)),
)
