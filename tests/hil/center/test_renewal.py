"""The center's authority: it answers a sound request, the same one alike, and nobody who has a copy of the panel."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from firmware.protocol.jws import Signer, b64url
from firmware.protocol.typ import REPLY
from hil.authority import Authority, Life
from hil.center.reader import Garbage
from hil.center.renewal import RENEWAL, RenewalDesk, fingerprint

PANEL = "bank-7"


class Panel:
    def __init__(self, folder: Path) -> None:
        self.signer = Signer(Ed25519PrivateKey.generate())
        authority = Authority.make(folder, "panel ca", Life.days(1, 100))
        self.old = authority.certify(PANEL, ec.generate_private_key(ec.SECP256R1()).public_key())
        x = b64url(self.signer.public.public_bytes_raw())
        self.desk = RenewalDesk(authority, {PANEL: x}.get, lambda: Life.days(1, 30))
        self.desk.enrol(PANEL, self.old)

    def csr(self, name: str = PANEL, key: ec.EllipticCurvePrivateKey | None = None) -> x509.CertificateSigningRequest:
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
        return builder.sign(key or ec.generate_private_key(ec.SECP256R1()), SHA256())

    def body(self, **changes: Any) -> dict[str, Any]:
        csr = changes.pop("request", None) or self.csr()
        base = {"panel": PANEL, "path": "center-1", "csr": csr.public_bytes(Encoding.PEM).decode()}
        return base | {"replaces": fingerprint(self.old), "time": "2026-03-14T23:09:32.000Z"} | changes

    def ask(self, body: dict[str, Any], typ: str = RENEWAL, signer: Signer | None = None) -> x509.Certificate:
        answer = self.desk.answer(PANEL, (signer or self.signer).sign(typ, body).encode())
        said = json.loads(answer["certificate"])
        assert said["panel"] == PANEL
        return x509.load_pem_x509_certificate(said["chain"][0].encode())


@pytest.fixture
def panel(tmp_path: Path) -> Panel:
    return Panel(tmp_path)


def test_it_issues_for_the_key_of_the_request_and_takes_nothing_else_from_it(panel: Panel) -> None:
    csr = panel.csr()
    issued = panel.ask(panel.body(request=csr))
    assert issued.public_key() == csr.public_key()
    assert issued.subject == panel.old.subject


def test_the_same_request_has_the_same_answer_and_another_key_for_the_same_certificate_none(panel: Panel) -> None:
    body = panel.body()
    assert panel.ask(body) == panel.ask(body)
    with pytest.raises(Garbage, match="a second key"):
        panel.ask(panel.body())


def test_the_one_after_replaces_the_one_that_it_gave(panel: Panel) -> None:
    first = panel.ask(panel.body())
    second = panel.ask(panel.body(replaces=fingerprint(first)))
    assert second != first


WRONG: dict[str, tuple[Callable[[Panel], x509.Certificate], str]] = {
    "a certificate that is not in force": (lambda p: p.ask(p.body(replaces="0" * 64)), "not in force"),
    "another panel's name": (lambda p: p.ask(p.body(request=p.csr("bank-8"))), "a request of"),
    "another panel's body": (lambda p: p.ask(p.body(panel="bank-8")), "a request of"),
    "no request": (lambda p: p.ask(p.body(csr="-----BEGIN CERTIFICATE REQUEST-----")), "PEM|MalformedFraming"),
    "another type": (lambda p: p.ask(p.body(), REPLY), "typ"),
    "a stranger": (lambda p: p.ask(p.body(), signer=Signer(Ed25519PrivateKey.generate())), "BadSignature|signature"),
}


@pytest.mark.parametrize("name", WRONG)
def test_all_else_is_refused_and_changes_nothing(panel: Panel, name: str) -> None:
    attempt, why = WRONG[name]
    with pytest.raises(Garbage, match=why):
        attempt(panel)
    assert len(panel.desk.refused) == 1
    assert panel.ask(panel.body()).subject == panel.old.subject


def test_an_authority_in_a_folder_goes_on_after_a_restart(panel: Panel, tmp_path: Path) -> None:
    folder = tmp_path / "authority"
    made = Authority.make(folder, "panel ca", Life.days(1, 100))
    pem = made.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "ca.key").write_bytes(pem)
    panel.desk = RenewalDesk.at(folder, panel.desk.key, 30)
    panel.desk.enrol(PANEL, panel.old)
    body = panel.body()
    first = panel.ask(body)
    panel.desk = RenewalDesk.at(folder, panel.desk.key, 30)
    assert panel.ask(body) == first, "the answer was lost on the way"
    assert panel.ask(panel.body(replaces=fingerprint(first))) != first
    with pytest.raises(Garbage, match="a second key"):
        panel.ask(panel.body(replaces=fingerprint(first)))
    (folder / "ca.key").write_bytes(
        Authority.fresh(tmp_path, "x").key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    with pytest.raises(ValueError, match="expected the elliptic-curve key"):
        RenewalDesk.at(folder, panel.desk.key, 30)
