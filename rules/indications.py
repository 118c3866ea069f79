"""What keypads show of alarms until somebody resets it by hand, in the order in which it came (GB 50394, digest §3.2).

Nothing silent is ever in here; a trouble's memory is in here by its name.
"""

from rules.draft import Draft
from rules.effects import JsonValue
from rules.state import Indication
from rules.vocabulary import TROUBLES
from rules.who import Who

MAX_INDICATIONS = 256
MAX_MEMORY = 128
_TAMPERS = frozenset({"alarm.tamper", "alarm.sensor-tamper", "trouble.box"})


def add(d: Draft, kind: str, zone: str, areas: tuple[str, ...]) -> None:
    """Show this alarm from now on; one that is shown already stays where it is."""
    shown = d.durable.indications
    new = Indication(kind, zone, areas)
    if new not in shown and len(shown) < MAX_INDICATIONS:
        d.keep(indications=(*shown, new))


def remember(d: Draft, trouble: str) -> None:
    """A trouble (`name` or `name:subject`) began: it stays in the memory until it is over and reset."""
    memory = d.durable.trouble_memory
    if trouble not in memory and len(memory) < MAX_MEMORY:
        d.keep(trouble_memory=(*memory, trouble))


def reset(d: Draft, ids: list[str], level: int, who: Who) -> dict[str, JsonValue]:
    """Reset what is over and what this level may reset, of these areas; what was reset and what stays, as counts."""
    durable, mine = d.durable, set(ids)
    highest = d.site.timings.reset_level
    stays = tuple(
        i
        for i in durable.indications
        if not mine.issuperset(i.areas) or _goes_on(d, i) or (i.kind in _TAMPERS and level < highest)
    )
    keeps = tuple(name for name in durable.trouble_memory if name in durable.troubles or _above(name, level, highest))
    done: dict[str, JsonValue] = {
        "indications": [f"{i.kind}:{i.zone}" for i in durable.indications if i not in stays][:64],
        "troubles": [name for name in durable.trouble_memory if name not in keeps][:64],
    }
    if len(stays) < len(durable.indications) or len(keeps) < len(durable.trouble_memory):
        d.keep(indications=stays, trouble_memory=keeps)
        d.record("panel.reset", {**who.told(), **done})
    return {"reset": done["indications"], "left": len(stays) + len(keeps)}


def _goes_on(d: Draft, shown: Indication) -> bool:
    stood = d.zone(shown.zone)
    if shown.kind == "trouble.box":
        return any(name.partition(":")[0] == "box" for name in d.durable.troubles)
    if shown.kind in _TAMPERS and stood.tamper:
        return True
    return bool(shown.zone) and stood.alarm == shown.kind


def _above(trouble: str, level: int, highest: int) -> bool:
    row = TROUBLES.get(trouble.partition(":")[0])
    return row is not None and row.fault and level < highest
