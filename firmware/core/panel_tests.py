"""Tests that a technician runs: walk, siren, battery, pictures, a report that proves a way; and his session.

A code begins each, as one typed at the keypad `technician`, and the rules decide. A walk test lasts as long as the
connection that began it: a terminal that is closed, or a line that drops, leaves no zone out of alarm behind it.
"""

from collections.abc import Callable, Mapping

from firmware.core.codes import Codes
from firmware.core.deliveries_seen import DeliveriesSeen
from firmware.core.engine import Told
from firmware.core.sockets import Peer, Server
from firmware.protocol import messages as m
from rules.effects import Effect, JsonValue, Tell
from rules.stimuli import CodeEntered, Noted, Right, Stimulus, User, WalkLeft, Wish

Then = Callable[[str, Mapping[str, JsonValue]], None]
"""Goes on with the notice of the rules and its figures."""

BUSY = "busy: too much waits to be decided"
MANY_CODES = "busy: too many codes wait to be judged"
NO_CAMERA = "camera: its process is not connected"
NO_UPLINK = "path: the uplink process is not connected"
TRIED_MS = 30_000
"""A path that is tried leads for so long: twice what a center has for its receipt."""
NO_USERS = "code: this panel has no users yet"
BEGUN: Mapping[str, tuple[Wish, str]] = {
    "walk-test": (Wish.WALK_TEST, "walk-test"),
    "siren-test": (Wish.SIREN_TEST, "siren-test"),
    "battery-test": (Wish.BATTERY_TEST, "battery-test"),
    "path-test": (Wish.STATUS, "status"),
    "camera-test": (Wish.STATUS, "status"),
    "end-alarm": (Wish.DISARM, "disarmed"),
}
"""What is asked of the rules, and the notice that says yes."""
SESSIONS: Mapping[str, tuple[Wish, str]] = {
    "grant": (Wish.GRANT, "granted"),
    "leave": (Wish.LEAVE, "installer-left"),
}
ENDED = "walk-test-ended"


