"""The self-check: each wire of a bench proven before a run, in both directions, and alone.

Each relay is switched, and the panel's own raw line must follow, and no other; each output line is driven on the panel,
and the rig's own input must follow, and no other. What fails is named by its wire and never counts against the panel.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from hil.rigs.bench.boards import Boards, RelayStuck
from hil.rigs.bench.file import Bench, Relay, Sense, names
from hil.rigs.bench.panel import BenchPanel
from hil.rigs.protocol import RigFault
from hil.rigs.site import LOADS

SETTLE_S = 0.03
"""A relay's travel and bounce, 20 ms at most on such boards."""
What: TypeAlias = Literal["broken", "swapped", "shorted", "stuck", "at rest", "board"]


@dataclass(frozen=True)
class WireFault:
    """One wire that is not as the bench file says."""

    line: int
    name: str
    what: What
    detail: str

    def __str__(self) -> str:
        return f"wire of {self.name} (line {self.line}): {self.what}: {self.detail}"


def self_check(bench: Bench, boards: Boards, panel: BenchPanel, settle_s: float = SETTLE_S) -> list[WireFault]:
    """Every wire that fails, none when all is well. The panel's core must not run. Raises `RigFault`."""
    return [*_relays(bench, boards, panel, settle_s), *_senses(bench, boards, panel, settle_s)]


def prove(bench: Bench, boards: Boards, panel: BenchPanel, settle_s: float = SETTLE_S) -> None:
    """Raises `RigFault` that names each wire that fails."""
    if faults := self_check(bench, boards, panel, settle_s):
        raise RigFault("; ".join(map(str, faults)))


def _relays(bench: Bench, boards: Boards, panel: BenchPanel, settle_s: float) -> list[WireFault]:
    found: list[WireFault] = []
    for relay in bench.relay:
        found += _guarded(relay.line, names()[relay.line], lambda r=relay: boards.set(r.board, r.channel, False))  # type: ignore[misc]
    time.sleep(settle_s)
    lines = [relay.line for relay in bench.relay]
    rest = panel.lines(lines)
    for relay in bench.relay:
        expected = not relay.closed(False)
        if rest[relay.line] is not expected:
            detail = f"it reads {_level(rest[relay.line])} while its relay is released"
            found.append(WireFault(relay.line, names()[relay.line], "at rest", detail))
    spoiled = {fault.line for fault in found}
    for relay in bench.relay:
        if relay.line not in spoiled:
            found += _relay(relay, rest, boards, panel, settle_s)
    return found


def _relay(
    relay: Relay, rest: Mapping[int, bool], boards: Boards, panel: BenchPanel, settle_s: float
) -> list[WireFault]:
    name, lines = names()[relay.line], list(rest)
    if faults := _guarded(relay.line, name, lambda: boards.set(relay.board, relay.channel, True)):
        return faults
    time.sleep(settle_s)
    on = panel.lines(lines)
    faults = _guarded(relay.line, name, lambda: boards.set(relay.board, relay.channel, False))
    time.sleep(settle_s)
    off = panel.lines(lines)
    moved = {line for line in lines if on[line] is not rest[line]}
    if (fault := _judged(relay.line, name, moved, names())) is not None:
        return [*faults, fault]
    if off != rest and not faults:
        return [WireFault(relay.line, name, "stuck", "its relay is released, and the line did not come back")]
    return faults


def _senses(bench: Bench, boards: Boards, panel: BenchPanel, settle_s: float) -> list[WireFault]:
    found: list[WireFault] = []
    used = sorted({sense.board for sense in bench.sense})
    for sense in bench.sense:
        panel.drive(sense.line, False)
    time.sleep(settle_s)
    rest = _loads(bench, boards, used)
    for sense in bench.sense:
        name = LOADS[sense.line]
        if rest[sense.line]:
            found.append(WireFault(sense.line, name, "at rest", "its input reads on while the line is driven low"))
            continue
        panel.drive(sense.line, True)
        time.sleep(settle_s)
        on = _loads(bench, boards, used)
        panel.drive(sense.line, False)
        time.sleep(settle_s)
        moved = {line for line, level in on.items() if level is not rest[line]}
        if (fault := _judged(sense.line, name, moved, LOADS)) is not None:
            found.append(fault)
        elif _loads(bench, boards, used)[sense.line]:
            found.append(WireFault(sense.line, name, "stuck", "the line is low again, and its input still reads on"))
    for sense in bench.sense:
        panel.drive(sense.line, None)
    return found


def _judged(line: int, name: str, moved: set[int], all_names: Mapping[int, str]) -> WireFault | None:
    others = ", ".join(f"{all_names[other]} (line {other})" for other in sorted(moved - {line}))
    if moved == {line}:
        return None
    if not moved:
        return WireFault(line, name, "broken", "it was switched, and nothing changed at the other end")
    if line in moved:
        return WireFault(line, name, "shorted", f"{others} changed with it")
    return WireFault(line, name, "swapped", f"{others} changed instead")


def _loads(bench: Bench, boards: Boards, used: list[str]) -> dict[int, bool]:
    read = boards.all_inputs(used)
    return {sense.line: load_on(sense, read) for sense in bench.sense}


def load_on(sense: Sense, read: Mapping[str, tuple[bool, ...]]) -> bool:
    """Whether the load is on, from the inputs of the boards."""
    return read[sense.board][sense.channel - 1] != sense.inverted


def _guarded(line: int, name: str, act: Callable[[], None]) -> list[WireFault]:
    try:
        act()
    except RelayStuck as fault:
        return [WireFault(line, name, "board", str(fault))]
    return []


def _level(high: bool) -> str:
    return "high" if high else "low"
