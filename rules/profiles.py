"""The profiles (`cn`, `cn-key`, `eu-g2` …) as data: what a panel file may say, what counts where it is silent.

Sources: the digest §1 (EN 50131), §5 (CP-01), §6 (BS 8243) and §8 (the list for `cn`). `Fenghuo` stands for a choice
of ours, where no standard was found. The rules themselves know no profiles: they get values (`rules.site`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from rules.site import CAUSES, CN_PREVENTION, Prevention


@dataclass(frozen=True)
class Number:
    """Default and limits of one number, in the unit of its name.

    `source`: the standard, and its clause or row where it is known. `memory`: the digest has it, or a part of it, from
    memory only. `off`: 0 switches the feature off, whatever `least` is.
    """

    default: int
    least: int
    most: int
    source: str
    memory: bool = False
    off: bool = False

    def allows(self, value: int) -> bool:
        """Whether a panel file of this profile may say so."""
        return self.least <= value <= self.most or (self.off and value == 0)


@dataclass(frozen=True)
class Choice:
    """Whether a feature is on where the panel file says nothing of it."""

    on: bool
    source: str
    memory: bool = False


@dataclass(frozen=True)
class Profile:
    """One profile. `numbers` and `choices` by the names of this file, the same names in each profile.

    `prevention`: what stands in the way of arming, by `rules.site.CAUSES`.
    """

    name: str
    numbers: Mapping[str, Number]
    choices: Mapping[str, Choice]
    prevention: Mapping[str, Prevention]

    @property
    def pin_digits(self) -> int:
        """How many digits a code has, unless the panel file says another number."""
        return self.numbers["pin_digits"].default

    @property
    def reset_level(self) -> int:
        """The access level that may reset tampers and faults, unless the panel file says another."""
        return self.numbers["reset_level"].default


_EN, _CP, _BS, _OURS = "EN 50131-1", "CP-01", "BS 8243", "Fenghuo"
_SECONDS_A_DAY = 86_400

_CN: Mapping[str, Number] = {
    # entry and exit
    "entry_delay_s": Number(30, 0, 45, _EN),
    # No limit of EN 50131 is known; the upper one is CP-01's.
    "exit_delay_s": Number(60, 0, 255, f"{_CP} row 1", memory=True),
    "exit_warning_s": Number(10, 5, 30, f"{_CP} row 2", off=True),
    "final_set_s": Number(5, 1, 60, _OURS),
    "entry_hold_s": Number(30, 30, 120, f"{_EN}/A1"),
    # false alarms
    "abort_window_s": Number(0, 15, 45, f"{_CP} rows 7, 8", off=True),
    "cancel_window_min": Number(5, 5, 255, f"{_CP} row 11", memory=True),
    "recent_close_s": Number(120, 120, 120, f"{_CP} row 20"),
    "swinger_trips": Number(2, 1, 6, f"{_CP} row 15", memory=True, off=True),
    "swinger_reset_h": Number(8, 1, 24, f"{_CP} row 15"),
    "cross_s": Number(120, 5, 15_300, f"{_CP} row 14"),
    "confirm_min": Number(30, 30, 60, _BS, off=True),
    "hold_up_gap_s": Number(120, 120, 3600, _BS),
    "hold_up_window_h": Number(8, 8, 20, _BS, memory=True),
    # sirens
    "siren_s": Number(300, 90, 900, _EN),
    "siren_max_s": Number(900, 90, 900, _EN),
    "siren_delay_s": Number(0, 0, 600, _EN),
    "chime_ms": Number(1500, 200, 5000, _OURS),
    # codes and people
    "code_attempts": Number(5, 3, 10, _EN, memory=True),
    "lockout_s": Number(90, 90, 3600, _EN),
    "pin_digits": Number(6, 4, 8, _EN, memory=True),
    "reset_level": Number(2, 2, 3, f"{_EN} table 6"),
    "rearm_min": Number(5, 1, 60, _OURS, off=True),
    "grant_min": Number(5, 1, 60, _OURS),
    "installer_min": Number(60, 5, 480, _OURS),
    # tests
    "walk_test_min": Number(60, 5, 240, f"{_CP} row 24", memory=True),
    "siren_test_s": Number(5, 1, 60, _OURS),
    "battery_test_s": Number(60, 10, 600, _OURS),
    # detectors and supply
    "settle_s": Number(60, 0, 180, f"{_CP} row 25", memory=True),
    "input_debounce_ms": Number(300, 10, 400, _EN, memory=True),
    "mains_report_delay_s": Number(600, 0, 3600, _EN),
    "standby_h": Number(8, 8, 72, "GB 12663"),
    # reporting and records
    "panel_response_ms": Number(2000, 0, 2000, "GB 55029 3.5.1(8)"),
    "heartbeat_s": Number(30, 1, 300, "EN 50136-1", memory=True),
    "gb28181_keepalive_s": Number(60, 5, 300, "GB/T 28181"),
    "gb28181_expires_s": Number(_SECONDS_A_DAY, 3600, _SECONDS_A_DAY, "GB/T 28181"),
    "event_log_min": Number(1_000_000, 1000, 100_000_000, _EN, memory=True),
    "retention_days": Number(400, 184, 36_500, "Cybersecurity Law: 6 months"),
    "evidence_days": Number(30, 30, 3650, "State Council Order 799 art. 17; GB 55029 3.5.2(5)"),
    "evidence_max_days": Number(60, 30, 3650, "Order 799 art. 17, PIPL art. 19: then delete", memory=True),
    "evidence_mib_per_day": Number(2048, 64, 1_000_000, _OURS),
}

_EU: Mapping[str, Number] = {
    **_CN,
    # Digest §1.10: at most 10, at least 3 records of one source in a set period.
    "swinger_trips": Number(3, 3, 10, _EN, memory=True, off=True),
}

_NUMBERS: Mapping[str, Mapping[str, Number]] = {
    "cn": _CN,
    # What may be a target keeps its pictures three times as long.
    "cn-key": {
        **_CN,
        "evidence_days": Number(90, 90, 3650, "Counter-Terrorism Law art. 32", memory=True),
        "evidence_max_days": Number(
            180, 90, 3650, "Order 799 art. 17, PIPL art. 19: no longer than needed", memory=True
        ),
    },
    "eu-g2": {
        **_EU,
        "pin_digits": Number(5, 5, 8, f"{_EN} grade 2", memory=True),
        "reset_level": Number(2, 2, 3, f"{_EN} table 6, grade 2"),
        "standby_h": Number(12, 12, 72, "EN 50131-6 grade 2"),
        "event_log_min": Number(1_000_000, 250, 100_000_000, f"{_EN} grade 2", memory=True),
    },
    "eu-g3": {
        **_EU,
        "pin_digits": Number(6, 6, 8, f"{_EN} grade 3", memory=True),
        "reset_level": Number(3, 3, 3, f"{_EN} table 6, grade 3"),
        "standby_h": Number(60, 30, 120, "EN 50131-6 grade 3"),
        "event_log_min": Number(1_000_000, 500, 100_000_000, f"{_EN} grade 3", memory=True),
    },
    "us-cp01": {
        **_CN,
        "entry_delay_s": Number(30, 30, 240, f"{_CP} row 6"),
        "exit_delay_s": Number(60, 45, 255, f"{_CP} row 1"),
        "exit_warning_s": Number(10, 10, 30, f"{_CP} row 2"),
        # What EN asks and the abort window go together: 30 s of entry delay, 30 s of holding back (digest §5 row 9).
        "entry_hold_s": Number(30, 15, 45, f"{_CP} rows 8, 9"),
        "abort_window_s": Number(30, 15, 45, f"{_CP} rows 7, 8", off=True),
        "swinger_trips": Number(2, 1, 6, f"{_CP} row 15", memory=True),
        "confirm_min": Number(0, 1, 255, f"{_CP} row 14", memory=True, off=True),
        "pin_digits": Number(4, 4, 8, _OURS),
    },
}
"""Profile → number. Those that no key of the panel file sets are for the parts of the panel that will read them."""


def _choices(*, auto_part: bool, abort: bool) -> Mapping[str, Choice]:
    return MappingProxyType(
        {
            "exit_restart": Choice(True, f"{_CP} row 3"),
            "auto_part": Choice(auto_part, f"{_CP} row 4"),
            "abort": Choice(abort, f"{_CP} row 7"),
            # A zone is in a cross group only where the panel file says so.
            "cross": Choice(False, f"{_CP} row 14", memory=True),
            "swinger": Choice(True, f"{_CP} row 15", memory=True),
        }
    )


_EU_G2: Mapping[str, Prevention] = {
    **dict.fromkeys(CAUSES, Prevention(True, 2)),
    # Grade 2 needs no detection of masking.
    "masked": Prevention(False, 2),
    # No override, as in cn: an arming that no journal holds could be gone after a power cut (ours).
    "storage": Prevention(True, 0),
}
_EU_G3: Mapping[str, Prevention] = {
    **_EU_G2,
    "hold-up": Prevention(True, 3),
    "tamper": Prevention(True, 3),
    "masked": Prevention(True, 2),
}
"""Digest §1.3, columns G2 and G3: most of it from memory."""


def _profile(
    name: str, prevention: Mapping[str, Prevention], *, auto_part: bool = False, abort: bool = False
) -> Profile:
    choices = _choices(auto_part=auto_part, abort=abort)
    return Profile(name, MappingProxyType({**_NUMBERS[name]}), choices, MappingProxyType({**prevention}))


PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        "cn": _profile("cn", CN_PREVENTION),
        "cn-key": _profile("cn-key", CN_PREVENTION),
        "eu-g2": _profile("eu-g2", _EU_G2),
        "eu-g3": _profile("eu-g3", _EU_G3),
        # CP-01 has no list of what prevents arming.
        "us-cp01": _profile("us-cp01", CN_PREVENTION, auto_part=True, abort=True),
    }
)
"""The profiles by the name that a panel file gives them; the first is the default."""

DEFAULT = "cn"
