"""What took how long in one scenario, from its marks: input to siren, input to center, record to receipt, the gaps.

Only pairs that belong together without a doubt are told: an effect counts for the latest cause before it, and only when
it followed within `SOON_MS`, debounce included.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hil.rigs.protocol import Mark

SOON_MS = 2_000
_SIRENS = ("siren-outside", "siren-inside")
_DOWN = ("killed", "hung")


@dataclass(frozen=True)
class Latency:
    """`name`: from what to what; `ms` long, from the boot clock moment `at_ms` on."""

    name: str
    at_ms: int
    ms: int


def latencies(marks: Sequence[Mark]) -> list[Latency]:
    """In order of time."""
    found = [*_to_siren(marks), *_to_center(marks), *_to_receipt(marks), *_gaps(marks)]
    return sorted(found, key=lambda latency: (latency.at_ms, latency.name))


def _to_siren(marks: Sequence[Mark]) -> Iterator[Latency]:
    """From the moved detector to the first siren."""
    cause: Mark | None = None
    for mark in marks:
        if mark.track == "input" and mark.value not in ("close", None):
            cause = mark
        elif mark.track == "output" and mark.name in _SIRENS and mark.value and cause is not None:
            if mark.ms - cause.ms <= SOON_MS:
                yield Latency(f"{cause.name} → {mark.name}", cause.ms, mark.ms - cause.ms)
            cause = None


def _to_center(marks: Sequence[Mark]) -> Iterator[Latency]:
    """From the moved detector to its alarm's arrival."""
    moved: dict[str, Mark] = {}
    for mark in marks:
        if mark.track == "input" and mark.value not in ("close", None):
            moved[mark.name] = mark
        elif mark.track == "record" and mark.name.startswith("alarm."):
            payload = mark.value.get("payload") if isinstance(mark.value, dict) else None
            cause = moved.pop(payload.get("zone", ""), None) if isinstance(payload, dict) else None
            if cause is not None and mark.ms - cause.ms <= SOON_MS:
                yield Latency(f"{cause.name} → center", cause.ms, mark.ms - cause.ms)


def _to_receipt(marks: Sequence[Mark]) -> Iterator[Latency]:
    """From an alarm's arrival to the center's receipt for it: the worst of the run."""
    waiting: dict[int, Mark] = {}
    worst: Latency | None = None
    for mark in marks:
        if mark.track == "record" and isinstance(mark.value, dict) and mark.value.get("lane") == "alarm":
            waiting[int(mark.value["lane_seq"])] = mark
        elif mark.track == "receipt" and mark.name == "alarm":
            for first, last in mark.value:
                for number in [n for n in waiting if first <= n <= last]:
                    record = waiting.pop(number)
                    if worst is None or mark.ms - record.ms > worst.ms:
                        worst = Latency("alarm at center → receipt", record.ms, mark.ms - record.ms)
    if worst is not None:
        yield worst


def _gaps(marks: Sequence[Mark]) -> Iterator[Latency]:
    """How long a siren that sounded was off after a kill, a hang or a power cut."""
    struck: Mark | None = None
    sounding: set[str] = set()
    off: dict[str, Mark] = {}
    for mark in marks:
        cut = mark.track == "power" and mark.name == "panel" and mark.value is False
        if cut or (mark.track == "process" and mark.name == "core" and mark.value in _DOWN):
            struck, off = mark, {}
        elif mark.track == "output" and mark.name in _SIRENS:
            if mark.value:
                sounding.add(mark.name)
                if struck is not None and (gone := off.pop(mark.name, None)) is not None:
                    yield Latency(f"{mark.name} off after {struck.name} {_struck(struck)}", gone.ms, mark.ms - gone.ms)
            elif mark.name in sounding:
                sounding.discard(mark.name)
                off[mark.name] = mark


def _struck(mark: Mark) -> str:
    return "power cut" if mark.track == "power" else str(mark.value)
