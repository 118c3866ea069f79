"""The technician's socket over the real rules: who may change whom, and what becomes of wrong codes."""

import hashlib
import json
import threading
import time
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, ValidationError

import rules
from firmware.core.acceptance_acts import AcceptanceActs
from firmware.core.alarm_marks import KIND as MARKED
from firmware.core.alarm_marks import NO_ALARM, NO_RECORD, AlarmMarks
from firmware.core.alarm_marks import NOT_HIS as MARK_NOT_HIS
from firmware.core.codes import Codes, code_key
from firmware.core.deliveries_seen import DeliveriesSeen
from firmware.core.engine import Engine, Ports, Told
from firmware.core.past import Past
from firmware.core.sockets import Server
from firmware.core.standing import shown
from firmware.core.technician_port import NOT_ALLOWED, NOT_INSTALLER, TechnicianPort, TechnicianSources
from firmware.core.update_port import NO_UPDATER, NOT_HIS, UpdateFacts, UpdatePort
from firmware.protocol import messages as m
from firmware.protocol import updates as u
from firmware.protocol.jws import KeyRing, Refused, Signer
from firmware.protocol.lines import Client
from firmware.protocol.signed import read_bundle, read_report
from firmware.protocol.stored import StoredRecord
from rules.effects import Answer, Effect, Record, Tell
from rules.stimuli import ClockTold, CodeEntered, Right, Stimulus, User, UserRemoved, Wish
from tests.clock import TurnedClock
from tests.rules.branch import branch

BOSS, BOSS_DURESS, CLERK, FITTER, NEW = "271828", "314159", "161803", "577215", "999000"
PEPPER = b"p" * 32
JOURNAL = "6d1f7c1e-2b1a-4e50-9d59-0f2f7f9b7c11"
TODAY = date(2026, 12, 1)
REST = u.Panel(
    at_rest=True,
    linked=True,
    up_ms=1,
    read=True,
    failing=0,
    restored=True,
    journal="j",
    stored=True,
    receipt=False,
)


class Bench:
    """A server with the technician's port, the codes' thread and an engine; everything is durable at once."""

    def __init__(self, folder: Path, *, pin_digits: int = 4, lenient: bool = False) -> None:
        self.records: list[Record] = []
        self.clock = TurnedClock()
        self.relearned: list[str] = []
        self.camera_there = True
        self.on_code: Callable[[], object] = lambda: None
        self.engine = Engine(
            branch(),
            rules.initial(branch()),
            self.clock,
            Ports(lambda *_: None, self._commit, lambda _: None, lambda _: None, lambda: None),
        )
        self.server = Server()
        self.codes = Codes("bank-1", PEPPER)
        sources = TechnicianSources(
            status=lambda: rules.private_view(branch(), self.engine.state),
            drivers=lambda: {"drivers": {}, "troubles": {}},
            users=lambda: self.engine.state.users,
            areas=frozenset(branch().areas),
            snapshot=self._snapshot,
            records=lambda _after, _limit: [],
            submit=self._submit,
            cameras=frozenset({"lobby"}),
            relearn=self._relearn,
            pin_digits=pin_digits,
            lenient=lenient,
        )
        self.signer = Signer(Ed25519PrivateKey.generate())
        acceptance = AcceptanceActs("bank-1", "f" * 64, self.signer, TurnedClock(), lambda s: self._submit(s, None))
        self.acceptance = acceptance
        welcome = m.Welcome(panel="bank-1", session=1, peer=1, version="0.1.0")
        seen = DeliveriesSeen(lambda: 0)
        self.state = REST
        state = (lambda: self.state, lambda: self.state.at_rest)
        facts = UpdateFacts(welcome, *state, lambda s: self._submit(s, None), Past(lambda: 0, lambda _seq: []), seen)
        self.updates = updates = UpdatePort(facts, self.server)
        self.server.add(updates.role(folder / "updater.sock"))
        self.marks = marks = AlarmMarks(self._at, lambda s: self._submit(s, None))
        more: dict[str, Any] = {"acceptance": acceptance, "updates": updates, "marks": marks}
        self.port = TechnicianPort(sources, self.codes, self.server, **more)
        self.path = folder / "technician.sock"
        self.server.add(self.port.role(self.path))
        self.snapshots = 0
        self.made: Future[Path] = Future()
        for part in (self.engine, self.codes, self.server):
            part.start()

    def _at(self, journal: str, seq: int) -> StoredRecord | None:
        """Its records are numbered from 1."""
        if journal != JOURNAL or seq > len(self.records):
            return None
        record = self.records[seq - 1]
        header, payload = json.dumps({"kind": record.kind}), json.dumps(dict(record.payload))
        return StoredRecord(seq, "", 1, header.encode(), payload.encode(), "")

    def _relearn(self, camera: str) -> bool:
        self.relearned.append(camera)
        return self.camera_there

    def _submit(self, stimulus: Stimulus, told: Told | None) -> bool:
        if isinstance(stimulus, CodeEntered):
            self.on_code()
        return self.engine.submit(stimulus, told)

    def _commit(self, records: tuple[Record, ...], _state: Any, talk: tuple[Tell | Answer, ...]) -> None:
        self.records += records
        for record in records:
            if record.kind == MARKED:
                self.server.call(lambda record=record: self.marks.recorded(record))  # type: ignore[misc]
            elif record.kind.startswith("acceptance."):
                self.server.call(lambda record=record: self.acceptance.recorded(record))  # type: ignore[misc]
            if record.kind in ("user.set", "user.removed"):
                self.port.user_settled(str(record.payload["user"]), "")
        for word in talk:
            if isinstance(word, Tell) and word.notice == "user-refused":
                self.port.user_settled(str(word.args["user"]), str(word.args["reason"]))

    def _snapshot(self) -> "Future[Path]":
        self.snapshots += 1
        return self.made

    def ask(self, message: BaseModel) -> dict[str, Any]:
        client = Client(self.path)
        client.send(message)
        answer = client.receive(10.0)
        client.close()
        assert answer is not None
        return answer

    def set(
        self, id_: str, level: int, areas: list[str], new: str, code: str = "", duress: str = "", **more: Any
    ) -> dict[str, Any]:
        return self.ask(
            m.SetUser(
                id=id_, name=id_, level=level, areas=areas, new_code=new, new_duress_code=duress, code=code, **more
            )
        )

    def decide(self, stimulus: Stimulus) -> tuple[Effect, ...]:
        """Hand it to the rules and wait for what it led to."""
        done = threading.Event()
        found: list[tuple[Effect, ...]] = []

        def told(effects: tuple[Effect, ...]) -> None:
            found.append(effects)
            done.set()

        assert self.engine.submit(stimulus, told)
        assert done.wait(10.0)
        return found[0]

    def at_keypad(self, digits: str, wish: Wish) -> tuple[Effect, ...]:
        """A code typed at a keypad, judged."""
        return self.decide(CodeEntered("kp", code_key(digits, "bank-1", PEPPER), wish))

    def today(self, day: date = TODAY, sure: bool = True) -> None:
        """The wall clock says this day, at noon."""
        self.decide(ClockTold(day.toordinal(), 720, sure))

    def kinds(self) -> list[str]:
        return [record.kind for record in self.records]

    def close(self) -> None:
        self.server.stop()
        self.codes.stop()
        self.engine.stop("the test is over")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


