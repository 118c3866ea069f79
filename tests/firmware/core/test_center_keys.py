"""The center's keys are exchanged by a root key's signature alone: what counts, what is refused, what comes back."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from firmware.config import Center
from firmware.core.center_keys import CenterKeys, Exchanges, Rings, in_force, told
from firmware.core.refusals import Refusals
from firmware.protocol.jws import Refused, Signer, b64url
from firmware.protocol.typ import COMMAND, KEYS, RECEIPT
from rules.stimuli import KeysTold, Noted
from tests.clock import TurnedClock


def signer(letter: str) -> Signer:
    return Signer(Ed25519PrivateKey.from_private_bytes(letter.encode() * 32))


def x(of: Signer) -> str:
    return b64url(of.public.public_bytes_raw())


ROOT, OLD, NEW, STRANGER = signer("r"), signer("o"), signer("n"), signer("s")
FILE = Center(receipt_keys=[x(OLD)], command_keys=[x(OLD)], root_keys=[x(ROOT)])


def authority(ca: bool = True) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "new center CA")])
    now = datetime(2026, 3, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


AUTHORITY, SERVER = authority(), authority(ca=False)


class Desk:
    """Core's exchanges, with rules that take everything."""

    def __init__(self, file: Center = FILE) -> None:
        self.clock = TurnedClock()
        self.file = file
        self.kept = ""
        self.told: list[KeysTold] = []
        self.records: list[Noted] = []
        self.room = True
        self.rings = Rings(in_force(file, ""))
        refusals = Refusals(self.clock, self.records.append)
        self.exchanges = Exchanges("bank-0001", file.root_keys, self.rings, refusals, self._submit)

    def _submit(self, told: KeysTold) -> bool:
        if not self.room:
            return False
        self.told.append(told)
        assert told.kept is not None
        self.kept = told.kept
        self.rings.use(in_force(self.file, self.kept))
        return True

    def reasons(self) -> list[tuple[Any, Any]]:
        return [(record.payload["what"], record.payload["reason"]) for record in self.records]


def token(by: Signer = ROOT, typ: str = KEYS, **changes: Any) -> str:
    body: dict[str, Any] = {
        "panel": "bank-0001",
        "serial": 1,
        "receipt_keys": [x(NEW)],
        "command_keys": [x(NEW)],
        "authorities": [],
    }
    return by.sign(typ, body | changes)


def trusted(rings: Rings) -> list[str]:
    """Whose commands count."""
    found = []
    for name, key in (("old", OLD), ("new", NEW)):
        try:
            rings.command.verify(COMMAND, key.sign(COMMAND, {}))
            rings.receipt.verify(RECEIPT, key.sign(RECEIPT, {}))
        except Refused:
            continue
        found.append(name)
    return found


@pytest.mark.parametrize("panel", ["bank-0001", "*"])
def test_an_exchange_revokes_the_old_keys_and_trusts_the_new(panel: str) -> None:
    desk = Desk()
    assert trusted(desk.rings) == ["old"]
    desk.exchanges.received(token(panel=panel))
    assert trusted(desk.rings) == ["new"]
    assert [(t.by, t.serial, t.root, t.command) for t in desk.told] == [("center", 1, ROOT.kid, (NEW.kid,))]
    assert desk.records == []


