"""The center's answer to a request for a certificate: what counts, and everything that does not."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.clock import SystemClock
from firmware.uplink.issued import MAX_BYTES, Unfit, checked
from hil.authority import Authority, Life, pem

PANEL = "bank-7"
NOW = SystemClock().utc()


class Desk:
    """An authority, the certificate in force, and the key that waits."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority.make(folder, "panel ca", Life.days(10, 100))
        self.strange = Authority.make(folder / "strange", "panel ca", Life.days(10, 100))
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.before = self.authority.certify(PANEL, ec.generate_private_key(ec.SECP256R1()).public_key())
        self.waits = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def check(self, payload: bytes, now: float = NOW) -> x509.Certificate:
        return checked(payload, PANEL, self.before, self.waits, [self.authority.certificate], now)[0]

    def issue(self, name: str = PANEL, hosts: tuple[str, ...] = (), life: Life | None = None) -> x509.Certificate:
        return self.authority.certify(name, self.key.public_key(), hosts, life or Life.days(1, 30))

    def made(self, *extensions: x509.ExtensionType) -> x509.Certificate:
        """One that is right but for its extensions."""
        life = Life.days(1, 30)
        builder = x509.CertificateBuilder().subject_name(self.before.subject).serial_number(9)
        builder = builder.issuer_name(self.authority.certificate.subject).public_key(self.key.public_key())
        builder = builder.not_valid_before(life.begins).not_valid_after(life.ends)
        for extension in extensions:
            builder = builder.add_extension(extension, False)
        return builder.sign(self.authority.key, hashes.SHA256())


CLIENT, SERVER = (
    x509.ExtendedKeyUsage([usage]) for usage in (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH)
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return Desk(tmp_path_factory.mktemp("desk"))


@pytest.fixture(scope="module")
def sound(desk: Desk) -> bytes:
    return said(desk.issue())


def said(*chain: x509.Certificate, panel: str = PANEL) -> bytes:
    return json.dumps({"panel": panel, "chain": [pem(each) for each in chain]}).encode()


def test_the_right_one_counts(desk: Desk) -> None:
    issued = desk.issue()
    assert desk.check(said(issued)) == issued
    assert desk.check(said(desk.made(CLIENT)))


def test_a_chain_over_an_authority_between_counts_and_one_that_is_no_authority_does_not(desk: Desk) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "between")])
    for authority in (True, False):
        between = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(desk.authority.certificate.subject)
            .public_key(key.public_key())
            .serial_number(7)
            .not_valid_before(Life.days().begins)
            .not_valid_after(Life.days(1, 50).ends)
            .add_extension(x509.BasicConstraints(authority, None), True)
            .sign(desk.authority.key, hashes.SHA256())
        )
        leaf = Authority(Path(), key, between).certify(PANEL, desk.key.public_key(), (), Life.days(1, 30))
        if authority:
            assert desk.check(said(leaf, between)) == leaf
            assert desk.check(said(leaf, between, desk.authority.certificate)) == leaf
        with pytest.raises(Unfit, match="does not lead to a CA"):
            desk.check(said(leaf) if authority else said(leaf, between))


WRONG: dict[str, tuple[Callable[[Desk], bytes], str]] = {
    "another key": (lambda d: said(d.authority.certify(PANEL, d.strange.key.public_key())), "another key"),
    "another name": (lambda d: said(d.issue("bank-8")), "it names CN=bank-8"),
    "another panel": (lambda d: said(d.issue(), panel="bank-8"), "expected 'bank-7'"),
    "another authority": (
        lambda d: said(d.strange.certify(PANEL, d.key.public_key(), (), Life.days(1, 30))),
        "does not lead to a CA",
    ),
    "a server's": (lambda d: said(d.issue(hosts=("127.0.0.1",))), "alternative names"),
    "no usage": (lambda d: said(d.made()), "no extended key usage"),
    "another usage": (lambda d: said(d.made(SERVER)), "no clientAuth"),
    "an authority's": (lambda d: said(d.made(CLIENT, x509.BasicConstraints(True, None))), "of an authority"),
    "no longer": (lambda d: said(d.issue(life=Life.days(1, 0.5))), "expected later than"),
    "not yet": (lambda d: said(d.issue(life=Life.days(-1, 30))), "it begins"),
    "nothing": (lambda _: b"", "JSON"),
    "no chain": (lambda _: b'{"panel":"bank-7","chain":[]}', "chain"),
    "five": (lambda d: said(*[d.issue()] * 5), "chain"),
    "more members": (lambda d: said(d.issue())[:-1] + b',"more":1}', "more"),
    "no PEM": (lambda _: b'{"panel":"bank-7","chain":["x"]}', "can't be read"),
    "two in one": (
        lambda d: json.dumps({"panel": PANEL, "chain": [pem(d.issue()) + pem(d.issue())]}).encode(),
        "more than one",
    ),
    "too much": (lambda _: b" " * (MAX_BYTES + 1), "at most"),
}


@pytest.mark.parametrize("name", WRONG)
def test_all_else_does_not(desk: Desk, name: str) -> None:
    make, why = WRONG[name]
    with pytest.raises(Unfit, match=why):
        desk.check(make(desk))


def test_one_that_ended_meanwhile_does_not(desk: Desk) -> None:
    with pytest.raises(Unfit, match="it has ended"):
        desk.check(said(desk.issue(life=Life.days(1, 2))), NOW + 3 * 86_400)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_whatever_comes_is_taken_or_unfit(desk: Desk, sound: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(sound) - 1))
    cut = data.draw(st.integers(0, 40))
    payload = sound[:at] + data.draw(st.binary(max_size=40)) + sound[at + cut :]
    try:
        found = desk.check(payload)
    except Unfit:
        return
    assert found.public_key() == desk.key.public_key()
