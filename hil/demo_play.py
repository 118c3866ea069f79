"""The play, one night at the bank branch: arm, leave; a break-in; the center silences; disarm; a silent hold-up.

Every step waits for what it must bring about. What stays out is a problem of the panel, and the demo then fails.
"""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from firmware.config import Loaded
from firmware.journal.verify import verify
from firmware.language import Text
from firmware.protocol import messages as m
from firmware.protocol.jws import load_public
from hil.center import Center
from hil.center.keys import read_jwk_x
from hil.demo_panel import Refused, ask
from hil.demo_stage import Stage, held

CODE = "1234"
DURESS_CODE = "4321"
USER = "manager"
OPERATOR = "demo-operator"
_PICTURES_MS = 2000
"""So long after the last picture its manifest may come."""

SCENES: dict[str, Text] = {
    "evening": ("22:00  The last one arms the branch at the keypad and leaves.", "22:00  最后离开的人在键盘上布防。"),
    "night": ("02:13  The front door is forced, and somebody walks in without a code.",
              "02:13  正门被撬,有人进入且没有密码。"),
    "back": ("02:18  A second one comes through the back door: no delay there, and the sirens sound again.",
             "02:18  另一人从后门进入:此处没有延时,警号再次鸣响。"),
    "silence": ("02:15  The center has seen the pictures, and silences the sirens by a signed command.",
                "02:15  报警中心已看到图像,以签名命令静音。"),
    "morning": ("02:25  The manager arrives, and disarms with his code.", "02:25  主管到场,用密码撤防。"),
    "hold-up": ("10:31  Next day at the counter: a hold-up button is pressed. Nothing may show here.",
                "10:31  次日柜台:有人按下紧急按钮。现场不得有任何显示。"),
    "end": ("Is all of the journal at the center?", "报警中心是否已收到全部日志?"),
}  # fmt: skip

DOING: dict[str, Text] = {
    "exit": ("exit delay", "外出延时"),
    "entry": ("entry delay", "进入延时"),
    "loud": ("all can hear it", "警号鸣响中"),
    "look": ("the center's operator looks at the pictures", "中心值班员查看图像"),
    "quiet": ("a quiet street", "街道安静"),
    "siren": ("a siren", "等待警号"),
    "strobe": ("the strobe", "等待频闪灯"),
    "entry-alarm": ("the alarm of the entry path at the center", "等待中心收到出入口报警"),
    "intruder": ("the intruder alarm at the center", "等待中心收到入侵报警"),
    "receipt": ("the center's receipt for it", "等待中心回执"),
    "pictures": ("pictures at the center, with a person in view", "等待中心收到有人的图像"),
    "silent": ("the sirens to fall silent", "等待警号静音"),
    "reply": ("the panel's signed reply", "等待主机签名答复"),
    "disarmed": ("the record of the disarming", "等待撤防记录"),
    "dark": ("siren and strobe to be off", "等待警号和频闪灯关闭"),
    "hold-up": ("the hold-up at the center", "等待中心收到紧急报警"),
    "hush": ("watching that nothing shows", "确认现场没有任何显示"),
    "cameras": ("the cameras finish their last pictures", "等待摄像机完成抓拍"),
    "complete": ("the rest of the journal at the center", "等待中心收到其余日志"),
    "last": ("the panel's last records at the center", "等待中心收到主机最后的记录"),
}

WRONG: dict[str, Text] = {
    "command": ("the center could not send its command: {why}", "中心无法发送命令:{why}"),
    "shown": ("the hold-up showed: {what}", "紧急报警在现场有显示:{what}"),
    "state": ("the hold-up showed in the retained state", "紧急报警出现在保留状态中"),
    "set-aside": (
        "core found its journal altered or broken and set it aside: {name}",
        "主机发现日志被改动或损坏,已隔离:{name}",
    ),
    "incomplete": ("the center is not complete: {what}", "中心数据不完整:{what}"),
    "not-compared": ("the journal could not be read from the panel: {why}", "无法从主机读取日志:{why}"),
    "user": ("the first user could not be set: {why}", "无法设置首个用户:{why}"),
}


