"""The technician's end of core's socket: one question, one answer, and plain words when there is none.

Every command that talks to a running panel uses it.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import BaseModel, ValidationError

from firmware.config import Loaded
from firmware.core.alarm_marks import REASONS as MARK_REASONS
from firmware.core.installing import REASONS as FILE_REASONS
from firmware.core.update_port import REASONS as UPDATE_REASONS
from firmware.language import Text, pick
from firmware.protocol.lines import Client, LineTooLong
from firmware.protocol.messages import Answer
from rules.notices import NOTICES, REASONS

_WORDS = (REASONS, NOTICES, FILE_REASONS, UPDATE_REASONS, MARK_REASONS)
SOCKET = "technician.sock"
ANSWER_S = 15.0
"""A code is judged by scrypt, which takes a second on a small board; a snapshot longer."""

_NOT_RUNNING: Text = (
    "no panel answers at {path}: {why}. Start it: fenghuo run all --config {config}",
    "{path} 无主机应答：{why}。请先启动：fenghuo run all --config {config}",
)
_NO_RIGHTS: Text = (
    "{path}: this user may not open the technician's socket. Use the panel's service user or sudo",
    "{path}：当前用户无权打开技术员接口。请使用主机服务用户或 sudo",
)
_SILENT: Text = ("the panel did not answer in {seconds:.0f} s", "主机在 {seconds:.0f} 秒内未应答")
_NONSENSE: Text = (
    "the panel answered something else than expected: {what}",
    "主机的应答不符合预期：{what}",
)
_REFUSED: Text = ("the panel refused: {reason}", "主机拒绝：{reason}")


class NoAnswer(Exception):
    """The panel can't be asked, or refused. The text is for the technician; `both`: in both languages, for a report."""

    def __init__(self, said: str, both: Text | None = None) -> None:
        super().__init__(said)
        self.both: Text = both or (said, said)


class Refused(NoAnswer):
    """The panel said no. `reason`: its word for it."""

    def __init__(self, reason: str) -> None:
        super().__init__(pick(_REFUSED, reason=_in_words(reason)))
        self.reason = reason


class Technician:
    """A connection to a running panel."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def ask(self, question: BaseModel) -> Answer:
        """Core's answer; raises `NoAnswer` when there is none, or when it is no."""
        try:
            self._client.send(question)
            line = self._client.receive(ANSWER_S)
        except (OSError, LineTooLong, json.JSONDecodeError, UnicodeDecodeError) as error:
            raise NoAnswer(pick(_NONSENSE, what=_short(error))) from None
        if line is None:
            raise _unasked(_SILENT, seconds=ANSWER_S)
        if line.get("type") == "error":
            raise NoAnswer(pick(_REFUSED, reason=str(line.get("reason"))[:500]))
        try:
            answer = Answer.model_validate(line)
        except ValidationError as error:
            raise NoAnswer(pick(_NONSENSE, what=_short(error))) from None
        if not answer.ok:
            raise Refused(answer.reason)
        return answer


@contextmanager
def connected(loaded: Loaded) -> Iterator[Technician]:
    """Connect to the panel of this file; raises `NoAnswer` when it does not run or this user may not."""
    path = loaded.run / SOCKET
    try:
        client = Client(path)
    except PermissionError:
        raise _unasked(_NO_RIGHTS, path=path) from None
    except (OSError, ValueError) as error:
        raise _unasked(_NOT_RUNNING, path=path, why=_reason(error), config=loaded.path) from None
    try:
        yield Technician(client)
    finally:
        client.close()


def _unasked(text: Text, **values: object) -> NoAnswer:
    return NoAnswer(pick(text, **values), (pick(text, "en", **values), pick(text, "zh", **values)))


def _in_words(reason: str) -> str:
    """A reason of the rules as they say it to people; others as they stand."""
    known = next((words[reason] for words in _WORDS if reason in words), None)
    return pick(known) if known else reason


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _short(error: Exception) -> str:
    return type(error).__name__ if isinstance(error, ValidationError) else str(error)[:200]
