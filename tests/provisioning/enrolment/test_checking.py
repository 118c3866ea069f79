"""An answer that is believed by its fingerprint must still be sound: a center that errs must not break a panel."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import load_pem_x509_csr

from firmware.config import load
from firmware.protocol.jws import unverified
from firmware.protocol.one_time_code import fingerprint
from firmware.protocol.typ import ENROLMENT_ANSWER
from hil.authority import Authority, Life, pem
from hil.center.enrolment import read_request
from hil.center.keys import Key
from provisioning.enrolment.enrolling import Enrolling, sealed
from provisioning.enrolment.place import Waiting
from provisioning.enrolment.trouble import Trouble
from tests.provisioning.enrolment.site import PANEL, Site, site


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as made:
        yield made


Changes = Callable[[Site, Waiting], dict[str, Any]]


def key_of(waiting: Waiting) -> Any:
    return load_pem_x509_csr(str(unverified(waiting.request)["csr"]).encode()).public_key()


def certified(at: Site, waiting: Waiting, name: str = PANEL, **more: Any) -> dict[str, Any]:
    return {"chain": [pem(at.desk.authority.certify(name, key_of(waiting), **more))]}


def other(at: Site) -> Authority:
    return Authority.fresh(at.folder, "other ca", Life.days(1, 100))


WRONG: dict[str, tuple[Changes, str]] = {
    "another panel": (lambda _at, _w: {"panel": "bank-8"}, "for panel bank-8"),
    "another request": (lambda _at, _w: {"request": "0" * 64}, "another request"),
    "another nonce": (lambda _at, _w: {"nonce": "B" * 22}, "another request"),
    "another key": (
        lambda at, _w: {
            "chain": [pem(at.desk.authority.certify(PANEL, ec.generate_private_key(ec.SECP256R1()).public_key()))]
        },
        "another key",
    ),
    "another name": (lambda at, w: certified(at, w, "bank-8"), "it names CN=bank-8"),
    "a server's": (lambda at, w: certified(at, w, hosts=["10.0.0.1"]), "clientAuth"),
    "ended": (lambda at, w: certified(at, w, life=Life.days(9, -1)), "it has ended"),
    "not yet": (lambda at, w: certified(at, w, life=Life.days(-2, 9)), "it begins"),
    "of another CA": (lambda at, w: {"chain": [pem(other(at).certify(PANEL, key_of(w)))]}, "does not lead to a CA"),
    "an authority that is none": (lambda at, w: {"authorities": certified(at, w)["chain"]}, "none of an authority"),
    "no certificate": (lambda _at, _w: {"chain": ["x"]}, "chain.0"),
    "no receipt key": (lambda _at, _w: {"receipt_keys": []}, "receipt_keys"),
}


def answered(at: Site, waiting: Waiting, **changes: Any) -> tuple[bytes, str]:
    """An answer of the center, and its fingerprint as somebody reads it out."""
    body = unverified(json.loads(at.desk.answer_compared(read_request(sealed(waiting))))["answer"]) | changes
    key = at.desk.told.receipt
    token = Key.new().sign(ENROLMENT_ANSWER, body) if not body["receipt_keys"] else key.sign(ENROLMENT_ANSWER, body)
    return json.dumps({"answer": token, "mac": ""}).encode(), fingerprint(token)


@pytest.mark.parametrize("what", WRONG)
def test_what_is_not_sound_is_refused_in_words_and_changes_nothing(at: Site, what: str) -> None:
    change, said = WRONG[what]
    it = Enrolling(load(at.panel_toml))
    waiting = it.request()
    before = at.files()
    text, typed = answered(at, waiting, **change(at, waiting))
    with pytest.raises(Trouble, match="was put in place") as trouble:
        it.take(text, waiting, typed)
    assert said in str(trouble.value)
    assert at.files() == before
    it.take(*_swap(waiting, answered(at, waiting)))
    assert at.certificate.exists()


def _swap(waiting: Waiting, found: tuple[bytes, str]) -> tuple[bytes, Waiting, str]:
    return found[0], waiting, found[1]