@dataclass(frozen=True)
class Cast:
    """Who takes part."""

    stage: Stage
    center: Center
    loaded: Loaded

    @property
    def panel(self) -> str:
        return self.loaded.file.panel.id

    @property
    def desk(self) -> Path:
        return self.loaded.run / "desk.sock"

    @property
    def technician(self) -> Path:
        return self.loaded.run / "technician.sock"

    def move(self, zone: str, position: Literal["open", "close", "cut", "short"]) -> int:
        """Move a zone's detector; the moment."""
        return self.stage.act(self.desk, m.Move(zone=zone, position=position), "move", zone, position)

    def code(self, wish: Literal["arm", "disarm"]) -> int:
        """Type the manager's code; the moment."""
        return self.stage.act(self.desk, m.Code(digits=CODE, wish=wish), "code", "keypad-1", wish)

    def after(self, what: str, name: str, ms: int) -> bool:
        """Whether this happened at or after the moment."""
        return self.stage.timeline.facts.last_ms.get((what, name), -1) >= ms

    def sounding(self, kind: str) -> bool:
        """Whether an output of this kind is on."""
        on = self.stage.timeline.facts.on_since
        return any(output.id in on for output in self.loaded.file.output if output.kind == kind)


def prepare(cast: Cast, first: bool) -> None:
    """A branch in the daytime: the manager known, all at rest, nothing armed. `first`: no run before this one."""
    users = ask(cast.technician, m.AskStatus()).get("users")
    if first or not users:
        areas = [area.id for area in cast.loaded.file.area]
        user = m.SetUser(id=USER, name="Manager", level=2, areas=areas, new_code=CODE, new_duress_code=DURESS_CODE)
        try:
            ask(cast.technician, user)
        except Refused:
            if first:
                raise
    if not first:
        for zone in cast.loaded.file.zone:
            ask(cast.desk, m.Move(zone=zone.id, position="close"))
        ask(cast.desk, m.Code(digits=CODE, wish="disarm"))
        cast.stage.wait(DOING["dark"], lambda: not (cast.sounding("siren") or cast.sounding("strobe")), 10)


def evening(cast: Cast) -> None:
    """Arm both areas with the code, leave through the exit delay."""
    cast.stage.step(SCENES["evening"])
    begin = cast.code("arm")
    exit_s = max(area.exit_delay_s for area in cast.loaded.file.area)
    cast.stage.wait(DOING["exit"], lambda: cast.after("record", "area.armed", begin), exit_s + 10, exit_s)
    cast.stage.rest(DOING["quiet"], 1)


def night(cast: Cast) -> None:
    """The front door, the entry delay, the motion detector; then the sirens, the pictures and the center."""
    stage = cast.stage
    stage.step(SCENES["night"], "scene")
    entry_s = next(area.entry_delay_s for area in cast.loaded.file.area if area.id == "hall")
    begin = cast.move("front-door", "open")
    stage.pause(DOING["entry"], 1.5)
    cast.move("hall-pir", "open")
    stage.wait(DOING["siren"], lambda: cast.sounding("siren"), entry_s + 5, max(0.0, entry_s - 1.5))
    stage.expect(DOING["strobe"], lambda: cast.sounding("strobe"), 5)
    stage.expect(DOING["entry-alarm"], lambda: cast.after("record", cast.panel, begin) and _alarms(cast), 15)
    stage.expect(DOING["receipt"], lambda: cast.after("receipt", cast.panel, begin), 15)
    post_s = max((camera.post_s for camera in cast.loaded.file.camera), default=0)
    facts = stage.timeline.facts
    stage.expect(DOING["pictures"], lambda: facts.thumbnails and facts.persons, post_s + 30)


