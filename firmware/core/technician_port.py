"""The technician's socket: status, journal snapshots and records, users. Who may open it is a matter of file rights.

Changing users needs the code of a user who may (`standing`). It goes to the rules as a code entered at `technician`:
they say whether it counts now, count wrong ones, lock out and record it, and call for help at a duress code. The first
user of a panel comes with commissioning.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from firmware.core.acceptance_acts import AcceptanceActs
from firmware.core.alarm_marks import AlarmMarks
from firmware.core.codes import Codes
from firmware.core.deliveries_seen import DeliveriesSeen
from firmware.core.engine import Told
from firmware.core.enrolment import Enrolment
from firmware.core.evidence_acts import EvidenceActs
from firmware.core.installing import NotInstallable, unpack
from firmware.core.panel_tests import PanelTests
from firmware.core.sockets import Peer, Role, Server
from firmware.core.standing import may_remove, may_set, wanted
from firmware.core.trivial import REASONS, near, trivial
from firmware.core.update_port import UpdatePort
from firmware.protocol import messages as m
from firmware.protocol import updates as u
from rules.effects import Effect, JsonValue, Tell
from rules.site import Level
from rules.stimuli import CodeEntered, Noted, Stimulus, User, UserRemoved, UserSet, Wish
from rules.table import AreaMode

SOURCE = "technician"
COMMISSIONING = "commissioning"
NOT_ALLOWED = "code: not that of a user who may change this one"
NOT_INSTALLER = "code: not that of an installer"
NOT_NOW = ("locked-out", "not-valid-now", "no-grant", "area-armed")
"""Notices of the rules that say why a code does not count now; a reason as they stand."""
LONGEST_CODE = 8
_NO_CAMERAS = "evidence: this panel has no cameras"
Install = Callable[[bytes, str, Callable[[str], None]], None]
"""A file's bytes, whose wish it is, and who is told the reason why not, or nothing."""
_BUSY = "busy: too many codes wait to be judged"


@dataclass(frozen=True)
class TechnicianSources:
    """What the port reads of the panel, and where changes go.

    `relearn`: tells the camera process, on the socket thread; False when none is there. `pin_digits`: the fewest digits
    of a new code. `lenient`: too simple codes are only warned of (simulated pins). `numbers`: of the site, which are
    too simple as well. `try_path`: has reports go by one of `paths` for so many milliseconds. `look`: has a camera take
    pictures now; their incident, 0 where its process is not there.
    """

    status: Callable[[], dict[str, JsonValue]]
    drivers: Callable[[], dict[str, Any]]
    users: Callable[[], Mapping[str, User]]
    areas: frozenset[str]
    snapshot: Callable[[], "Future[Path]"]
    records: Callable[[int, int], list[dict[str, Any]]]
    submit: Callable[[Stimulus, Told | None], bool]
    cameras: frozenset[str] = frozenset()
    relearn: Callable[[str], bool] = lambda _camera: False
    install: Install = lambda _raw, _user, answer: answer("file-busy")
    pin_digits: int = 4
    lenient: bool = False
    numbers: frozenset[str] = frozenset()
    look: Callable[[str], int] = lambda _camera: 0
    paths: frozenset[str] = frozenset()
    try_path: Callable[[str, int], bool] = lambda _path, _ms: False
    tried: Callable[[], Mapping[str, tuple[str, str]]] = dict
    seen: DeliveriesSeen = field(default_factory=lambda: DeliveriesSeen(lambda: 0))


@dataclass(frozen=True)
class _Asking:
    """Who waits for a user's change to be on disk, and what he is warned of."""

    peer: Peer
    warning: str = ""


