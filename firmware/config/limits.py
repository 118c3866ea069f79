"""Which keys of the panel file get their default and their limits from which number of the profile."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limited:
    """A key. `number`: of `rules.profiles.Profile.numbers`. `default`: the number's default is the key's; else the key
    may be left out for a reason of its own, and 0 always stands for nothing."""

    table: str
    key: str
    number: str
    default: bool = True


_TIMINGS = (
    "siren_s",
    "siren_max_s",
    "settle_s",
    "code_attempts",
    "lockout_s",
    "heartbeat_s",
    "exit_warning_s",
    "final_set_s",
    "entry_hold_s",
    "abort_window_s",
    "cancel_window_min",
    "recent_close_s",
    "swinger_trips",
    "swinger_reset_h",
    "cross_s",
    "confirm_min",
    "hold_up_gap_s",
    "hold_up_window_h",
    "mains_report_delay_s",
    "grant_min",
    "installer_min",
    "walk_test_min",
    "siren_test_s",
    "battery_test_s",
    "standby_h",
    "chime_ms",
    "rearm_min",
    "reset_level",
)

LIMITED: tuple[Limited, ...] = (
    Limited("panel", "pin_digits", "pin_digits"),
    Limited("area", "entry_delay_s", "entry_delay_s"),
    Limited("area", "entry_delay_2_s", "entry_delay_s", default=False),
    Limited("area", "exit_delay_s", "exit_delay_s"),
    Limited("zone", "entry_delay_s", "entry_delay_s", default=False),
    Limited("zone", "swinger_trips", "swinger_trips", default=False),
    Limited("output", "delay_s", "siren_delay_s", default=False),
    Limited("output", "limit_s", "siren_s", default=False),
    Limited("storage", "retention_days", "retention_days"),
    Limited("storage", "evidence_days", "evidence_days"),
    Limited("storage", "evidence_max_days", "evidence_max_days"),
    Limited("storage", "evidence_mib_per_day", "evidence_mib_per_day"),
    *(Limited("timings", name, name) for name in _TIMINGS),
)