CLERKS: list[Any] = ["arm", "disarm", "users"]


@pytest.fixture
def staffed(bench: Bench) -> Bench:
    """The installer who commissioned, a boss of everything, and a clerk of the hall who may manage some."""
    assert bench.set("fitter", 3, ["hall", "vault"], FITTER)["ok"]
    assert bench.set("boss", 2, ["hall", "vault"], BOSS, code=FITTER, duress=BOSS_DURESS)["ok"]
    assert bench.set("clerk", 2, ["hall"], CLERK, code=BOSS, rights=CLERKS)["ok"]
    return bench


@pytest.mark.clause("EN 50131-1 levels users", "GB 55029 3.5.1(4)(5) parameters")
@pytest.mark.parametrize(
    ("id_", "level", "areas", "rights"),
    [
        ("friend", 2, ["vault"], ["arm"]),
        ("friend", 2, ["hall", "vault"], ["arm"]),
        ("friend", 3, ["hall"], ["arm"]),
        ("friend", 2, ["hall"], ["override"]),
        ("friend", 2, ["hall"], None),
        ("clerk", 2, ["hall", "vault"], CLERKS),
        ("clerk", 3, ["hall"], CLERKS),
        ("clerk", 2, ["hall"], None),
        ("boss", 2, ["hall"], ["arm"]),
        ("fitter", 2, ["hall"], ["arm"]),
    ],
)
def test_nobody_makes_more_of_anyone_than_he_is_himself(
    staffed: Bench, id_: str, level: int, areas: list[str], rights: list[str] | None
) -> None:
    before = staffed.engine.state.users
    answer = staffed.set(id_, level, areas, NEW, code=CLERK, rights=rights)
    assert (answer["ok"], answer["reason"]) == (False, NOT_ALLOWED)
    assert staffed.engine.state.users == before


def test_who_stands_above_may(staffed: Bench) -> None:
    assert staffed.set("clerk", 2, ["vault"], NEW, code=BOSS)["ok"]
    assert staffed.set("second", 2, ["hall"], "888000", code=BOSS, rights=[])["ok"]
    assert staffed.ask(m.RemoveUser(id="clerk", code=BOSS))["ok"]
    assert set(staffed.engine.state.users) == {"fitter", "boss", "second"}
    assert staffed.engine.state.users["second"].rights == ()