class TechnicianPort:
    """On the socket thread only, but for `user_settled`, which may come from any."""

    def __init__(
        self,
        sources: TechnicianSources,
        codes: Codes,
        server: Server,
        evidence: EvidenceActs | None = None,
        enrolment: Enrolment | None = None,
        acceptance: AcceptanceActs | None = None,
        updates: UpdatePort | None = None,
        marks: AlarmMarks | None = None,
    ) -> None:
        self._enrolment = enrolment
        self._acceptance = acceptance
        self._updates = updates
        self._marks = marks
        self._evidence = evidence
        self._sources = sources
        self._codes = codes
        self._server = server
        self._asking: dict[str, _Asking] = {}
        self._wait_for_snapshot: list[Peer] = []
        more = (sources.cameras, sources.look, sources.paths, sources.try_path)
        self._tests = PanelTests(codes, server, sources.submit, sources.users, sources.seen, SOURCE, *more)

    def role(self, path: Path) -> Role:
        """The socket of this port."""
        return Role(
            "technician", path, m.from_technician, self._received, closed=self._tests.closed, mode=0o600, peers=8
        )

    def user_settled(self, user: str, refused: str) -> None:
        """The change of this user is on disk, or the rules refused it (`rules.notices.REASONS`): he may hear it."""
        self._server.call(lambda: self._settled(self._asking.pop(user, None), refused))

    def _received(self, peer: Peer, message: Any) -> None:
        match message:
            case m.AskStatus():
                peer.send(m.Answer(ok=True, detail=self._sources.status()))
            case m.AskDrivers():
                peer.send(m.Answer(ok=True, detail=self._sources.drivers()))
            case m.AskRecords():
                rows = self._sources.records(message.after, message.limit)
                peer.send(m.Answer(ok=True, detail={"records": rows}))
            case m.AskSnapshot():
                self._snapshot(peer)
            case m.SetUser():
                self._set_user(peer, message)
            case m.RemoveUser():
                self._remove_user(peer, message)
            case m.Session():
                self._tests.session(peer, message)
            case m.RelearnCamera():
                self._relearn(peer, message)
            case m.InstallFile():
                self._install(peer, message)
            case m.SignEnrolment() if self._enrolment:
                peer.send(self._enrolment.sign(message))
            case m.Enrolled() if self._enrolment:
                peer.send(self._enrolment.enrolled(message))
            case m.RunTest():
                self._run_test(peer, message)
            case m.EndTest():
                self._tests.end(peer)
            case m.AskTried():
                self._tried(peer, message.path)
            case m.AskDelivered():
                self._tests.delivered(peer, message)
            case m.Acceptance() | m.SignReport() if self._acceptance:
                self._accept(peer, message, self._acceptance)
            case m.MarkAlarm() if marks := self._marks:
                self._judge(peer, message.code, lambda actor: marks.act(peer, message, actor))
            case u.AskUpdate() if self._updates:
                peer.send(m.Answer(ok=True, detail=self._updates.status()))
            case u.UpdateOffer() | u.UpdateConsent() | u.UpdateWithdraw() if updates := self._updates:
                self._judge(peer, message.code, lambda actor: peer.send(updates.act(message, actor)))
            case m.EvidenceAct() if self._evidence:
                self._evidence.act(peer, message)
            case m.EvidenceHold() if self._evidence:
                self._evidence.hold(peer, message)
            case m.SignBundle() if self._evidence:
                self._evidence.sign(peer, message)
            case m.EvidenceAct() | m.EvidenceHold() | m.SignBundle():
                self._answer(peer, False, _NO_CAMERAS)

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

    def _run_test(self, peer: Peer, wish: m.RunTest) -> None:
        if wish.test == "end-alarm" and not self._disarmed():
            self._answer(peer, False, "area-armed")  # it is no way to disarm
        else:
            self._tests.begin(peer, wish)

    def _disarmed(self) -> bool:
        areas: Any = self._sources.status()["areas"]
        return all(area["mode"] == AreaMode.DISARMED for area in areas.values())

    def _accept(self, peer: Peer, wish: m.Acceptance | m.SignReport, acts: AcceptanceActs) -> None:
        """An installer, whom a user has let in, runs an acceptance, or has its report signed."""
        if isinstance(wish, m.Acceptance) and not self._disarmed():
            self._answer(peer, False, "area-armed")
            return

        def accept(actor: User | None) -> None:
            if actor is None or actor.level < Level.INSTALLER:
                self._answer(peer, False, NOT_INSTALLER)
            else:
                acts.act(peer, wish, actor.id)

        self._judge(peer, wish.code, accept)

    def _relearn(self, peer: Peer, wish: m.RelearnCamera) -> None:
        """An installer says that a camera sees what it should; whoever may say so could hide that it was turned."""
        if wish.camera not in self._sources.cameras:
            self._answer(peer, False, f"camera: {wish.camera!r} is not in the panel file")
            return

        def relearn(actor: User | None) -> None:
            if actor is not None and actor.level < Level.INSTALLER:
                self._answer(peer, False, NOT_INSTALLER)
            elif not self._sources.relearn(wish.camera):
                self._answer(peer, False, "camera: its process is not connected")
            else:
                self._sources.submit(Noted("camera.relearned", {"camera": wish.camera, "user": _name(actor)}), None)
                self._answer(peer, True)

        self._judge(peer, wish.code, relearn)

    def _install(self, peer: Peer, wish: m.InstallFile) -> None:
        """An installer, whom a user has let in, puts another panel file into force."""
        try:
            raw = unpack(wish.packed, wish.sha256)
        except NotInstallable as no:
            self._answer(peer, False, str(no))
            return

        def answer(reason: str) -> None:
            self._server.call(lambda: self._answer(peer, not reason, reason))

        def install(actor: User | None) -> None:
            if actor is not None and actor.level < Level.INSTALLER:
                self._answer(peer, False, NOT_INSTALLER)
            else:
                self._sources.install(raw, _name(actor), answer)

        self._judge(peer, wish.code, install)

    # --- users --------------------------------------------------------------------------------------

    def _set_user(self, peer: Peer, wish: m.SetUser) -> None:
        if problem := self._problem(wish):
            self._answer(peer, False, problem)
        else:
            self._judge(peer, wish.code, lambda actor: self._set_as(peer, wish, actor))

    def _problem(self, wish: m.SetUser) -> str:
        """What can be said of the wish without knowing anybody's code."""
        unknown = sorted(set(wish.areas) - self._sources.areas)
        if unknown:
            return f"areas: {', '.join(unknown)} not known, expected some of {', '.join(sorted(self._sources.areas))}"
        if wish.keep:
            return self._unkept(wish)
        if bool(wish.new_code) is bool(wish.new_card) or (wish.new_card and wish.new_duress_code):
            return "new_code: expected a code, or a card alone"
        for place, code in (("new_code", wish.new_code), ("new_duress_code", wish.new_duress_code)):
            if code and len(code) < self._sources.pin_digits:
                return f"{place}: {len(code)} digits, expected {self._sources.pin_digits} to {LONGEST_CODE}"
            if code and not self._sources.lenient and (why := trivial(code, self._sources.numbers)):
                return f"{place}: too simple ({REASONS[why][0]}), expected another one"
        return ""

    def _unkept(self, wish: m.SetUser) -> str:
        if wish.new_code or wish.new_card or wish.new_duress_code:
            return "keep: expected false with a new code or card"
        before = self._sources.users().get(wish.id)
        if before is None:
            return f"id: no user {wish.id!r}"
        return "" if before.key else "new_code: his one-time code is used up, expected a new one"

    def _set_as(self, peer: Peer, wish: m.SetUser, actor: User | None) -> None:
        """With somebody who may act now; None: commissioning. The keys take their time, so only for him."""
        before = self._sources.users().get(wish.id)
        if actor is not None and not may_set(actor, before, wanted(wish, "", "")):
            self._answer(peer, False, NOT_ALLOWED)
            return
        if before is not None and wish.keep:
            self._change(peer, wish, UserSet(_name(actor), wanted(wish, before.key, before.duress_key)))
            return
        codes = (wish.new_code or wish.new_card, wish.new_duress_code)
        close = tuple(dict.fromkeys(other for code in codes if code.isdigit() for other in near(code)))

        def with_keys(keys: tuple[str, ...]) -> None:
            if self._still(actor):
                user = wanted(wish, keys[0], keys[1])
                self._change(peer, wish, UserSet(_name(actor), user, keys[2:]))
            else:
                self._answer(peer, False, NOT_ALLOWED)

        if not self._codes.keys((*codes, *close), lambda keys: self._server.call(lambda: with_keys(keys))):
            self._answer(peer, False, _BUSY)

    def _remove_user(self, peer: Peer, wish: m.RemoveUser) -> None:
        def remove(actor: User | None) -> None:
            users = self._sources.users()
            if actor is None or not may_remove(actor, users.get(wish.id)):
                self._answer(peer, False, NOT_ALLOWED)
            elif wish.id not in users:
                self._answer(peer, False, f"id: no user {wish.id!r}")
            elif len(users) == 1:
                # Without users the next one would need no code: commissioning once more, for whoever comes.
                self._answer(peer, False, "id: the only user can't be removed, add another one first")
            else:
                self._change(peer, wish, UserRemoved(actor.id, wish.id))

        self._judge(peer, wish.code, remove)

    def _judge(self, peer: Peer, code: str, then: Callable[[User | None], None]) -> None:
        """Go on with the user whose code it is, when the rules say that it counts; with None where nobody is yet."""
        if not self._sources.users():
            then(None)
        elif not self._codes.keys(
            (code,), lambda keys: self._server.call(lambda: self._ask_rules(peer, keys[0], then))
        ):
            self._answer(peer, False, _BUSY)

    def _ask_rules(self, peer: Peer, key: str, then: Callable[[User | None], None]) -> None:
        users = self._sources.users().values()
        actor = next((user for user in users if key and key in (user.key, user.duress_key)), None)

        def judged(notice: str) -> None:
            if notice == "status" and actor is not None:
                then(actor)
            else:
                self._answer(peer, False, notice if notice in NOT_NOW else NOT_ALLOWED)

        def told(effects: tuple[Effect, ...]) -> None:
            notice = next((e.notice for e in effects if isinstance(e, Tell) and e.source == SOURCE), "")
            self._server.call(lambda: judged(notice))

        if not self._sources.submit(CodeEntered(SOURCE, key, Wish.STATUS), told):
            self._answer(peer, False, "busy: too much waits to be decided")

    def _still(self, actor: User | None) -> bool:
        """Whether he who was allowed is still the same: keys take seconds on a small board."""
        users = self._sources.users()
        return not users if actor is None else actor.id in users and users[actor.id].key in (actor.key, "")

    def _change(self, peer: Peer, wish: m.SetUser | m.RemoveUser, stimulus: UserSet | UserRemoved) -> None:
        self._asking[wish.id] = _Asking(peer, self._warning(wish) if isinstance(wish, m.SetUser) else "")
        if not self._sources.submit(stimulus, None):
            del self._asking[wish.id]
            self._answer(peer, False, "busy: too much waits to be decided")

    def _warning(self, wish: m.SetUser) -> str:
        """What a simulated panel lets pass and a real one would not."""
        codes = (wish.new_code, wish.new_duress_code)
        return next((why for code in codes if code and (why := trivial(code, self._sources.numbers))), "")

    def _settled(self, asking: _Asking | None, refused: str) -> None:
        if asking is not None:
            detail = {"warning": asking.warning} if asking.warning and not refused else {}
            asking.peer.send(m.Answer(ok=not refused, reason=refused, detail=detail))

    def _tried(self, peer: Peer, path: str) -> None:
        state, text = self._sources.tried().get(path, ("", ""))
        peer.send(m.Answer(ok=True, detail={"state": state, "text": text} if state else {}))

    def _answer(self, peer: Peer, ok: bool, reason: str = "") -> None:
        peer.send(m.Answer(ok=ok, reason=reason[:200]))


def _name(actor: User | None) -> str:
    return COMMISSIONING if actor is None else actor.id
