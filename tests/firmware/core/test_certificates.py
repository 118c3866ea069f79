"""Core and the certificates of the paths: told 30 days ahead, requests signed but not at will, takeovers recorded."""

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.clock import utc_text
from firmware.core.certificates import AHEAD_S, ASKS, NOTES, Certificates
from firmware.journal import Commit
from firmware.protocol import messages as m
from firmware.protocol.jws import KeyRing, Signer
from firmware.protocol.signed import read_renewal
from rules.stimuli import Noted, TroubleChanged
from tests.clock import TurnedClock
from tests.firmware.journal.rig import Rig
from tests.firmware.protocol.test_messages import REQUEST

DAY = 86_400.0


class Desk:
    def __init__(self, floor: str = "") -> None:
        self.clock = TurnedClock()
        self.signer = Signer(Ed25519PrivateKey.generate())
        self.said: list[TroubleChanged | Noted] = []
        self.certificates = Certificates(
            "bank-7", frozenset({"center-1"}), self.signer, self.clock, floor, self.said.append
        )

    def hears(self, days: float, file: str = "client", path: str = "center-1", age: float = 300) -> None:
        begins, ends = (utc_text(self.clock.utc() + d * DAY) for d in (-age, days))
        life = {"path": path, "file": file, "not_before": begins, "not_after": ends}
        self.certificates.heard(m.Certificate.model_validate(life))

    def troubles(self) -> list[tuple[bool, str]]:
        return [(s.present, s.detail) for s in self.said if isinstance(s, TroubleChanged)]

    def noted(self) -> list[Noted]:
        return [s for s in self.said if isinstance(s, Noted)]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_certificate_is_a_trouble_thirty_days_before_its_end_and_no_longer_after_its_renewal(desk: Desk) -> None:
    desk.hears(31)
    desk.hears(400, "ca")
    assert desk.troubles() == [(False, "")]
    desk.clock.turn(int(1.5 * DAY * 1000))
    desk.certificates.look()
    ((_, _), (present, detail)) = desk.troubles()
    assert present
    assert detail.startswith("client certificate: ends 20")
    desk.hears(90)
    assert [present for present, _ in desk.troubles()] == [False, True, False]


@pytest.mark.parametrize(("age", "left", "trouble"), [(21, 9, False), (23, 7, True), (1, 29, False), (66, 24, False)])
def test_one_with_a_short_life_is_none_before_its_renewal_should_have_come(
    desk: Desk, age: float, left: float, trouble: bool
) -> None:
    desk.hears(left, age=age)
    assert desk.troubles()[-1][0] is trouble


def test_the_centers_ca_is_told_of_too_by_name(desk: Desk) -> None:
    desk.hears(300)
    desk.hears(29, "ca")
    assert "center's CA: ends" in desk.troubles()[-1][1]
    assert AHEAD_S == 30 * DAY


def test_an_unsure_clock_is_judged_by_the_floor() -> None:
    desk = Desk(floor=utc_text(TurnedClock().utc() + 380 * DAY))
    desk.clock.quality = "unset"
    desk.hears(400)
    assert desk.troubles()[-1][0]


def test_a_path_that_the_file_does_not_have_is_none(desk: Desk) -> None:
    desk.hears(1, path="elsewhere")
    assert desk.certificates.ask(m.RenewalAsk(path="elsewhere", csr=REQUEST, replaces="0" * 64)) is None
    desk.certificates.taken_over(m.TakenOver(path="elsewhere", sure=True))
    assert desk.said == []


def test_requests_are_signed_as_they_are_and_not_too_often(desk: Desk) -> None:
    ask = m.RenewalAsk(path="center-1", csr=REQUEST, replaces="ab" * 32)
    answers = [desk.certificates.ask(ask) for _ in range(ASKS + 3)]
    assert [answer is not None for answer in answers] == [True] * ASKS + [False] * 3
    assert answers[0] is not None
    renewal = read_renewal(KeyRing([desk.signer.public]), answers[0].jws)
    assert (renewal.panel, renewal.path, renewal.csr, renewal.replaces) == ("bank-7", "center-1", REQUEST, "ab" * 32)
    assert desk.certificates.refused == 3


def test_takeovers_are_recorded_but_a_flood_of_them_fills_no_journal(desk: Desk) -> None:
    for _ in range(NOTES + 20):
        desk.certificates.taken_over(m.TakenOver(path="center-1", sure=True))
    assert [(note.kind, dict(note.payload)) for note in desk.noted()] == [
        ("path.taken-over", {"path": "center-1", "sure": True})
    ] * NOTES


def test_a_renewal_is_recorded_with_both_certificates(desk: Desk) -> None:
    ends = "2027-03-14T00:00:00.000Z"
    desk.certificates.renewed(m.Renewed(path="center-1", old="0" * 64, new="1" * 64, not_after=ends))
    (note,) = desk.noted()
    assert note.kind == "path.certificate-renewed"
    assert note.payload == {"path": "center-1", "old": "0" * 64, "new": "1" * 64, "not_after": ends}


def test_the_floor_is_the_newest_record_that_was_made_with_a_synchronised_clock(tmp_path: Path) -> None:
    rig = Rig(tmp_path)
    journal = rig.open()
    reader = journal.reader()
    for time, clock in (("2026-11-23T07:00:00.000Z", "synchronised"), ("2029-01-01T00:00:00.000Z", "free-running")):
        journal.commit([Commit((replace(rig.draft(), time=time, clock=clock),), "state")])
    assert reader.newest_sure() == "2026-11-23T07:00:00.000Z"
    reader.close()
    journal.close()