def _alarms(cast: Cast) -> int:
    return sum(n for kind, n in cast.stage.timeline.facts.stored.items() if kind.startswith("alarm."))


def silence(cast: Cast) -> None:
    """The center's operator silences the sirens; the strobe goes on."""
    stage = cast.stage
    stage.rest(DOING["look"], 4)
    stage.step(SCENES["silence"], "scene")
    try:
        counter = cast.center.command(cast.panel, "silence", {"areas": [], "zone": ""}, OPERATOR)
    except LookupError as error:
        stage.problem(_fill(WRONG["command"], why=error))
        return
    stage.expect(DOING["reply"], lambda: counter in stage.timeline.facts.replies, 15)
    stage.expect(DOING["silent"], lambda: not cast.sounding("siren"), 5)
    stage.check(DOING["strobe"], cast.sounding("strobe"))
    stage.rest(DOING["quiet"], 2)


def back_door(cast: Cast) -> None:
    """A zone without a delay: the sirens sound again, at once."""
    stage = cast.stage
    stage.step(SCENES["back"], "scene")
    had = held(cast.center, cast.panel, "alarm.intruder")
    cast.move("back-door", "open")
    stage.expect(DOING["siren"], lambda: cast.sounding("siren"), 5)
    stage.expect(DOING["intruder"], lambda: held(cast.center, cast.panel, "alarm.intruder") > had, 15)
    stage.rest(DOING["loud"], 4)


def morning(cast: Cast) -> None:
    """Doors shut, the code, everything off."""
    stage = cast.stage
    stage.step(SCENES["morning"])
    for zone in ("hall-pir", "back-door", "front-door"):
        cast.move(zone, "close")
    stage.rest(DOING["quiet"], 1)
    begin = cast.code("disarm")
    stage.expect(DOING["disarmed"], lambda: cast.after("record", "area.disarmed", begin), 15)
    stage.expect(DOING["dark"], lambda: not (cast.sounding("siren") or cast.sounding("strobe")), 5)
    stage.rest(DOING["quiet"], 1)


def hold_up(cast: Cast) -> None:
    """A silent hold-up: at the center within moments, and nothing on an output, a keypad or the retained state."""
    stage = cast.stage
    facts = stage.timeline.facts
    stage.step(SCENES["hold-up"])
    # The ends of the burglary may still be on their way: what they change is not the hold-up's doing.
    stage.expect(DOING["hush"], lambda: _at_rest(facts.state), 15)
    before = _shown(facts.state)
    had = held(cast.center, cast.panel, "alarm.hold-up")
    begin = stage.act(cast.desk, m.Press(zone="holdup-1"), "press", "holdup-1", None)
    stage.expect(DOING["hold-up"], lambda: held(cast.center, cast.panel, "alarm.hold-up") > had, 15)
    stage.pause(DOING["hush"], 3)
    shown = [name for (what, name), ms in facts.last_ms.items() if what in ("output", "tell") and ms >= begin]
    if shown:
        stage.problem(_fill(WRONG["shown"], what=", ".join(shown)))
    stage.check(WRONG["state"], _shown(facts.state) == before)


def _at_rest(state: Mapping[str, Any]) -> bool:
    return all(zone.get("condition") == "normal" for zone in state.get("zones", {}).values())


def _shown(state: Mapping[str, Any]) -> Any:
    return {name: state.get(name) for name in ("areas", "zones", "troubles")}


def ending(cast: Cast) -> None:
    """Wait until the center holds the journal to its head, then compare the two, record by record."""
    stage = cast.stage
    stage.step(SCENES["end"])
    facts = stage.timeline.facts

    _let_cameras_finish(cast)

    def reached() -> bool:
        heads = cast.center.heads(cast.panel)
        behind = any(heads.get(journal, (0, ""))[0] < seq for journal, seq in facts.durable.items())
        return bool(heads) and not behind and not cast.center.gaps(cast.panel)

    stage.expect(DOING["complete"], reached, 30)
    for problem in cast.center.complete(cast.panel)[:5]:
        stage.problem(_fill(WRONG["incomplete"], what=problem))
    try:
        compare(cast)
    except (OSError, Refused, ValueError, KeyError) as error:
        stage.problem(_fill(WRONG["not-compared"], why=error))


