"""What a fleet plays, and what comes of it: plain values for JSON, plots and tests."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from hil.fleet.tally import quantile

Cut = Literal["none", "network", "broker"]
BIN_MS = 100


@dataclass(frozen=True)
class Terms:
    """What to play. `seconds` of ordinary life; `dark_s`: how long nothing answers after the cut."""

    panels: int = 2_000
    seconds: float = 60.0
    cut: Cut = "none"
    dark_s: float = 0.0
    alarms_per_s: float = 5.0
    statuses_per_s: float = 20.0
    tls: bool = False
    seed: int = 1


@dataclass
class Cost:
    """Of one process over a span of ordinary life."""

    cpu_percent: float
    rss_mib: float
    cpu_ms_per_s_per_panel: float
    rss_kib_per_panel: float


@dataclass
class Rush:
    """All panels coming back, from the moment of the cut (or of power-up) on. Bins of `BIN_MS`; tries when due."""

    attempts: int
    most_attempts_in_1_s: int
    all_back_s: float
    all_receipted_s: float
    attempts_per_bin: list[int]
    opens_per_bin: list[int]
    reasons: dict[str, int]
    refused: int
    late_ms: int
    """By how much this process, which plays all panels, was late with a try at most."""


@dataclass
class Report:
    """What came of it."""

    terms: dict[str, Any]
    power_up: Rush
    costs: dict[str, Cost] = field(default_factory=dict)
    alarm_ms: dict[str, float] = field(default_factory=dict)
    """From recorded to the receipt that counted, in ordinary life: half, most (95 %), worst."""
    return_: Rush | None = None
    alarm_after_link_ms: dict[str, float] = field(default_factory=dict)
    """Alarms of the cut, from recorded or from the panel's link being up, to the receipt that counted."""
    records: int = 0
    heartbeats: int = 0
    publishes: dict[str, int] = field(default_factory=dict)
    receipts_refused: dict[str, int] = field(default_factory=dict)
    center: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    """What the center holds wrongly or not at all; empty when every record stands there once, in its place."""

    def body(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def spread(values: Sequence[int]) -> dict[str, float]:
    """Half, most (95 %) and worst, in ms, and how many; only the count without values."""
    found = {"half": quantile(values, 0.5), "most": quantile(values, 0.95), "worst": quantile(values, 1.0)}
    return {name: value for name, value in found.items() if value is not None} | {"count": float(len(values))}


def most_in(moments: Sequence[int], window_ms: int) -> int:
    """The most moments that any window of this length holds; they are in order."""
    most = first = 0
    for last, moment in enumerate(moments):
        while moment - moments[first] >= window_ms:
            first += 1
        most = max(most, last - first + 1)
    return most
