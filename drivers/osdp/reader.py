"""One reader: its session with libosdp, what it says, what it is told, and whether it is there.

Each reader has a libosdp context of its own, so that one which does not answer costs the others one timeout in each
growing pause, and not libosdp's nine in a row. A reader that went away is tried again after 0.2, 1, 2, 4 and then
every 8 s; libosdp by itself would wait for five minutes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import osdp_sys as lib

from drivers.bus.words import Entered, Failed, Saying, Tampered
from drivers.osdp import face
from drivers.osdp.cards import bits_card, text_card
from drivers.osdp.channel import Wire
from drivers.osdp.keys import KeyLine
from drivers.osdp.randomness import feed

ANSWER_S = 0.25
"""libosdp waits 0.2 s for an answer (IEC 60839-11-5), and notices with its next call."""
POLL_S = 0.055
"""libosdp polls every 50 ms."""
LOST_S = 4.0
"""Silent for so long: lost. With the pauses below it is told within 10 s (EN 50131-1 interconnections, digest §1.9)."""
TRY_S = 2.5
"""So long a reader that answers may take until its session stands."""
PAUSES_S = (0.2, 1.0, 2.0, 4.0, 8.0)
SAME_CARD_S = 2.0
"""A card that is held on reads again and again: once is meant."""
REFUSALS = 2
"""So often a reader may refuse a kind of command before it is spared it."""

_SECURE, _NOTIFY, _LENIENT = lib.FLAG_ENFORCE_SECURE, lib.FLAG_ENABLE_NOTIFICATION, lib.FLAG_IGN_UNSOLICITED

Say = Callable[[Saying], None]


@dataclass(frozen=True)
class Plan:
    """A reader as the panel file has it. `key`: 16 bytes, None for a reader without secure channel.

    `refused`: why nothing may be taken from it (its key can't be read); then it is not even asked.
    """

    id: str
    address: int
    key: bytes | None
    keypad: bool = True
    rows: int = 0
    refused: str = ""


class Reader:
    """Turned by the bus; says what happened. `now` is in seconds of a monotonic clock."""

    def __init__(self, plan: Plan, wire: Wire, say: Say, now: Callable[[], float]) -> None:
        self.plan = plan
        self.settled = False
        self.due = now()
        self._wire = wire
        self._say = say
        self._now = now
        self._keys = KeyLine()
        self._shown = face.Shown(plan.rows)
        self._able = face.Able(False, False, False)
        self._online = False
        self._offline_told = False
        self._heard = self._since = self._began_try = now()
        self._tries = 0
        self._silent = False
        self._asked_status = False
        self._card: tuple[str, float] = ("", 0.0)
        self._faults: dict[str, str] = {}
        self._told_fault: str | None = None
        self._tampered: bool | None = None
        self._refusals: dict[int, int] = {}
        self.counts = {"exchanges": 0, "timeouts": 0, "losses": 0, "restarts": 0, "cards_refused": 0}
        self._context: Any = None if plan.refused else self._open()
        if plan.refused:
            self._fault("key", plan.refused)
            self.settled = True

    def _open(self) -> Any:
        secure = self.plan.key is not None
        info = {
            "name": self.plan.id[:15],
            "address": self.plan.address,
            "flags": _NOTIFY | _LENIENT | (_SECURE if secure else 0),
            "scbk": self.plan.key,
            "channel": self._wire,
        }
        context: Any = lib.ControlPanel([info])
        context.set_event_callback(self._event)
        return context

    # --- for the bus ------------------------------------------------------------------------------

    def wish(self, what: Mapping[str, Any]) -> None:
        """Show this from now on. Raises `ValueError` for what is no face."""
        self._shown.wish(face.face_of(what, self.plan.rows))

    def turn(self) -> None:
        """One exchange with the reader, if one is due; then say what changed."""
        if self._context is None or self._now() < self.due:
            return
        if self._offline_told:
            self._restart()
        if not self._online:
            feed()
        else:
            self._bid()
        answered = self._exchange()
        now = self._now()
        if answered:
            self._heard = now
            # It is there again, but its first answer is often a refusal: it knows nothing of the session before.
            self._tries = 0 if self._silent else self._tries
        self._silent = not answered if answered is not None else self._silent
        self._judge(now, answered)

    def gone(self) -> None:
        """The port is lost: nothing is known of the reader, and it is not its fault."""
        self._lose()
        self._heard = self._since = self._began_try = self.due = self._now()
        self._tries = 0

    def figures(self) -> dict[str, Any]:
        """For diagnosis."""
        return {
            "online": self._online,
            "secure": self._secure(),
            "silent_ms": int((self._now() - self._heard) * 1000),
            "ignored_keys": self._keys.ignored,
            **self.counts,
        }

    # --- talking ----------------------------------------------------------------------------------

    def _exchange(self) -> bool | None:
        """Let libosdp send what it has to, and take the answer; whether one came, None when nothing was to be sent."""
        self._wire.begin()
        for _ in range(2):
            self._context.refresh()
            if self._wire.sent:
                break
        else:
            self.due = self._now() + POLL_S / 5
            return None
        self.counts["exchanges"] += 1
        until = self._now() + ANSWER_S
        while (left := until - self._now()) > 0:
            self._wire.wait(left)
            self._context.refresh()
            if self.plan.address in self._wire.answered:
                self.due = self._now() + (POLL_S if self._online else 0.0)
                return True
        self._context.refresh()
        self.counts["timeouts"] += 1
        return False

    def _bid(self) -> None:
        """Hand libosdp the next command, where there is one: one at a time."""
        now = self._now()
        if not self._asked_status and not self._spared(face.STATUS):
            self._asked_status = True  # once a session: a reader tells by itself what changes
            self._context.submit_command(0, {"command": face.STATUS, "type": lib.STATUS_REPORT_LOCAL})
        elif (command := self._shown.next(self._able, now)) is not None and not self._spared(command["command"]):
            self._context.submit_command(0, command)
            self.due = now

    def _spared(self, command: int) -> bool:
        return self._refusals.get(command, 0) >= REFUSALS

    def _restart(self) -> None:
        """Begin the session anew, at once."""
        self.counts["restarts"] += 1
        self._context.flush_commands(0)
        for change in (self._context.disable_pd, self._context.enable_pd):
            change(0)
            for _ in range(3):
                self._context.refresh()
                if self._context.is_pd_enabled(0) is (change == self._context.enable_pd):
                    break
        # That it was taken away it tells as well: that is no news.
        self._offline_told = False

    # --- judging ----------------------------------------------------------------------------------

    def _judge(self, now: float, answered: bool | None) -> None:
        online = bool(self._context.status() & 1)
        if online and not self._offline_told and (answered or self._online):
            if not self._online:
                self._came(now)
            elif now - self._heard > LOST_S:
                self._lose()
                self._absent(now, "it does not answer")
            return
        if self._online:
            self._lose()
            self._since = self._began_try = now
        stuck = now - self._began_try > TRY_S
        if self._offline_told or answered is False or stuck:
            self._offline_told |= stuck
            self._absent(now, self._why(now))

    def _came(self, now: float) -> None:
        if self.plan.key is not None and not self._secure():
            return
        self._online = self.settled = True
        self._tries = 0
        self._asked_status = False
        self._able = face.Able(
            self._can(lib.CAP_READER_LED_CONTROL),
            self._can(lib.CAP_READER_AUDIBLE_OUTPUT),
            self._can(lib.CAP_READER_TEXT_OUTPUT),
        )
        self._shown.forget()
        self.due = now
        self._fault("lost", "")

    def _can(self, capability: int) -> bool:
        return any(self._context.check_capability(0, capability))

    def _lose(self) -> None:
        self.counts["losses"] += self._online
        self._online = False
        self._keys.forget()

    def _absent(self, now: float, why: str) -> None:
        """It is not there, or not as it must be: told, when it had its time; tried again after a growing pause."""
        self.due = self._began_try = now + PAUSES_S[min(self._tries, len(PAUSES_S) - 1)]
        if now - min(self._heard, self._since) >= TRY_S:
            self.settled = True
            if self._tries or "lost" not in self._faults:  # what comes back may refuse once: that is no other fault
                self._fault("lost", why)
        self._tries += 1

    def _why(self, now: float) -> str:
        if now - self._heard > TRY_S:
            return "it does not answer"
        if self.plan.key is None:
            return "it answers, but refuses what it is asked"
        if not self._can(lib.CAP_COMMUNICATION_SECURITY):
            return "it has no secure channel: nothing is taken from it"
        return "it answers, but not with this key: nothing is taken from it"

    def _secure(self) -> bool:
        return self._context is not None and bool(self._context.sc_status() & 1)

    def _fault(self, name: str, detail: str) -> None:
        if detail:
            self._faults[name] = detail
        else:
            self._faults.pop(name, None)
        standing = next(iter(self._faults.values()), "")
        if standing != self._told_fault and (standing or self._told_fault):
            self._say(Failed(self.plan.id, bool(standing), standing))
        self._told_fault = standing

    # --- what the reader says ---------------------------------------------------------------------

    def _event(self, _pd: int, event: dict[str, Any]) -> int:
        """From inside libosdp: nothing may be raised here."""
        try:
            self._take(event)
        except Exception:
            self.counts["bad_events"] = self.counts.get("bad_events", 0) + 1
        # libosdp's binding never lets go of the dict: keep the loss small, and codes out of memory.
        event.clear()
        return 0

    def _take(self, event: dict[str, Any]) -> None:
        kind = event["event"]
        if kind == lib.EVENT_NOTIFICATION:
            self._notified(event["type"], event["arg0"], event["arg1"])
        elif self.plan.key is not None and not self._secure():
            return
        elif kind == lib.EVENT_KEYPRESS and self.plan.keypad:
            for line in self._keys.feed(event["data"], self._now()):
                self._say(Entered(self.plan.id, "code", line))
        elif kind == lib.EVENT_CARDREAD:
            self._held(event)
        elif kind == lib.EVENT_STATUS and event["type"] == lib.STATUS_REPORT_LOCAL:
            self._status(bool(event["report"][0]), bool(event["report"][1]))

    def _notified(self, kind: int, first: int, second: int) -> None:
        if kind == lib.EVENT_NOTIFICATION_PD_STATUS and not first:
            self._offline_told = True
        elif kind == lib.EVENT_NOTIFICATION_COMMAND:
            self._refusals[first] = 0 if second else self._refusals.get(first, 0) + 1

    def _held(self, event: Mapping[str, Any]) -> None:
        data = event["data"]
        if event["format"] == lib.CARD_FMT_ASCII:
            card = text_card(data)
        else:
            kind = "wiegand" if event["format"] == lib.CARD_FMT_RAW_WIEGAND else "raw"
            card = bits_card(kind, event["length"], data)
        if card is None:
            self.counts["cards_refused"] += 1
            return
        last, until = self._card
        now = self._now()
        self._card = (card, now + SAME_CARD_S)
        if card != last or now >= until:
            self._say(Entered(self.plan.id, "card", card))

    def _status(self, tampered: bool, unpowered: bool) -> None:
        if tampered is not self._tampered:
            self._tampered = tampered
            self._say(Tampered(self.plan.id, tampered, "opened" if tampered else ""))
        self._fault("supply", "its supply fails" if unpowered else "")
