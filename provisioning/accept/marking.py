"""`fenghuo accept mark`: asks of each alarm of the trial run whether it was true or false, for the trial report.

Each answer is kept at once, so Ctrl-C and `q` cost nothing, and the same command goes on with what is undecided.
"""

import sys
import time
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from firmware.clock import utc_text
from firmware.config import load
from firmware.language import Text
from provisioning.accept import texts
from provisioning.accept.clauses import TRIAL_DAYS
from provisioning.accept.marks import Mark, Marks, Says, load_marks, save_marks
from provisioning.accept.results import MAX_WORD
from provisioning.accept.running import AsJson, By, Config, Folder, in_words
from provisioning.accept.talking import Said, Talk, Typed
from provisioning.accept.trial import period_of, records
from provisioning.accept.trial_figures import Alarm, alarms, moment
from provisioning.accept.trial_page import class_name, kind_name
from provisioning.journal_source import sources

_HOW: Text = (
    "For each alarm: t WHAT it was true, f CAUSE it was false, Enter leaves it undecided, q stops (it goes on later)",
    "逐条：t 情况 属实，f 原因 误报，回车暂不判定，q 停止（可稍后继续）",
)
_ASK: Text = (
    "[{n}/{all}] {at} UTC, {kind}, zone {zone}, {sort}",
    "[{n}/{all}] {at} UTC，{kind}，防区 {zone}，{sort}",
)
_EXPECTED: Text = ("expected t, f and the cause, or Enter", "应为 t、f 加原因，或回车")
_SUM: Text = (
    "{true} true, {false} false, {open} undecided; fenghuo accept trial --dir {folder} takes it into the report",
    "属实 {true}，误报 {false}，未判定 {open}；fenghuo accept trial --dir {folder} 将写入报告",
)
_SAYS: dict[str, Says] = {"t": "true", "f": "false"}


def mark(
    by: By,
    config: Config = Path("panel.toml"),
    days: Annotated[int, typer.Option(min=1, max=400, help="So many days until now. 天数。")] = TRIAL_DAYS,
    folder: Folder = Path("acceptance"),
    new: Annotated[bool, typer.Option("--new", help="Forget what is in --dir. 放弃已有标记。")] = False,
    again: Annotated[bool, typer.Option("--again", help="Ask of decided ones too. 已判定的也重新询问。")] = False,
    as_json: AsJson = False,
) -> None:
    """Say of each alarm of the trial run whether it was false. 逐条判定试运行报警是否误报。

    Kept in --dir; `fenghuo accept trial` takes it into its report. Alarms of tests are not asked for.
    Exit code 0: all were asked. 2: not understood. 130: stopped, can go on.
    Example: fenghuo accept mark --by "Wang Gong" --config panel.toml
    """
    with in_words():
        loaded = load(config)
        source = sources(None, config, None)
        found = alarms(records(source), period_of(source, days))
        kept = Marks(loaded.file.panel.id) if new else load_marks(folder, loaded.file.panel.id)
        talk = Talk(Typed(sys.stdin.fileno()), as_json)
        asking = _Asking(folder, kept, by, talk)
        try:
            asking.all([alarm for alarm in found if alarm.sort != "test"], again)
        finally:
            counts = asking.counts(found)
            talk.tell("end", _SUM, said={**counts, "folder": folder}, dir=str(folder), **counts)


class _Asking:
    """One call of the command."""

    def __init__(self, folder: Path, kept: Marks, by: str, talk: Talk) -> None:
        self._folder = folder
        self._panel = kept.panel
        self._marks = kept.by_record()
        self._by = by
        self._talk = talk

    def all(self, found: list[Alarm], again: bool) -> None:
        """Ask of each that is undecided. Raises `Stopped`, `OSError`."""
        wanted = [alarm for alarm in found if again or alarm.record not in self._marks]
        if wanted:
            self._talk.tell("how", _HOW)
        for n, alarm in enumerate(wanted, 1):
            self._one(alarm, n, len(wanted))

    def counts(self, found: list[Alarm]) -> dict[str, int]:
        """How many are what, of the alarms that are no tests."""
        said = Counter(
            self._marks[alarm.record].says if alarm.record in self._marks else "open"
            for alarm in found
            if alarm.sort != "test"
        )
        return {name: said[name] for name in ("true", "false", "open")}

    def _one(self, alarm: Alarm, n: int, count: int) -> None:
        journal, seq = alarm.record
        at = moment(alarm.at)
        words = {"kind": kind_name(alarm.kind), "zone": alarm.zone or "–", "sort": class_name(alarm.sort)}
        said = {"n": n, "all": count, "at": at[:19].replace("T", " "), **words}
        more = {"time": at, "kind": alarm.kind, "zone": alarm.zone, "sort": alarm.sort}
        while True:
            self._talk.tell("ask", _ASK, said=said, what="mark", journal=journal, seq=seq, **more)
            answer = self._talk.answer()
            if not answer.word:
                return
            if self._taken(alarm, answer):
                return

    def _taken(self, alarm: Alarm, answer: Said) -> bool:
        says = _SAYS.get(answer.word)
        if says is None:
            self._talk.tell("ask", _EXPECTED)
            return False
        if says == "false" and not answer.rest:
            self._talk.tell("ask", texts.CAUSE_NEEDED)
            return False
        journal, seq = alarm.record
        cause, now = answer.rest[:MAX_WORD], utc_text(time.time())
        self._marks[alarm.record] = Mark(journal, seq, says, cause, self._by, now)
        save_marks(self._folder, Marks(self._panel, tuple(self._marks.values())))
        return True
