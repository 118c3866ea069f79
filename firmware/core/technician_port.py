"""The technician's socket: status, journal snapshots and records, users. Who may open it is a matter of file rights.

Changing users needs the code of a user who stands above: of at least the level, and of all the areas, that the changed
user has or gets. The first user of a panel comes with commissioning. Each try also goes to the rules as a code entered
at `technician`: they count wrong ones, lock out and record it, and call for help at a duress code.
"""

import logging
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware.core.codes import Codes
from firmware.core.sockets import Peer, Role, Server
from firmware.protocol import messages as m
from rules.effects import JsonValue
from rules.stimuli import CodeEntered, User, UserRemoved, UserSet, Wish

log = logging.getLogger("fenghuo.core.technician")

WRONG_CODES = 5
LOCK_S = 90.0
SOURCE = "technician"
COMMISSIONING = "commissioning"
NOT_ALLOWED = "code: not that of a user who may change this one"


@dataclass(frozen=True)
class TechnicianSources:
    """What the port reads of the panel, and where changes go."""

    status: Callable[[], dict[str, JsonValue]]
    users: Callable[[], Mapping[str, User]]
    areas: frozenset[str]
    snapshot: Callable[[], "Future[Path]"]
    records: Callable[[int, int], list[dict[str, Any]]]
    submit: Callable[[UserSet | UserRemoved | CodeEntered], bool]


