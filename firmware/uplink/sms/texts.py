"""The text of an alarm's short message, from its record and the names in the panel file: short, in one language.

First line: panel, the record's number, local time; then what, where, and the site. The number is the start of the
journal's id and the record's `seq`, so that an operator finds the record itself when it comes (docs/alarm-center.md).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from firmware.language import Language, Text, pick
from firmware.protocol.records import Record
from rules.vocabulary import KINDS

_NAME = 32
"""Characters of one name: a message has room for a few."""
_AREAS = 3

_ZONE: Text = ("zone {number} {name}", "防区{number} {name}")
_AREA: Text = ("area: {names}", "区域:{names}")
_NO_TIME: Text = ("time not known", "时间未知")
_LIMIT: Text = (
    "{panel}: the day's limit of {limit} SMS is reached. Only urgent alarms (hold-up, fire, ...) are still sent.",
    "{panel}:今日短信已达上限{limit}条。仅紧急、火灾等最高级报警继续发送。",
)
_TRIAL: Text = ("{panel}: test message, nothing has happened.", "{panel}:测试短信,一切正常。")


@dataclass(frozen=True)
class Names:
    """What ids of the panel file are called. `zones`: id → number and name."""

    panel: str
    site: str
    zones: Mapping[str, tuple[int, str]]
    areas: Mapping[str, str]
    timezone: tzinfo


def alarm_text(record: Record, names: Names, lang: Language) -> str:
    """What the receivers read. Whatever the payload holds or lacks, there is a text."""
    payload = record.payload or {}
    header = record.header
    kind = KINDS.get(header.kind)
    what = pick((kind.en, kind.zh), lang) if kind else header.kind
    lines = [
        f"{names.panel} #{header.journal[:4]}-{header.seq} {_time(record, names, lang)}",
        what,
        _zone(payload, names, lang),
        _areas(payload, names, lang),
        names.site[:_NAME],
    ]
    return "\n".join(line for line in lines if line)


def limit_text(panel: str, limit: int, lang: Language) -> str:
    """That further alarms of this day are not sent."""
    return pick(_LIMIT, lang, panel=panel, limit=limit)


def trial_text(panel: str, lang: Language) -> str:
    """That a technician tries this way."""
    return pick(_TRIAL, lang, panel=panel)


def _time(record: Record, names: Names, lang: Language) -> str:
    moment = moment_of(record)
    return f"{moment.astimezone(names.timezone):%m-%d %H:%M:%S}" if moment else pick(_NO_TIME, lang)


def moment_of(record: Record) -> datetime | None:
    """When it happened, None where the panel's clock did not know."""
    try:
        moment = datetime.strptime(record.header.time, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError:  # such as a 31st of February: the pattern of a header lets it pass
        return None
    return None if record.header.clock == "unset" else moment


def _zone(payload: Mapping[str, object], names: Names, lang: Language) -> str:
    zone = payload.get("zone")
    if not isinstance(zone, str) or not zone:
        return ""
    number, name = names.zones.get(zone, (payload.get("zone_number", ""), zone))
    return pick(_ZONE, lang, number=number, name=name[:_NAME])


def _areas(payload: Mapping[str, object], names: Names, lang: Language) -> str:
    areas = payload.get("areas")
    known = [names.areas.get(a, a)[:_NAME] for a in areas if isinstance(a, str)] if isinstance(areas, list) else []
    return pick(_AREA, lang, names=", ".join(known[:_AREAS])) if known else ""
