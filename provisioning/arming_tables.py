"""What a panel file says of arming, as tables: areas, part sets, schedules and special days, guard tours."""

from rich.table import Table

from firmware.config import Area, PanelFile, Schedule, Tour
from firmware.config.hours import CLOSED, WEEKDAYS, hours_on
from firmware.language import Text, pick
from provisioning.site_words import add_row, new_table

_AREAS: Text = ("Areas; profile {profile}", "区域；配置 {profile}")
_PARTS: Text = ("Part sets", "部分布防组")
_SCHEDULES: Text = ("Schedules; time zone {zone}", "时间表；时区 {zone}")
_TOURS: Text = ("Guard tours; time zone {zone}", "巡更路线；时区 {zone}")
_ALL: Text = ("all areas", "所有区域")
_SECONDS: Text = ("{seconds} s", "{seconds} 秒")
_SECOND_WAY: Text = ("{seconds} s, second way {second} s", "{seconds} 秒，第二进入 {second} 秒")
_CLOSED: Text = ("closed", "不开放")
_LATE: Text = ("{minutes} min: reported", "{minutes} 分钟：上报")
_AUTO: Text = ("{minutes} min: arms itself", "{minutes} 分钟：自动布防")
_STOP: Text = ("{zone}: {after} to {until} min", "{zone}：{after} 至 {until} 分钟")
_EVERY: Text = ("every day", "每天")
_DAYS: dict[str, Text] = {
    "monday": ("Mon", "周一"),
    "tuesday": ("Tue", "周二"),
    "wednesday": ("Wed", "周三"),
    "thursday": ("Thu", "周四"),
    "friday": ("Fri", "周五"),
    "saturday": ("Sat", "周六"),
    "sunday": ("Sun", "周日"),
}


def areas_table(file: PanelFile) -> Table:
    """The areas with their delays."""
    profile = file.panel.profile
    title = _AREAS[0].format(profile=profile), _AREAS[1].format(profile=profile)
    table = new_table(title, "number", "area", "entry", "exit", "schedule")
    for area in file.area:
        entry, leaving = _entry(area), pick(_SECONDS, seconds=area.exit_delay_s)
        add_row(table, str(area.number), f"{area.id}\n{area.name}", entry, leaving, area.schedule or "–")
    return table


def arming_tables(file: PanelFile) -> list[Table]:
    """Part sets, schedules and special days, guard tours; a table without rows where there are none."""
    return [_parts(file), _schedules(file), _tours(file)]


def _entry(area: Area) -> str:
    if area.entry_delay_2_s:
        return pick(_SECOND_WAY, seconds=area.entry_delay_s, second=area.entry_delay_2_s)
    return pick(_SECONDS, seconds=area.entry_delay_s)


def _parts(file: PanelFile) -> Table:
    table = new_table(_PARTS, "part", "areas", "omits")
    for part in file.part:
        add_row(table, f"{part.id}\n{part.name}", "\n".join(part.areas) or pick(_ALL), "\n".join(part.omits))
    return table


def _schedules(file: PanelFile) -> Table:
    table = new_table(_in_zone(_SCHEDULES, file), "schedule", "hours", "after")
    for schedule in file.schedule:
        add_row(table, schedule.id, _week(schedule), _after(schedule))
    for day in file.day:
        dates = f"{day.date} – {day.until}" if day.until else day.date
        add_row(table, f"{dates}\n{day.name}" if day.name else dates, _hours(day.hours), "")
    return table


def _week(schedule: Schedule) -> str:
    """The week, days with the same hours together: `Mon–Fri 08:00-18:00`."""
    runs: list[tuple[int, int, str]] = []
    for day in range(len(WEEKDAYS)):
        hours = hours_on(schedule, day)
        if runs and runs[-1][2] == hours:
            runs[-1] = (runs[-1][0], day, hours)
        else:
            runs.append((day, day, hours))
    return "\n".join(f"{_span(first, last)} {_hours(hours)}" for first, last, hours in runs)


def _span(first: int, last: int) -> str:
    names = [pick(_DAYS[WEEKDAYS[day]]) for day in (first, last)]
    return names[0] if first == last else "–".join(names)


def _hours(text: str) -> str:
    return pick(_CLOSED) if text == CLOSED else text


def _after(schedule: Schedule) -> str:
    said = []
    if schedule.late_after_min is not None:
        said.append(pick(_LATE, minutes=schedule.late_after_min))
    if schedule.auto_arm_after_min is not None:
        said.append(pick(_AUTO, minutes=schedule.auto_arm_after_min))
    return "\n".join(said) or "–"


def _tours(file: PanelFile) -> Table:
    table = new_table(_in_zone(_TOURS, file), "tour", "starts", "stops")
    for tour in file.tour:
        stops = [pick(_STOP, zone=stop.zone, after=stop.after_min, until=stop.until_min) for stop in tour.stops]
        add_row(table, f"{tour.id}\n{tour.name}", _starts(tour), "\n".join(stops))
    return table


def _starts(tour: Tour) -> str:
    days = [day for day in WEEKDAYS if day in tour.days]
    named = pick(_EVERY) if len(days) == len(WEEKDAYS) else " ".join(pick(_DAYS[day]) for day in days)
    return f"{named}\n{' '.join(tour.starts)}"


def _in_zone(title: Text, file: PanelFile) -> Text:
    zone = file.panel.timezone
    return title[0].format(zone=zone), title[1].format(zone=zone)
