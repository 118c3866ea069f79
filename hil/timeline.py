"""From what happens on a panel and at its center to a timeline that a person can follow, with latencies.

Pure: happenings in (from core's desk socket, the center and the play), lines and figures out. It knows no terminal,
socket or clock; every moment is milliseconds of the one boot clock that all processes of a desk share.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from firmware.language import Language, Text, pick
from hil.timeline_texts import AFTER, CONDITIONS, LATENCIES, LINES, POSITIONS, TELLS, WHO
from rules.notices import NOTICES
from rules.vocabulary import KINDS

WINDOWS_MS = {"trip": 1000, "entry": 1000, "code": 2000, "command": 5000}
"""An output that switches later than this after a cause is not put down to it."""
_EARLY_MS = 20
"""So much earlier may an output come than the end of a delay as it is known here: that is told when it is recorded."""
_TONES = {"siren": "alarm", "strobe": "alarm", "alarm": "alarm", "armed": "good"}
_QUIET_KINDS = ("journal.checkpoint", "journal.begun", "evidence.pictures")


@dataclass(frozen=True)
class Happening:
    """One thing that happened. `process`: hand, demo, core, center. `what` and `name` as in `Seen` and `Arrival`."""

    ms: int
    process: str
    what: str
    name: str = ""
    value: Any = None


@dataclass(frozen=True)
class Line:
    """One line of the timeline, in both languages; `tone` is `alarm`, `good`, `bad`, `step` or empty."""

    ms: int
    who: str
    text: Text
    after: Text | None = None
    after_ms: int | None = None
    tone: str = ""

    def say(self, lang: Language | None = None) -> tuple[str, str, str]:
        """Who, what, how long after."""
        return pick(WHO[self.who], lang), pick(self.text, lang), pick(self.after, lang) if self.after else ""


@dataclass(frozen=True)
class Names:
    """What the site calls its parts. Outputs: id to (kind, name)."""

    zones: Mapping[str, str] = field(default_factory=dict)
    areas: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass
class Facts:
    """What the timeline has seen, for the verdict and the summary."""

    on_since: dict[str, int] = field(default_factory=dict)
    on_ms: Counter[str] = field(default_factory=Counter)
    recorded: Counter[str] = field(default_factory=Counter)
    stored: Counter[str] = field(default_factory=Counter)
    last_ms: dict[tuple[str, str], int] = field(default_factory=dict)
    latencies: dict[str, list[int]] = field(default_factory=dict)
    durable: dict[str, int] = field(default_factory=dict)
    thumbnails: int = 0
    persons: int = 0
    heartbeats: int = 0
    state: Mapping[str, Any] = field(default_factory=dict)
    replies: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)


class Timeline:
    """Feed it with happenings in the order in which they come in."""

    def __init__(self, names: Names) -> None:
        self.facts = Facts()
        self._names = names
        self._causes: list[tuple[int, str]] = []
        self._moved: dict[str, int] = {}
        self._commands: dict[int, int] = {}
        self._happened: dict[tuple[str, str, int], int] = {}
        self._told: tuple[int, str] = (0, "")

    def feed(self, h: Happening) -> list[Line]:
        """The lines that this happening adds: often none, mostly one."""
        self.facts.last_ms[(h.what, h.name)] = h.ms
        reader = getattr(self, f"_{h.process}_{h.what}".replace("-", "_"), None)
        line = reader(h) if reader else None
        return [line] if line else []

    # --- the site and the play

    def _demo_step(self, h: Happening) -> Line:
        return Line(h.ms, "demo", h.value, tone=h.name or "step")

    def _hand_move(self, h: Happening) -> Line:
        self._moved[h.name] = h.ms
        return Line(h.ms, "hand", _fill(POSITIONS[h.value], zone=self._zone(h.name)))

    def _hand_press(self, h: Happening) -> Line:
        self._moved[h.name] = h.ms
        return Line(h.ms, "hand", _fill(LINES["press"], zone=self._zone(h.name)))

    def _hand_code(self, h: Happening) -> Line:
        self._causes.append((h.ms, "code"))
        return Line(h.ms, "keypad", _fill(LINES["code"], wish=h.value))

    # --- core, as its desk socket shows it

    def _core_condition(self, h: Happening) -> Line | None:
        if h.name not in self._names.zones:
            return None
        moved = self._moved.pop(h.name, None)
        if h.value != "normal":
            self._causes.append((h.ms, "trip"))
        elif moved is None:
            return None
        condition = CONDITIONS.get(h.value, (h.value, h.value))
        text = (
            LINES["condition"][0].format(zone=self._zone(h.name), condition=condition[0]),
            LINES["condition"][1].format(zone=self._zone(h.name), condition=condition[1]),
        )
        return self._after(Line(h.ms, "core", text), "hand", moved, "hand-condition")

    def _core_output(self, h: Happening) -> Line | None:
        kind, name = self._names.outputs.get(h.name, ("armed", h.name))
        facts = self.facts
        if h.value:
            if h.name in facts.on_since:
                return None
            facts.on_since[h.name] = h.ms
            line = Line(h.ms, kind, _fill(LINES["on"], name=name), tone=_TONES.get(kind, ""))
            cause, at = self._cause(h.ms)
            latency = f"{cause}-siren" if kind == "siren" else ""
            return self._after(line, cause, at, latency)
        since = facts.on_since.pop(h.name, None)
        if since is None:
            return None
        facts.on_ms[h.name] += h.ms - since
        seconds = f"{(h.ms - since) / 1000:.1f}"
        line = Line(h.ms, kind, _fill(LINES["off"], name=name, seconds=seconds), tone="good")
        cause, at = self._cause(h.ms)
        return self._after(line, cause, at, f"{cause}-off") if cause in ("code", "command") else line

    def _core_record(self, h: Happening) -> Line | None:
        self.facts.recorded[h.name] += 1
        payload = h.value if isinstance(h.value, dict) else {}
        payload = payload.get("payload", payload)
        if h.name == "area.entry-started":
            self._causes.append((h.ms + int(payload.get("entry_delay_ms", 0)), "entry"))
        if h.name == "evidence.pictures":
            return self._pictures(h.ms, payload)
        if h.name in _QUIET_KINDS:
            return None
        kind = self._kind(h.name)
        about = self._about(payload)
        text = (
            LINES["record"][0].format(kind=kind[0], about=about),
            LINES["record"][1].format(kind=kind[1], about=about),
        )
        return Line(h.ms, "core", text, tone="alarm" if h.name.startswith("alarm.") else "")

    def _pictures(self, ms: int, payload: Mapping[str, Any]) -> Line:
        person = payload.get("verdict") == "person"
        self.facts.persons += person
        percent = round(int(payload.get("score", 0)) / 10)
        name = "pictures-person" if person else "pictures"
        text = _fill(LINES[name], count=len(payload.get("pictures", ())), percent=percent)
        return Line(ms, "camera", text, tone="good" if person else "")

    def _core_durable(self, h: Happening) -> None:
        self.facts.durable[h.name] = max(int(h.value), self.facts.durable.get(h.name, 0))

    def _core_capture(self, h: Happening) -> Line:
        return Line(h.ms, "camera", _fill(LINES["capture"], incident=h.value))

    def _core_trouble(self, h: Happening) -> Line:
        return Line(h.ms, "core", _fill(LINES["trouble"], name=h.name), tone="bad")

    def _core_tell(self, h: Happening) -> Line | None:
        value = h.value if isinstance(h.value, dict) else {}
        if self._told[1] == h.name and h.ms - self._told[0] < 50:
            return None  # each area is told, but one line is enough
        self._told = (h.ms, h.name)
        delay = int(value.get("exit_delay_ms", 0) or value.get("entry_delay_ms", 0))
        if text := TELLS.get(h.name):
            return Line(h.ms, "keypad", _fill(text, seconds=delay // 1000))
        en, zh = NOTICES.get(h.name, (h.name, h.name))
        return Line(h.ms, "keypad", (LINES["tell"][0].format(notice=en), LINES["tell"][1].format(notice=zh)))

    # --- the center

    def _center_record(self, h: Happening) -> Line | None:
        header = h.value["header"]
        kind, lane = header["kind"], header["lane"]
        self.facts.stored[kind] += 1
        self.facts.thumbnails += bool(h.value["thumbnail"])
        if not h.value["stored"]:
            self._happened[(header["journal"], lane, header["lane_seq"])] = header["monotonic_ms"]
        if lane == "status" or (lane == "evidence" and not h.value["thumbnail"]):
            return None
        words = self._kind(kind)
        numbers = {"lane": lane, "lane_seq": header["lane_seq"], "seq": header["seq"]}
        text = (
            LINES["stored"][0].format(kind=words[0], **numbers),
            LINES["stored"][1].format(kind=words[1], **numbers),
        )
        latency = "alarm-stored" if lane == "alarm" else "picture-stored"
        return self._after(
            Line(h.ms, "center", text), "record", header["monotonic_ms"], "" if h.value["stored"] else latency
        )

    def _center_receipt(self, h: Happening) -> Line:
        lane, ranges = h.value["lane"], h.value["ranges"]
        spans = ", ".join(f"{r['first']}–{r['last']}" if r["first"] < r["last"] else str(r["first"]) for r in ranges)
        line = Line(
            h.ms, "center", _fill(LINES["receipt"], ranges=f"{lane} {spans}"), tone="good" if lane == "alarm" else ""
        )
        known = self._happened.get((h.value["journal"], lane, ranges[-1]["last"]))
        if lane == "evidence" or known is None:
            return line
        return self._after(line, lane if lane == "alarm" else "record", known, f"{lane}-receipt")

    def _center_heartbeat(self, _: Happening) -> None:
        self.facts.heartbeats += 1

    def _center_state(self, h: Happening) -> None:
        self.facts.state = h.value

    def _center_link(self, h: Happening) -> Line:
        name = "online" if h.value["online"] else "offline"
        return Line(h.ms, "center", _fill(LINES[name]), tone="good" if h.value["online"] else "bad")

    def _center_command(self, h: Happening) -> Line:
        self._commands[h.value["counter"]] = h.ms
        self._causes.append((h.ms, "command"))
        return Line(h.ms, "center", _fill(LINES["command"], command=h.value["command"], counter=h.value["counter"]))

    def _center_reply(self, h: Happening) -> Line:
        counter, result = h.value.get("counter"), h.value.get("result")
        if counter is not None:
            self.facts.replies[counter] = h.value
        text = (
            _fill(LINES["reply-done"])
            if result == "done"
            else _fill(LINES["reply-refused"], reason=h.value.get("reason"))
        )
        line = Line(h.ms, "center", text, tone="good" if result == "done" else "bad")
        return self._after(line, "command", self._commands.get(counter or 0), "command-reply")

    def _center_garbage(self, h: Happening) -> Line:
        self.facts.refused[h.value["reason"]] += 1
        return Line(h.ms, "center", _fill(LINES["garbage"], reason=h.value["reason"]), tone="bad")

    def _center_rival(self, h: Happening) -> Line:
        self.facts.refused["rival"] += 1
        return Line(h.ms, "center", _fill(LINES["rival"]), tone="bad")

    # --- words and causes

    def _cause(self, ms: int) -> tuple[str, int | None]:
        """The newest thing that can have made an output switch at this moment."""
        self._causes = [c for c in self._causes if ms - c[0] < WINDOWS_MS[c[1]]]
        found = max((c for c in self._causes if c[0] - ms <= (_EARLY_MS if c[1] == "entry" else 0)), default=None)
        return (found[1], min(ms, found[0])) if found else ("", None)

    def _after(self, line: Line, words: str, since: int | None, latency: str) -> Line:
        if since is None or line.ms < since:
            return line
        ms = line.ms - since
        if latency in LATENCIES:
            self.facts.latencies.setdefault(latency, []).append(ms)
        return Line(line.ms, line.who, line.text, _fill(AFTER[words], ms=ms or "< 1"), ms, line.tone)

    def _zone(self, zone: str) -> str:
        return self._names.zones.get(zone, zone)

    def _kind(self, kind: str) -> Text:
        known = KINDS.get(kind)
        return (known.en, known.zh) if known else (kind, kind)

    def _about(self, payload: Mapping[str, Any]) -> str:
        areas = payload.get("areas")
        if zone := payload.get("zone"):
            named = self._zone(str(zone))
        elif isinstance(areas, list) and areas:
            named = ", ".join(self._names.areas.get(str(a), str(a)) for a in areas)
        else:
            named = str(payload.get("subject") or payload.get("name") or "")
        return f" · {named}" if named else ""


def _fill(text: Text, **values: object) -> Text:
    return text[0].format(**values), text[1].format(**values)
