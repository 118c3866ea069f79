"""How often things happen on a site in a year, and how people are: two tables.

A kind is a script of the world's scripts (`hil.life.scripts`). `when` says at which hours: `open` and `closed` are
those of an area that is drawn, `night` is between 22:00 and 5:00.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

When = Literal["any", "open", "closed", "night"]


@dataclass(frozen=True)
class Rate:
    """So many in a year, on average."""

    per_year: float
    when: When = "any"


RATES: Mapping[str, Rate] = MappingProxyType(
    {
        # people who should not be there, and those in need
        "burglary": Rate(24, "closed"),
        "prepared-burglary": Rate(10, "closed"),
        "hold-up": Rate(12, "open"),
        "night-hold-up": Rate(3, "night"),
        "duress-code": Rate(10, "open"),
        "duress-at-night": Rate(4, "closed"),
        "audible-hold-up": Rate(6, "open"),
        "medical": Rate(4, "open"),
        "code-guesser": Rate(10),
        # weather, animals, detectors with a life of their own
        "storm": Rate(8, "night"),
        "draught": Rate(30, "closed"),
        "pet": Rate(20, "closed"),
        "chatter": Rate(8, "closed"),
        "rattle": Rate(20, "closed"),
        "crowd": Rate(30, "open"),
        "day-window": Rate(12, "open"),
        "vault-opened": Rate(4, "any"),
        "fire": Rate(4),
        "gas": Rate(3),
        "water": Rate(4),
        "technical": Rate(8),
        # what wears out
        "cut-line": Rate(10),
        "short-line": Rate(6),
        "loose-line": Rate(6),
        "masked": Rate(6, "open"),
        "detector-fault": Rate(10),
        "supply-cut": Rate(6),
        "hold-up-fault": Rate(3),
        "fire-fault": Rate(3),
        "tamper": Rate(5),
        "box-opened": Rate(4),
        "siren-line": Rate(4),
        "all-sirens": Rate(3),
        "part-trouble": Rate(24),
        "many-troubles": Rate(3),
        "driver-dies": Rate(14),
        "repeats": Rate(40),
        # the machine
        "mains-cut": Rate(10),
        "mains-dip": Rate(25),
        "power-cut": Rate(14),
        "power-flicker": Rate(4),
        "kill": Rate(30),
        "kill-in-alarm": Rate(10, "closed"),
        "orderly-restart": Rate(8),
        "new-version": Rate(3),
        "new-file": Rate(3),
        "clock-step": Rate(8),
        "clock-unsure": Rate(6),
        "disk-full": Rate(3),
        "disk-stall": Rate(25),
        # the way to the center
        "link-down": Rate(30),
        "long-link-down": Rate(4),
        "other-path-down": Rate(12),
        "all-paths-down": Rate(6),
        "uplink-restart": Rate(15),
        "broker-restart": Rate(15),
        "center-restart": Rate(15),
        # the center's operators
        "remote-status": Rate(12),
        "remote-arm": Rate(12),
        "remote-disarm": Rate(8),
        "remote-silence": Rate(4),
        "remote-bypass": Rate(6, "open"),
        "remote-reset": Rate(4),
        "remote-replayed": Rate(8),
        "remote-stale": Rate(4),
        "remote-forged": Rate(8),
        # upkeep
        "user-added": Rate(10, "open"),
        "user-changed": Rate(10, "open"),
        "user-removed": Rate(8, "open"),
        "dated-user": Rate(10),
        "one-time-user": Rate(12),
        "bad-user": Rate(6, "open"),
        "walk-test": Rate(8, "open"),
        "installer-visit": Rate(10, "open"),
        "installer-alone": Rate(6),
        "maker-visit": Rate(3, "open"),
        "siren-test": Rate(8, "open"),
        "battery-test": Rate(10, "open"),
        "bypass-early": Rate(12, "open"),
        "keyswitch": Rate(30),
        "maintained-key": Rate(30, "closed"),
        "late-visitor": Rate(25, "closed"),
        "part-night": Rate(40, "night"),
        "cleaning": Rate(80, "closed"),
        "postpone": Rate(10),
        "silence": Rate(10, "closed"),
        "many-keypads": Rate(3),
    }
)


HABITS: Mapping[str, float] = MappingProxyType(
    {
        # coming
        "late": 0.03,
        "wrong-code": 0.06,
        "forgets-code": 0.004,
        "slow": 0.02,
        "off-the-route": 0.03,
        "all-at-once": 0.15,
        "toggle": 0.5,
        # leaving
        "forgets-to-arm": 0.02,
        "works-late": 0.08,
        "overrides": 0.6,
        "bypasses": 0.4,
        "instant": 0.03,
        "part": 0.05,
        "door-left-open": 0.025,
        "comes-back": 0.04,
        "stays-behind": 0.01,
        "forgot-phone": 0.03,
        "rearms": 0.3,
        "nobody-leaves": 0.02,
        # guards
        "tour-skipped": 0.03,
        "stop-missed": 0.04,
        "stop-late": 0.04,
        "wrong-way": 0.03,
    }
)
"""How probable a mistake or a whim is, each time that there is occasion for it."""

TRIPS_A_DAY = 11.0
"""How often one detector is set off on a working day of its area."""
EMPTY_DAY = 0.02
"""The same, as a part of it, on days on which the area stays closed and disarmed."""
ON_TRIAL = 0.1
"""How often a detector on trial is set off, against others."""
