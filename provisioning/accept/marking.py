"""`fenghuo accept mark`: asks of each alarm of the trial run whether it was true or false, for the trial report.

Each answer is a record of the panel's journal before the next alarm is asked for, so Ctrl-C and `q` cost nothing, and
the same command goes on with what is undecided.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from firmware.config import load
from firmware.language import Text
from firmware.protocol.messages import MarkAlarm, MarkSays, PersonName
from provisioning.accept import texts
from provisioning.accept.clauses import TRIAL_DAYS
from provisioning.accept.marks import Mark
from provisioning.accept.running import AsJson, By, CodeStdin, Config, asked_code, in_words
from provisioning.accept.talking import Said, Talk, Typed
from provisioning.accept.trial import period_of, records
from provisioning.accept.trial_figures import Alarm, alarms, moment, said
from provisioning.accept.trial_page import class_name, kind_name, mark_words
from provisioning.journal_source import sources
from provisioning.technician import Technician, connected

_HOW: Text = (
    "For each alarm: t WHAT it was true, f CAUSE it was false, o takes back what was said, Enter leaves it as it is, "
    "q stops (it goes on later)",
    "逐条：t 情况 属实，f 原因 误报，o 撤回判定，回车不变，q 停止（可稍后继续）",
)
_ASK: Text = (
    "[{n}/{all}] {at} UTC, {kind}, zone {zone}, {sort}{marked}",
    "[{n}/{all}] {at} UTC，{kind}，防区 {zone}，{sort}{marked}",
)
_EXPECTED: Text = (
    "expected t, f and the cause, o, or Enter; 200 characters at most",
    "应为 t、f 加原因、o，或回车；最多 200 字",
)
_SUM: Text = (
    "{true} true, {false} false, {open} undecided; it is in the journal, fenghuo accept trial reports it",
    "属实 {true}，误报 {false}，未判定 {open}；已记入日志，fenghuo accept trial 将写入报告",
)
_SAYS: dict[str, MarkSays] = {"t": "true", "f": "false", "o": "open"}
_NAME: TypeAdapter[str] = TypeAdapter(PersonName)


def mark(
    by: By,
    config: Config = Path("panel.toml"),
    days: Annotated[int, typer.Option(min=1, max=400, help="So many days until now. 天数。")] = TRIAL_DAYS,
    again: Annotated[bool, typer.Option("--again", help="Ask of decided ones too. 已判定的也重新询问。")] = False,
    code_stdin: CodeStdin = False,
    as_json: AsJson = False,
) -> None:
    """Say of each alarm of the trial run whether it was false. 逐条判定试运行报警是否误报。

    The panel records each answer, and the center gets it; of several the newest counts. It needs the code of an
    installer who has been let in, or of a user who may let one in. Alarms of tests are not asked for.
    Exit code 0: all were asked. 1: the panel refused. 2: not understood. 130: stopped, can go on.
    Example: fenghuo accept mark --by "Wang Gong" --config panel.toml
    """
    with in_words():
        loaded = load(config)
        _NAME.validate_python(by)
        typed = Typed(sys.stdin.fileno())
        talk = Talk(typed, as_json)
        with connected(loaded) as technician:
            source = sources(None, config, None)
            found = [one for one in alarms(records(source), period_of(source, days)) if one.sort != "test"]
            wanted = [alarm for alarm in found if again or alarm.mark is None]
            try:
                if wanted:
                    code = asked_code(code_stdin, typed, texts.ANY_CODE)
                    _Asking(technician, by, code, talk).all(wanted)
            finally:
                talk.tell("end", _SUM, said=dict(said(found)), **said(found))


class _Asking:
    """One call of the command."""

    def __init__(self, technician: Technician, by: str, code: str, talk: Talk) -> None:
        self._technician = technician
        self._by = by
        self._code = code
        self._talk = talk

    def all(self, wanted: list[Alarm]) -> None:
        """Ask of each. Raises `Stopped`, `NoAnswer`."""
        self._talk.tell("how", _HOW)
        for n, alarm in enumerate(wanted, 1):
            self._one(alarm, n, len(wanted))

    def _one(self, alarm: Alarm, n: int, count: int) -> None:
        journal, seq = alarm.record
        at = moment(alarm.at)
        words = {"kind": kind_name(alarm.kind), "zone": alarm.zone or "–", "sort": class_name(alarm.sort)}
        marked = "" if alarm.mark is None else f", {mark_words(alarm.mark.says, alarm.mark.cause, alarm.mark.by)}"
        told = {"n": n, "all": count, "at": at[:19].replace("T", " "), **words, "marked": marked}
        more = {"time": at, "kind": alarm.kind, "zone": alarm.zone, "sort": alarm.sort}
        while True:
            self._talk.tell("ask", _ASK, said=told, what="mark", journal=journal, seq=seq, **more)
            answer = self._talk.answer()
            if not answer.word or self._taken(alarm, answer):
                return

    def _taken(self, alarm: Alarm, answer: Said) -> bool:
        if answer.word == "f" and not answer.rest:
            self._talk.tell("ask", texts.CAUSE_NEEDED)
            return False
        journal, seq = alarm.record
        wished = {"journal": journal, "seq": seq, "says": _SAYS.get(answer.word), "reason": answer.rest}
        try:
            wish = MarkAlarm.model_validate({**wished, "by": self._by, "code": self._code})
        except ValidationError:
            self._talk.tell("ask", _EXPECTED)
            return False
        self._technician.ask(wish)
        alarm.mark = None if wish.says == "open" else Mark(wish.says, wish.reason, self._by, "")
        return True