def test_a_clerk_makes_another_one_like_himself(staffed: Bench) -> None:
    assert staffed.set("friend", 2, ["hall"], NEW, code=CLERK, rights=["disarm"])["ok"]
    assert staffed.engine.state.users["friend"].rights == (Right.DISARM,)
    assert not staffed.ask(m.RemoveUser(id="boss", code=CLERK))["ok"]


@pytest.mark.clause("EN 50131-1 levels own code", "EN 50131-1 levels users", "GB 55029 3.5.1(4)(5) parameters")
def test_without_the_right_anyone_changes_his_own_code_and_nothing_else(staffed: Bench) -> None:
    assert staffed.set("guard", 2, ["hall"], NEW, code=BOSS, rights=["disarm"])["ok"]
    for more in ({"rights": ["disarm", "arm"]}, {"rights": ["disarm"], "last_day": "2030-01-01"}, {"rights": None}):
        assert staffed.set("guard", 2, ["hall"], "887700", code=NEW, **more)["reason"] == NOT_ALLOWED
    assert staffed.set("friend", 2, ["hall"], "887700", code=NEW, rights=["disarm"])["reason"] == NOT_ALLOWED
    assert not staffed.ask(m.RemoveUser(id="guard", code=NEW))["ok"]
    assert staffed.set("guard", 2, ["hall"], "887700", code=NEW, rights=["disarm"])["ok"]
    assert staffed.engine.state.users["guard"].key == code_key("887700", "bank-1", PEPPER)


@pytest.mark.clause("EN 50131-1 levels consent")
def test_an_installer_manages_while_nobody_could_let_him_in_and_then_only_in_a_session(staffed: Bench) -> None:
    assert staffed.set("second", 3, ["hall"], NEW, code=FITTER)["reason"] == "no-grant"
    staffed.at_keypad(BOSS, Wish.GRANT)
    assert staffed.set("second", 3, ["hall"], NEW, code=FITTER)["ok"], "his code begins the session"
    assert "installer.entered" in staffed.kinds()
    staffed.at_keypad(FITTER, Wish.LEAVE)
    assert not staffed.ask(m.RemoveUser(id="second", code=FITTER))["ok"]
    assert set(staffed.engine.state.users) == {"fitter", "boss", "clerk", "second"}


@pytest.mark.clause("EN 50131-1 levels users")
def test_a_user_of_level_2_makes_no_installer(staffed: Bench) -> None:
    assert staffed.set("second", 3, ["hall"], NEW, code=BOSS)["reason"] == NOT_ALLOWED
    assert not staffed.ask(m.RemoveUser(id="fitter", code=BOSS))["ok"]


@pytest.mark.parametrize(
    ("day", "sure", "counts"),
    [
        (date(2026, 11, 30), True, False),
        (TODAY, True, True),
        (date(2026, 12, 31), True, True),
        (date(2027, 1, 1), True, False),
        (TODAY, False, False),
    ],
)
def test_a_dated_manager_manages_on_his_days_by_a_sure_clock(
    staffed: Bench, day: date, sure: bool, counts: bool
) -> None:
    days = {"first_day": "2026-12-01", "last_day": "2026-12-31"}
    assert staffed.set("deputy", 2, ["hall", "vault"], NEW, code=BOSS, **days)["ok"]
    staffed.today(day, sure)
    answer = staffed.set("x", 2, ["hall"], "887700", code=NEW, last_day="2026-12-31")
    assert (answer["ok"], answer["reason"]) == ((True, "") if counts else (False, "not-valid-now"))


def test_a_dated_manager_makes_nobody_who_outlasts_him(staffed: Bench) -> None:
    assert staffed.set("deputy", 2, ["hall", "vault"], NEW, code=BOSS, last_day="2026-12-31")["ok"]
    staffed.today()
    for last_day in ("", "2027-01-01"):
        assert staffed.set("x", 2, ["hall"], "887700", code=NEW, last_day=last_day)["reason"] == NOT_ALLOWED


def test_a_one_time_code_manages_nobody_and_is_used_up_by_the_try(staffed: Bench) -> None:
    assert staffed.set("cleaner", 2, ["hall", "vault"], NEW, code=BOSS, once=True)["ok"]
    assert staffed.set("cleaner", 2, ["hall", "vault"], "887700", code=NEW, once=True)["reason"] == NOT_ALLOWED
    assert "user.spent" in staffed.kinds()
    assert shown(staffed.engine.state.users["cleaner"])["spent"] is True


def test_who_is_removed_while_the_keys_are_made_changes_nobody(staffed: Bench) -> None:
    removed = threading.Event()
    asked = threading.Event()

    def at_a_keypad() -> None:
        # The keypad goes first: its code holds the keys of the change up until the clerk is gone.
        staffed.codes.enter(lambda _: removed.wait(10.0), "1", CodeEntered("kp", ""))
        asked.set()

    staffed.on_code = at_a_keypad
    client = Client(staffed.path)
    client.send(m.SetUser(id="x", name="x", level=2, areas=["hall"], new_code=NEW, code=CLERK, rights=["arm"]))
    assert asked.wait(10.0)
    staffed.decide(UserRemoved("boss", "clerk"))
    removed.set()
    answer = client.receive(10.0)
    client.close()
    assert answer is not None
    assert (answer["ok"], answer["reason"]) == (False, NOT_ALLOWED)
    assert set(staffed.engine.state.users) == {"fitter", "boss"}


