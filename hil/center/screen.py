"""What an operator sees of a center: the table of panels, the alarms that wait, the gaps; and the same as JSON lines.

Everything that came from outside is cut and printed as text, never as markup or as terminal codes.
"""

from collections.abc import Iterable
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from firmware.language import language
from hil.center.alarms import Alarm
from hil.center.intake import Arrival
from hil.center.texts import TEXTS, say
from hil.center.watch import View
from rules.vocabulary import KINDS

MAX_ROWS = 40
_STYLES = {"online": "green", "offline": "red", "missed": "bold red", "waiting": "yellow"}


def panels(views: list[View], public: bool = False) -> Table:
    """A line for each panel, at most `MAX_ROWS`. `public`: how many alarms wait is not told, silent ones count too."""
    names = ("panel", "standing", "beat", "journal", "head", "held", "verified", "vouched", "missing", "alarms",
             "findings", "troubles")  # fmt: skip
    table = Table(*(say(name) for name in names))
    for view in views[:MAX_ROWS]:
        beat = say("never") if view.beat_age_ms is None else say("ago", s=view.beat_age_ms // 1000)
        numbers = (view.head, view.held, view.verified, view.vouched)
        table.add_row(
            _plain(view.panel),
            Text(say(view.standing), _STYLES[view.standing]),
            beat,
            view.journal[:8] + (f" +{view.journals - 1}" if view.journals > 1 else ""),
            *map(str, numbers),
            Text(str(view.missing), "red" if view.missing else ""),
            Text("" if public else str(view.alarms), "bold red" if view.alarms else ""),
            Text(str(view.findings), "red" if view.findings else ""),
            _plain(" ".join(view.troubles), 60),
        )
    if len(views) > MAX_ROWS:
        table.caption = say("more", n=len(views) - MAX_ROWS)
    return table


def waiting(alarms: list[Alarm], public: bool = False) -> Table:
    """The alarms, newest first. `public`: without the silent ones, for a screen that bystanders see."""
    table = Table(*(say(n) for n in ("time", "panel", "gap", "kind", "zone", "areas", "incident", "note", "seen")))
    for alarm in alarms:
        if public and alarm.silent:
            continue
        table.add_row(
            alarm.arrived,
            _plain(alarm.panel),
            str(alarm.seq),
            _plain(kind_text(alarm.kind) + (f" [{say('silent')}]" if alarm.silent else "")),
            _plain(alarm.zone),
            _plain(alarm.areas, 40),
            "" if alarm.incident is None else str(alarm.incident),
            say(alarm.note) if alarm.note in TEXTS else "",
            _plain(f"{alarm.acknowledged} {alarm.operator}") if alarm.acknowledged else "",
        )
    return table


def whole(views: list[View], alarms: list[Alarm], public: bool) -> RenderableType:
    """The live picture."""
    return Group(panels(views, public), waiting(alarms[:15], public))


def kind_text(name: str) -> str:
    """The kind in the operator's language; one that we do not know by its name."""
    kind = KINDS.get(name)
    if kind is None:
        return name[:64]
    return kind.zh if language() == "zh" else kind.en


def line(arrival: Arrival) -> dict[str, Any]:
    """An arrival as a JSON line: `event`, `panel`, and the body's own members."""
    body = dict(arrival.body)
    if arrival.what in ("record", "duplicate", "rival", "full"):
        body = {**body["header"], "hash": body["hash"], "payload": body["payload"], "stored": body["stored"],
                "thumbnail_bytes": body["thumbnail"]}  # fmt: skip
    return {**body, "event": arrival.what, "panel": arrival.panel[:48], "monotonic_ms": arrival.monotonic_ms}


def gaps(found: Iterable[tuple[str, str, int, int]]) -> Table:
    """Panel, journal, first and last `seq` that are not held."""
    table = Table(say("panel"), say("journal"), say("gap"), say("missing"))
    for panel, journal, first, last in found:
        table.add_row(_plain(panel), journal, f"{first}-{last}", str(last - first + 1))
    return table


def _plain(text: str, most: int = 64) -> Text:
    return Text("".join(c if c.isprintable() else "?" for c in text[:most]))


def is_silent(arrival: Arrival) -> bool:
    """Whether it tells of a silent kind: nothing for a screen that bystanders see."""
    header = arrival.body.get("header")
    if not isinstance(header, dict):
        return False
    kind = KINDS.get(header["kind"])
    return kind is None or kind.silent
