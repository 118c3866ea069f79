"""The members of the durable state, as tables: how each is written, read and moved in time.

A new member of a class in `rules.state` needs its row here, or this module does not import.
"""

from rules.codec import (
    COUNT,
    FLAG,
    MOMENT,
    NUMBER,
    SECRET,
    TEXT,
    Kind,
    Table,
    by_id,
    choice,
    member_of,
    optional,
    pairs,
    several,
)
from rules.state import (
    Alarm,
    AreaState,
    Closing,
    Durable,
    HoldUp,
    Indication,
    Last,
    Pending,
    People,
    Siren,
    Walk,
    Walkers,
    ZoneState,
)
from rules.stimuli import Right, User
from rules.table import AreaMode

_TEXTS = several(TEXT)
_MOMENT = optional(MOMENT)

ALARM = Table(Alarm, {"since": MOMENT, "until": MOMENT, "silenced": FLAG, "zones": _TEXTS, "external": FLAG})
LAST = Table(Last, {"at": MOMENT, "part": TEXT, "instant": FLAG, "bypassed": _TEXTS})
AREA = Table(
    AreaState,
    {
        "mode": member_of(AreaMode),
        "deadline": _MOMENT,
        "by": TEXT,
        "user": TEXT,
        "how": choice("", "code", "key", "remote", "schedule"),
        "part": TEXT,
        "instant": FLAG,
        "restarted": FLAG,
        "left": FLAG,
        "warn_at": _MOMENT,
        "entry_zones": _TEXTS,
        "exit_error": FLAG,
        "alarm": optional(ALARM.kind()),
        "strobe": FLAG,
        "memory": _TEXTS,
        "armed_at": _MOMENT,
        "reported_at": _MOMENT,
        "incident": COUNT,
        "confirm_until": _MOMENT,
        "confirm_zones": _TEXTS,
        "confirmed": FLAG,
        "last": optional(LAST.kind()),
    },
)
ZONE = Table(
    ZoneState,
    {
        "bypassed": FLAG,
        "isolated": FLAG,
        "alarm": TEXT,
        "tamper": choice("", "open", "short", "masked", "fault", "active"),
        "fault": choice("", "fault", "masked"),
        "day": FLAG,
        "trips": COUNT,
        "shut": _MOMENT,
    },
)
PENDING = Table(
    Pending,
    {
        "kind": TEXT,
        "zone": TEXT,
        "areas": _TEXTS,
        "incident": COUNT,
        "condition": TEXT,
        "due": MOMENT,
        "recent": _TEXTS,
    },
)
INDICATION = Table(Indication, {"kind": TEXT, "zone": TEXT, "areas": _TEXTS})
SIREN = Table(Siren, {"on": FLAG, "until": _MOMENT, "rested": _MOMENT})
HOLD_UP = Table(HoldUp, {"at": MOMENT, "zone": TEXT})
WALK = Table(
    Walk, {"until": MOMENT, "by": TEXT, "user": TEXT, "areas": _TEXTS, "quiet": FLAG, "hold_up": FLAG, "seen": _TEXTS}
)
CLOSING = Table(Closing, dict.fromkeys(("late", "auto", "warned", "postponed", "due"), NUMBER))
WALKERS = Table(
    Walkers, {"since": MOMENT, "due": MOMENT, "reached": _TEXTS, "missed": _TEXTS, "late": COUNT, "odd": COUNT}
)
USER = Table(
    User,
    {
        "name": TEXT,
        "level": NUMBER,
        "areas": _TEXTS,
        "key": SECRET,
        "duress_key": SECRET,
        "rights": optional(several(member_of(Right))),
        "first_day": optional(NUMBER),
        "last_day": optional(NUMBER),
        "once": FLAG,
    },
)
_USERS = by_id(USER)


def _write_people(people: People) -> str:
    own = people.__dict__
    if "_piece" not in own:
        own["_piece"] = _USERS.write(people.users)
    return str(own["_piece"])


PEOPLE = Kind(_write_people, lambda value, place: People(_USERS.read(value, place)))

DURABLE = Table(
    Durable,
    {
        "areas": by_id(AREA),
        "zones": by_id(ZONE),
        "troubles": pairs(TEXT),
        "delayed": pairs(MOMENT),
        "trouble_memory": _TEXTS,
        "indications": several(INDICATION.kind()),
        "pending": several(PENDING.kind()),
        "sirens": by_id(SIREN),
        "hold_up": optional(HOLD_UP.kind()),
        "people": PEOPLE,
        "lockouts": pairs(MOMENT),
        "incident": COUNT,
        "counter": COUNT,
        "counters": pairs(COUNT),
        "keys_by": choice("file", "center"),
        "keys_serial": COUNT,
        "center_keys": TEXT,
        "powered_ms": _MOMENT,
        "config_hash": TEXT,
        "version": TEXT,
        "granted": _MOMENT,
        "installer": _MOMENT,
        "installer_id": TEXT,
        "walk": optional(WALK.kind()),
        "siren_test": _MOMENT,
        "battery_test": _MOMENT,
        "tours": by_id(WALKERS),
        "tours_begun": pairs(NUMBER),
        "closings": by_id(CLOSING),
        "reported_day": COUNT,
        "clock_sure": FLAG,
    },
)