def test_the_only_user_stays(bench: Bench) -> None:
    """A panel without users takes the next one without a code."""
    assert bench.set("boss", 2, ["hall", "vault"], BOSS)["ok"]
    answer = bench.ask(m.RemoveUser(id="boss", code=BOSS))
    assert (answer["ok"], answer["reason"].partition(":")[0]) == (False, "id")
    assert set(bench.engine.state.users) == {"boss"}


@pytest.mark.clause("EN 50131-1 wrong codes")
def test_wrong_codes_are_counted_over_all_connections_locked_out_and_recorded(staffed: Bench) -> None:
    attempts = branch().timings.code_attempts
    answers = [staffed.set("x", 2, ["hall"], NEW, code=f"00000{n}") for n in range(attempts)]
    assert [answer["reason"] for answer in answers] == [NOT_ALLOWED] * (attempts - 1) + ["locked-out"]
    lockout = next(record for record in staffed.records if record.kind == "code.locked-out")
    assert lockout.payload["by"] == "keypad:technician"
    assert not staffed.set("x", 2, ["hall"], NEW, code=BOSS)["ok"], "the right code counts while locked out"
    assert "technician" in rules.encode(staffed.engine.state).decode()


@pytest.mark.clause("GB 55029 3.5.1(4)(5) duress", "EN 50131-1 duress looks the same")
def test_a_duress_code_does_the_same_and_calls_for_help(staffed: Bench) -> None:
    assert staffed.set("clerk", 2, ["hall"], NEW, code=BOSS_DURESS) == staffed.set(
        "clerk", 2, ["hall"], "888001", code=BOSS
    )
    assert staffed.kinds().count("alarm.duress") == 1


@pytest.mark.clause("EN 50131-1 duress not consecutive", "EN 50131-1 disallowed codes", "CP-01 13")
@pytest.mark.parametrize(
    ("new", "duress", "reason"),
    [
        (BOSS, "", "code-in-use"),
        (NEW, BOSS_DURESS, "code-in-use"),
        ("271829", "", "code-too-close"),
        ("271826", "", "code-too-close"),
        (NEW, "314161", "code-too-close"),
        (NEW, "999002", "code-too-close"),
        (NEW, NEW, "bad-code"),
        ("271831", "314162", ""),
    ],
)
def test_codes_of_others_and_what_is_counted_from_them_are_refused(
    staffed: Bench, new: str, duress: str, reason: str
) -> None:
    answer = staffed.set("x", 2, ["hall"], new, code=BOSS, duress=duress)
    assert (answer["ok"], answer["reason"]) == (not reason, reason)


def test_who_keeps_his_code_is_not_too_close_to_himself(staffed: Bench) -> None:
    assert staffed.set("clerk", 2, ["vault"], CLERK, code=BOSS)["ok"]


def test_days_that_end_before_they_begin_are_refused(staffed: Bench) -> None:
    answer = staffed.set("x", 2, ["hall"], NEW, code=BOSS, first_day="2026-12-02", last_day="2026-12-01")
    assert (answer["ok"], answer["reason"]) == (False, "bad-days")


@pytest.mark.clause("GB 55029 2.0.4 passwords", "EN 50131-1 disallowed codes")
@pytest.mark.parametrize(("new", "duress", "place"), [("4444", "", "new_code"), (NEW, "4321", "new_duress_code")])
def test_too_simple_codes_are_refused_with_the_place(bench: Bench, new: str, duress: str, place: str) -> None:
    answer = bench.set("boss", 2, ["hall"], new, duress=duress)
    assert (answer["ok"], answer["reason"].partition(":")[0]) == (False, place)
    assert not bench.engine.state.users


def test_on_simulated_pins_a_simple_code_is_only_warned_of(tmp_path: Path) -> None:
    bench = Bench(tmp_path, lenient=True)
    try:
        answer = bench.set("boss", 2, ["hall"], "1234")
        assert (answer["ok"], answer["detail"]) == (True, {"warning": "counting"})
        assert bench.set("clerk", 2, ["hall"], CLERK, code="1234")["detail"] == {}
    finally:
        bench.close()


@pytest.mark.clause("EN 50131-1 code digits", "EN 50131-1 code variations")
def test_new_codes_have_as_many_digits_as_the_panel_file_says(tmp_path: Path) -> None:
    bench = Bench(tmp_path, pin_digits=6)
    try:
        assert bench.set("boss", 2, ["hall"], "27182")["reason"] == "new_code: 5 digits, expected 6 to 8"
        assert bench.set("boss", 2, ["hall"], BOSS, duress="3141")["reason"].startswith("new_duress_code: 4 digits")
        assert bench.set("boss", 2, ["hall"], BOSS, duress="31415926")["ok"]
    finally:
        bench.close()


