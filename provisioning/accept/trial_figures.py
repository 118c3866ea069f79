"""The figures of a trial run, from the records of a journal: availability, alarms, troubles, paths, pictures, clock.

Pure: records in, an account out. What counts as a false alarm is said where it is counted: one that a user cancelled or
a person marked so; one that nothing confirmed is *not confirmed*, not false.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol, get_args

from firmware.protocol.messages import MarkSays
from provisioning.accept.clauses import PICTURE_DAYS, TRIAL_DAYS
from provisioning.accept.marks import At, Mark, marked
from provisioning.accept.trial_account import (
    AlarmRow,
    CheckRow,
    Figures,
    LatencyRow,
    PathRow,
    RestartRow,
    TroubleRow,
)
from rules.vocabulary import CONFIRMATIONS, begins_alarm

DAY_S = 86_400.0
SITTING_S = 12 * 3_600.0
SITTING_ENDS = ("acceptance.ended", "installer.left", "panel.stopped")
"""An acceptance run that somebody gave up must not make tests of the alarms after it: it ends with the installer's
session, or after half a day."""
CONFIRM_S = 3_600.0
CONFIRMED = (*sorted(CONFIRMATIONS), "camera.person")
CANCELLED, ABORTED = "area.alarm-cancelled", "area.alarm-aborted"
CLASSES = ("confirmed", "unconfirmed", "cancelled", "test")
MAX_ROWS = 200
PATH_LIMIT = 0.998
"""EN 50136's older class A4, 99.8 % in a month (digest §2): shown beside the paths, not judged."""


class Record(Protocol):
    """A record as it was read: header, payload (None where it has expired)."""

    @property
    def header(self) -> Mapping[str, Any]: ...

    @property
    def payload(self) -> Mapping[str, Any] | None: ...


@dataclass(frozen=True)
class Period:
    """From and to, UTC in seconds."""

    begin: float
    end: float

    @property
    def seconds(self) -> float:
        return max(0.0, self.end - self.begin)

    def cut(self, low: float, high: float) -> tuple[float, float]:
        """The part of a span that lies inside."""
        return max(low, self.begin), min(high, self.end)


@dataclass
class Alarm:
    """An alarm of the period. `sort`: one of `CLASSES`; `mark`: what a person said of it and has not taken back."""

    at: float
    kind: str
    zone: str
    areas: frozenset[str]
    incident: int
    record: At
    sort: str = "unconfirmed"
    mark: Mark | None = None


@dataclass
class _Seen:
    """What was gathered while reading, in the order of the records."""

    alarms: list[Alarm] = field(default_factory=list)
    spans: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    opened: dict[str, float] = field(default_factory=dict)
    starts: Counter[str] = field(default_factory=Counter)
    dark: list[tuple[float, float]] = field(default_factory=list)
    unknown_dark: int = 0
    records: int = 0
    unsure: int = 0
    expired: int = 0
    lost: int = 0
    walking: bool = False
    accepting_until: float = 0.0
    clock_sets: list[int] = field(default_factory=list)
    taken: int = 0
    deleted_early: int = 0
    deleted: int = 0
    aborted: int = 0
    marks: dict[At, Mark] = field(default_factory=dict)


def seconds(text: str) -> float:
    """UTC text of a record as seconds."""
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def alarms(records: Iterable[Record], period: Period) -> list[Alarm]:
    """The alarms of this period, told apart as far as the journal can."""
    return _seen(records, period).alarms


