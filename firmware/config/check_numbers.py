"""Whether the numbers of a panel file keep the limits of its profile, and fit one another."""

import re
from collections.abc import Callable, Iterator

from firmware.config.findings import unknown, wrong
from firmware.config.hours import MINUTES_A_DAY, TIME, minute_of
from firmware.config.limits import LIMITED, Limited
from firmware.config.mistakes import Finding, show
from firmware.config.rows import Document, Row
from firmware.language import Text
from rules.profiles import Number

ENTRY_AND_ABORT_S = 60
"""Entry delay and abort window together, at most (CP-01 row 9)."""


def _limits(document: Document) -> Iterator[Finding]:
    for limited in LIMITED:
        number = document.profile.numbers[limited.number]
        for row in _rows(document, limited.table):
            value = row.number(limited.key) if row.has(limited.key) else None
            if value is None or number.allows(value) or (value == 0 and not limited.default):
                continue
            name, source = document.profile.name, number.source
            yield wrong(
                row,
                limited.key,
                _range(number, limited),
                (f"outside the limits of profile {name} ({source})", f"超出配置 {name} 的限值（{source}）"),
            )


def _rows(document: Document, table: str) -> list[Row]:
    return document.rows(table) if table in ("area", "zone", "output") else [document.table(table)]


def _range(number: Number, limited: Limited) -> Text:
    en, zh = f"{number.least} to {number.most}", f"{number.least} 至 {number.most}"
    if number.least == number.most:
        en = zh = str(number.least)
    if number.least > 0 and (number.off or not limited.default):
        return f"0 (off), or {en}", f"0（关闭），或 {zh}"
    return en, zh


def _siren(document: Document) -> Iterator[Finding]:
    timings = document.table("timings")
    siren, longest = timings.number("siren_s"), timings.number("siren_max_s")
    if siren is not None and longest is not None and longest < siren:
        key = "siren_max_s" if timings.has("siren_max_s") else "siren_s"
        yield wrong(
            timings,
            key,
            (f"siren_max_s ≥ siren_s ({siren})", f"siren_max_s ≥ siren_s({siren})"),
            ("the siren's limit is shorter than one alarm", "警号总时限短于一次报警时长"),
        )


def _entry_and_abort(document: Document) -> Iterator[Finding]:
    timings = document.table("timings")
    abort = timings.number("abort_window_s", 0) or 0
    if abort <= 0:
        return
    expected: Text = (
        f"at most {ENTRY_AND_ABORT_S} together: entry delay + abort_window_s ({abort})",
        f"进入延时与 abort_window_s({abort})之和至多 {ENTRY_AND_ABORT_S}",
    )
    text: Text = (
        "entry delay and abort window together are too long (CP-01 row 9)",
        "进入延时与取消窗口之和过长（CP-01 第 9 行）",
    )
    keys = {"area": ("entry_delay_s", "entry_delay_2_s"), "zone": ("entry_delay_s",)}
    for table, names in keys.items():
        for row in document.rows(table):
            for key in names:
                if (row.number(key) or 0) + abort > ENTRY_AND_ABORT_S:
                    found = show(row.number(key))
                    at = row.at(key) if row.has(key) else timings.at("abort_window_s")
                    yield Finding(at, found if row.has(key) else show(abort), expected, text)


def _report_time(document: Document) -> Iterator[Finding]:
    timings = document.table("timings")
    text = timings.text("report_time")
    if re.fullmatch(TIME, text) and minute_of(text) in (None, MINUTES_A_DAY):
        expected: Text = ("a time from 00:00 to 23:59", "00:00 至 23:59 的时刻")
        yield wrong(timings, "report_time", expected, ("there is no such time of day", "没有这个时刻"))


def _auto_part(document: Document) -> Iterator[Finding]:
    timings = document.table("timings")
    if timings.has("auto_part") and (part := timings.text("auto_part")):
        yield from unknown([(timings.at("auto_part"), part)], "part", document.ids("part"))


CHECKS: tuple[Callable[[Document], Iterator[Finding]], ...] = (
    _limits,
    _siren,
    _entry_and_abort,
    _report_time,
    _auto_part,
)
