"""`make bench`: the table of DESIGN §6, each figure as a ratio against a yardstick measured in the same run.

What a later issue must bring is listed as missing, not left out. Nothing here decides whether CI passes: machines are
noisy; the exit code is 0 whenever every part could be measured.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from firmware.language import Text, pick
from hil import (
    bench_backlog,
    bench_camera,
    bench_camera_flood,
    bench_center,
    bench_first_jpeg,
    bench_gpio,
    bench_journal,
    bench_life,
    bench_machine,
    bench_modbus,
    bench_pictures,
    bench_rules,
    bench_start,
    bench_uplink,
)
from hil.memory_use import all_processes_mib

Figures = dict[str, float]


@dataclass(frozen=True)
class Row:
    """One line of the table. `value` None: not measured, `note` says why. `at_most`: the bar is a ceiling."""

    what: Text
    value: float | None
    bar: float | None
    at_most: bool
    unit: str
    note: str = ""

    def verdict(self) -> str:
        """`holds`, `short`, `missing`, or empty for a figure without a bar."""
        if self.value is None:
            return "missing"
        if self.bar is None:
            return ""
        return "holds" if (self.value <= self.bar) == self.at_most or self.value == self.bar else "short"


def rules_rows(_folder: Path) -> list[Row]:
    """Rules: one step, and how flat it is."""
    f = bench_rules.measure()
    day, many = f["step, an ordinary day, 64/8"], f["step, an ordinary day, 512/8"]
    return [
        Row(("rules: one step, 64 zones, 8 areas", "规则:一步(64防区8分区)"), day, 15.0, True, "µs"),
        Row(("rules: 512 zones against 64", "规则:512防区与64防区之比"), many / day, 1.3, True, "×"),
    ]


def latency_rows(_folder: Path) -> list[Row]:
    """Input to output on simulated pins; `machine_rows` has the real line."""
    f = bench_gpio.measure(300)
    desk = f"{f['driver_median_us']:.0f} µs, bare callback {f['piped_median_us']:.0f} µs"
    ratio = f["driver_median_us"] / f["piped_median_us"]
    return [
        Row(("debounced input → output, simulated pins", "去抖输入→输出(模拟引脚)"), ratio, None, True, "×", desk),
        Row(("idle driver, 64 zones", "空闲驱动(64防区)"), 100 * f["idle_cpu"], 3.0, True, "% CPU"),
        Row(
            ("idle, 64 zones on 3 drivers, 16 of them loops", "空闲(3个驱动64防区,其中16路回路)"),
            100 * f["idle_mixed_cpu"],
            3.0,
            True,
            "% CPU",
            "every loop read every 40 ms",
        ),
    ]


def journal_rows(folder: Path) -> list[Row]:
    """Durable records against raw SQLite with the same bytes and durability."""
    f = bench_journal.measure(folder)
    one, many = f"{f['one_ours_per_s']:.0f}/s", f"{f['batched_ours_per_s']:.0f}/s"
    return [
        Row(("durable records, one at a time", "持久记录(逐条)"), f["one_ratio"], 0.9, False, "×", one),
        Row(("durable records, batched", "持久记录(批量)"), f["batched_ratio"], 0.5, False, "×", many),
        Row(("opening, 100,000 records against none", "打开日志(10万条与空日志之比)"), f["open_ratio"], 2.0, True, "×"),
    ]


def backlog_rows(folder: Path) -> list[Row]:
    """Backlog to a real Mosquitto and a center that stores and receipts."""
    f = bench_uplink.measure(folder)
    rate = f"{f['uplink_per_s']:.0f}/s, bare paho {f['bare_per_s']:.0f}/s"
    return [
        Row(("backlog, stored and receipted", "积压记录上传并回执"), f["uplink_ratio"], 1.0, False, "×", rate),
        Row(("a live alarm amid the backlog, receipted", "积压期间的报警回执"), f["alarm_ms"], 1000.0, True, "ms"),
    ]


def million_rows(folder: Path, records: int = bench_backlog.RECORDS) -> list[Row]:
    """Very many records that wait: core's start on them, memory, alarms, and the drain by the real processes."""
    f = bench_backlog.measure(folder, records)
    many = f"{records:,}"
    rate = f"{f['drain_per_s']:.0f}/s by core and uplink as processes, bare paho {f['bare_per_s']:.0f}/s"
    core, uplink = (f[f"{name}_most_mib"] - f[f"{name}_before_mib"] for name in ("core", "uplink"))
    mib = f"core {f['core_before_mib']:.0f} → {f['core_most_mib']:.0f}"
    mib += f", uplink {f['uplink_before_mib']:.0f} → {f['uplink_most_mib']:.0f} MiB"
    return [
        Row(
            (f"start with {many} waiting against none", f"积压{many}条时的启动与空日志之比"),
            f["start_ratio"],
            1.1,
            True,
            "×",
            f"{f['start_ms']:.0f} ms",
        ),
        Row((f"{many} waiting: drain", f"积压{many}条:上传"), f["ratio"], 1.0, False, "×", rate),
        Row(
            ("link up to receipt of the newest alarm", "恢复至最新报警回执"),
            f["alarm_first_ms"],
            1000.0,
            True,
            "ms",
        ),
        Row(("a live alarm amid that drain", "上传期间的报警回执"), f["alarm_amid_ms"], 1000.0, True, "ms"),
        Row(("memory that the drain adds", "上传增加的内存"), core + uplink, 16.0, True, "MiB", mib),
        Row(("records missing at the center", "中心缺失的记录"), f["last"] - f["held"], 0.0, True, ""),
    ]