def figures(
    records: Iterable[Record],
    period: Period,
    paths: Sequence[str],
    latencies: Iterable[Mapping[str, Any]] = (),
) -> Figures:
    """All figures of this period. `paths`: of the panel file; `latencies`: `delivery` telemetry, as data."""
    seen = _seen(records, period)
    for name, since in seen.opened.items():
        seen.spans.setdefault(name, []).append((since, period.end))
    dark_s = sum(high - low for low, high in _merged(seen.dark))
    return Figures(
        days=round(period.seconds / DAY_S, 3),
        records=seen.records,
        expired=seen.expired,
        lost=seen.lost,
        unsure=seen.unsure,
        dark_s=round(dark_s, 1),
        dark_unknown=seen.unknown_dark,
        available=_share(dark_s, period),
        restarts=tuple(RestartRow(cause, count) for cause, count in sorted(seen.starts.items())),
        classes=dict(Counter(alarm.sort for alarm in seen.alarms)),
        kinds=dict(Counter(alarm.kind for alarm in seen.alarms)),
        alarms=tuple(_row(alarm) for alarm in seen.alarms[:MAX_ROWS]),
        alarms_by_day=_by_day(seen.alarms, period),
        troubles=tuple(_troubles(seen, period)),
        troubles_by_day=_begun_by_day(seen, period),
        paths=tuple(_paths(seen, period, paths)),
        latencies=tuple(_latencies(latencies)),
        clock_sets=len(seen.clock_sets),
        clock_worst_ms=max((abs(ms) for ms in seen.clock_sets), default=0),
        pictures=seen.taken,
        pictures_deleted=seen.deleted,
        pictures_deleted_early=seen.deleted_early,
        aborted=seen.aborted,
        marked=said(seen.alarms),
    )


def _seen(records: Iterable[Record], period: Period) -> _Seen:
    seen = _Seen()
    for record in records:
        _take(seen, record, period)
    for alarm in seen.alarms:
        mark = seen.marks.get(alarm.record)
        alarm.mark = mark if mark is not None and mark.decided else None
    return seen


def _row(alarm: Alarm) -> AlarmRow:
    row, mark = AlarmRow(moment(alarm.at), alarm.kind, alarm.zone, alarm.sort, alarm.record[1]), alarm.mark
    return row if mark is None else replace(row, says=mark.says, cause=mark.cause, by=f"{mark.by} [{mark.user}]")


def said(found: Iterable[Alarm]) -> dict[str, int]:
    """How many alarms people called true and false, and how many are undecided; those of tests are not asked for."""
    counts = Counter(alarm.mark.says if alarm.mark else "open" for alarm in found if alarm.sort != "test")
    return {name: counts[name] for name in get_args(MarkSays)}


def _take(seen: _Seen, record: Record, period: Period) -> None:
    header, payload = record.header, record.payload
    kind, at = str(header["kind"]), seconds(str(header["time"]))
    if payload is None:
        seen.expired += at >= period.begin
        payload = {}
    if mark := marked(kind, payload):
        seen.marks[mark[0]] = mark[1]
    if kind.startswith("trouble."):
        _trouble(seen, kind, payload, at)
    if not period.begin <= at <= period.end:
        return
    seen.records += 1
    seen.unsure += header.get("clock") != "synchronised"
    if kind in ("test.walk-started", "test.walk-ended"):
        seen.walking = kind == "test.walk-started"
    elif kind == "acceptance.begun":
        seen.accepting_until = at + SITTING_S
    elif kind in SITTING_ENDS:
        seen.accepting_until = 0.0
    elif kind == "panel.started":
        _started(seen, payload, at, period)
    elif kind == CANCELLED:
        _cancelled(seen, payload)
    elif kind == ABORTED:
        seen.aborted += len(payload.get("incidents", ())) if not _testing(seen, at) else 0
    elif kind == "journal.lost":
        seen.lost += 1
    elif kind == "clock.set":
        seen.clock_sets.append(int(payload.get("off_ms", payload.get("offset_ms", 0))))
    elif kind == "evidence.pictures":
        seen.taken += len(payload.get("pictures", ()))
    elif kind == "evidence.deleted":
        _deleted(seen, payload, at)
    elif kind in CONFIRMED:
        _confirmed(seen, payload, at)
    if begins_alarm(kind):
        incident = int(payload.get("incident", 0))
        areas = frozenset(str(area) for area in payload.get("areas", ()))
        place = (str(header.get("journal", "")), int(header.get("seq", 0)))
        sort = "test" if _testing(seen, at) else "unconfirmed"
        seen.alarms.append(Alarm(at, kind, str(payload.get("zone", "")), areas, incident, place, sort))