def test_codes_show_in_no_answer_and_no_record(staffed: Bench) -> None:
    staffed.set("x", 2, ["hall"], NEW, code="123456")
    text = json.dumps([staffed.ask(m.AskStatus()), [dict(record.payload) for record in staffed.records]])
    user = staffed.engine.state.users["boss"]
    for secret in (BOSS, BOSS_DURESS, CLERK, "123456", user.key, user.duress_key):
        assert secret not in text


def test_a_user_is_shown_without_keys_and_with_days_as_dates() -> None:
    days = (TODAY.toordinal(), None)
    user = User("li", "Li", 2, ("hall",), "5ec12e7", "0ddba11", (Right.ARM,), *days, once=True)
    assert shown(user) == {
        "name": "Li",
        "level": 2,
        "areas": ["hall"],
        "rights": ["arm"],
        "first_day": "2026-12-01",
        "last_day": "",
        "once": True,
        "spent": False,
    }


def test_all_who_ask_for_a_snapshot_at_the_same_time_share_one(bench: Bench) -> None:
    bench.made = Future()
    clients = [Client(bench.path) for _ in range(3)]
    for client in clients:
        client.send(m.AskSnapshot())
        client.send(m.AskStatus())
        assert (client.receive(10.0) or {})["detail"]["areas"]  # so the question before it was read
    bench.made.set_result(Path("snapshot.sqlite"))
    for client in clients:
        assert (client.receive(10.0) or {})["detail"] == {"path": "snapshot.sqlite"}
        client.close()
    assert bench.snapshots == 1
    assert bench.ask(m.AskSnapshot())["ok"]
    assert bench.snapshots == 2


def test_a_camera_learns_anew_by_an_installers_code_and_it_is_recorded(staffed: Bench) -> None:
    assert staffed.ask(m.RelearnCamera(camera="lobby", code=CLERK)) == {
        "type": "answer",
        "ok": False,
        "reason": NOT_INSTALLER,
        "detail": {},
    }
    assert not staffed.ask(m.RelearnCamera(camera="lobby", code=NEW))["ok"]
    assert "not in the panel file" in staffed.ask(m.RelearnCamera(camera="attic", code=FITTER))["reason"]
    assert staffed.relearned == []
    assert staffed.ask(m.RelearnCamera(camera="lobby", code=FITTER))["reason"] == "no-grant"
    assert staffed.relearned == []
    staffed.at_keypad(BOSS, Wish.GRANT)
    assert staffed.ask(m.RelearnCamera(camera="lobby", code=FITTER))["ok"]
    assert staffed.relearned == ["lobby"]
    staffed.decide(ClockTold(1, 1, False))
    [record] = [record for record in staffed.records if record.kind == "camera.relearned"]
    assert record.payload == {"camera": "lobby", "user": "fitter"}
    staffed.camera_there = False
    assert "not connected" in staffed.ask(m.RelearnCamera(camera="lobby", code=FITTER))["reason"]


def test_a_change_that_keeps_the_codes_needs_a_user_and_takes_no_new_ones(staffed: Bench) -> None:
    key = staffed.engine.state.users["clerk"].key
    assert staffed.set("clerk", 2, ["vault"], "", code=BOSS, keep=True)["ok"]
    clerk = staffed.engine.state.users["clerk"]
    assert (clerk.areas, clerk.key) == (("vault",), key)
    assert staffed.set("nobody", 2, ["vault"], "", code=BOSS, keep=True)["reason"].startswith("id: ")
    assert staffed.set("clerk", 2, ["vault"], NEW, code=BOSS, keep=True)["reason"].startswith("keep: ")
    assert staffed.set("boss", 2, ["hall", "vault"], "", code=CLERK, keep=True)["reason"] == NOT_ALLOWED
    assert staffed.set("once", 2, ["hall"], NEW, code=BOSS, once=True)["ok"]
    staffed.at_keypad(NEW, Wish.ARM)
    assert staffed.set("once", 2, ["hall"], "", code=BOSS, keep=True)["reason"].startswith("new_code: ")


INSTALLERS: list[BaseModel] = [
    m.SetUser(id="x", name="x", level=3, areas=["hall"], new_code=NEW, code=FITTER),
    m.SetUser(id="fitter", name="fitter", level=3, areas=["hall", "vault"], new_code=NEW, code=FITTER),
    m.RemoveUser(id="fitter", code=FITTER),
    m.RelearnCamera(camera="lobby", code=FITTER),
    m.InstallFile(sha256=hashlib.sha256(b"x").hexdigest(), packed=b64encode(zlib.compress(b"x")).decode(), code=FITTER),
    m.RunTest(test="walk-test", code=FITTER),
    m.RunTest(test="siren-test", code=FITTER),
    m.RunTest(test="battery-test", code=FITTER),
    m.RunTest(test="path-test", code=FITTER),
    m.RunTest(test="camera-test", camera="lobby", code=FITTER),
    m.Session(act="grant", code=FITTER),
    m.Session(act="leave", code=FITTER),
    m.Acceptance(act="begun", run="0" * 32, by="Wang", code=FITTER),
    m.SignReport(what="trial", run="0" * 32, manifest="0" * 64, by="Wang", code=FITTER),
    m.MarkAlarm(journal=JOURNAL, seq=1, says="true", by="Wang", code=FITTER),
    u.UpdateOffer(source="usb:", code=FITTER),
    u.UpdateConsent(sha256="0" * 64, code=FITTER),
    u.UpdateWithdraw(code=FITTER),
]
"""Every message with a code, as an installer would send it."""


