"""How `fenghuo desk` shows things: the status as tables, a happening as a line."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from firmware.language import pick
from hil import desk_texts as texts
from rules.notices import NOTICES
from rules.vocabulary import KINDS

Zones: TypeAlias = Mapping[str, tuple[int, str]]
"""Zone id → number and name, as the panel file has them."""


def status(console: Console, view: Mapping[str, Any], zones: Zones) -> None:
    """Zones, outputs, areas, indications and mains, as far as the panel told them."""
    panel = _mapping(view.get("panel"))
    console.print(_zones(_mapping(view.get("zones")), _mapping(panel.get("zones"))))
    if outputs := _mapping(view.get("outputs")):
        console.print(_outputs(outputs))
    if areas := _rows(panel.get("areas")):
        console.print(_areas(areas))
    for line in (*_indications(panel, zones), *_notes(panel)):
        console.print(line, markup=False, highlight=False)
    console.print(pick(texts.MAINS, state=on_off(view.get("mains") is not False)), markup=False)
    if by_hand := _mapping(view.get("supply")):
        console.print(pick(texts.SUPPLY, values=supply(by_hand)), markup=False)


def _indications(panel: Mapping[str, Any], zones: Zones) -> Iterator[str]:
    """One after another, as a keypad shows them (GB 50394)."""
    found = [item for item in panel.get("indications") or () if isinstance(item, Mapping)]
    if found:
        yield pick(texts.INDICATIONS)
    for number, item in enumerate(found, 1):
        kind, zone = str(item.get("kind")), str(item.get("zone") or "")
        areas = _list(item.get("areas"))
        place = areas
        if zone:
            at, name = zones.get(zone, ("?", zone))
            place = pick(texts.ZONE, number=at, name=name, areas=areas)
        known = KINDS.get(kind)
        yield pick(texts.INDICATION, number=number, kind=pick((known.en, known.zh)) if known else kind, place=place)


def _notes(panel: Mapping[str, Any]) -> Iterator[str]:
    if troubles := panel.get("troubles"):
        yield pick(texts.TROUBLES, troubles=_list(troubles))
    if memory := panel.get("trouble_memory"):
        yield pick(texts.MEMORY, troubles=_list(memory))
    if panel.get("walk_test"):
        yield pick(texts.WALK_TEST)
    if panel.get("installer"):
        yield pick(texts.INSTALLER)


def _list(value: Any) -> str:
    return ", ".join(str(one) for one in value) if isinstance(value, list) else ""


def seen(line: Mapping[str, Any]) -> str:
    """One line for something that happened, its time first."""
    value = line.get("value")
    shown = " ".join(f"{key}={item}" for key, item in value.items()) if isinstance(value, dict) else str(value)
    return f"{str(line.get('utc', ''))[11:23]}  {line.get('what', '')!s:<10} {line.get('name', '')}  {shown}"


def keypad(line: Mapping[str, Any]) -> str:
    """What a keypad would show for a `tell`, in the user's language."""
    name, value = str(line.get("name")), _mapping(line.get("value"))
    notice = pick(NOTICES[name]) if name in NOTICES else name
    words = [_word(key, item) for key, item in value.items() if key != "source" and item != []]
    return pick(texts.KEYPAD, notice=" · ".join((notice, *words)))


def _word(key: str, item: object) -> str:
    if isinstance(item, list):
        return ", ".join(str(one) for one in item)
    if key.endswith("_ms") and isinstance(item, int):
        return f"{item / 1000:g} s"
    return f"{key}={item}"


def on_off(on: bool) -> str:
    """The word for it."""
    return pick(texts.ON if on else texts.OFF)


def supply(values: Any) -> str:
    """What was set by hand at battery and board."""
    found = _mapping(values)
    return ", ".join(f"{name} {value}" for name, value in found.items()) or "auto"


def _zones(zones: Mapping[str, Any], stand: Mapping[str, Any]) -> Table:
    table = _table("zone", "wiring", "position", "levels", "condition", "marks", "short", "error")
    for zone, figures in zones.items():
        found, stands = _mapping(figures), _mapping(stand.get(zone))
        levels = " ".join(str(level) for level in found.get("levels") or ())
        if found.get("rest_ohm"):
            levels = "∞ Ω" if found.get("ohm") is None else f"{found['ohm']} Ω"
        marks = ", ".join(pick(text) for mark, text in texts.MARKS.items() if stands.get(mark))
        shown = [found.get("wiring"), found.get("position"), levels, found.get("condition"), marks]
        table.add_row(*_cells([zone, *shown, found.get("short_pulses"), found.get("error")]))
    return table


def _outputs(outputs: Mapping[str, Any]) -> Table:
    table = _table("output", "on", "wanted", "error")
    for output, figures in outputs.items():
        found = _mapping(figures)
        pin, wanted = (on_off(bool(found.get(key))) for key in ("on", "wanted"))
        table.add_row(*_cells([output, pin, wanted, found.get("error")]))
    return table


def _areas(areas: Iterable[tuple[str, Any]]) -> Table:
    table = _table("area", "state", "part", "alarm", "memory")
    for area, figures in areas:
        found = _mapping(figures)
        alarm = pick(texts.ALARM) if found.get("alarm") else ""
        memory = " ".join(str(zone) for zone in found.get("memory") or ())
        table.add_row(*_cells([area, found.get("mode"), _part(found), alarm, memory]))
    return table


def _part(area: Mapping[str, Any]) -> str:
    if area.get("mode") in (None, "disarmed"):
        return ""
    part = str(area.get("part") or "") or pick(texts.FULL)
    return f"{part}, {pick(texts.INSTANT)}" if area.get("instant") else part


def _table(*columns: str) -> Table:
    table = Table(show_edge=False, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(escape(pick(texts.COLUMNS[column])), overflow="fold", no_wrap=number == 0)
    return table


def _cells(values: Iterable[Any]) -> list[str]:
    return [escape("" if value is None else str(value)) for value in values]


def _rows(value: Any) -> list[tuple[str, Any]]:
    """Areas come as an object by id, or as a list of objects with an id."""
    if isinstance(value, Mapping):
        return [(str(key), item) for key, item in value.items()]
    return [(str(item.get("id", "")), item) for item in value or () if isinstance(item, Mapping)]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
