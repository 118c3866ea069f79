"""The files of a client certificate and its successor: killed at any step, one pair works and the renewal goes on."""

import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.x509.oid import NameOID

from firmware.uplink.pair import BadPair, Pair, due
from firmware.uplink.tls import Files, context
from hil.authority import Authority, Life, pem


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = Authority.make(tmp_path, "ca", Life.days(9, 99))
    made.issue("panel", [], Life.days(2, 1))
    return made


@pytest.fixture
def pair(authority: Authority) -> Pair:
    return Pair(authority.folder / "panel.pem", authority.folder / "panel.key")


def issued(authority: Authority, pair: Pair) -> bytes:
    csr = x509.load_pem_x509_csr(pair.request().encode())
    assert csr.is_signature_valid
    return pem(authority.certify("panel", csr.public_key(), (), Life.days(1, 30))).encode()


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(65537, 2048),
        ed25519.Ed25519PrivateKey.generate(),
    ],
)
def test_the_next_key_is_of_the_same_kind_and_nobody_elses_to_read(
    tmp_path: Path, key: CertificateIssuerPrivateKeyTypes
) -> None:
    authority = Authority.make(tmp_path, "ca")
    authority.issue("panel", [], key=key)
    pair = Pair(tmp_path / "panel.pem", tmp_path / "panel.key")
    pair.make_key()
    assert stat.S_IMODE(pair.next_key.stat().st_mode) == 0o600
    made = serialization.load_pem_private_key(pair.next_key.read_bytes(), None)
    assert type(made) is type(key)
    if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(made, ec.EllipticCurvePrivateKey):
        assert made.curve.name == key.curve.name
    if isinstance(key, rsa.RSAPrivateKey) and isinstance(made, rsa.RSAPrivateKey):
        assert made.key_size == key.key_size
    csr = x509.load_pem_x509_csr(pair.request().encode())
    assert csr.is_signature_valid
    assert csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "panel"


def test_a_renewal_ends_with_the_new_pair_under_the_old_names(authority: Authority, pair: Pair) -> None:
    old_key = pair.key.read_bytes()
    pair.make_key()
    waits = pair.next_public()
    pair.make_key()
    assert pair.next_public() == waits  # kept, not made again
    pair.keep(issued(authority, pair))
    new = pair.candidate()
    pair.promote()
    assert pair.current() == new
    assert pair.candidate() is None
    assert pair.next_public() is None
    assert old_key not in [file.read_bytes() for file in authority.folder.iterdir() if file.is_file()]


def test_it_is_due_after_two_thirds_of_its_life_and_at_most_one_percent_more(authority: Authority) -> None:
    life = Life.days(0, 300)
    shares = []
    for number in range(40):
        certificate = authority.certify(f"panel-{number}", authority.key.public_key(), (), life)
        shares.append((due(certificate) - life.begins.timestamp()) / (300 * 86_400))
    assert min(shares) >= 0.666
    assert max(shares) <= 0.677
    assert max(shares) - min(shares) > 0.005


_KILLED = """
import os, signal, sys
from pathlib import Path
from firmware.uplink import pair as module
from hil.authority import Authority, Life, pem
from cryptography import x509
from cryptography.hazmat.primitives import serialization

folder, left = Path(sys.argv[1]), int(sys.argv[2])

def dying(real):
    def call(*args, **named):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **named)
    return call

for owner, name in ((os, "open"), (os, "fsync"), (os, "fdopen"), (Path, "rename"), (Path, "unlink")):
    setattr(owner, name, dying(getattr(owner, name)))

authority = Authority(
    folder,
    serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None),
    x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes()),
)
pair = module.Pair(folder / "panel.pem", folder / "panel.key")
pair.settle()
pair.make_key()
csr = x509.load_pem_x509_csr(pair.request().encode())
pair.keep(pem(authority.certify("panel", csr.public_key(), (), Life.days(1, 30))).encode())
pair.promote()
"""


def killed_at(folder: Path, step: int) -> int:
    """One renewal whose process is killed before its file operation of this number; its exit code."""
    return subprocess.run([sys.executable, "-c", _KILLED, str(folder), str(step)], timeout=30, check=False).returncode


def works(authority: Authority) -> None:
    """The pair under the file's names fits together, once it is settled; so does one that waits."""
    folder = authority.folder
    pair = Pair(folder / "panel.pem", folder / "panel.key")
    pair.settle()
    context("p", Files(folder / "ca.pem", pair.certificate, pair.key))
    if pair.candidate() is not None:
        context("p", Files(folder / "ca.pem", pair.next_certificate, pair.next_key))


def test_killed_at_each_step_one_pair_works_and_the_renewal_goes_on(tmp_path: Path) -> None:
    step = 0
    while True:
        folder = tmp_path / str(step)
        authority = Authority.make(folder, "ca", Life.days(9, 99))
        (folder / "ca.key").write_bytes(
            authority.key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        old = authority.issue("panel", [], Life.days(2, 1))
        code = killed_at(folder, step)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        works(authority)
        pair = Pair(folder / "panel.pem", folder / "panel.key")
        if pair.current() == old:  # not at its end yet: it goes on from where it was, with the key that waits
            waits = pair.next_public()
            pair.make_key()
            assert waits in (None, pair.next_public())
            if pair.candidate() is None:
                pair.keep(issued(authority, pair))
            pair.promote()
        works(authority)
        assert pair.current() != old
        assert sorted(p.name for p in folder.iterdir()) == ["ca.key", "ca.pem", "panel.key", "panel.pem"]
        step += 1
    assert step >= 12


def test_what_can_not_be_used_is_named_and_its_content_is_not(authority: Authority, pair: Pair) -> None:
    pair.certificate.write_text("-----BEGIN NOTHING")
    with pytest.raises(BadPair) as bad:
        pair.current()
    assert str(pair.certificate) in str(bad.value)
    pair.next_key.write_text("secret stuff")
    with pytest.raises(BadPair) as bad:
        pair.next_public()
    assert "secret" not in str(bad.value)


def test_leftovers_that_do_not_fit_go(authority: Authority, pair: Pair) -> None:
    pair.make_key()
    pair.keep(pair.certificate.read_bytes())  # not for the key that waits
    waits = pair.next_public()
    pair.settle()
    assert (pair.candidate(), pair.next_public()) == (None, waits)
    pair.next_key.write_text("torn")
    pair.settle()
    assert not pair.next_key.exists()
    assert pair.key.exists()