def test_every_message_with_a_code_is_listed() -> None:
    kinds = {type(message) for message in INSTALLERS}
    assert kinds == {kind for kind in get_args(get_args(m.FromTechnician)[0]) if "code" in kind.model_fields}


@pytest.mark.clause("EN 50131-1 levels consent")
@pytest.mark.parametrize("message", INSTALLERS, ids=lambda message: str(message.type))
def test_an_installers_code_does_nothing_before_a_user_has_let_him_in(staffed: Bench, message: BaseModel) -> None:
    before, kinds = staffed.engine.state.users, staffed.kinds()
    answer = staffed.ask(message)
    assert (answer["ok"], answer["reason"]) == (False, "no-grant")
    assert staffed.engine.state.users == before
    assert staffed.relearned == []
    assert staffed.kinds()[len(kinds) :] == ["code.refused"]


def test_a_user_lets_an_installer_in_for_a_while_over_the_socket_and_it_is_recorded(staffed: Bench) -> None:
    minutes = branch().timings.grant_ms
    answer = staffed.ask(m.Session(act="grant", code=BOSS))
    assert (answer["ok"], answer["detail"]) == (True, {"for_ms": minutes})
    assert staffed.ask(m.RelearnCamera(camera="lobby", code=FITTER))["ok"]
    assert staffed.ask(m.Session(act="leave", code=FITTER))["ok"]
    assert staffed.ask(m.RelearnCamera(camera="lobby", code=FITTER))["reason"] == "no-grant"
    assert staffed.ask(m.Session(act="grant", code="000111"))["reason"] == "wrong-code"
    kinds = [kind for kind in staffed.kinds() if kind.startswith("installer.")]
    assert kinds == ["installer.granted", "installer.entered", "installer.left"]


def test_a_grant_that_nobody_uses_ends_by_itself(staffed: Bench) -> None:
    assert staffed.ask(m.Session(act="grant", code=BOSS))["ok"]
    staffed.clock.turn(branch().timings.grant_ms + 1)
    staffed.decide(ClockTold(1, 1, False))
    assert staffed.ask(m.RelearnCamera(camera="lobby", code=FITTER))["reason"] == "no-grant"


# tests of the panel


def begun(bench: Bench, client: Client, test: Any, code: str) -> dict[str, Any]:
    client.send(m.RunTest(test=test, code=code))
    answer = client.receive(10.0)
    assert answer is not None
    return answer


def until(bench: Bench, kind: str) -> None:
    deadline = time.monotonic() + 10
    while kind not in bench.kinds():
        assert time.monotonic() < deadline, bench.kinds()
        time.sleep(0.01)


def test_a_walk_test_ends_with_the_connection_that_began_it_even_of_a_code_that_is_spent(staffed: Bench) -> None:
    assert staffed.set("once", 2, ["hall"], NEW, code=BOSS, once=True)["ok"]
    client, other = Client(staffed.path), Client(staffed.path)
    assert begun(staffed, client, "walk-test", NEW)["detail"]["areas"] == ["hall"]
    assert "user.spent" in staffed.kinds()
    other.send(m.EndTest())
    assert (other.receive(10.0) or {})["reason"] == "no-test"
    other.close()
    client.close()
    until(staffed, "test.walk-ended")
    assert "code.refused" not in staffed.kinds()


def test_whose_walk_test_is_over_does_not_end_the_next_ones(staffed: Bench) -> None:
    first, second = Client(staffed.path), Client(staffed.path)
    assert begun(staffed, first, "walk-test", BOSS)["ok"]
    assert begun(staffed, second, "walk-test", BOSS)["reason"] == "test-running"
    staffed.at_keypad(BOSS, Wish.END_TEST)
    assert begun(staffed, second, "walk-test", BOSS)["ok"]
    first.close()
    assert staffed.ask(m.AskStatus())["detail"]["walk_test"]
    second.send(m.EndTest())
    answer = second.receive(10.0)
    second.close()
    assert answer is not None
    assert answer["ok"]
    assert answer["detail"]["unseen_count"] > 0


