"""The life of a client certificate as the uplink sees it: when it asks, how it rests, what it tries and drops."""

import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from firmware.clock import utc_text
from firmware.protocol import messages as m
from firmware.uplink.events import ToCore
from firmware.uplink.floor import Floor
from firmware.uplink.identity import Identity
from firmware.uplink.renewal import ANSWER_MS, ANSWERS, LOOK_MS, MAX_PAUSE_MS, PAUSE_MS, TRIES, TRY_MS, Renewal
from firmware.uplink.tls import Files
from hil.authority import Authority, Life, pem
from tests.clock import TurnedClock
from tests.firmware.uplink.brokers import wait_for

PANEL = "bank-7"


class Bench:
    """A path with a certificate so many days into its life of 30, and its renewal."""

    def __init__(self, folder: Path, age: float, owner: bool = True) -> None:
        life = Life.days(age, 30 - age)
        self.authority = Authority.make(folder, "ca", Life.days(100, 1000))
        self.old = self.authority.issue(PANEL, [], life)
        self.clock = TurnedClock(utc=Life.days().begins.timestamp() + 86_400)
        named = Files(folder / "ca.pem", folder / f"{PANEL}.pem", folder / f"{PANEL}.key")
        self.identity = Identity("center-1", named, named.ca, Floor(self.clock))
        self.renewal = Renewal("center-1", PANEL, self.identity, owner)
        self.renewal.core(True)

    def turn(self, is_open: bool = True) -> tuple[list[ToCore], bool]:
        return self.renewal.turn(self.clock.monotonic_ms(), is_open)

    def pass_ms(self, ms: int, is_open: bool = True) -> tuple[list[ToCore], bool]:
        self.clock.turn(ms)
        return self.turn(is_open)

    def asks(self) -> m.RenewalAsk:
        """Let it make its key, until it asks."""
        found: list[ToCore] = []

        def asked() -> bool:
            found.extend(self.pass_ms(100)[0])
            return any(isinstance(message, m.RenewalAsk) for message in found)

        wait_for(asked, "a request")
        return next(message for message in found if isinstance(message, m.RenewalAsk))

    def answer(self, ask: m.RenewalAsk, authority: Authority | None = None) -> None:
        public = x509.load_pem_x509_csr(ask.csr.encode()).public_key()
        issued = (authority or self.authority).certify(PANEL, public, (), Life.days(1, 60))
        payload = json.dumps({"panel": PANEL, "chain": [pem(issued)]}).encode()
        self.renewal.answered(payload, self.clock.monotonic_ms())

    def ready(self) -> None:
        """A renewed pair waits and is to be tried."""
        self.answer(self.asks())
        assert self.turn() == ([], True)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, 25)


def ends(told: list[ToCore]) -> dict[str, str]:
    return {message.file: message.not_after for message in told if isinstance(message, m.Certificate)}


def test_core_is_told_when_both_end_once_and_again_after_it_was_gone(bench: Bench) -> None:
    told = ends(bench.turn(is_open=False)[0])
    assert told["client"] == utc_text(bench.old.not_valid_after_utc.timestamp())
    assert told["ca"] == utc_text(bench.authority.certificate.not_valid_after_utc.timestamp())
    assert ends(bench.pass_ms(LOOK_MS, is_open=False)[0]) == {}
    bench.renewal.core(False)
    assert bench.renewal.next_deadline() is None
    bench.renewal.core(True)
    assert ends(bench.turn()[0]) == told


def test_a_young_certificate_is_left_alone(tmp_path: Path) -> None:
    bench = Bench(tmp_path, 15)
    for _ in range(5):
        told, switch = bench.pass_ms(LOOK_MS)
        assert not switch
        assert not [message for message in told if isinstance(message, m.RenewalAsk)]
    assert not bench.identity.pair.next_key.exists()


def test_it_asks_only_while_the_path_is_open_and_only_where_it_owns_the_files(tmp_path: Path) -> None:
    closed, other = Bench(tmp_path / "a", 25), Bench(tmp_path / "b", 25, owner=False)
    for _ in range(5):
        closed.pass_ms(LOOK_MS, is_open=False)
        other.pass_ms(LOOK_MS)
    for bench in (closed, other):
        assert not bench.identity.pair.next_key.exists()
    assert not other.renewal.wants("certificate")


