"""Which alarms go out by SMS: not receipted ones, urgent ones first, nothing twice, and no more than the day allows."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firmware.clock import utc_text
from firmware.core.delivery import Deliveries
from firmware.protocol import messages as m
from firmware.protocol.jws import KeyRing
from firmware.uplink.sms import pdu
from firmware.uplink.sms.health import Health
from firmware.uplink.sms.last_resort import MAX_TRIES, LastResort, Receiver, Terms
from firmware.uplink.sms.ledger import Ledger
from firmware.uplink.sms.modem import Accepted, Job, Rejected
from firmware.uplink.sms.texts import Names
from hil.memory_journal import MemoryJournal
from tests.firmware.uplink.world import CENTER, receipt

PANEL = "bank-7"
NAMES = Names(PANEL, "日出银行", {"btn": (7, "柜台按钮")}, {"hall": "营业厅"}, ZoneInfo("Asia/Shanghai"))
OURS = Receiver("center-1", "+8613800138000", True)
OTHER = Receiver("other-1", "+8613900139000", False)
TERMS = Terms("gsm", (OURS, OTHER), frozenset(["primary"]), 60_000, 50, "zh", NAMES)
NOON = 1_800_000_000.0


class Play:
    """Core over a journal in memory, the logic, and a clock."""

    def __init__(self, folder: Path, terms: Terms = TERMS) -> None:
        self.file = folder / "gsm-sent.json"
        self.terms = terms
        self.now_ms, self.now_s, self.day = 1_000, NOON, "2027-01-15"
        self.journal = MemoryJournal(PANEL)
        self.core = Deliveries(self.journal, PANEL, KeyRing([CENTER.public]), self.journal.mark)
        self.sent: list[tuple[str, str]] = []
        self.start()

    def start(self) -> None:
        """The uplink starts (again)."""
        self.logic = LastResort(self.terms, Ledger(self.file, self.now_s))
        self.logic.core()
        self.logic.head(self.core.head(), self.now_ms)

    def alarm(self, kind: str = "alarm.intruder", age_s: float = 0.0) -> None:
        payload = {"zone": "btn", "areas": ["hall"]}
        self.journal.append("alarm", kind, payload, time=utc_text(self.now_s - age_s))
        self.logic.head(self.core.head(), self.now_ms)

    def receipt_all(self) -> None:
        ours = [(name, record) for name, record in self.journal.records() if record.lane == "alarm"]
        for name, record in ours:
            token = receipt(name, "alarm", [(record.lane_seq, record.lane_seq, record.hash)])
            done = self.core.receipt(m.ReceiptIn(jws=token))
            assert done is not None
            self.logic.delivered(done)
        self.logic.head(self.core.head(), self.now_ms)

    def down(self) -> None:
        self.logic.path("primary", False)

    def ask(self) -> None:
        while (pull := self.logic.wants(self.now_ms)) is not None:
            self.logic.answered(self.core.pull(pull), self.now_ms, self.now_s)

    def job(self) -> Job | None:
        self.ask()
        return self.logic.next_job(self.now_ms, self.now_s, self.day)

    def run(self, fate: Callable[[Job], Accepted | Rejected] | None = None, limit: int = 500) -> int:
        """Send what there is; how many messages went."""
        for count in range(limit):
            job = self.job()
            if job is None:
                return count
            event = fate(job) if fate else Accepted(job.key, tuple(range(len(job.parts))))
            if isinstance(event, Accepted):
                self.sent.append(tuple(job.key.split("|")))  # type: ignore[arg-type]
                self.logic.accepted(event)
            else:
                self.logic.rejected(event, self.now_ms)
        raise AssertionError("it never ends")

    def passed(self, seconds: float) -> None:
        self.now_ms += int(seconds * 1000)
        self.now_s += seconds
        self.logic.passed(self.now_ms, self.now_s)


@pytest.fixture
def play(tmp_path: Path) -> Play:
    return Play(tmp_path)


def states(play: Play) -> list[str]:
    return [said.state for said in play.logic.said]


def test_a_better_path_has_its_time_unless_it_is_known_to_be_down(play: Play) -> None:
    play.alarm()
    assert play.run() == 0
    assert play.logic.next_deadline(play.now_ms) == 61_000
    play.passed(59.9)
    assert play.run() == 0
    play.passed(0.1)
    assert play.run() == 2
    play.down()
    play.alarm()
    assert play.run() == 2, "nobody waits for a path that is down"
    play.logic.path("primary", True)
    play.alarm()
    assert play.run() == 0


def test_what_is_receipted_is_not_sent_even_at_the_last_moment(play: Play) -> None:
    play.down()
    play.alarm()
    play.ask()
    play.receipt_all()
    assert play.run() == 0
    play.alarm()
    play.passed(61)
    play.receipt_all()
    assert play.run() == 0


def test_silent_ones_first_and_for_the_center_only(play: Play) -> None:
    play.down()
    play.alarm("alarm.intruder")
    play.alarm("alarm.duress")
    play.alarm("alarm.hold-up")
    play.run()
    seqs = [(record.rsplit("-", 1)[1], who) for record, who in play.sent]
    assert seqs == [("2", "center-1"), ("3", "center-1"), ("1", "center-1"), ("1", "other-1")]


def test_a_restart_sends_nothing_twice(play: Play) -> None:
    play.down()
    play.alarm()
    assert play.run() == 2
    for _ in range(3):
        play.start()
        play.down()
        assert play.run() == 0
    play.alarm()
    assert play.run() == 2


def test_killed_in_the_middle_it_is_sent_once_more_and_no_third_time(play: Play) -> None:
    play.down()
    play.alarm("alarm.hold-up")
    for again in (True, True, False):
        assert (play.job() is not None) is again
        play.start()
        play.down()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"entries": 5}', b'{"entries":[{}]}', b"\xff"])
def test_a_ledger_that_is_lost_or_broken_counts_as_empty_and_is_told(play: Play, content: bytes) -> None:
    play.down()
    play.alarm("alarm.hold-up")
    play.run()
    play.file.write_bytes(content)
    play.start()
    play.down()
    assert play.run() == 1
    assert Ledger(play.file, play.now_s).trouble == ""


def test_a_disk_that_refuses_stops_no_alarm(tmp_path: Path) -> None:
    (tmp_path / "gsm-sent.json").mkdir()
    play = Play(tmp_path)
    play.down()
    play.alarm("alarm.hold-up")
    assert play.run() == 1
    assert play.run() == 0
    assert "can't be noted" in play.logic.faults["memory"]


def test_the_days_limit_keeps_a_share_for_the_urgent(tmp_path: Path) -> None:
    play = Play(tmp_path, replace(TERMS, daily_limit=20, lang="en", names=replace(NAMES, site="x", zones={}, areas={})))
    play.down()
    for _ in range(30):
        play.alarm()
    play.run()
    limits = [who for record, who in play.sent if record.startswith("limit")]
    assert limits == ["center-1"], "the center is told once"
    assert len(play.sent) == 12 + 1
    assert states(play).count("dropped") == 30 * 2 - 12
    assert "limit of 20" in play.logic.faults["limit"]
    for _ in range(10):
        play.alarm("alarm.hold-up")
    play.run()
    assert len(play.sent) == 20
    assert play.run() == 0
    play.start()
    play.down()
    assert play.run() == 0, "a restart gives no new day"
    play.day = "2027-01-16"
    assert play.run() == 3, "the hold-ups that waited; ordinary ones are over"
    assert "limit" not in play.logic.faults


def test_failures_are_tried_again_with_growing_pauses_and_then_told(play: Play) -> None:
    play.down()
    play.alarm("alarm.hold-up")
    pauses = []
    for _ in range(MAX_TRIES):
        assert play.run(lambda job: Rejected(job.key, "+CMS ERROR: 38")) == 1
        due = play.logic.next_deadline(play.now_ms)
        assert due is not None
        pauses.append((due - play.now_ms) // 1000)
        if len(pauses) < MAX_TRIES:
            play.passed(pauses[-1])
    assert pauses[:-1] == [10, 20, 40, 80, 160, 320, 640, 900, 900]
    assert play.run() == 0
    assert states(play) == ["failed"]
    assert "+CMS ERROR: 38" in play.logic.faults["sending"]
    assert play.logic._ledger.used == 0, "what the network did not take does not count"


def test_a_number_that_is_refused_for_good_is_a_fault_until_one_succeeds(play: Play) -> None:
    play.down()
    play.alarm("alarm.hold-up")
    assert play.run(lambda job: Rejected(job.key, "no such number", final=True)) == 1
    assert states(play) == ["failed"]
    assert "center-1: no such number" in play.logic.faults["sending"]
    play.alarm("alarm.hold-up")
    play.run()
    assert "sending" not in play.logic.faults


def test_reports_good_bad_partial_missing_and_strange(play: Play) -> None:
    play.down()
    play.alarm("alarm.hold-up")
    play.run(lambda job: Accepted(job.key, (7, 8)))
    play.logic.reported(pdu.Report(7, "13800138000", 0), play.now_ms)
    assert states(play) == ["sent"]
    play.logic.reported(pdu.Report(8, "+8613800138000", 0x30), play.now_ms)
    play.logic.reported(pdu.Report(9, "+8613800138000", 0), play.now_ms)
    assert (states(play), play.logic.unmatched) == (["sent"], 1)
    play.start()
    play.logic.reported(pdu.Report(8, "+8613800138000", 0), play.now_ms)
    assert states(play) == ["delivered"], "also after a restart"
    play.down()
    play.alarm("alarm.hold-up")
    play.run(lambda job: Accepted(job.key, (9,)))
    play.logic.reported(pdu.Report(9, "+8613800138000", 0x41), play.now_ms)
    assert "0x41" in play.logic.faults["reports"]
    play.alarm("alarm.hold-up")
    play.run(lambda job: Accepted(job.key, (10,)))
    play.passed(5 * 3600)
    assert states(play)[-1] == "unconfirmed"
    play.passed(25 * 3600)
    assert "reports" not in play.logic.faults, "an old failure is forgotten"


def test_old_alarms_are_no_news(play: Play) -> None:
    play.down()
    play.alarm(age_s=25 * 3600)
    play.alarm("alarm.hold-up", age_s=23 * 3600)
    assert play.run() == 1


def test_core_that_goes_away_is_asked_again(play: Play) -> None:
    play.down()
    play.alarm("alarm.hold-up")
    assert play.logic.wants(play.now_ms) is not None
    play.logic.core_lost()
    assert play.logic.wants(play.now_ms) is None
    assert play.logic.next_deadline(play.now_ms) is None, "nothing is due while core is away"
    play.logic.core()
    assert play.run() == 1
    play.alarm("alarm.hold-up")
    assert play.logic.wants(play.now_ms) is not None
    play.logic.refused(play.now_ms)
    assert play.run() == 1


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=st.lists(st.sampled_from("aAsrkdutx"), max_size=40))
def test_whatever_happens_nothing_goes_twice_and_the_limit_holds(
    tmp_path_factory: pytest.TempPathFactory, story: list[str]
) -> None:
    play = Play(tmp_path_factory.mktemp("play"), replace(TERMS, daily_limit=20))
    for letter in story:
        match letter:
            case "a":
                play.alarm()
            case "A":
                play.alarm("alarm.hold-up")
            case "s":
                play.run()
            case "r":
                play.receipt_all()
            case "k":
                play.start()
            case "d":
                play.down()
            case "u":
                play.logic.path("primary", True)
            case "t":
                play.passed(61)
            case _:
                play.run(lambda job: Rejected(job.key, "x"), limit=200)
    assert len(play.sent) == len(set(play.sent))
    assert play.logic._ledger.used <= 20
    play.down()
    play.passed(1000)
    play.run()
    waiting = play.core.head().journals[0].first_undelivered["alarm"]
    urgent = [r for _, r in play.journal.records() if b"alarm.hold-up" in r.header and r.lane_seq >= waiting]
    journal = play.journal.records()[0][0] if urgent else ""
    if play.logic._ledger.used < 18:
        assert not [r.seq for r in urgent if play.logic._ledger.may_send(f"{journal}-{r.seq}", OURS.number)]


def test_health_waits_for_what_may_heal_and_not_for_what_will_not() -> None:
    health = Health("gsm", 60_000, 0)
    assert health.passed(0) is None
    health.fault("modem", "", 5_000)
    told = health.passed(5_000)
    assert told is not None
    assert told.up
    health.fault("network", "no network", 10_000)
    health.fault("signal", "weak", 20_000)
    assert health.passed(69_999) is None
    assert health.next_deadline() == 70_000
    told = health.passed(70_000)
    assert told is not None
    assert (told.up, told.detail) == (False, "no network; weak")
    health.fault("network", "", 71_000)
    health.fault("signal", "", 71_000)
    told = health.passed(71_000)
    assert told is not None
    assert told.up
    health.fault("sim", "no SIM", 72_000, hard=True)
    told = health.passed(72_000)
    assert told is not None
    assert not told.up


def test_a_technicians_test_goes_to_the_centers_first_number_after_alarms_within_the_limit(tmp_path: Path) -> None:
    play = Play(tmp_path)
    play.logic.tried()
    play.alarm()
    play.down()
    play.passed(70)
    assert play.run() == 3
    assert [number for _, number in play.sent] == ["center-1", "other-1", "center-1"]
    told = [said for said in play.logic.said if said.trial]
    assert [(said.state, said.record, said.receiver) for said in told] == [("sent", "", "center-1")]
    assert play.run() == 0, "once"


def test_a_test_is_not_sent_again_and_not_from_the_reserve(tmp_path: Path) -> None:
    play = Play(tmp_path)
    play.logic.tried()
    assert play.run(lambda job: Rejected(job.key, "no network", False)) == 1
    assert [(said.state, said.detail) for said in play.logic.said] == [("failed", "no network")]
    small = Play(tmp_path / "small", replace(TERMS, daily_limit=2))
    small.logic.tried()
    assert small.run() == 0
    assert [said.state for said in small.logic.said if said.trial] == ["dropped"]
