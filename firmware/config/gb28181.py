"""The structure of GB/T 28181-2022 device ids: 20 digits with meanings (digest §3.5).

8 center (province, city, district, basic unit) + 2 industry + 3 type + 1 network + 6 serial.
"""

from collections.abc import Iterator

from firmware.config.mistakes import Finding, Loc, show
from firmware.language import Text

PANEL, ZONE, OUTPUT = "117", "134", "135"
TYPES: dict[str, Text] = {
    PANEL: ("117, an alarm controller", "117（报警控制器）"),
    ZONE: ("134, an alarm input", "134（报警输入设备）"),
    OUTPUT: ("135, an alarm output", "135（报警输出设备）"),
}
# GB/T 2260 codes of provinces.
_PROVINCES = frozenset(
    str(n)
    for n in (*range(11, 16), 21, 22, 23, *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66), 71, 81, 82)
)
# 00 to 11 are named; 40 to 59 are sections A to T of GB/T 4754; the rest is reserved.
_INDUSTRIES = frozenset(f"{n:02d}" for n in (*range(12), *range(40, 60)))


def structure(loc: Loc, value: str, device: str) -> Iterator[Finding]:
    """What is wrong inside an id of 20 digits at `loc` that should be of type `device`."""
    shown = show(value)
    if value[:2] not in _PROVINCES:
        yield Finding(
            loc,
            shown,
            ("a province code of GB/T 2260 in digits 1-2", "第 1–2 位为 GB/T 2260 省级代码"),
            (f"no province has code {value[:2]}", f"省级代码 {value[:2]} 不存在"),
        )
    if value[8:10] not in _INDUSTRIES:
        yield Finding(
            loc,
            shown,
            ("00 to 11 or 40 to 59 in digits 9-10", "第 9–10 位为 00–11 或 40–59"),
            (f"industry code {value[8:10]} is reserved", f"行业编码 {value[8:10]} 为预留值"),
        )
    if value[10:13] != device:
        en, zh = TYPES[device]
        yield Finding(
            loc,
            shown,
            (f"{en}, in digits 11-13", f"第 11–13 位为 {zh}"),
            (f"device type {value[10:13]} does not fit here", f"类型编码 {value[10:13]} 不适用于此处"),
        )
    if value[13] == "9":
        yield Finding(
            loc,
            shown,
            ("0 to 8 in digit 14", "第 14 位为 0–8"),
            ("network digit 9 is reserved", "网络标识 9 为预留值"),
        )
