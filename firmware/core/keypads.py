"""What each keypad and reader shows: made from the public view and the notices of the rules, for its own areas.

Nothing silent is in either, so nothing silent can show. Zones, alarms and troubles by name are shown only behind a
code, and for a limited time (digest §1.3, §1.7). On the socket thread only.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from firmware.language import Language, pick
from rules.effects import Tell
from rules.notices import NOTICES, REASONS
from rules.site import Site
from rules.vocabulary import KINDS, TROUBLES

if TYPE_CHECKING:
    from firmware.config import PanelFile
    from firmware.config.readers import OsdpReader

PAGE_MS = 3_000
DETAILS_MS = 60_000
"""What was shown behind a code goes out after so long (EN 50131-1: indications at most 180 s, digest §1.3)."""
REFUSED_MS = 5_000
EU_LAMP_S = 30
"""An indication of set or unset goes dark after 30 s (digest §1.4)."""
MAX_PAGES = 32

_WRONG = frozenset({"wrong-code", "locked-out"})
_DONE = frozenset(list(NOTICES)[: list(NOTICES).index("exit-started")])
"""Notices of what was done: the first block of the table."""
_TO_ALL: Mapping[str, str] = {
    "chime": "chime",
    "day-trouble": "warning",
    "auto-arm-soon": "warning",
    "exit-error": "warning",
}
_WITH_DETAILS = frozenset({"disarmed", "status", "reset", "silenced"})


@dataclass
class _Reader:
    """One reader and what is to be shown on it for a while."""

    bus: str
    plan: "OsdpReader"
    lamp_ms: int
    pages: list[tuple[str, str]] = field(default_factory=list)
    since: int = 0
    until: int = 0
    beep: tuple[int, str] = (0, "")
    lamp: str = ""
    lamp_since: int = 0
    ending: bool = False
    shown: Mapping[str, Any] | None = None

    def serves(self, areas: Sequence[str]) -> bool:
        return not areas or not set(areas).isdisjoint(self.plan.areas)

    def sound(self, name: str) -> None:
        self.beep = (self.beep[0] + 1, name)


class Keypads:
    """All readers of the panel. `show(bus, device, what)` takes a face to its driver, and never blocks."""

    def __init__(
        self, file: "PanelFile", site: Site, show: Callable[[str, str, Mapping[str, Any]], None], now: Callable[[], int]
    ) -> None:
        """`now`: monotonic ms."""
        self._site = site
        self._show = show
        self._now = now
        default = EU_LAMP_S if file.panel.profile.startswith("eu-") else 0
        self._readers = {
            reader.id: _Reader(bus.id, reader, 1000 * (default if reader.lamp_s is None else reader.lamp_s))
            for bus in file.osdp
            for reader in bus.reader
        }

    def __bool__(self) -> bool:
        return bool(self._readers)

    def told(self, tell: Tell, view: Mapping[str, Any]) -> None:
        """A notice of the rules, whose records are durable."""
        areas = tell.args.get("areas")
        named = [str(a) for a in areas] if isinstance(areas, list | tuple) else []
        for id_, reader in self._readers.items():
            if tell.source == id_:
                self._answer(reader, tell, view)
            elif not tell.source and reader.serves(named):
                self._announce(reader, tell.notice)
        self.look(view)

    def refuse(self, reader: str, notice: str, view: Mapping[str, Any]) -> None:
        """Say at a reader that nothing came of it, without the rules."""
        self._answer(self._readers[reader], Tell(reader, notice, {}), view)
        self.look(view)

    def look(self, view: Mapping[str, Any]) -> None:
        """Show what the panel is now; only what changed goes out."""
        now = self._now()
        for id_, reader in self._readers.items():
            face = self._face(reader, view, now)
            if face != reader.shown:
                reader.shown = face
                self._show(reader.bus, id_, face)

    # --- notices ----------------------------------------------------------------------------------

    def _answer(self, reader: _Reader, tell: Tell, view: Mapping[str, Any]) -> None:
        now = self._now()
        lang = reader.plan.language
        done = tell.notice in _DONE and tell.notice != "battery-test-failed"
        reader.sound("wrong" if tell.notice in _WRONG else "done" if done else "refused")
        text = pick(NOTICES[tell.notice], lang) if tell.notice in NOTICES else tell.notice
        pages = [_lines(text)]
        pages += [(_reason(str(r), lang), self._zone_name(str(r), lang)) for r in _list(tell.args.get("reasons"))]
        if tell.notice in _WITH_DETAILS:
            pages += self._details(reader, view)
        reader.pages, reader.since = pages[:MAX_PAGES], now
        long = len(pages) > 1
        reader.until = now + (DETAILS_MS if long else REFUSED_MS)
        reader.lamp_since = now

    @staticmethod
    def _announce(reader: _Reader, notice: str) -> None:
        if notice == "exit-ending":
            reader.ending = True
        elif notice in _TO_ALL:
            reader.sound(_TO_ALL[notice])

    def _details(self, reader: _Reader, view: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Alarms that wait for their reset, with area and zone number, in the order they came; then troubles."""
        lang = reader.plan.language
        pages = []
        for shown in view["indications"]:
            if not reader.serves(shown["areas"]):
                continue
            areas = "".join(f"A{self._site.areas[a].number} " for a in shown["areas"][:1] if a in self._site.areas)
            zone = self._site.zones.get(shown["zone"])
            where = f"{areas}Z{zone.number:03} " if zone else areas
            kind = KINDS.get(shown["kind"])
            said = (kind.zh if lang == "zh" else kind.en) if kind else shown["kind"]
            pages.append((where + said, _short(zone.name, lang) if zone else ""))
        for trouble in view["troubles"]:
            name, _, subject = trouble.partition(":")
            row = TROUBLES.get(name)
            pages.append(((row.zh if lang == "zh" else row.en) if row else name, subject))
        return pages

    def _zone_name(self, reason: str, lang: Language) -> str:
        subject = reason.partition(":")[2]
        zone = self._site.zones.get(subject)
        return f"Z{zone.number:03} {_short(zone.name, lang)}" if zone else subject

    # --- the face ---------------------------------------------------------------------------------

    def _face(self, reader: _Reader, view: Mapping[str, Any], now: int) -> dict[str, Any]:
        areas = [view["areas"][a] for a in reader.plan.areas]
        modes = {area["mode"] for area in areas}
        if "exit-delay" not in modes:
            reader.ending = False
        if now >= reader.until:
            reader.pages = []
        tone = "entry" if "entry-delay" in modes else ""
        if "exit-delay" in modes:
            tone = "exit-ending" if reader.ending else "exit"
        lamp, lasting = _lamp(areas, modes, bool(view["troubles"]))
        if lamp != reader.lamp:
            reader.lamp, reader.lamp_since = lamp, now
        dark = reader.lamp_ms and not lasting and now - reader.lamp_since >= reader.lamp_ms
        return {
            "lamp": "dark" if dark else lamp,
            "tone": tone,
            "beep": list(reader.beep),
            "rows": self._rows(reader, tone, now),
        }

    def _rows(self, reader: _Reader, tone: str, now: int) -> list[str]:
        count = reader.plan.text_rows
        if not count:
            return []
        if not reader.pages:
            notice = {"entry": "entry-started", "exit": "exit-started", "exit-ending": "exit-ending"}.get(tone, "")
            return list(_lines(pick(NOTICES[notice], reader.plan.language)))[:count] if notice else []
        # A display of one row shows the two lines of a page one after another.
        lines = [p for p in reader.pages if any(p)] if count > 1 else [(x, "") for p in reader.pages for x in p if x]
        at = (now - reader.since) // PAGE_MS % len(lines)
        first, second = lines[at]
        # What does not fit the display: show that more is to come (EN 50131-1, digest §1.7).
        more = f"{at + 1}/{len(lines)} " if len(lines) > 1 else ""
        return [more + first, second][:count]