def _testing(seen: _Seen, at: float) -> bool:
    return seen.walking or at < seen.accepting_until


def _trouble(seen: _Seen, kind: str, payload: Mapping[str, Any], at: float) -> None:
    """A trouble's span; one that is told twice (over a restart) began the first time."""
    name = kind.removeprefix("trouble.").removesuffix("-ended")
    key = f"{name}:{payload.get('subject', '')}".rstrip(":")
    if not kind.endswith("-ended"):
        seen.opened.setdefault(key, at)
    elif (since := seen.opened.pop(key, None)) is not None:
        seen.spans.setdefault(key, []).append((since, at))


def _started(seen: _Seen, payload: Mapping[str, Any], at: float, period: Period) -> None:
    seen.starts[str(payload.get("cause", "?"))] += 1
    dark_ms = int(payload.get("dark_ms", -1))
    if dark_ms < 0:
        seen.unknown_dark += 1
        return
    low, high = period.cut(at - dark_ms / 1000, at)
    if high > low:
        seen.dark.append((low, high))


def _cancelled(seen: _Seen, payload: Mapping[str, Any]) -> None:
    """The user has cancelled these incidents: he says that they were false."""
    incidents = set(payload.get("incidents", ()))
    for alarm in seen.alarms:
        if alarm.incident in incidents and alarm.sort == "unconfirmed":
            alarm.sort = "cancelled"


def _confirmed(seen: _Seen, payload: Mapping[str, Any], at: float) -> None:
    """A second detector within an hour (its record names the zones), or a person on a picture of the incident."""
    zones = set(payload.get("zones", ()))
    for alarm in seen.alarms:
        same = alarm.incident == payload.get("incident") or (alarm.zone in zones and at - alarm.at <= CONFIRM_S)
        if same and alarm.sort == "unconfirmed":
            alarm.sort = "confirmed"


def _deleted(seen: _Seen, payload: Mapping[str, Any], at: float) -> None:
    """Captures that went; too early, where their day is not yet over for so long as they must stay."""
    for folder in payload.get("folders", ()):
        seen.deleted += 1
        with_day = str(folder)[:10]
        try:
            taken = date.fromisoformat(with_day)
        except ValueError:
            continue
        seen.deleted_early += (datetime.fromtimestamp(at, UTC).date() - taken).days < PICTURE_DAYS