class TechnicianPort:
    """On the socket thread only, but for `user_settled`, which may come from any."""

    def __init__(self, sources: TechnicianSources, codes: Codes, server: Server) -> None:
        self._sources = sources
        self._codes = codes
        self._server = server
        self._asking: dict[str, Peer] = {}
        self._wrong = 0
        self._locked_until = 0.0
        self._wait_for_snapshot: list[Peer] = []

    def role(self, path: Path) -> Role:
        """The socket of this port."""
        return Role("technician", path, m.from_technician, self._received, mode=0o600, peers=8)

    def user_settled(self, user: str, refused: str) -> None:
        """The change of this user is on disk, or the rules refused it (`rules.notices.REASONS`): he may hear it."""
        self._server.call(lambda: self._answer(self._asking.pop(user, None), not refused, refused))

    def _received(self, peer: Peer, message: Any) -> None:
        match message:
            case m.AskStatus():
                peer.send(m.Answer(ok=True, detail=self._sources.status()))
            case m.AskRecords():
                rows = self._sources.records(message.after, message.limit)
                peer.send(m.Answer(ok=True, detail={"records": rows}))
            case m.AskSnapshot():
                self._snapshot(peer)
            case m.SetUser():
                self._set_user(peer, message)
            case m.RemoveUser():
                self._remove_user(peer, message)

    def _snapshot(self, peer: Peer) -> None:
        """One at a time, for all who ask meanwhile: it keeps the journal thread busy."""
        self._wait_for_snapshot.append(peer)
        if len(self._wait_for_snapshot) == 1:
            future = self._sources.snapshot()
            future.add_done_callback(lambda done: self._server.call(lambda: self._snapshot_made(done)))

    def _snapshot_made(self, done: "Future[Path]") -> None:
        try:
            answer = m.Answer(ok=True, detail={"path": str(done.result())})
        except Exception as error:
            answer = m.Answer(ok=False, reason=f"snapshot: {error}"[:200])
        peers, self._wait_for_snapshot = self._wait_for_snapshot, []
        for peer in peers:
            peer.send(answer)

    def _set_user(self, peer: Peer, wish: m.SetUser) -> None:
        if problem := self._problem(wish):
            self._answer(peer, False, problem)
            return
        codes = (wish.code, wish.new_code, wish.new_duress_code)
        if not self._codes.keys(codes, lambda keys: self._server.call(lambda: self._set_with(peer, wish, keys))):
            self._answer(peer, False, "busy: too many codes wait to be judged")

    def _problem(self, wish: m.SetUser) -> str:
        unknown = sorted(set(wish.areas) - self._sources.areas)
        if unknown:
            return f"areas: {', '.join(unknown)} not known, expected some of {', '.join(sorted(self._sources.areas))}"
        if wish.new_duress_code and abs(int(wish.new_code) - int(wish.new_duress_code)) <= 2:
            # Digest §1.2: no duress code that is the code plus or minus one or two.
            return "new_duress_code: is derived from the code by ±1 or ±2, expected one of its own"
        return ""

    def _set_with(self, peer: Peer, wish: m.SetUser, keys: tuple[str, ...]) -> None:
        actor = self._actor(keys[0])
        if actor is None or not self._above(actor, wish.id, wish.level, wish.areas):
            self._answer(peer, False, NOT_ALLOWED)
            return
        taken = {
            key for user in self._sources.users().values() if user.id != wish.id for key in (user.key, user.duress_key)
        } - {""}
        if taken & set(keys[1:]):
            self._answer(peer, False, "new_code: can't be used, choose another")
            return
        user = User(wish.id, wish.name, wish.level, tuple(wish.areas), keys[1], keys[2])
        self._change(peer, wish.id, UserSet(actor, user))

    def _remove_user(self, peer: Peer, wish: m.RemoveUser) -> None:
        def with_keys(keys: tuple[str, ...]) -> None:
            actor = self._actor(keys[0])
            users = self._sources.users()
            if actor is None or not self._above(actor, wish.id):
                self._answer(peer, False, NOT_ALLOWED)
            elif wish.id not in users:
                self._answer(peer, False, f"id: no user {wish.id!r}")
            elif len(users) == 1:
                # Without users the next one would need no code: commissioning once more, for whoever comes.
                self._answer(peer, False, "id: the only user can't be removed, add another one first")
            else:
                self._change(peer, wish.id, UserRemoved(actor, wish.id))

        if not self._codes.keys((wish.code,), lambda keys: self._server.call(lambda: with_keys(keys))):
            self._answer(peer, False, "busy: too many codes wait to be judged")

    def _actor(self, key: str) -> str | None:
        """Who may make this change: a user by his code; `commissioning` while there are none."""
        users = self._sources.users()
        if not users:
            return COMMISSIONING
        now = time.monotonic()
        if now < self._locked_until or self._locked_out():
            return None
        actor = next((user.id for user in users.values() if key and key in (user.key, user.duress_key)), None)
        self._sources.submit(CodeEntered(SOURCE, key, Wish.STATUS))
        self._wrong = 0 if actor else self._wrong + 1
        if self._wrong >= WRONG_CODES:
            log.warning("too many wrong codes on the technician's socket")
            self._wrong, self._locked_until = 0, now + LOCK_S
        return actor

    def _locked_out(self) -> bool:
        """Whether the rules locked this socket out; that outlives a restart."""
        lockouts = self._sources.status().get("lockouts")
        return isinstance(lockouts, Mapping) and SOURCE in lockouts

    def _above(self, actor: str, changed: str, level: int = 0, areas: Collection[str] = ()) -> bool:
        """Whether the actor may make of this user one with this level and these areas, given what he is now."""
        users = self._sources.users()
        if actor == COMMISSIONING and not users:
            return True
        if actor not in users:
            return False  # removed in the meantime
        mine, his = users[actor], users.get(changed)
        level = max(level, his.level if his else 0)
        return level <= mine.level and {*areas, *(his.areas if his else ())} <= set(mine.areas)

    def _change(self, peer: Peer, user: str, stimulus: UserSet | UserRemoved) -> None:
        self._asking[user] = peer
        if not self._sources.submit(stimulus):
            del self._asking[user]
            self._answer(peer, False, "busy: too much waits to be decided")

    def _answer(self, peer: Peer | None, ok: bool, reason: str = "") -> None:
        if peer is not None:
            peer.send(m.Answer(ok=ok, reason=reason[:200]))
