"""The manifest of a release: what a release key signed counts, and nothing else"""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.protocol.jws import KeyRing, Refused, Signer, b64url, unb64url
from firmware.protocol.release import BadReleaseKey, Manifest, ReleaseFile, read_manifest, release_keys, sign_manifest
from firmware.protocol.typ import KEYS

FILE = ReleaseFile(size=4096, sha256="0" * 64)
MANIFEST = Manifest(
    version="1.2.0",
    created="2026-11-27T10:00:00.000Z",
    target="pi-arm64",
    floor="1.0",
    files={"fenghuo-1.2.0.img": FILE},
)


@pytest.fixture(scope="module")
def signer() -> Signer:
    return Signer(Ed25519PrivateKey.generate())


def jwk(signer: Signer) -> str:
    return json.dumps(
        {"crv": "Ed25519", "kid": signer.kid, "kty": "OKP", "x": b64url(signer.public.public_bytes_raw())}
    )


def test_what_was_signed_is_read_and_its_payload_is_the_manifest_file(signer: Signer) -> None:
    token = sign_manifest(signer, MANIFEST)
    assert read_manifest(KeyRing([signer.public]), token + "\n") == MANIFEST
    payload = unb64url(token.split(".")[1])
    assert json.loads(payload)["files"] == {"fenghuo-1.2.0.img": {"size": 4096, "sha256": "0" * 64}}


def test_another_key_another_kind_and_a_changed_byte_are_refused(signer: Signer) -> None:
    token = sign_manifest(signer, MANIFEST)
    other = Signer(Ed25519PrivateKey.generate())
    head, payload, signature = token.split(".")
    altered = b64url(unb64url(payload).replace(b"4096", b"4097"))
    for ring, made, reason in (
        (other, token, "unknown-key"),
        (signer, f"{head}.{altered}.{signature}", "bad-signature"),
        (signer, signer.sign(KEYS, MANIFEST.model_dump()), "wrong-type"),
        (signer, token.rsplit(".", 1)[0] + ".", "unsigned"),
    ):
        with pytest.raises(Refused) as refused:
            read_manifest(KeyRing([ring.public]), made)
        assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("version", "../1"),
        ("files", {}),
        ("files", {"../etc/passwd": {"size": 1, "sha256": "0" * 64}}),
        ("files", {"a.img": {"size": "1", "sha256": "0" * 64}}),
        ("files", {"a.img": {"size": 1, "sha256": "A" * 64}}),
        ("created", "yesterday"),
    ],
)
def test_a_wrong_member_is_named(signer: Signer, member: str, value: object) -> None:
    token = signer.sign("fenghuo.release.v1", {**MANIFEST.model_dump(), member: value})
    with pytest.raises(Refused, match=member) as refused:
        read_manifest(KeyRing([signer.public]), token)
    assert refused.value.reason == "malformed"


def test_a_member_of_a_later_version_does_no_harm(signer: Signer) -> None:
    token = signer.sign("fenghuo.release.v1", {**MANIFEST.model_dump(), "data_format": 3})
    assert read_manifest(KeyRing([signer.public]), token) == MANIFEST


def test_keys_come_from_files_and_folders(signer: Signer, tmp_path: Path) -> None:
    (tmp_path / "a.jwk").write_text(jwk(signer))
    (tmp_path / "notes.txt").write_text("no key")
    for place in (tmp_path, tmp_path / "a.jwk"):
        assert [key.public_bytes_raw() for key in release_keys([place])] == [signer.public.public_bytes_raw()]


@pytest.mark.parametrize("text", ["", "[]", '{"kty":"RSA"}', '{"kty":"OKP","crv":"Ed25519","x":"AA"}', "x" * 5000])
def test_a_file_that_is_no_public_key_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.jwk").write_text(text)
    with pytest.raises(BadReleaseKey, match=r"a\.jwk"):
        release_keys([tmp_path])


def test_a_private_key_is_not_taken_for_a_public_one(signer: Signer, tmp_path: Path) -> None:
    (tmp_path / "a.jwk").write_text(json.dumps({**json.loads(jwk(signer)), "d": "A" * 43}))
    with pytest.raises(BadReleaseKey, match="public"):
        release_keys([tmp_path])