def _merged(spans: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for low, high in sorted(spans):
        if found and low <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return found


def _inside(spans: Sequence[tuple[float, float]], period: Period) -> list[tuple[float, float]]:
    cut = [period.cut(low, high) for low, high in spans]
    return _merged([(low, high) for low, high in cut if high > low])


def _share(down_s: float, period: Period) -> float:
    return round(1 - down_s / period.seconds, 6) if period.seconds else 0.0


def _troubles(seen: _Seen, period: Period) -> Iterator[TroubleRow]:
    for key in sorted(seen.spans):
        spans = [span for span in seen.spans[key] if span[1] >= period.begin and span[0] <= period.end]
        if not spans:
            continue
        cut = [period.cut(low, high) for low, high in spans]
        lasted = [max(0.0, high - low) for low, high in cut]
        name, _, subject = key.partition(":")
        yield TroubleRow(name, subject, len(spans), round(sum(lasted), 1), round(max(lasted), 1), key in seen.opened)


def _paths(seen: _Seen, period: Period, paths: Sequence[str]) -> Iterator[PathRow]:
    for path in paths:
        down = _inside(seen.spans.get(f"path:{path}", ()), period)
        down_s = sum(high - low for low, high in down)
        spans = tuple(
            (round((low - period.begin) / period.seconds, 6), round((high - period.begin) / period.seconds, 6))
            for low, high in down
        )
        longest = max((high - low for low, high in down), default=0.0)
        yield PathRow(path, len(down), round(down_s, 1), round(longest, 1), _share(down_s, period), spans)


def _latencies(items: Iterable[Mapping[str, Any]]) -> Iterator[LatencyRow]:
    """From `delivery` telemetry: alarms one by one are exact, lanes by upper bounds of their windows."""
    took: dict[str, list[int]] = {}
    spreads: dict[tuple[str, str], list[tuple[int, int, int, int]]] = {}
    for item in items:
        path, lane = str(item["path"]), str(item["lane"])
        took.setdefault(path, []).extend(
            int(one["receipted_ms"]) + int(one.get("sent_ms") or 0) for one in item.get("records", ())
        )
        spread = item["sent_to_receipted"]
        values = tuple(int(spread[name]) for name in ("count", "half_ms", "most_ms", "worst_ms"))
        spreads.setdefault((path, lane), []).append(values)  # type: ignore[arg-type]
    for path, alarms in sorted(took.items()):
        if alarms:
            ordered = sorted(alarms)
            exact = (rank(ordered, 0.5), rank(ordered, 0.95), rank(ordered, 0.99))
            yield LatencyRow(path, "alarm", len(ordered), *exact, ordered[-1], True)
    for (path, lane), windows in sorted(spreads.items()):
        count = sum(window[0] for window in windows)
        half = max(window[1] for window in windows)
        most = max(window[2] for window in windows)
        worst = max(window[3] for window in windows)
        yield LatencyRow(path, lane, count, half, most, worst, worst, False)


def rank(ordered: Sequence[int], part: float) -> int:
    """By nearest rank."""
    return ordered[max(0, -(-int(part * 1000) * len(ordered) // 1000) - 1)]


def days_of(period: Period) -> list[str]:
    """Its days (UTC), the first and the last whole or not."""
    first = datetime.fromtimestamp(period.begin, UTC).date()
    last = datetime.fromtimestamp(period.end, UTC).date()
    return [str(first + timedelta(days=n)) for n in range((last - first).days + 1)]


def _day(at: float) -> str:
    return str(datetime.fromtimestamp(at, UTC).date())


def moment(at: float) -> str:
    """Seconds as UTC text."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _by_day(alarms: Sequence[Alarm], period: Period) -> dict[str, tuple[int, ...]]:
    """Alarms of each class on each day, in the order of `days_of`."""
    counts = Counter((alarm.sort, _day(alarm.at)) for alarm in alarms)
    return {sort: tuple(counts[sort, day] for day in days_of(period)) for sort in CLASSES}


def _begun_by_day(seen: _Seen, period: Period) -> tuple[int, ...]:
    counts = Counter(
        _day(low) for spans in seen.spans.values() for low, _ in spans if period.begin <= low <= period.end
    )
    return tuple(counts[day] for day in days_of(period))


def checks(found: Figures, findings: int, retention_days: int) -> tuple[CheckRow, ...]:
    """The figures against their limits. `findings`: of the journal's verification."""
    return (
        CheckRow("days", "trial", f"{found.days:g}", f">= {TRIAL_DAYS}", found.days >= TRIAL_DAYS - 0.05),
        CheckRow("chain", "records", str(findings), "0", findings == 0),
        CheckRow("lost", "records", str(found.lost), "0", found.lost == 0),
        CheckRow("early", "pictures", str(found.pictures_deleted_early), "0", found.pictures_deleted_early == 0),
        CheckRow("kept", "pictures", str(retention_days), f">= {PICTURE_DAYS}", retention_days >= PICTURE_DAYS),
        CheckRow("standing", "trial", str(sum(row.open for row in found.troubles)), "0", not _standing(found)),
    )


def _standing(found: Figures) -> bool:
    return any(row.open for row in found.troubles)
