"""Whether the battery of `[power.battery]` can be measured, tested and compared with what it should be."""

from collections.abc import Callable, Iterator
from datetime import date

from drivers.chemistry import CHEMISTRIES
from firmware.config.findings import wrong
from firmware.config.mistakes import Finding
from firmware.config.rows import Document, Row

INA219_MV = 26_000
INA219_SHUNT_MV = 320
I2C_LINES = (2, 3)
"""Bus 1 of the board."""


def battery_of(document: Document) -> Row:
    """`[power.battery]`; empty where there is none."""
    return document.table("power").inner("battery")


def _measured(document: Document) -> Iterator[Finding]:
    battery = battery_of(document)
    if not battery.values:
        return
    both = battery.has("volts") and battery.has("ina219")
    if both or not (battery.has("volts") or battery.has("ina219")):
        yield wrong(
            battery,
            "ina219" if both else "volts",
            ("volts or ina219, one of them", "volts 与 ina219 二选一"),
            ("a battery is measured in one way", "蓄电池只用一种方式测量"),
        )
    if battery.has("thermistor") and battery.has("temperature_file"):
        yield wrong(
            battery,
            "temperature_file",
            ("thermistor or temperature_file, not both", "thermistor 与 temperature_file 二选一"),
            ("one temperature counts", "只采用一个温度"),
        )
    if battery.has("max_ma") and not battery.has("ina219"):
        yield wrong(
            battery,
            "max_ma",
            ("ina219, which measures the current", "测量电流的 ina219"),
            ("nothing measures a current", "没有电流测量"),
        )


def most_mv(battery: Row) -> int:
    """The most that this battery should ever show, 0 where the file does not say."""
    kind = CHEMISTRIES.get(battery.text("chemistry", "lead"))
    return kind.over * (battery.number("cells") or 0) if kind else 0


def _ranges(document: Document) -> Iterator[Finding]:
    battery = battery_of(document)
    most, volts, ina = most_mv(battery), battery.inner("volts"), battery.inner("ina219")
    chips = {adc.text("id"): adc for adc in document.rows("adc")}
    chip = chips.get(volts.text("adc"))
    top, bottom = volts.number("top_ohm", 47_000) or 0, volts.number("bottom_ohm", 10_000) or 0
    if chip and most and bottom > 0 and top >= 0:
        vref, at_pin = chip.number("vref_mv", 3_300) or 0, most * bottom // (top + bottom)
        if at_pin > vref:
            yield wrong(
                volts,
                "top_ohm",
                (f"a divider that gives at most {vref} mV at {most} mV", f"{most} mV 时分压不超过 {vref} mV"),
                (f"it gives {at_pin} mV: more than the converter can read", f"分压为 {at_pin} mV，超出转换器量程"),
            )
    if battery.has("ina219") and most > INA219_MV:
        yield wrong(
            battery,
            "ina219",
            (f"a battery of at most {INA219_MV} mV", f"不超过 {INA219_MV} mV 的蓄电池"),
            (f"it may have {most} mV: the chip bears less", f"可达 {most} mV，超出芯片耐压"),
        )
    drop = (battery.number("max_ma") or 0) * (ina.number("shunt_mohm", 100) or 0) // 1000
    if battery.has("ina219") and drop > INA219_SHUNT_MV:
        yield wrong(
            battery,
            "max_ma",
            (
                f"max_ma × shunt_mohm of at most {INA219_SHUNT_MV} mV",
                f"max_ma × shunt_mohm 不超过 {INA219_SHUNT_MV} mV",
            ),
            (f"the shunt drops {drop} mV: more than the chip can read", f"分流电阻压降 {drop} mV，超出芯片量程"),
        )


def _installed(document: Document) -> Iterator[Finding]:
    battery = battery_of(document)
    text = battery.text("installed")
    if text:
        try:
            date.fromisoformat(text)
        except ValueError:
            yield wrong(
                battery,
                "installed",
                ('a day as "2026-10-01"', '如 "2026-10-01" 的日期'),
                ("there is no such day", "没有这一天"),
            )


CHECKS: tuple[Callable[[Document], Iterator[Finding]], ...] = (_measured, _ranges, _installed)


def unjudged(document: Document) -> Iterator[Finding]:
    """Warnings: what can't be judged with this file."""
    battery, power = battery_of(document), document.table("power")
    if not battery.values:
        return
    if not power.has("mains_line"):
        yield Finding(
            battery.loc,
            "",
            ("mains_line in [power]", "[power] 中的 mains_line"),
            ("without it the charger is not judged", "没有它就无法判断充电器"),
        )
    if not battery.has("load_line") and not battery.has("charger_line"):
        yield Finding(
            battery.loc,
            "",
            ("load_line or charger_line", "load_line 或 charger_line"),
            ("a battery test looks at the voltage only", "蓄电池测试只看电压"),
        )
    if not battery.has("load_ma") and not battery.has("ina219"):
        yield Finding(
            battery.loc,
            "",
            ("load_ma, or ina219", "load_ma 或 ina219"),
            ("how long the battery lasts is not estimated", "无法估算备用时间"),
        )