def start_rows(folder: Path) -> list[Row]:
    """Start and memory."""
    f = bench_start.measure(folder)
    took = f"{f['start_ms']:.0f} ms, bare imports {f['bare_ms']:.0f} ms; sockets open at {f['ready_ms']:.0f} ms"
    return [
        Row(("start: exec to inputs live, state restored", "启动至输入就绪"), f["start_ratio"], 2.0, True, "×", took),
        Row(("memory: core, GPIO only", "内存:core"), f["core_rss_mib"], 60.0, True, "MiB"),
        Row(("memory: all, one camera", "内存:全部(一路摄像机)"), all_processes_mib(folder), 250.0, True, "MiB"),
    ]


def camera_rows(folder: Path) -> list[Row]:
    """Pictures."""
    f = bench_camera.measure(folder)
    shot = bench_first_jpeg.measure(folder / "shot")
    return [
        Row(
            ("person check against a bare interpreter loop", "人员识别与裸循环之比"), f["person_ratio"], 1.1, True, "×"
        ),
        Row(
            ("core's alarm effect to first JPEG on disk", "报警动作至首张图片落盘"),
            shot["effect_jpeg_ms"],
            300.0,
            True,
            "ms",
            f"worst of {bench_first_jpeg.ALARMS}, median {shot['effect_jpeg_median_ms']:.0f} ms",
        ),
        Row(
            ("the same, processors busy", "同上(处理器满载)"),
            shot["loaded_jpeg_ms"],
            300.0,
            True,
            "ms",
            f"{bench_first_jpeg.BURNERS} busy processes beside, median {shot['loaded_jpeg_median_ms']:.0f} ms",
        ),
        Row(("memory: camera process", "内存:摄像机进程"), f["rss_mib"], 150.0, True, "MiB"),
        Row(
            ("memory: the same, a network camera of 640 by 480", "内存:同上(640×480网络摄像机)"),
            bench_camera.network_mib(folder / "network"),
            150.0,
            True,
            "MiB",
            "both models, five captures at once",
        ),
    ]


def picture_rows(folder: Path) -> list[Row]:
    """Pictures on a line of 1 Mbit/s."""
    f = bench_pictures.measure(folder)
    siren = bench_camera_flood.measure()
    return [
        Row(
            ("first thumbnail at the center, 1 Mbit/s", "首张缩略图到达中心(1 Mbit/s)"),
            f["thumbnail_ms"],
            2000.0,
            True,
            "ms",
            f"worst of {bench_pictures.ALARMS}, median {f['thumbnail_median_ms']:.0f} ms",
        ),
        Row(
            ("an alarm beside full pictures against the idle line", "传输图像时的报警与空闲线路之比"),
            f["beside_ms"] / f["alarm_ms"],
            None,
            True,
            "×",
            f"{f['beside_ms']:.0f} ms, worst {f['beside_worst_ms']:.0f} ms, pictures take {f['picture_share']:.0%}",
        ),
        Row(
            ("door to siren beside a flooding camera process", "摄像进程泛洪时的警号时延比"),
            siren["ratio"],
            1.5,
            True,
            "×",
            f"{siren['flooded_ms']:.0f} ms with the debounce; core refused {siren['bad_lines']:.0f} lines",
        ),
    ]


def life_rows(_folder: Path) -> list[Row]:
    """Simulated life of a busy site, faults and oracle included."""
    f = bench_life.measure()
    busy = f"{f['records']:.0f} records and {f['steps']:.0f} steps a year, 64 zones in 8 areas"
    name: Text = ("simulated life, panel-years per 30 s of a core", "模拟运行(每30秒单核的主机年)")
    return [Row(name, f["years"], 1.0, False, "years", busy)]