def test_a_duress_code_begins_a_test_and_calls_for_help_once(staffed: Bench) -> None:
    client = Client(staffed.path)
    assert begun(staffed, client, "walk-test", BOSS_DURESS)["ok"]
    client.close()
    until(staffed, "test.walk-ended")
    assert staffed.kinds().count("alarm.duress") == 1


def test_a_report_needs_the_right_and_wrong_codes_lock_out(staffed: Bench) -> None:
    client = Client(staffed.path)
    assert begun(staffed, client, "path-test", CLERK)["reason"] == "not-allowed"
    assert begun(staffed, client, "path-test", BOSS)["ok"]
    until(staffed, "test.manual")
    assert staffed.records[-1].payload == {"by": "keypad:technician", "user": "boss"}
    reasons = [begun(staffed, client, "siren-test", "000111")["reason"] for _ in range(12)]
    assert reasons[0] == "wrong-code"
    assert reasons[-1] == "locked-out"
    client.close()


def test_without_users_nothing_is_tested(bench: Bench) -> None:
    assert bench.ask(m.RunTest(test="siren-test", code=BOSS))["reason"].startswith("code: this panel has no users")


RUN = "0123456789abcdef" * 2


def run_begun(code: str) -> m.Acceptance:
    return m.Acceptance(act="begun", run=RUN, by="Wang", code=code)


def test_an_acceptance_begins_by_an_installers_code_whom_a_user_let_in_and_while_all_is_disarmed(
    staffed: Bench,
) -> None:
    assert staffed.ask(run_begun(BOSS))["reason"] == NOT_INSTALLER
    assert staffed.ask(run_begun(FITTER))["reason"] == "no-grant"
    staffed.at_keypad(BOSS, Wish.GRANT)
    assert staffed.ask(run_begun(FITTER))["ok"]
    [record] = [r for r in staffed.records if r.kind == "acceptance.begun"]
    assert record.payload == {"run": RUN, "user": "fitter", "by": "Wang", "file": "f" * 64}
    staffed.at_keypad(BOSS, Wish.ARM)
    assert staffed.ask(run_begun(FITTER))["reason"] == "area-armed"
    assert staffed.ask(m.RunTest(test="end-alarm", code=BOSS))["reason"] == "area-armed"
    assert staffed.kinds().count("acceptance.begun") == 1


def test_a_report_is_signed_when_its_record_is_made_and_as_nothing_else(staffed: Bench) -> None:
    wish = m.SignReport(what="trial", run=RUN, manifest="a" * 64, by="Wang", code=FITTER)
    assert "jws" not in staffed.ask(wish)["detail"]
    staffed.at_keypad(BOSS, Wish.GRANT)
    jws = staffed.ask(wish)["detail"]["jws"]
    keys = KeyRing([staffed.signer.public])
    signed = read_report(keys, jws)
    assert (signed.panel, signed.what, signed.manifest, signed.user) == ("bank-1", "trial", "a" * 64, "fitter")
    with pytest.raises(Refused):
        read_bundle(keys, jws)
    [record] = [r for r in staffed.records if r.kind == "acceptance.signed"]
    assert record.payload["manifest"] == "a" * 64


def marking(bench: Bench, seq: int, says: str, reason: str, code: str, **more: str) -> str:
    """Mark the alarm of this record; the reason why not, empty where it was recorded."""
    said = {"journal": JOURNAL, "by": "Wang", **more}
    answer = bench.ask(m.MarkAlarm.model_validate({"seq": seq, "says": says, "reason": reason, "code": code, **said}))
    assert answer["ok"] is not bool(answer["reason"])
    return str(answer["reason"])


def test_an_alarm_is_marked_by_those_who_may_and_each_mark_is_a_record(staffed: Bench) -> None:
    for kind, areas in (("alarm.tamper", ["hall"]), ("alarm.confirmed", ["hall"]), ("area.armed", ["hall"])):
        staffed.records.append(Record(kind, {"areas": areas}))
    alarm = staffed.kinds().index("alarm.tamper") + 1
    assert marking(staffed, alarm, "false", "a mouse", FITTER) == "no-grant"
    assert marking(staffed, alarm, "false", "a mouse", CLERK) == MARK_NOT_HIS, "he lets no installer in"
    assert marking(staffed, alarm, "false", "a mouse", "000111") == NOT_ALLOWED
    for seq, why in ((alarm + 1, NO_ALARM), (alarm + 2, NO_ALARM), (alarm + 99, NO_RECORD)):
        assert marking(staffed, seq, "true", "", BOSS) == why
    other = "00000000-2b1a-4e50-9d59-0f2f7f9b7c11"
    assert marking(staffed, alarm, "true", "", BOSS, journal=other) == NO_RECORD
    assert MARKED not in staffed.kinds()

    assert marking(staffed, alarm, "false", "a mouse", BOSS) == ""
    staffed.at_keypad(BOSS, Wish.GRANT)
    assert marking(staffed, alarm, "open", "", FITTER) == ""
    told = [record.payload for record in staffed.records if record.kind == MARKED]
    named = {"journal": JOURNAL, "seq": alarm, "by": "Wang"}
    assert told == [
        {**named, "says": "false", "reason": "a mouse", "user": "boss"},
        {**named, "says": "open", "reason": "", "user": "fitter"},
    ]


