"""The panel state as others may see it.

Nothing of a silent alarm is in the public view, nor can it be worked out from it.
"""

from rules.effects import JsonValue
from rules.outputs import outputs
from rules.site import Condition, Site, Zone, ZoneType
from rules.state import AreaState, PanelState
from rules.vocabulary import KINDS


def public_view(site: Site, state: PanelState) -> dict[str, JsonValue]:
    """For the retained `state` topic, keypads and pages: areas, zones, troubles.

    A hold-up zone always reads `normal` here. Deterministic: the same state gives the same view.
    """
    return {
        "areas": {id_: _area(state.areas[id_]) for id_ in site.areas},
        "zones": {zone.id: _zone(state, zone) for zone in site.zones.values()},
        "troubles": sorted(state.durable.troubles),
    }


def _area(area: AreaState) -> dict[str, JsonValue]:
    return {"mode": area.mode.value, "alarm": area.alarm is not None, "memory": list(area.memory)}


def _zone(state: PanelState, zone: Zone) -> dict[str, JsonValue]:
    if zone.type is ZoneType.HOLD_UP:
        return {"condition": Condition.NORMAL.value, "bypassed": False, "alarm": False}
    stood = state.zones.get(zone.id)
    condition = state.live.conditions.get(zone.id, Condition.NORMAL)
    alarm = stood is not None and bool(stood.tamper or (stood.alarm and not KINDS[stood.alarm].silent))
    return {"condition": condition.value, "bypassed": stood is not None and stood.bypassed, "alarm": alarm}


def private_view(site: Site, state: PanelState, *, silent: bool = False) -> dict[str, JsonValue]:
    """For the technician: the public view, with users (no keys), outputs, sirens, lock-outs and counters.

    `silent` adds what a silent alarm left: hold-up zones that stand, and the incident number, whose gaps would tell
    of one. Moments are monotonic ms.
    """
    durable = state.durable
    more: dict[str, JsonValue] = {
        "users": {u.id: {"name": u.name, "level": u.level, "areas": list(u.areas)} for u in state.users.values()},
        "outputs": dict(outputs(site, state)),
        "sirens": {
            a.id: {"since": a.alarm.since, "until": a.alarm.until, "silenced": a.alarm.silenced}
            for a in state.areas.values()
            if a.alarm is not None
        },
        "deadlines": {a.id: a.deadline for a in state.areas.values() if a.deadline is not None},
        "lockouts": dict(durable.lockouts),
        "command_counter": durable.counter,
        "config_hash": durable.config_hash,
        "faults": {z.id: z.fault for z in state.zones.values() if z.fault and not _hidden(site, z.id)},
        "trouble_details": dict(durable.troubles),
    }
    if silent:
        more["silent"] = sorted(z.id for z in state.zones.values() if z.alarm and KINDS[z.alarm].silent)
        more["incident"] = durable.incident
    return {**public_view(site, state), **more}


def _hidden(site: Site, id_: str) -> bool:
    zone = site.zones.get(id_)
    return zone is not None and zone.type is ZoneType.HOLD_UP