class PanelTests:
    """On the socket thread, but for what the rules tell."""

    def __init__(
        self,
        codes: Codes,
        server: Server,
        submit: Callable[[Stimulus, Told | None], bool],
        users: Callable[[], Mapping[str, User]],
        seen: DeliveriesSeen,
        source: str,
        cameras: frozenset[str] = frozenset(),
        look: Callable[[str], int] = lambda _camera: 0,
        paths: frozenset[str] = frozenset(),
        try_path: Callable[[str, int], bool] = lambda _path, _ms: False,
    ) -> None:
        """`source`: the keypad as which codes count. `look` has a camera take pictures, and gives their incident; 0: it
        can't. `try_path` has reports go by one of `paths` for some milliseconds; False: nobody would.
        """
        self._codes = codes
        self._server = server
        self._submit = submit
        self._users = users
        self._seen = seen
        self._source = source
        self._cameras = cameras
        self._look = look
        self._paths = paths
        self._try_path = try_path
        self._walker: Peer | None = None

    def begin(self, peer: Peer, wish: m.RunTest) -> None:
        """With a code; the answer's `detail` is what the rules tell of it."""
        if not self._users():
            peer.send(m.Answer(ok=False, reason=NO_USERS))
        elif not self._codes.keys(
            (wish.code,), lambda keys: self._server.call(lambda: self._with_key(peer, wish, keys[0]))
        ):
            peer.send(m.Answer(ok=False, reason=MANY_CODES))

    def end(self, peer: Peer) -> None:
        """End the walk test that this connection began."""
        if peer is not self._walker:
            peer.send(m.Answer(ok=False, reason="no-test"))
            return
        self._walker = None
        self._ask(WalkLeft(self._source), lambda notice, args: _ended(peer, notice, args), peer)

    def session(self, peer: Peer, wish: m.Session) -> None:
        """A user lets the installer in, or an installer is done."""
        asked, yes = SESSIONS[wish.act]

        def told(notice: str, args: Mapping[str, JsonValue]) -> None:
            peer.send(m.Answer(ok=notice == yes, reason="" if notice == yes else notice, detail=dict(args)))

        def judge(keys: tuple[str, ...]) -> None:
            entered = CodeEntered(self._source, keys[0], asked)
            self._server.call(lambda: self._ask(entered, told, peer))

        if not self._users():
            peer.send(m.Answer(ok=False, reason=NO_USERS))
        elif not self._codes.keys((wish.code,), judge):
            peer.send(m.Answer(ok=False, reason=MANY_CODES))

    def closed(self, peer: Peer) -> None:
        """The connection is gone, and with it the walk test that it began."""
        if peer is self._walker:
            self._walker = None
            self._submit(WalkLeft(self._source), None)

    def delivered(self, peer: Peer, asked: m.AskDelivered) -> None:
        """Whether the center's receipt for a record has come, by which path, and when."""
        found = self._seen.find(asked.journal, asked.lane, asked.lane_seq)
        detail = {} if found is None else {"path": found[0], "monotonic_ms": found[1]}
        peer.send(m.Answer(ok=True, detail={"delivered": found is not None, **detail}))

    def _with_key(self, peer: Peer, wish: m.RunTest, key: str) -> None:
        asked, yes = BEGUN[wish.test]
        # Before it is used: a one-time code is nobody's afterwards.
        user = next((u for u in self._users().values() if key and key in (u.key, u.duress_key)), None)
        entered = CodeEntered(self._source, key, asked, tuple(wish.areas), quiet=wish.quiet, hold_up=wish.hold_up)

        def told(notice: str, args: Mapping[str, JsonValue]) -> None:
            if notice != yes:
                peer.send(m.Answer(ok=False, reason=notice or BUSY))
            elif wish.test == "path-test":
                self._report(peer, user, wish.path)
            elif wish.test == "camera-test":
                self._picture(peer, user, wish.camera)
            else:
                self._begun(peer, wish, args)

        self._ask(entered, told, peer)

    def _begun(self, peer: Peer, wish: m.RunTest, args: Mapping[str, JsonValue]) -> None:
        if wish.test == "walk-test":
            self._walker = peer  # who began an earlier one has none any more: only one runs
            if peer.gone:
                self.closed(peer)
        peer.send(m.Answer(ok=True, detail=dict(args)))

    def _report(self, peer: Peer, user: User | None, path: str) -> None:
        if not _may_test(user):
            peer.send(m.Answer(ok=False, reason="not-allowed"))
        elif path and path not in self._paths:
            peer.send(m.Answer(ok=False, reason=f"path: {path!r} is none that carries reports"))
        elif path and not self._try_path(path, TRIED_MS):
            peer.send(m.Answer(ok=False, reason=NO_UPLINK))
        elif not self._submit(Noted("test.manual", {"by": f"keypad:{self._source}", "user": _id(user)}), None):
            peer.send(m.Answer(ok=False, reason=BUSY))
        else:
            peer.send(m.Answer(ok=True))

    def _picture(self, peer: Peer, user: User | None, camera: str) -> None:
        if not _may_test(user):
            peer.send(m.Answer(ok=False, reason="not-allowed"))
        elif camera not in self._cameras:
            peer.send(m.Answer(ok=False, reason=f"camera: {camera!r} is not in the panel file"))
        elif not (incident := self._look(camera)):
            peer.send(m.Answer(ok=False, reason=NO_CAMERA))
        else:
            # The order is out already: pictures without this record would be of nobody, so it is told when it fails.
            told: dict[str, JsonValue] = {"by": f"keypad:{self._source}", "user": _id(user), "camera": camera}
            told["incident"] = incident
            noted = self._submit(Noted("test.camera", told), None)
            detail = {"incident": incident} if noted else {}
            peer.send(m.Answer(ok=noted, reason="" if noted else BUSY, detail=detail))

    def _ask(self, entered: CodeEntered | WalkLeft, then: Then, peer: Peer) -> None:
        def told(effects: tuple[Effect, ...]) -> None:
            word = next((e for e in effects if isinstance(e, Tell) and e.source == self._source), None)
            notice, args = (word.notice, word.args) if word is not None else ("", {})
            self._server.call(lambda: then(notice, args))

        if not self._submit(entered, told):
            peer.send(m.Answer(ok=False, reason=BUSY))


def _may_test(user: User | None) -> bool:
    return user is not None and (user.rights is None or Right.TEST in user.rights)


def _id(user: User | None) -> str:
    return "" if user is None else user.id


def _ended(peer: Peer, notice: str, args: Mapping[str, JsonValue]) -> None:
    """A test that has ended by itself meanwhile has its result in the journal alone."""
    peer.send(m.Answer(ok=notice == ENDED, reason="" if notice == ENDED else notice, detail=dict(args)))