def test_both_keys_in_the_list_overlap() -> None:
    desk = Desk()
    desk.exchanges.received(token(receipt_keys=[x(OLD), x(NEW)], command_keys=[x(OLD), x(NEW)]))
    assert trusted(desk.rings) == ["old", "new"]


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (token(OLD), "unknown-key"),
        (token(STRANGER), "unknown-key"),
        (token(typ=COMMAND), "wrong-type"),
        (token(panel="bank-0002"), "wrong-panel"),
        (token(serial=0), "malformed"),
        (token(serial=2**60), "malformed"),
        (token(receipt_keys=[]), "malformed"),
        (token(receipt_keys=[x(NEW)] * 2), "malformed"),
        (token(receipt_keys=[x(NEW)] * 9), "malformed"),
        (token(command_keys=["A" * 43]), "malformed"),
        (token(command_keys=["short"]), "malformed"),
        (token(authorities=["no certificate"]), "malformed"),
        (token(authorities=["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]), "malformed"),
        (token(authorities=[SERVER]), "malformed"),
        (token(authorities=[AUTHORITY] * 5), "malformed"),
        (token(more=1), "malformed"),
        ("a.b.c", "malformed"),
    ],
)
def test_a_wrong_one_changes_nothing_and_is_recorded(wrong: str, reason: str) -> None:
    desk = Desk()
    desk.exchanges.received(wrong)
    assert desk.reasons() == [("keys", reason)]
    assert (desk.told, trusted(desk.rings)) == ([], ["old"])


def test_without_a_root_key_in_the_file_nobody_exchanges_keys() -> None:
    desk = Desk(FILE.model_copy(update={"root_keys": []}))
    desk.exchanges.received(token())
    assert desk.reasons() == [("keys", "unknown-key")]
    assert trusted(desk.rings) == ["old"]


def test_a_replay_of_an_older_list_is_refused_and_the_present_one_is_no_news() -> None:
    desk = Desk()
    desk.exchanges.received(token(serial=1, command_keys=[x(OLD)], receipt_keys=[x(OLD)]))
    desk.exchanges.received(token(serial=2))
    desk.exchanges.received(token(serial=2))
    assert (len(desk.told), desk.records) == (2, [])
    desk.exchanges.received(token(serial=1, command_keys=[x(OLD)], receipt_keys=[x(OLD)]))
    desk.exchanges.received(token(serial=2, command_keys=[x(OLD)]))
    assert desk.reasons() == [("keys", "replayed")] * 2
    assert trusted(desk.rings) == ["new"]


def test_a_list_that_finds_no_room_may_come_again() -> None:
    desk = Desk()
    desk.room = False
    desk.exchanges.received(token())
    assert desk.reasons() == [("keys", "busy")]
    desk.room = True
    desk.exchanges.received(token())
    assert trusted(desk.rings) == ["new"]


def test_a_certificate_comes_back_as_it_was() -> None:
    desk = Desk()
    desk.exchanges.received(token(authorities=[AUTHORITY]))
    assert in_force(FILE, desk.kept).authorities == (AUTHORITY,)
    assert len(desk.told[0].authorities[0]) == 64


@pytest.mark.parametrize(
    ("changes", "who"),
    [
        ({}, "center"),
        ({"keys_serial": 6}, "center"),
        ({"keys_serial": 7}, "file"),
        ({"keys_serial": 8}, "file"),
        ({"root_keys": [x(STRANGER)]}, "file"),
        ({"root_keys": []}, "file"),
        ({"root_keys": [x(STRANGER), x(ROOT)]}, "center"),
    ],
)
def test_the_greater_number_counts_and_only_under_a_root_of_the_file(changes: dict[str, Any], who: str) -> None:
    kept = CenterKeys("center", 7, (x(NEW),), (x(NEW),), ROOT.kid).kept()
    keys = in_force(FILE.model_copy(update=changes), kept)
    assert keys.by == who
    assert trusted(Rings(keys)) == [{"center": "new", "file": "old"}[who]]


@pytest.mark.parametrize("kept", ["", "{", "[]", "{}", '{"serial":1}', "null"])
def test_what_can_not_be_read_back_leaves_the_keys_of_the_file(kept: str) -> None:
    assert in_force(FILE, kept).by == "file"


@given(st.binary(max_size=400))
def test_no_bytes_from_outside_exchange_anything(data: bytes) -> None:
    desk = Desk()
    desk.exchanges.received(data.decode("latin-1"))
    assert (desk.told, len(desk.records)) == ([], 1)


def test_what_the_rules_hear_names_keys_by_their_ids() -> None:
    heard = told(in_force(FILE, ""))
    assert heard == KeysTold("file", 0, (OLD.kid,), (OLD.kid,))
