"""A person says of an alarm whether it was true or false: a record of its own, which names the alarm's record.

The alarm's record stays as it is; of several marks the newest counts, so that one may be taken back. Whose code it is
was judged before (`technician_port`).
"""

from collections.abc import Callable, Mapping
from json import loads
from typing import Final

from firmware.core.awaited import Awaited
from firmware.core.sockets import Peer
from firmware.core.standing import part
from firmware.language import Text
from firmware.protocol import messages as m
from firmware.protocol.stored import StoredRecord
from rules.effects import JsonValue, Record
from rules.stimuli import Noted, User
from rules.vocabulary import begins_alarm

KIND: Final = "acceptance.alarm-marked"
NO_RECORD, NO_ALARM, NOT_HIS = "mark-no-record", "mark-no-alarm", "mark-not-his"
REASONS: Mapping[str, Text] = {
    NO_RECORD: ("the journal has no record of this number", "日志中没有该编号的记录"),
    NO_ALARM: (
        "this record is no alarm; expected the one that began it (alarm.*, but not its confirmation)",
        "该记录不是报警；应为触发报警的记录（alarm.*，复核记录除外）",
    ),
    NOT_HIS: (
        "not the code of an installer, or of a user of this alarm's area who may let one in",
        "非安装员或该报警所属分区可授权安装员的用户密码",
    ),
}
"""Why not, by the word that core answers with."""


class AlarmMarks:
    """On the socket thread only."""

    def __init__(self, at: Callable[[str, int], StoredRecord | None], submit: Callable[[Noted], bool]) -> None:
        """`at`: a durable record by its journal and number."""
        self._at = at
        self._awaited = Awaited(submit)

    def act(self, peer: Peer, wish: m.MarkAlarm, actor: User | None) -> None:
        """Record it where it is his to say; the answer comes when the record is durable."""
        if reason := self._refused(wish, actor):
            peer.send(m.Answer(ok=False, reason=reason))
            return
        payload: dict[str, JsonValue] = wish.model_dump(include={"journal", "seq", "says", "reason", "by"})
        payload["user"] = "" if actor is None else actor.id
        self._awaited.record(peer, KIND, payload)

    def recorded(self, record: Record) -> None:
        """A mark is durable: whoever waits for it may go on."""
        if peer := self._awaited.by(record):
            peer.send(m.Answer(ok=True))

    def _refused(self, wish: m.MarkAlarm, actor: User | None) -> str:
        """Why not, empty where it may be. Of the journal only those are told who may mark something."""
        if actor is None or not part(actor):
            return NOT_HIS
        stored = self._at(wish.journal, wish.seq)
        if stored is None:
            return NO_RECORD
        if not begins_alarm(str(loads(stored.header)["kind"])):
            return NO_ALARM
        areas = loads(stored.payload or b"{}").get("areas", ())
        return "" if not areas or set(areas) & set(actor.areas) else NOT_HIS
