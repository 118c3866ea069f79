"""Enrolments that happened while core did not run: the technician's program leaves them here, core records them later.

One small file in core's data folder, written whole, and only while nobody else holds the folder; core reads it at its
start and takes it away when all of it is durable in the journal.
"""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Final, TypeAlias

from pydantic import Field, TypeAdapter, ValidationError

from firmware.core.enrolment import KIND, payload
from firmware.core.past import Past, newest
from firmware.protocol.messages import Enrolled
from firmware.protocol.records import Strict, UtcText
from rules.effects import JsonValue, Record
from rules.stimuli import Noted

log = logging.getLogger("fenghuo.core.enrolled-later")

NAME: Final = "enrolled.json"
MOST = 16
"""Enrolments that may wait; the program says of one more that there will be no record."""
MAX_BYTES = 64 * 1024


class Late(Strict):
    """An enrolment. `time`: when the answer was put in place, by the panel's clock of then."""

    time: UtcText
    enrolled: Enrolled


_FILE: TypeAdapter[list[Late]] = TypeAdapter(Annotated[list[Late], Field(max_length=MOST)])


class BadLeft(Exception):
    """A file that was not left by our program; the text names it and the first mistake."""


def read(data: Path) -> list[Late]:
    """What waits to be recorded, oldest first; nothing where there is no file. Raises `BadLeft`, `OSError`."""
    path = data / NAME
    try:
        with path.open("rb") as file:
            return parse(file.read(MAX_BYTES + 1))
    except FileNotFoundError:
        return []
    except ValueError as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": str(error)}
        raise BadLeft(f"{path}: {'.'.join(map(str, first['loc'])) or 'file'}: {first['msg']}") from None


def parse(text: bytes) -> list[Late]:
    """The content of the file. Raises `ValueError`."""
    if len(text) > MAX_BYTES:
        raise ValueError(f"longer than {MAX_BYTES} bytes")
    return _FILE.validate_json(text)


def written(late: list[Late]) -> bytes:
    """As `parse` reads it."""
    return _FILE.dump_json(late, indent=1)


Payload: TypeAlias = dict[str, JsonValue]


class LateEnrolments:
    """Those that were left for core to record. On the socket thread only."""

    def __init__(self, data: Path, submit: Callable[[Noted], bool], past: Past) -> None:
        self._data = data
        self._submit = submit
        self._past = past
        self._left: list[Payload] | None = None
        self._told: list[Payload] = []

    def look(self) -> None:
        """Have recorded what waits. Call at the start, and again where it was too busy."""
        if self._left is None:
            self._left = list(self._found())
        while self._left and self._submit(Noted(KIND, self._left[0])):
            self._told.append(self._left.pop(0))

    def recorded(self, record: Record) -> None:
        """A record of an enrolment is durable: with the last one the file goes."""
        if record.payload in self._told:
            self._told.remove(dict(record.payload))
            if not self._told and not self._left:
                self._done()

    def _found(self) -> Iterator[Payload]:
        try:
            late = read(self._data)
        except (BadLeft, OSError) as error:
            log.error("an enrolment without core can't be recorded: %s", error)
            return
        if not late:
            return
        # Core may have ended before it could take the file away.
        known = [told for kind, told in newest(self._past, KIND) if kind == KIND]
        fresh = [each for each in ({**payload(one.enrolled), "at": one.time} for one in late) if each not in known]
        if not fresh:
            self._done()
        yield from fresh

    def _done(self) -> None:
        try:
            (self._data / NAME).unlink(missing_ok=True)
        except OSError as error:
            log.error("%s: %s", self._data / NAME, error)
