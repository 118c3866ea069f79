"""What stands in the way of arming, which access level may override it, and what an override does to it.

Source: EN 50131-1 prevention of setting, digest §1.3; the table itself is the site's (`Site.prevention`).
"""

from dataclasses import dataclass

from rules import bypass
from rules.draft import Draft
from rules.effects import JsonValue
from rules.index import site_index
from rules.site import Condition, Zone, ZoneType
from rules.vocabulary import TROUBLES
from rules.who import Who
from rules.zones import EXIT_ROUTE, INTRUDER, KEYSWITCHES, NEVER_BYPASSED, SILENT

MAX_REASONS = 64
"""So many reasons of a refused arming are told; a further entry `more` says that there are more."""
INSTALLER = 3
"""The access level that answers for arming in spite of what guards lives (digest §1.3, G3)."""
_NO_SAY = SILENT | KEYSWITCHES | {ZoneType.CHECKPOINT, ZoneType.MONITOR}


@dataclass(frozen=True)
class Reason:
    """One thing in the way: how it is told, the level that may override it (0: none), and its zone, if it is one's."""

    text: str
    level: int
    zone: str = ""


NO_USER = Reason("no-user", 0)
"""Nothing arms itself on a panel that is not commissioned yet: nobody could disarm it (ours)."""


def in_the_way(d: Draft, delays: dict[str, int], part: str) -> list[Reason]:
    """What prevents arming these areas (area → exit delay) with this part set.

    A pressed silent hold-up button is not among them: a refusal would show it (docs/rules.md, "Silent").
    """
    if not delays:
        return []
    ids = set(d.zones) | set(d.live.conditions)
    zones = sorted((d.site.zones[id_] for id_ in ids if id_ in d.site.zones), key=lambda z: z.number)
    omits = site_index(d.site).omits.get(part, frozenset())
    found = []
    for zone in zones:
        cause = _against(d, zone, delays, omits)
        if cause and d.site.prevention[cause].blocks:
            found.append(Reason(f"{cause}:{zone.id}", d.site.prevention[cause].level, zone.id))
    return found + _troubles(d)


def _troubles(d: Draft) -> list[Reason]:
    found = []
    for name in sorted(d.durable.troubles):
        prevention = d.site.prevention[TROUBLES[name.partition(":")[0]].cause]
        if prevention.blocks:
            found.append(Reason(f"trouble:{name}", prevention.level))
    sirens = [o.id for o in site_index(d.site).sirens]
    troubles = d.durable.troubles
    if "paths" in troubles and sirens and all(f"siren:{id_}" in troubles for id_ in sirens):
        # Digest §1.3: nobody would hear of an alarm in any way.
        found.append(Reason("notification", 0))
    return found


def _against(d: Draft, zone: Zone, delays: dict[str, int], omits: frozenset[str]) -> str:
    mine = [id_ for id_ in zone.areas if id_ in delays]
    stood, condition = d.zone(zone.id), d.condition(zone.id)
    if not mine or stood.out or zone.soak:
        return ""
    if zone.type is not ZoneType.TAMPER and "masked" in (stood.tamper, stood.fault, condition.value):
        return "masked"  # also where it alarmed as a tamper, while the area was set
    if stood.tamper or condition in (Condition.OPEN, Condition.SHORT):
        return "tamper"
    if stood.fault or condition is Condition.FAULT:
        return "fault"
    resting = zone.id in omits and zone.type in INTRUDER
    if condition is not Condition.ACTIVE or zone.type in _NO_SAY or resting:
        return ""
    if zone.type is ZoneType.AUDIBLE_HOLD_UP:
        return "hold-up"
    if zone.type is ZoneType.TAMPER:
        return "tamper"
    if zone.type in EXIT_ROUTE and all(delays[id_] for id_ in mine):
        return ""
    return "active"


def override(d: Draft, reasons: list[Reason], who: Who) -> list[Reason]:
    """Bypass what is in the way, where this level may; else the reasons that stay, and nothing is changed.

    What guards lives is never bypassed: in spite of it an installer may arm, and it goes on as it was.
    """
    stay = [r for r in reasons if not 0 < r.level <= who.level or (r.zone and not _may_go(d, r, who))]
    if stay:
        return stay
    for zone in [d.site.zones[reason.zone] for reason in reasons if reason.zone]:
        if zone.type not in NEVER_BYPASSED:
            bypass.begin(d, zone, {**who.told(), "forced": True})
    return []


def _may_go(d: Draft, reason: Reason, who: Who) -> bool:
    zone = d.site.zones[reason.zone]
    if zone.type in NEVER_BYPASSED:
        return who.level >= INSTALLER
    return (
        bypass.bypassable(zone)
        and bypass.at_rest(d, zone)
        and (zone.forceable or not reason.text.startswith("active:"))
    )


def told(reasons: list[Reason]) -> list[JsonValue]:
    """The reasons as they are told and recorded."""
    texts: list[JsonValue] = [reason.text for reason in reasons]
    return texts if len(texts) <= MAX_REASONS else [*texts[:MAX_REASONS], "more"]
