"""Whether part sets omit zones that can rest, and the ids that areas and parts name are there."""

from collections.abc import Callable, Iterator

from firmware.config.check_zones import zone_type
from firmware.config.findings import listed_once, unknown
from firmware.config.mistakes import Finding, show
from firmware.config.rows import Document
from rules.site import ZoneType
from rules.zones import INTRUDER

_RESTING = ", ".join(t for t in ZoneType if t in INTRUDER)


def _omits(document: Document) -> Iterator[Finding]:
    types = {z.text("id"): zone_type(z) for z in document.rows("zone")}
    for part in document.rows("part"):
        omits = part.texts("omits")
        yield from unknown(omits, "zone", document.ids("zone"))
        yield from listed_once(part, "omits")
        for loc, name in omits:
            kind = types.get(name)
            if kind is not None and kind not in INTRUDER:
                yield Finding(
                    loc,
                    show(name),
                    (f"zones of type {_RESTING}", f"类型为 {_RESTING} 的防区"),
                    (f'a zone of type "{kind}" never rests', f"{kind} 类型防区不可停用"),
                )


def _areas(document: Document) -> Iterator[Finding]:
    resting = [z for z in document.rows("zone") if zone_type(z) in INTRUDER]
    areas = {z.text("id"): {a for _, a in z.texts("areas")} for z in resting}
    for part in document.rows("part"):
        own = {a for _, a in part.texts("areas")}
        for loc, name in part.texts("omits"):
            if own and name in areas and not own & areas[name]:
                yield Finding(
                    loc,
                    show(name),
                    ("a zone in one of the part's areas", "属于该部分布防组某个区域的防区"),
                    ("the part is not for this zone's area", "该部分布防组不适用于此防区的区域"),
                )


def _schedules(document: Document) -> Iterator[Finding]:
    for area in document.rows("area"):
        if name := area.text("schedule"):
            yield from unknown([(area.at("schedule"), name)], "schedule", document.ids("schedule"))


CHECKS: tuple[Callable[[Document], Iterator[Finding]], ...] = (_omits, _areas, _schedules)