def test_an_alarm_of_an_area_that_is_not_his_nobody_marks(staffed: Bench) -> None:
    staffed.records.append(Record("alarm.tamper", {"areas": ["elsewhere"]}))
    assert marking(staffed, len(staffed.records), "true", "", BOSS) == MARK_NOT_HIS


def test_two_who_mark_the_same_alarm_alike_at_once_both_hear_of_it(staffed: Bench) -> None:
    staffed.records.append(Record("alarm.tamper", {}))
    wish = m.MarkAlarm(journal=JOURNAL, seq=len(staffed.records), says="true", by="Wang", code=BOSS)
    clients = [Client(staffed.path), Client(staffed.path)]
    for client in clients:
        client.send(wish)
    assert [(client.receive(10.0) or {})["ok"] for client in clients] == [True, True]
    for client in clients:
        client.close()
    assert staffed.kinds().count(MARKED) == 2


def test_a_false_alarm_has_a_cause(staffed: Bench) -> None:
    with pytest.raises(ValidationError, match="expected the cause"):
        marking(staffed, 1, "false", " ", BOSS)


def of_updater(bench: Bench, client: Client, *told: BaseModel) -> None:
    """The updater says this, and core has heard it."""
    for message in told:
        client.send(message)
    bench.ask(m.AskStatus())


def test_that_somebody_arms_is_told_to_the_updater_at_once_and_nothing_else_is(staffed: Bench) -> None:
    updater = Client(staffed.path.with_name("updater.sock"))
    assert [(updater.receive(5.0) or {})["type"] for _ in range(2)] == ["welcome", "panel"]
    for at_rest, up_ms in ((False, 1), (False, 2), (True, 3)):
        staffed.state = REST.model_copy(update={"at_rest": at_rest, "up_ms": up_ms})
        looked = threading.Event()
        for work in (staffed.updates.look, looked.set):
            staffed.server.call(work)
        assert looked.wait(5.0)
        if up_ms != 2:  # nothing has changed then but the time
            told = updater.receive(5.0) or {}
            assert (told["at_rest"], told["up_ms"]) == (at_rest, up_ms)


def test_a_wish_about_an_update_goes_to_the_updater_in_the_name_of_who_may_have_it(staffed: Bench) -> None:
    assert staffed.ask(u.AskUpdate())["detail"] == {}
    offer = u.UpdateOffer(source="/b.raucb", code=BOSS)
    assert staffed.ask(offer)["reason"] == NO_UPDATER
    updater = Client(staffed.path.with_name("updater.sock"))
    assert (updater.receive(5.0) or {})["type"] == "welcome"
    assert (updater.receive(5.0) or {})["type"] == "panel"
    idle = u.UpdateStatus(stage="none", slot="A", home="A", running="0.1.0", floor="0.1.0", data=1, offers=4)
    of_updater(staffed, updater, idle)
    assert staffed.ask(u.AskUpdate())["detail"]["slot"] == "A"
    assert staffed.ask(u.UpdateOffer(source="/b.raucb", code="999999"))["reason"] == NOT_ALLOWED
    assert staffed.ask(offer)["detail"] == {"part": "user", "offers": 4}
    assert (updater.receive(5.0) or {})["by"] == "boss"
    # A consent is for the image that was looked at, and for no other.
    sha256 = "a" * 64
    of_updater(staffed, updater, idle.model_copy(update={"stage": "offered", "sha256": sha256}))
    assert staffed.ask(u.UpdateConsent(sha256="b" * 64, code=BOSS))["reason"] == "update-other"
    assert staffed.ask(m.Session(act="grant", code=BOSS))["ok"]
    assert staffed.ask(u.UpdateConsent(sha256=sha256, code=FITTER))["ok"]
    assert (updater.receive(5.0) or {}) == {"type": "consent", "sha256": sha256, "part": "installer", "by": "fitter"}
    # A visitor's code that counts once, and one who may not let an installer in, consent to nothing.
    assert staffed.set("guest", 2, ["hall"], NEW, code=BOSS, once=True)["ok"]
    assert staffed.ask(u.UpdateConsent(sha256=sha256, code=NEW))["reason"] == NOT_HIS
    assert staffed.set("guard", 2, ["hall"], "606842", code=BOSS, rights=["arm"])["ok"]
    assert staffed.ask(u.UpdateConsent(sha256=sha256, code="606842"))["reason"] == NOT_HIS
    for stage, reason in (("installing", "update-goes-on"), ("trying", "update-goes-on")):
        of_updater(staffed, updater, idle.model_copy(update={"stage": stage}))
        assert staffed.ask(offer)["reason"] == reason
    assert staffed.ask(u.UpdateWithdraw(code=BOSS))["reason"] == "update-started"
    updater.close()
