"""The panel state as others may see it.

Nothing of a silent alarm is in the public view, nor can it be worked out from it.
"""

from collections.abc import Mapping

from rules.effects import JsonValue
from rules.site import Condition, Site, Zone
from rules.state import AreaState, PanelState, ZoneState
from rules.stimuli import User
from rules.switching import outputs
from rules.vocabulary import KINDS
from rules.zones import SILENT

AT_REST: Mapping[str, JsonValue] = {
    "condition": "normal",
    "bypassed": False,
    "isolated": False,
    "alarm": False,
    "shut_down": False,
}
"""What a zone shows that is at rest, and a silent one always: one object for all, never changed."""


def public_view(site: Site, state: PanelState) -> dict[str, JsonValue]:
    """For the retained `state` topic, keypads and pages: areas, zones, troubles, indications.

    A silent zone always reads `normal` here. Deterministic: the same state gives the same view.
    """
    durable = state.durable
    return {
        "areas": {id_: _area(state.areas[id_]) for id_ in site.areas},
        "zones": _zones(site, state),
        "troubles": sorted(durable.troubles),
        "trouble_memory": list(durable.trouble_memory),
        "indications": [{"kind": i.kind, "zone": i.zone, "areas": list(i.areas)} for i in durable.indications],
        "walk_test": durable.walk is not None,
        "installer": durable.installer is not None,
    }


def _area(area: AreaState) -> dict[str, JsonValue]:
    return {
        "mode": area.mode.value,
        "part": area.part,
        "instant": area.instant,
        "alarm": area.alarm is not None,
        "exit_error": area.exit_error,
        "memory": list(area.memory),
    }


def _zones(site: Site, state: PanelState) -> dict[str, JsonValue]:
    """All zones; those at rest are most of them, and are not looked at one by one."""
    rest: dict[str, JsonValue] | None = site.__dict__.get("_at_rest")
    if rest is None:
        rest = site.__dict__["_at_rest"] = dict.fromkeys(site.zones, AT_REST)
    shown = rest.copy()
    for id_ in (*state.zones, *state.live.conditions):
        if id_ in shown:
            shown[id_] = _zone(state, site.zones[id_])
    return shown


def _zone(state: PanelState, zone: Zone) -> Mapping[str, JsonValue]:
    found, condition = state.zones.get(zone.id), state.live.conditions.get(zone.id, Condition.NORMAL)
    if zone.type in SILENT or (found is None and condition is Condition.NORMAL):
        return AT_REST
    stood = found or ZoneState(zone.id)
    alarm = bool(stood.tamper or stood.alarm)
    return {
        "condition": condition.value,
        "bypassed": stood.bypassed,
        "isolated": stood.isolated,
        "alarm": alarm,
        "shut_down": stood.shut is not None,
    }


def private_view(site: Site, state: PanelState, *, silent: bool = False) -> dict[str, JsonValue]:
    """For the technician: the public view, with users (no keys), outputs, sirens, lock-outs and counters.

    `silent` adds what a silent alarm left: hold-up zones that stand, and the incident number, whose gaps would tell
    of one. Moments are monotonic ms.
    """
    durable = state.durable
    more: dict[str, JsonValue] = {
        "users": {user.id: _user(user) for user in state.users.values()},
        "outputs": dict(outputs(site, state)),
        "sirens": {
            a.id: {"since": a.alarm.since, "until": a.alarm.until, "silenced": a.alarm.silenced}
            for a in state.areas.values()
            if a.alarm is not None
        },
        "deadlines": {a.id: a.deadline for a in state.areas.values() if a.deadline is not None},
        "lockouts": dict(durable.lockouts),
        "command_counters": dict(durable.counters),
        "config_hash": durable.config_hash,
        "faults": {z.id: z.fault for z in state.zones.values() if z.fault and not _hidden(site, z.id)},
        "trouble_details": dict(durable.troubles),
        "tours": {id_: {"reached": list(t.reached), "missed": list(t.missed)} for id_, t in durable.tours.items()},
        "walk_seen": list(durable.walk.seen) if durable.walk else [],
    }
    if silent:
        more["silent"] = sorted(z.id for z in state.zones.values() if z.alarm and KINDS[z.alarm].silent)
        more["incident"] = durable.incident
    return {**public_view(site, state), **more}


def _hidden(site: Site, id_: str) -> bool:
    zone = site.zones.get(id_)
    return zone is not None and zone.type in SILENT


def _user(user: User) -> dict[str, JsonValue]:
    """What may be shown of a user: no keys."""
    return {
        "name": user.name,
        "level": user.level,
        "areas": list(user.areas),
        "rights": None if user.rights is None else [right.value for right in user.rights],
        "first_day": user.first_day,
        "last_day": user.last_day,
        "once": user.once,
        "spent": not user.key,
    }
