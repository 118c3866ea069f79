"""From the panel file to the site that the rules see: units become milliseconds and minutes, defaults become values."""

from datetime import date
from typing import TYPE_CHECKING

from firmware.config.hours import WEEKDAYS, hours_of, hours_on, minute_of
from rules.profiles import PROFILES
from rules.site import (
    Area,
    Hours,
    Output,
    OutputKind,
    Part,
    Place,
    Schedule,
    Site,
    Stop,
    Timings,
    Tour,
    Zone,
    ZoneType,
)
from rules.zones import NEVER_BYPASSED, NEVER_SETTLES

if TYPE_CHECKING:
    from firmware.config import dated, models

_SETTLING = ("pir", "glass-break", "vibration")
_IF_SAID = frozenset({ZoneType.TWENTY_FOUR_HOUR, ZoneType.GAS, ZoneType.MEDICAL})
NOT_BYPASSABLE: frozenset[ZoneType] = NEVER_BYPASSED | _IF_SAID
"""Not bypassable unless the file says so; `NEVER_BYPASSED` not even then (GB 50394, digest §1.3)."""
_SECOND, _MINUTE, _HOUR = 1000, 60_000, 3_600_000


def to_site(file: "models.PanelFile") -> Site:
    """The rules' site; order is the file's. The file must have passed `load`."""
    bus_of = {module.id: f"{bus.id}/{module.id}" for bus in file.modbus for module in bus.module}
    return Site(
        areas={a.id: _area(a) for a in file.area},
        zones={z.id: _zone(z, file.timings.settle_s, bus_of) for z in file.zone},
        outputs={o.id: _output(o) for o in file.output},
        timings=_timings(file.timings),
        parts={p.id: Part(p.id, p.name, tuple(p.omits), tuple(p.areas)) for p in file.part},
        schedules={s.id: _schedule(s) for s in file.schedule},
        days=_days(file.day),
        tours={t.id: _tour(t) for t in file.tour},
        prevention=PROFILES[file.panel.profile].prevention,
        # An SMS bears no receipt: with the others down nobody is known to have heard, and sirens must not wait.
        paths=tuple(p.id for p in file.path if p.kind != "sms"),
    )


def bypassable(zone: "models.Zone") -> bool:
    """What the file says, else what its type has by default."""
    if zone.bypassable is not None:
        return zone.bypassable
    return ZoneType(zone.type) not in NOT_BYPASSABLE


def settle_ms(zone: "models.Zone", settle_s: int) -> int:
    """How long after power-up its readings do not count: sensors that warm up only, never hold-up or tamper."""
    settles = zone.sensor in _SETTLING and ZoneType(zone.type) not in NEVER_SETTLES
    return settle_s * _SECOND if settles else 0


def _area(area: "models.Area") -> Area:
    return Area(
        id=area.id,
        number=area.number,
        name=area.name,
        entry_delay_ms=area.entry_delay_s * _SECOND,
        exit_delay_ms=area.exit_delay_s * _SECOND,
        entry_delay_2_ms=area.entry_delay_2_s * _SECOND,
        schedule=area.schedule or "",
        cameras=tuple(area.cameras),
    )


def _zone(zone: "models.Zone", settle_s: int, bus_of: "dict[str, str]") -> Zone:
    return Zone(
        id=zone.id,
        number=zone.number,
        name=zone.name,
        type=ZoneType(zone.type),
        areas=tuple(zone.areas),
        bypassable=bypassable(zone),
        settle_ms=settle_ms(zone, settle_s),
        cameras=tuple(zone.cameras),
        chime=zone.chime,
        forceable=zone.forceable,
        second_entry=zone.second_entry,
        entry_delay_ms=None if zone.entry_delay_s is None else zone.entry_delay_s * _SECOND,
        final_door=zone.final_door,
        pulses=zone.pulses,
        pulse_window_ms=zone.pulse_window_s * _SECOND,
        double_knock=zone.double_knock,
        cross_group=zone.cross_group or "",
        swinger_trips=zone.swinger_trips,
        soak=zone.soak,
        report_restore=zone.report_restore,
        detector=zone.detector or "",
        abort=zone.abort,
        supply_cut=zone.supply_cut,
        driver=bus_of[zone.point.module] if zone.point else _driver(zone),
    )