def test_a_request_names_what_it_replaces_and_the_answer_is_tried_and_put_in_force(bench: Bench) -> None:
    ask = bench.asks()
    assert bytes.fromhex(ask.replaces) == bench.old.fingerprint(SHA256())
    assert bench.renewal.wants("certificate")
    assert not bench.renewal.wants("receipt")
    bench.answer(ask)
    assert not bench.renewal.wants("certificate")
    assert bench.turn() == ([], True)
    bench.renewal.worked()
    told, switch = bench.turn()
    assert not switch
    (renewed,) = [message for message in told if isinstance(message, m.Renewed)]
    assert renewed.old == ask.replaces
    assert ends(told)["client"] == renewed.not_after
    assert bench.identity.pair.current() != bench.old


def test_without_an_answer_it_asks_again_after_pauses_that_grow(bench: Bench) -> None:
    first = bench.asks()
    pauses = []
    for _ in range(12):
        bench.pass_ms(ANSWER_MS)
        waited = 0
        while not any(isinstance(message, m.RenewalAsk) for message in bench.pass_ms(LOOK_MS)[0]):
            waited += LOOK_MS
            assert waited <= MAX_PAUSE_MS
        pauses.append(waited)
    assert pauses[0] <= PAUSE_MS
    assert pauses == sorted(pauses)
    assert MAX_PAUSE_MS - LOOK_MS <= pauses[-1] <= MAX_PAUSE_MS
    csr = x509.load_pem_x509_csr(bench.identity.pair.request().encode())
    assert csr.public_key() == x509.load_pem_x509_csr(first.csr.encode()).public_key()  # the same key, each time


def test_a_flood_of_wrong_answers_is_looked_at_only_so_far(bench: Bench, tmp_path: Path) -> None:
    ask = bench.asks()
    strange = Authority.make(tmp_path / "strange", "ca", Life.days(10, 90))
    for _ in range(ANSWERS):
        assert bench.renewal.wants("certificate")
        bench.answer(ask, strange)
    assert not bench.renewal.wants("certificate")
    assert bench.identity.pair.candidate() is None


def test_a_broker_that_never_takes_it_costs_the_new_pair_and_not_the_old(bench: Bench) -> None:
    bench.ready()
    for number in range(TRIES):
        bench.renewal.failed("refused", bench.clock.monotonic_ms())
        kept = bench.identity.pair.candidate() is not None
        assert kept is (number + 1 < TRIES)
        while kept and not bench.pass_ms(LOOK_MS)[1]:
            pass
    assert bench.identity.pair.current() == bench.old
    assert not bench.identity.pair.next_key.exists()  # so that the center gets another request next time
    for _ in range(3):
        assert bench.pass_ms(LOOK_MS) == ([], False)


def test_a_try_that_hangs_is_overdue_and_one_that_the_path_interrupts_counts_as_none(bench: Bench) -> None:
    bench.ready()
    assert not bench.renewal.overdue(bench.clock.monotonic_ms())
    bench.clock.turn(TRY_MS)
    assert bench.renewal.overdue(bench.clock.monotonic_ms())
    bench.renewal.interrupted()
    assert not bench.renewal.overdue(bench.clock.monotonic_ms())
    assert bench.turn(is_open=False) == ([], False)
    assert bench.turn() == ([], True)


def test_a_certificate_that_has_ended_gives_way_to_the_renewed_one_at_once(bench: Bench) -> None:
    bench.ready()
    bench.identity.context()
    assert not bench.identity.shows_next
    bench.clock.now_utc += 10 * 86_400
    bench.identity.context()
    assert bench.identity.shows_next


def test_a_folder_that_takes_nothing_costs_a_pause_and_no_more(bench: Bench) -> None:
    bench.identity.pair.next_key = Path("/proc/nothing/can/be/made/here.next")
    for _ in range(4):
        told, switch = bench.pass_ms(LOOK_MS)
        assert not switch
        assert not [message for message in told if isinstance(message, m.RenewalAsk)]


def test_files_that_are_gone_raise_nothing(bench: Bench) -> None:
    bench.identity.pair.certificate.unlink()
    assert bench.turn() == ([], False)
    assert bench.pass_ms(LOOK_MS) == ([], False)