def _lamp(areas: Sequence[Mapping[str, Any]], modes: set[str], trouble: bool) -> tuple[str, bool]:
    """The lamp, and whether it stays while this lasts."""
    if any(area["alarm"] for area in areas):
        return "red-fast", True
    if modes & {"exit-delay", "entry-delay"}:
        return "red-slow", True
    if modes == {"disarmed"}:
        return ("green-amber" if trouble else "green"), False
    if "disarmed" in modes:
        return "green-slow", False
    return ("red-amber" if trouble else "red"), False


def _list(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _reason(reason: str, lang: Language) -> str:
    known = REASONS.get(reason.partition(":")[0])
    return pick(known, lang) if known else reason


def _short(name: str, lang: Language) -> str:
    """A name in the letters that the reader's display has: names of a site are often in both languages."""
    kept = "".join(c for c in name if c.isascii() or lang == "zh")
    return (kept.strip() or name) if lang == "en" else ("".join(c for c in name if not c.isascii()).strip() or name)


def _lines(text: str) -> tuple[str, str]:
    """Over two rows, broken at a space or a comma where it is too long for one."""
    if len(text.encode()) <= 16:
        return text, ""
    at = max(text.rfind(mark, 0, 17) for mark in (" ", ",", "，", ":"))
    return (text[: at + 1].strip(), text[at + 1 :].strip()) if at > 0 else (text[:16], text[16:])