def bus_rows(_folder: Path) -> list[Row]:
    """A Modbus bus: its round, and what its process takes."""
    f = bench_modbus.measure()
    took = f"{f['ours_ms']:.0f} ms for 32 inputs on 8 modules, bare pymodbus {f['bare_ms']:.0f} ms"
    name: Text = ("Modbus cycle against a bare pymodbus loop", "Modbus 周期与裸 pymodbus 循环之比")
    return [
        Row(name, f["ratio"], 0.9, False, "×", took),
        Row(("Modbus cycle, 32 inputs on 8 modules", "Modbus 周期(8模块32输入)"), f["ours_ms"], 150.0, True, "ms"),
        Row(
            ("idle Modbus bus, 32 zones on 8 modules", "空闲 Modbus 总线(8模块32防区)"),
            100 * f["cpu"],
            3.0,
            True,
            "% CPU",
        ),
        Row(("memory: each RS-485 bus", "内存:每条总线"), f["rss_mib"], 35.0, True, "MiB"),
    ]


def center_rows(folder: Path) -> list[Row]:
    """The reference center, and consumers of a group beside each other (docs/scale.md)."""
    f = bench_center.measure(folder)
    rates = ", ".join(f"{name} {figure:.0f}/s" for name, figure in f.items())
    what = ("reference center: two consumers against one, with the broker on the same cores",
            "参考中心:两个消费者与一个之比(与代理共用处理器)")  # fmt: skip
    return [Row(what, f["2 consumers"] / f["1 consumer"], None, False, "×", rates)]


def machine_rows(_folder: Path) -> list[Row]:
    """Input to output on a real Linux GPIO line, in a virtual machine (`hil.rigs.machine`)."""
    f = bench_machine.measure()
    what = f"{f['core_median_ms']:.1f} ms, bare callback {f['bare_median_ms']:.1f} ms; p99 "
    what += f"{f['core_p99_ms']:.1f} and {f['bare_p99_ms']:.1f} ms; emulated processor, "
    what += f"{f['waited']:.0f} records waiting at its begin, {f['left']:.0f} at its end"
    median, p99 = (f[f"core_{name}_ms"] / f[f"bare_{name}_ms"] for name in ("median", "p99"))
    return [
        Row(("debounced input → output, real GPIO line", "去抖输入→输出(真实GPIO)"), median, 1.5, True, "×", what),
        Row(("the same, 99th percentile", "同上(99百分位)"), p99, 2.0, True, "×"),
    ]


PARTS: tuple[Callable[[Path], list[Row]], ...] = (
    rules_rows,
    latency_rows,
    journal_rows,
    backlog_rows,
    million_rows,
    start_rows,
    camera_rows,
    picture_rows,
    life_rows,
    bus_rows,
    center_rows,
    machine_rows,
)

_HEADS: tuple[Text, ...] = (("what", "项目"), ("found", "实测"), ("bar", "指标"), ("", ""), ("note", "说明"))
_VERDICTS: dict[str, Text] = {
    "holds": ("[green]holds[/]", "[green]达标[/]"),
    "short": ("[red]short[/]", "[red]未达标[/]"),
    "missing": ("[yellow]missing[/]", "[yellow]待实现[/]"),
    "": ("", ""),
}
_MEASURING: Text = ("measuring: {part} …", "正在测量:{part} …")
_FAILED: Text = ("could not be measured: {part}", "无法测量:{part}")


def main(argv: list[str]) -> int:
    """Measure everything and print the table. 1 when a part could not be measured."""
    words = _parser().parse_args(argv)
    console = Console(stderr=words.json)
    rows: list[Row] = []
    failed = False
    for part in PARTS:
        name = part.__name__.removesuffix("_rows")
        if words.only and name not in words.only:
            continue
        measure = partial(million_rows, records=words.records) if part is million_rows else part
        console.print(pick(_MEASURING, part=name), style="dim")
        try:
            with tempfile.TemporaryDirectory(prefix="fh-", dir=Path.cwd()) as folder:
                rows += measure(Path(folder))
        except (OSError, RuntimeError, AssertionError, KeyError, subprocess.SubprocessError):
            failed = True
            console.print(pick(_FAILED, part=name), style="red")
            traceback.print_exc()
    if words.json:
        print(json.dumps([vars(row) | {"verdict": row.verdict()} for row in rows], ensure_ascii=False))
    else:
        console.print(_table(rows))
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hil.bench", description=main.__doc__)
    parser.add_argument("--json", action="store_true", help="one list of objects instead of the table")
    names = [part.__name__.removesuffix("_rows") for part in PARTS]
    parser.add_argument("--only", nargs="+", choices=names, help="these parts alone")
    parser.add_argument("--records", type=int, default=bench_backlog.RECORDS, help="that wait in the part `million`")
    return parser


def _table(rows: list[Row]) -> Table:
    table = Table(*[pick(head) for head in _HEADS])
    for row in rows:
        found = "–" if row.value is None else f"{row.value:.4g} {row.unit}"
        bar = "" if row.bar is None else f"{'≤' if row.at_most else '≥'} {row.bar:g} {row.unit}"
        table.add_row(pick(row.what), found, bar, pick(_VERDICTS[row.verdict()]), row.note)
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
