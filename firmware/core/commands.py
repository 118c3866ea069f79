"""Commands of the alarm center, checked by the process that would carry them out.

A command counts when it is signed by a command key of the center, is for this panel, carries the
nonce of one of the last two heartbeats (fresh, without any clock), and a counter above all before under that key. The
counters are part of the durable state, so the rules check them for good; here replays are only kept off them.
"""

import hmac
from collections import OrderedDict, deque
from collections.abc import Callable

from firmware.clock import Clock, utc_text
from firmware.core.pictures import Pictures
from firmware.core.refusals import Refusals
from firmware.protocol.jws import KeyRing, Refused, Signer, kid_of
from firmware.protocol.signed import Command, read_command
from firmware.protocol.typ import REPLY
from rules.effects import Answer, JsonValue
from rules.stimuli import RemoteCommand, Wish

KEYS_KNOWN = 16
"""Keys whose last counter is remembered; the rules remember them for good."""
STATUS_WAITING = 16
"""Status questions whose answer may be under way."""


class Commands:
    """On the socket thread only, but for `heartbeat_sent`, which that thread calls too."""

    def __init__(
        self,
        panel: str,
        keys: KeyRing,
        signer: Signer,
        clock: Clock,
        refusals: Refusals,
        submit: Callable[[RemoteCommand], bool],
        status: Callable[[], dict[str, JsonValue]],
        send: Callable[[str], None],
        pictures: Pictures,
    ) -> None:
        self._panel = panel
        self._keys = keys
        self._signer = signer
        self._clock = clock
        self._refusals = refusals
        self._submit = submit
        self._status = status
        self._send = send
        self._pictures = pictures
        self._nonces: deque[str] = deque(maxlen=2)
        self._highest: OrderedDict[str, int] = OrderedDict()
        self._asked: deque[tuple[str, int]] = deque(maxlen=STATUS_WAITING)

    def heartbeat_sent(self, nonce: str) -> None:
        """A heartbeat with this nonce goes out: commands may carry it from now on."""
        self._nonces.append(nonce)

    def received(self, token: str, path: str = "") -> None:
        """A token came in on the command topic of this path."""
        command, key, about = None, "", ""
        try:
            command = read_command(self._keys, token)
            key = kid_of(token)
            self._check(command, key)
            self._count(command.counter, key)
            if command.command == "picture":
                about = self._pictures.wanted(command.args, _transfer(key, command.counter), command.operator, path)
        except Refused as refused:
            self._refuse(refused, command.counter if command else None, key)
            return
        if command.command == "status":
            self._asked.append((key, command.counter))
        if not self._submit(_order(command, key, about)):
            self._refuse(Refused("busy", "too much waits to be decided"), command.counter, key)

    def _check(self, command: Command, key: str) -> None:
        if not hmac.compare_digest(command.panel, self._panel):
            raise Refused("wrong-panel", f"for {command.panel!r}")
        if not sum(hmac.compare_digest(command.nonce, nonce) for nonce in self._nonces):
            raise Refused("stale", "the nonce is not that of one of the last two heartbeats")
        if command.counter <= (highest := self._highest.get(key, 0)):
            raise Refused("replayed", f"counter {command.counter}, expected more than {highest}")

    def _count(self, counter: int, key: str) -> None:
        self._highest[key] = counter
        self._highest.move_to_end(key)
        if len(self._highest) > KEYS_KNOWN:
            self._highest.popitem(last=False)

    def _refuse(self, refused: Refused, counter: int | None, key: str) -> None:
        # A flood gets no answers either: they would go out over the same link as the alarms.
        if self._refusals.note("command", refused.reason, refused.detail, counter):
            self._reply(counter, key, False, refused.reason, {})

    def answer(self, answer: Answer) -> None:
        """The rules' answer, now that its records are durable."""
        detail = dict(answer.detail)
        if answer.done and (answer.key, answer.counter) in self._asked:
            self._asked.remove((answer.key, answer.counter))
            detail = self._status()
        order = self._pictures.recorded(_transfer(answer.key, answer.counter), answer.done)
        if order is not None:
            detail = {"transfer": order.transfer, "sha256": order.sha256, "bytes": order.bytes}
        self._reply(answer.counter, answer.key, answer.done, answer.reason, detail)
        if order is not None:
            self._pictures.send(order)

    def _reply(self, counter: int | None, key: str, done: bool, reason: str, detail: dict[str, JsonValue]) -> None:
        payload = {
            "panel": self._panel,
            "counter": counter,
            "key": key,
            "result": "done" if done else "refused",
            "reason": reason,
            "detail": detail,
            "time": utc_text(self._clock.utc()),
        }
        self._send(self._signer.sign(REPLY, payload))


def _transfer(key: str, counter: int) -> str:
    return f"{key}.{counter}"


def _order(command: Command, key: str, about: str) -> RemoteCommand:
    args = command.args
    return RemoteCommand(
        command.counter,
        command.operator,
        Wish(command.command),
        tuple(args.areas),
        args.zone,
        args.part,
        args.instant,
        args.override,
        key,
        about,
    )
