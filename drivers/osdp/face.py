"""What a reader shows, and the OSDP commands that bring it there: lamp, tones, text.

Core says the whole face each time (`Show`); the commands are the difference to what the reader was told last. Tones end
by themselves within seconds and are told again while they last, so a panel that dies leaves no reader sounding.
"""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

Command: TypeAlias = dict[str, Any]

COLUMNS = 16
"""Characters of a row (IEC 60839-11-5, text output: rows of 16)."""
MAX_ROWS = 4
_MAX_BYTES = 32

_OFF, _RED, _GREEN, _AMBER = 0, 1, 2, 3
LAMPS: Mapping[str, tuple[int, int, int, int]] = {
    "dark": (_OFF, _OFF, 10, 0),
    "red": (_RED, _RED, 10, 0),
    "green": (_GREEN, _GREEN, 10, 0),
    "amber": (_AMBER, _AMBER, 10, 0),
    "red-slow": (_RED, _OFF, 5, 5),
    "green-slow": (_GREEN, _OFF, 5, 5),
    "red-fast": (_RED, _OFF, 1, 1),
    "red-amber": (_RED, _AMBER, 5, 5),
    "green-amber": (_GREEN, _AMBER, 5, 5),
}
"""Lamp → colours on and off, and their times in tenths of a second."""


@dataclass(frozen=True)
class Tone:
    """On and off in tenths of a second, and how often: at most some seconds, then told again while it lasts."""

    on: int
    off: int
    times: int

    @property
    def lasts_s(self) -> float:
        """How long it sounds."""
        return (self.on + self.off) * self.times / 10


TONES: Mapping[str, Tone] = {
    "exit": Tone(1, 9, 5),
    "exit-ending": Tone(1, 2, 15),
    "entry": Tone(5, 5, 5),
}
"""Tones that last. Distinct and faster at the end of the exit delay (CP-01 row 2)."""
BEEPS: Mapping[str, Tone] = {
    "done": Tone(3, 1, 1),
    "refused": Tone(6, 2, 2),
    "wrong": Tone(1, 1, 4),
    "chime": Tone(2, 1, 2),
    "warning": Tone(3, 3, 3),
}
"""Tones that sound once."""


@dataclass(frozen=True)
class Face:
    """All that a reader shows. `beep`: its number grows with each one, and 0 is none."""

    lamp: str = "dark"
    tone: str = ""
    beep: tuple[int, str] = (0, "")
    rows: tuple[str, ...] = ()


def face_of(what: Mapping[str, Any], rows: int) -> Face:
    """From core's words, with `rows` rows of text. Raises `ValueError` for what is no face."""
    lamp, tone, beep, text = (what.get(key, "") for key in ("lamp", "tone", "beep", "rows"))
    if lamp not in LAMPS or (tone and tone not in TONES) or not isinstance(text, list):
        raise ValueError(f"{what!r:.100}, expected a lamp, a tone and rows")
    if not isinstance(beep, list) or len(beep) != 2 or type(beep[0]) is not int or (beep[1] and beep[1] not in BEEPS):
        raise ValueError(f"beep: {beep!r:.60}, expected a number and one of {', '.join(BEEPS)}")
    shown = [fitted(str(row)) for row in text[:rows]]
    shown += [" " * COLUMNS] * (rows - len(shown))
    return Face(lamp, str(tone or ""), (beep[0], str(beep[1])), tuple(shown))


def fitted(text: str) -> str:
    """A row: cut and filled to its columns, of which a Chinese character takes two."""
    row, columns, size = "", 0, 0
    for char in text:
        width = 2 if unicodedata.east_asian_width(char) in "WF" else 1
        size += len(char.encode("utf-8", "replace"))
        if not char.isprintable() or columns + width > COLUMNS or size > _MAX_BYTES:
            break
        row, columns = row + char, columns + width
    return row + " " * min(COLUMNS - columns, _MAX_BYTES - len(row.encode("utf-8", "replace")))


@dataclass(frozen=True)
class Able:
    """What a reader can do, as it says itself: a command that it does not know would cost its connection."""

    lamp: bool = True
    sound: bool = True
    text: bool = True


class Shown:
    """What one reader was told, and what it has to be told next."""

    def __init__(self, rows: int) -> None:
        self.want = Face(rows=(" " * COLUMNS,) * rows)
        self._told: Face | None = None
        self._heard_beep: int | None = None
        self._until = 0.0

    def wish(self, face: Face) -> None:
        """Show this from now on. The first face of a child's life may hold a beep of the life before: not again."""
        if self._heard_beep is None:
            self._heard_beep = face.beep[0]
        self.want = face

    def forget(self) -> None:
        """The reader was away: it knows nothing any more, and old beeps are over."""
        self._told = None
        self._until = 0.0
        self._heard_beep = self.want.beep[0]

    def next(self, able: Able, now: float) -> Command | None:
        """The next command, which counts as told; None when all is shown."""
        told = self._told or Face("", "", (0, ""), ("",) * len(self.want.rows))
        if able.lamp and told.lamp != self.want.lamp:
            self._told = replace(told, lamp=self.want.lamp)
            return _lamp(self.want.lamp)
        if able.sound and (sound := self._sound(told, now)) is not None:
            return sound
        return self._text(told) if able.text else None

    def _sound(self, told: Face, now: float) -> Command | None:
        number, beep = self.want.beep
        if number != (self._heard_beep or 0):
            self._heard_beep = number
            if beep:
                self._until = now + BEEPS[beep].lasts_s
                return _buzzer(BEEPS[beep])
        if self.want.tone and (now >= self._until or told.tone != self.want.tone):
            self._told = replace(told, tone=self.want.tone)
            self._until = now + TONES[self.want.tone].lasts_s
            return _buzzer(TONES[self.want.tone])
        if told.tone and not self.want.tone:
            self._told = replace(told, tone="")
            return _silence()
        return None

    def _text(self, told: Face) -> Command | None:
        for row, (shown, wanted) in enumerate(zip(told.rows, self.want.rows, strict=True)):
            if shown != wanted:
                self._told = replace(told, rows=_with(told.rows, row, wanted))
                return _row(row, wanted)
        return None


def _with(rows: Sequence[str], at: int, row: str) -> tuple[str, ...]:
    return (*rows[:at], row, *rows[at + 1 :])


# --- as libosdp wants them: numbers of IEC 60839-11-5 ------------------------------------------------

OUTPUT, LED, BUZZER, TEXT, STATUS = 1, 2, 3, 4, 9
"""Checked against libosdp's own names where the bus is opened."""


def _lamp(name: str) -> Command:
    on, off, on_count, off_count = LAMPS[name]
    return {
        "command": LED,
        "reader": 0,
        "led_number": 0,
        "control_code": 1,
        "on_color": on,
        "off_color": off,
        "on_count": on_count,
        "off_count": off_count,
        "temporary": False,
    }


def _buzzer(tone: Tone) -> Command:
    return {
        "command": BUZZER,
        "reader": 0,
        "control_code": 2,
        "on_count": tone.on,
        "off_count": tone.off,
        "rep_count": tone.times,
    }


def _silence() -> Command:
    return {"command": BUZZER, "reader": 0, "control_code": 1, "on_count": 0, "off_count": 0, "rep_count": 0}


def _row(row: int, text: str) -> Command:
    return {
        "command": TEXT,
        "reader": 0,
        "control_code": 1,
        "temp_time": 0,
        "offset_row": row + 1,
        "offset_col": 1,
        "data": text,
    }