def _driver(zone: "models.Zone") -> str:
    if zone.tag:
        return zone.tag.reader
    return zone.loop.adc if zone.loop else "gpio"


def _output(output: "models.Output") -> Output:
    return Output(
        id=output.id,
        kind=OutputKind(output.kind),
        areas=tuple(output.areas),
        place=Place(output.place),
        delay_ms=output.delay_s * _SECOND,
        limit_ms=output.limit_s * _SECOND,
        follows=output.follows or "",
        pulse_ms=output.pulse_s * _SECOND,
    )


def _timings(timings: "models.Timings") -> Timings:
    return Timings(
        siren_ms=timings.siren_s * _SECOND,
        siren_max_ms=timings.siren_max_s * _SECOND,
        code_attempts=timings.code_attempts,
        lockout_ms=timings.lockout_s * _SECOND,
        exit_restart=timings.exit_restart,
        final_set_ms=timings.final_set_s * _SECOND,
        exit_warning_ms=timings.exit_warning_s * _SECOND,
        abort_ms=timings.abort_window_s * _SECOND,
        entry_hold_ms=timings.entry_hold_s * _SECOND,
        cancel_ms=timings.cancel_window_min * _MINUTE,
        recent_close_ms=timings.recent_close_s * _SECOND,
        swinger_trips=timings.swinger_trips,
        swinger_reset_ms=timings.swinger_reset_h * _HOUR,
        cross_ms=timings.cross_s * _SECOND,
        confirm_ms=timings.confirm_min * _MINUTE,
        hold_up_gap_ms=timings.hold_up_gap_s * _SECOND,
        hold_up_window_ms=timings.hold_up_window_h * _HOUR,
        mains_delay_ms=timings.mains_report_delay_s * _SECOND,
        grant_ms=timings.grant_min * _MINUTE,
        installer_ms=timings.installer_min * _MINUTE,
        walk_ms=timings.walk_test_min * _MINUTE,
        siren_test_ms=timings.siren_test_s * _SECOND,
        battery_test_ms=timings.battery_test_s * _SECOND,
        chime_ms=timings.chime_ms,
        rearm_ms=timings.rearm_min * _MINUTE,
        reset_level=timings.reset_level,
        report_minute=minute_of(timings.report_time) or 0,
        auto_part=timings.auto_part,
    )


def _schedule(schedule: "dated.Schedule") -> Schedule:
    return Schedule(
        id=schedule.id,
        week=tuple(_hours(hours_on(schedule, day)) for day in range(len(WEEKDAYS))),
        late_after_min=schedule.late_after_min,
        auto_after_min=schedule.auto_arm_after_min,
        warn_min=schedule.warn_min,
        postpone_min=schedule.postpone_min,
        postpones=schedule.postpones,
    )


def _days(days: "list[dated.Day]") -> dict[int, Hours | None]:
    found: dict[int, Hours | None] = {}
    for day in days:
        first = date.fromisoformat(day.date).toordinal()
        last = date.fromisoformat(day.until).toordinal() if day.until else first
        found |= dict.fromkeys(range(first, last + 1), _hours(day.hours))
    return found


def _hours(text: str) -> Hours | None:
    found = hours_of(text)
    return Hours(*found) if found else None


def _tour(tour: "dated.Tour") -> Tour:
    days = sorted(WEEKDAYS.index(day) for day in tour.days)
    minutes = sorted(minute_of(text) or 0 for text in tour.starts)
    return Tour(
        id=tour.id,
        name=tour.name,
        stops=tuple(Stop(s.zone, s.after_min, s.until_min) for s in tour.stops),
        starts=tuple((day, minute) for day in days for minute in minutes),
    )
