"""Tries to connect and connections over time, as an SVG for docs/scale.md: bars and a line, no library.

`python -m hil.fleet.plot OUT.svg REPORT.json …` draws what `python -m hil.fleet --json` printed, one below the other.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from hil.fleet.report import BIN_MS

WIDTH, HEIGHT = 720, 210
_LEFT, _RIGHT, _TOP, _FOOT = 60, 60, 34, 40
MAX_BARS = 120
_STEPS = (1, 2, 5)
_WHAT = {"none": "powered up at once", "network": "cut at once", "broker": "broker killed"}


def plot(reports: Sequence[Mapping[str, Any]]) -> str:
    """All panels coming back after their cut, or powering up; `reports` are those of `Report.body`."""
    charts = [_chart(_title(report["terms"]), report) for report in reports]
    height = HEIGHT * len(charts)
    placed = "".join(f'<g transform="translate(0 {HEIGHT * n})">{chart}</g>\n' for n, chart in enumerate(charts))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif"'
        f' font-size="12">\n<title>Tries to connect after a cut</title>\n'
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>\n{placed}</svg>\n'
    )


def _title(terms: Mapping[str, Any]) -> str:
    dark = f", {terms['dark_s']:g} s dark" if terms["dark_s"] else ""
    return f"{terms['panels']:,} panels, {_WHAT[terms['cut']]}{dark}{', TLS' if terms['tls'] else ''}"


def _chart(title: str, report: Mapping[str, Any]) -> str:
    rush = report["return_"] or report["power_up"]
    group = -(-len(rush["attempts_per_bin"]) // MAX_BARS)
    span_s = group * BIN_MS / 1000
    rates = [sum(bins) / span_s for bins in _groups(rush["attempts_per_bin"], group)]
    opens = [0, *accumulate(sum(bins) for bins in _groups(rush["opens_per_bin"], group))]
    most = _round_up(max(rates, default=1.0))
    step = (WIDTH - _LEFT - _RIGHT) / max(1, len(rates))
    return _curves(rates, opens, most, step, report["terms"]["panels"]) + _frame(
        title, most, step, span_s, len(rates) * span_s
    )


def _curves(rates: Sequence[float], opens: Sequence[int], most: float, step: float, panels: int) -> str:
    floor, room = HEIGHT - _FOOT, HEIGHT - _FOOT - _TOP
    bars = "".join(
        f'<rect x="{_LEFT + n * step:.1f}" y="{floor - room * rate / most:.1f}" width="{max(step - 0.6, 0.6):.1f}"'
        f' height="{room * rate / most:.1f}"/>'
        for n, rate in enumerate(rates)
        if rate
    )
    line = " ".join(f"{_LEFT + n * step:.1f},{floor - room * count / panels:.1f}" for n, count in enumerate(opens))
    return (
        f'<g fill="#3b6ea5">{bars}</g>\n<polyline points="{line}" fill="none" stroke="#c0392b" stroke-width="1.6"/>\n'
    )


def _frame(title: str, most: float, step: float, span_s: float, whole_s: float) -> str:
    floor, room = HEIGHT - _FOOT, HEIGHT - _FOOT - _TOP
    words = [
        _word(_LEFT, 18, title, "start"),
        *(_word(_LEFT - 6, floor - room * part + 4, f"{most * part:,.0f}", "end") for part in (0, 0.5, 1)),
        *(_word(WIDTH - _RIGHT + 6, floor - room * part + 4, f"{100 * part:.0f} %", "start") for part in (0, 0.5, 1)),
        *(_word(_LEFT + s / span_s * step, floor + 16, f"{s:g} s", "middle") for s in _marks(whole_s)),
        _word(_LEFT, floor + 32, "bars: tries to connect a second; line: panels that are connected", "start"),
    ]
    return (
        f'<path d="M{_LEFT} {_TOP}V{floor}H{WIDTH - _RIGHT}V{_TOP}" fill="none" stroke="#222"/>\n'
        f'<g fill="#222">{"".join(words)}</g>'
    )


def _groups(bins: Sequence[int], group: int) -> list[Sequence[int]]:
    return [bins[start : start + group] for start in range(0, len(bins), group)]


def _round_up(value: float) -> float:
    """1, 2 or 5 times a power of ten, not below."""
    power = 1.0
    while power * 10 <= value:
        power *= 10
    return next((power * step for step in (*_STEPS, 10) if power * step >= value), value)


def _marks(seconds: float) -> list[float]:
    """Moments for the scale: four to ten of them."""
    every = _round_up(seconds * 10) / 100
    return [round(n * every, 3) for n in range(int(seconds / every) + 1)]


def _word(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(plot([json.loads(Path(name).read_text()) for name in sys.argv[2:]]))
