"""What several checks say in the same words: used twice, unknown, out of place."""

from collections.abc import Iterable, Iterator, Mapping

from firmware.config.mistakes import Finding, Loc, show
from firmware.config.rows import Row
from firmware.language import Text

TABLES: Mapping[str, str] = {
    "area": "区域",
    "zone": "防区",
    "adc": "模数转换器",
    "box": "机箱",
    "modbus.module": "总线模块",
    "camera": "摄像机",
    "part": "部分布防组",
    "reader": "读卡器",
    "schedule": "时间表",
}
MAX_NAMES = 12
"""So many known ids are offered where an unknown one stands."""


def wrong(row: Row, key: str, expected: Text, text: Text) -> Finding:
    """A finding at a key of a row, whether it is there or should be."""
    return Finding(row.at(key), show(row.values[key]) if row.has(key) else "", expected, text)


def twice(items: Iterable[tuple[Loc, str | int | None]], expected: Text, text: Text) -> Iterator[Finding]:
    """A finding for each value that came before, at its later place; empty values don't count."""
    seen: set[str | int] = set()
    for loc, value in items:
        if value is None or value == "":
            continue
        if value in seen:
            yield Finding(loc, show(value), expected, text)
        seen.add(value)


def listed_once(row: Row, key: str) -> Iterator[Finding]:
    """Findings for what stands twice in one list."""
    return twice(row.texts(key), ("each only once", "每个只列一次"), ("listed twice", "重复列出"))


def unknown(items: Iterable[tuple[Loc, str]], table: str, known: set[str]) -> Iterator[Finding]:
    """A finding for each id that no [[table]] of the file has."""
    names = ", ".join(sorted(known)[:MAX_NAMES]) or "–"
    article = "an" if table[0] in "aeiou" else "a"
    for loc, name in items:
        if name not in known:
            expected: Text = (f"the id of {article} [[{table}]]: {names}", f"某个 [[{table}]] 的 id:{names}")
            yield Finding(loc, show(name), expected, (f"there is no such {table}", f"没有这个{TABLES[table]}"))
