"""From the figures of the drivers and the standing troubles to findings: what is wrong, and what to do. Pure.

A driver has one row, whatever its kind: its state, when it was last heard, its errors, its cycle. Figures that a driver
does not have are left out, and figures of unknown drivers are read the same way.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from firmware.language import Text
from provisioning.remedies import OF_DRIVERS, TROUBLES
from rules.vocabulary import TROUBLES as NAMES

Weight: TypeAlias = Literal["fault", "warning"]

SHORT_PULSES = 100
"""So many pulses shorter than the debounce since the start are worth a look at the wiring."""
BAD_FRAMES = 10


@dataclass(frozen=True)
class Row:
    """A driver. `state`: works, fails, starts or hangs. Times are ms, None where there is none."""

    name: str
    kind: str
    state: str
    silent_ms: int | None
    errors: int
    cycle_ms: float | None


@dataclass(frozen=True)
class Finding:
    """Something to do. `about`: the driver and the part of it, or the trouble."""

    about: str
    weight: Weight
    what: Text
    do: Text


def rows(drivers: Mapping[str, Mapping[str, Any]]) -> list[Row]:
    """One row for each driver, in the order of the panel."""
    return [
        Row(
            name=name,
            kind=str(figures.get("kind", "")),
            state=_state(figures),
            silent_ms=_number(figures.get("silent_ms")),
            errors=sum(_number(of.get("errors")) or 0 for of in (figures, *_tables(_parts(figures)))),
            cycle_ms=_number(_table(figures, "bus").get("cycle_ms")),
        )
        for name, figures in drivers.items()
    ]


def findings(drivers: Mapping[str, Mapping[str, Any]], troubles: Mapping[str, str]) -> list[Finding]:
    """All there is to do: drivers first, then each standing trouble. Empty: all is well."""
    found = [finding for name, figures in drivers.items() for finding in _of_driver(name, figures)]
    return found + [_of_trouble(name, detail) for name, detail in sorted(troubles.items())]


def _state(figures: Mapping[str, Any]) -> str:
    if figures.get("alive") is False:
        return "hangs"
    if figures.get("error") or figures.get("failing"):
        return "fails"
    return "starts" if figures.get("up") is False else "works"


def _of_driver(name: str, figures: Mapping[str, Any]) -> Iterator[Finding]:
    if figures.get("alive") is False:
        yield Finding(name, "fault", ("its thread does not turn", "其线程已停滞"), OF_DRIVERS["hangs"])
    failed = {part: detail for part, detail in _table(figures, "failed").items() if part}
    error = figures.get("error")
    if error and error not in failed.values():
        yield Finding(name, "fault", _verbatim(error), OF_DRIVERS["bus" if "up" in figures else "chip"])
    for part, detail in failed.items():
        yield Finding(f"{name}/{part}", "fault", _verbatim(detail or "it does not answer"), OF_DRIVERS["module"])
    for zone, figure in _table(figures, "zones").items():
        yield from _of_zone(f"{name}/{zone}", figure, bool(error))
    for output, figure in _table(figures, "outputs").items():
        if figure.get("error"):
            yield Finding(f"{name}/{output}", "fault", _verbatim(figure["error"]), OF_DRIVERS["output"])
    yield from _warnings(name, figures)


def _of_zone(about: str, figures: Mapping[str, Any], driver_fails: bool) -> Iterator[Finding]:
    """A zone's own; nothing of it while its driver fails, which is told already."""
    if driver_fails:
        return
    if figures.get("error"):
        yield Finding(about, "fault", _verbatim(figures["error"]), OF_DRIVERS["line"])
    elif "condition" in figures and figures["condition"] is None:
        yield Finding(about, "warning", ("not read yet", "尚未读取"), OF_DRIVERS["unread"])
    pulses = _number(figures.get("short_pulses")) or 0
    if figures.get("muted") or pulses >= SHORT_PULSES:
        what = (f"{pulses} pulses too short to count", f"{pulses} 个过短脉冲")
        yield Finding(about, "warning", what, OF_DRIVERS["chatter"])


def _warnings(name: str, figures: Mapping[str, Any]) -> Iterator[Finding]:
    frames = _number(figures.get("bad_frames")) or 0
    if frames >= BAD_FRAMES:
        yield Finding(name, "warning", (f"{frames} disturbed frames", f"{frames} 个受扰数据帧"), OF_DRIVERS["noise"])
    for part, counts in _parts(figures).items():
        errors = _number(counts.get("errors")) or 0 if isinstance(counts, Mapping) else 0
        if errors >= BAD_FRAMES and part not in _table(figures, "failed"):
            what = (f"{errors} questions without a sound answer", f"{errors} 次询问无有效应答")
            yield Finding(f"{name}/{part}", "warning", what, OF_DRIVERS["module"])
    starts = _number(figures.get("starts")) or 0
    if starts > 1 and not figures.get("error"):
        again = starts - 1
        what = (f"started again {again} times since the panel's start", f"主机启动以来重启 {again} 次")
        yield Finding(name, "warning", what, OF_DRIVERS["restarts"])


def _parts(figures: Mapping[str, Any]) -> dict[str, Any]:
    """The modules or readers of a bus, each with its counts."""
    bus = _table(figures, "bus")
    return {**_table(bus, "modules"), **_table(bus, "readers")}


def _of_trouble(name: str, detail: str) -> Finding:
    kind, _, subject = name.partition(":")
    known = NAMES.get(kind)
    english, chinese = (known.en, known.zh) if known else (kind, kind)
    more = " ".join(part for part in (subject, f"({detail})" if detail else "") if part)
    what = (f"{english} {more}".strip(), f"{chinese} {more}".strip())
    return Finding(name, "fault", what, TROUBLES.get(kind, ("See the journal.", "请查看日志。")))


def _verbatim(text: object) -> Text:
    """What a driver said stands as it was said."""
    return (str(text)[:300],) * 2


def _tables(parts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [part for part in parts.values() if isinstance(part, Mapping)]


def _table(figures: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = figures.get(key)
    return value if isinstance(value, Mapping) else {}


def _number(value: object) -> Any:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