def set_aside(cast: Cast) -> set[str]:
    """Names of the journal files that core found broken and set aside."""
    return {file.name for file in cast.loaded.data.glob("*.corrupt-*")}


def last_look(cast: Cast, aside: set[str]) -> None:
    """The panel has stopped: every record of its file, the very last one too, must be at the center.

    `aside`: what was set aside before this run.
    """
    for name in sorted(set_aside(cast) - aside):
        cast.stage.problem(_fill(WRONG["set-aside"], name=name))
    written = _records_in(cast.loaded.data / "journal.sqlite")

    def missing() -> list[str]:
        held = {(r["header"]["journal"], r["header"]["seq"]): r["hash"] for r in cast.center.records(cast.panel)}
        return [f"seq {key[1]} {kind}" for key, (kind, own_hash) in written.items() if held.get(key) != own_hash]

    cast.stage.expect(DOING["last"], lambda: not missing(), 10)
    for what in missing()[:5]:
        cast.stage.problem(_fill(WRONG["incomplete"], what=what))
    _verify(cast)


def _verify(cast: Cast) -> None:
    """`fenghuo journal verify` on the panel's own file: what the center holds says nothing of what lies here."""
    key = cast.loaded.data / "keys" / "core.jwk"
    report = verify(cast.loaded.data / "journal.sqlite", load_public(read_jwk_x(key.read_text())))
    for finding in report.findings[:5]:
        en, zh = finding.text
        cast.stage.problem((f"journal, record {finding.seq}: {en}", f"日志第 {finding.seq} 条记录:{zh}"))


def _records_in(journal: Path) -> dict[tuple[str, int], tuple[str, str]]:
    """(journal, seq) to (kind, hash), from the file of a panel that has stopped. Raises `OSError`."""
    try:
        with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as db:
            rows = [
                (json.loads(header), own_hash) for header, own_hash in db.execute("SELECT header, hash FROM record")
            ]
    except (sqlite3.Error, ValueError) as error:
        raise OSError(f"{journal}: {error}") from error
    return {(header["journal"], header["seq"]): (header["kind"], own_hash) for header, own_hash in rows}


def _let_cameras_finish(cast: Cast) -> None:
    """The last incident's pictures are records too: wait for them, or as long as they can take."""
    facts = cast.stage.timeline.facts
    last = max((ms for (what, _), ms in facts.last_ms.items() if what == "capture"), default=0)
    post_ms = 1000 * max((camera.post_s for camera in cast.loaded.file.camera), default=0)
    due_s = (last + post_ms + _PICTURES_MS - cast.stage.now()) / 1000
    if last and due_s > 0:
        cast.stage.pause(DOING["cameras"], due_s)


def compare(cast: Cast) -> int:
    """Read the journal from core itself, and hold each record against the center's; how many were compared.

    Only up to the head that the last heartbeat named: later records may be on their way.
    """
    heads = cast.center.heads(cast.panel)
    at_center = {(r["header"]["journal"], r["header"]["seq"]): r["hash"] for r in cast.center.records(cast.panel)}
    after, compared = 0, 0
    while rows := ask(cast.technician, m.AskRecords(after=after)).get("records"):
        for row in rows:
            header = row["header"]
            after = header["seq"]
            if after > heads.get(header["journal"], (0, ""))[0]:
                return compared
            if at_center.get((header["journal"], after)) != row["hash"]:
                what = f"seq {after} {header['kind']}"
                cast.stage.problem(_fill(WRONG["incomplete"], what=what))
            compared += 1
    return compared


def _fill(text: Text, **values: object) -> Text:
    return text[0].format(**values), text[1].format(**values)
