"""Test vectors for whoever builds the other side: `python -m firmware.protocol.vectors docs/vectors`.

The files are made by our own code, and the tests hold them against `rfc8785`, `joserfc` and `hashlib`, which
share nothing with it. The keys in them are published, so they are worth nothing: never trust them anywhere.
"""

import base64
import hmac
import json
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.places import places
from firmware.protocol import envelope
from firmware.protocol.canonical import canonical, sha256_hex
from firmware.protocol.jws import Signer, b64url
from firmware.protocol.records import Header, Record, record_hash
from firmware.protocol.stored import GENESIS
from firmware.protocol.topics import topic
from firmware.protocol.typ import (
    ACCEPTANCE,
    BASE,
    BUNDLE,
    CHECKPOINT,
    COMMAND,
    HEARTBEAT,
    KEYS,
    RECEIPT,
    RENEWAL,
    REPLY,
    TICK,
    TIME,
)

Json = dict[str, Any]

PANEL = "yunnan-kunming-0001"
JOURNAL = "8f14e45f-ceea-4e7a-9c0d-5b2f1a6d3e47"
BOOT = "c9f0f895-fb98-4ab9-9f5e-0a1b2c3d4e5f"
NONCE = b64url(bytes(range(16)))
THUMBNAIL = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffd9")

PANEL_SEED = sha256(b"fenghuo test vector: panel").digest()
CENTER_SEED = sha256(b"fenghuo test vector: center").digest()
ROOT_SEED = sha256(b"fenghuo test vector: root").digest()
STRANGER_SEED = sha256(b"fenghuo test vector: stranger").digest()

CANONICAL: tuple[Any, ...] = (
    {"b": 1, "a": [], "aa": {}, "A": None, "_": True, "1": False},
    {"text": 'quote " backslash \\ slash / tab \t newline \n return \r form \f back \b'},
    {"controls": "\x00\x01\x1f\x7f", "separators": "\u2028\u2029", "bmp": "前门被撬 é", "beyond": "😀𝄞"},
    {"numbers": [0, -1, 9007199254740991, -9007199254740991]},
    {"deep": [[[{"a": [1, {"b": []}]}]]]},
)


def signer(seed: bytes) -> Signer:
    """The signer of a published seed."""
    return Signer(Ed25519PrivateKey.from_private_bytes(seed))


def records() -> Json:
    """`records.json`: canonical bytes, a chain of five records, and records that are not whole."""
    chain = _chain()
    return {
        "about": "Canonical JSON is given as text (UTF-8) and as hex. All hashes are SHA-256.",
        "canonical": [_canonical_vector(value) for value in CANONICAL],
        "chain": [
            {
                "payload_canonical": canonical(record.payload).decode(),
                "payload_canonical_hex": canonical(record.payload).hex(),
                "state": state,
                "header_canonical": canonical(record.header.model_dump()).decode(),
                "record": record.model_dump(),
            }
            for record, state in chain
        ],
        "faulty": _faulty(chain[1][0]),
    }


def _canonical_vector(value: Any) -> Json:
    data = canonical(value)
    return {"value": value, "canonical": data.decode(), "hex": data.hex(), "sha256": sha256_hex(data)}


def _chain() -> list[tuple[Record, str]]:
    """Five records of three lanes, each with the text of the panel state after it (opaque to a center)."""
    armed, alarm = '{"areas":{"hall":"armed"}}', '{"areas":{"hall":"alarm"}}'
    key = {"kid": signer(PANEL_SEED).kid, "x": _key(PANEL_SEED)["jwk"]["x"]}
    zone = {"zone": "front-door", "zone_number": 1, "areas": ["hall"]}
    done = {"counter": 41, "command": "silence", "by": 'remote:王芳 "3" \\ é😀\n', "areas": ["hall"]}
    steps: list[tuple[str, str, Json, str]] = [
        ("status", "journal.begun", {"reason": "first", "detail": "", "last": None, "key": key}, armed),
        ("alarm", "alarm.entry", zone | {"incident": 1, "condition": "active"}, alarm),
        ("evidence", "evidence.pictures", _pictures(), alarm),
        ("status", "command.done", done, alarm),
    ]
    chain: list[tuple[Record, str]] = []
    for lane, kind, payload, state in steps:
        chain.append((_next(chain, lane, kind, payload, state), state))
    token = signer(PANEL_SEED).sign(CHECKPOINT, _checkpoint(chain[-1][0]))
    chain.append((_next(chain, "status", "journal.checkpoint", {"jws": token}, alarm), alarm))
    return chain


def _next(chain: list[tuple[Record, str]], lane: str, kind: str, payload: Json, state: str) -> Record:
    number = len(chain) + 1
    header = Header(
        panel=PANEL,
        journal=JOURNAL,
        seq=number,
        lane=lane,
        lane_seq=1 + sum(record.header.lane == lane for record, _ in chain),
        boot=BOOT,
        time=f"2026-03-14T23:09:2{number}.{number:03d}Z",
        clock="synchronised" if number > 1 else "free-running",
        monotonic_ms=100_000 + 1001 * number,
        kind=kind,
        payload_hash=sha256_hex(canonical(payload)),
        state_hash=sha256_hex(state.encode()),
        prev=chain[-1][0].hash if chain else GENESIS,
    )
    return Record(header=header, payload=payload, hash=record_hash(header))


def _pictures() -> Json:
    box = {"left": 412, "top": 180, "right": 640, "bottom": 911, "score": 874}
    picture = {
        "file": "2026-03-14/1-hall-cam-0001.jpg",
        "sha256": sha256_hex(THUMBNAIL),
        "bytes": len(THUMBNAIL),
        "offset_ms": -500,
        "width": 640,
        "height": 480,
        "boxes": [box],
    }
    return {
        "incident": 1,
        "zone": "front-door",
        "camera": "hall-cam",
        "pictures": [picture],
        "thumbnail": picture | {"file": "2026-03-14/1-hall-cam-thumb.jpg", "width": 160, "height": 120},
        "verdict": "person",
        "score": 874,
        "model": "person.tflite 0a1b2c3d",
        "models": [{"file": "person.tflite", "sha256": "0a1b2c3d" * 8, "score": 874}],
        "threshold": 400,
        "part": 1,
        "last": True,
        "sealed": {"file": "2026-03-14/1-hall-cam/manifest.json", "sha256": sha256_hex(b"{}"), "bytes": 2},
        "fault": "",
    }


def _checkpoint(record: Record) -> Json:
    header = record.header
    return {
        "panel": PANEL,
        "journal": JOURNAL,
        "seq": header.seq,
        "hash": record.hash,
        "state_hash": header.state_hash,
        "time": "2026-03-14T23:09:25.005Z",
    }


def _faulty(record: Record) -> list[Json]:
    whole = record.model_dump()
    header, payload = whole["header"], whole["payload"]
    cases = [
        ("expired: whole, without its payload", whole | {"payload": None}, []),
        ("another time", whole | {"header": header | {"time": "2026-03-14T23:09:22.003Z"}}, ["header"]),
        ("another panel state", whole | {"header": header | {"state_hash": GENESIS}}, ["header"]),
        ("another payload", whole | {"payload": payload | {"incident": 2}}, ["payload"]),
        ("a member more in the payload", whole | {"payload": payload | {"more": None}}, ["payload"]),
        ("another hash", whole | {"hash": GENESIS}, ["header"]),
        ("header and payload", whole | {"payload": {}, "header": header | {"seq": 7}}, ["header", "payload"]),
    ]
    return [{"what": what, "record": value, "wrong": wrong} for what, value, wrong in cases]


def jws() -> Json:
    """`jws.json`: the keys, one token of each `typ`, and tokens that must be refused."""
    return {
        "about": "Published throw-away keys. Never trust them. Seeds are Ed25519 private keys (RFC 8032).",
        "keys": {
            name: _key(seed)
            for name, seed in (
                ("panel", PANEL_SEED),
                ("center", CENTER_SEED),
                ("root", ROOT_SEED),
                ("stranger", STRANGER_SEED),
            )
        },
        "tokens": [_token(who, typ, payload) for who, typ, payload in _payloads()],
        "refused": _refused(),
    }


def _key(seed: bytes) -> Json:
    public = signer(seed)
    x = b64url(public.public.public_bytes_raw())
    return {"seed_hex": seed.hex(), "jwk": {"kty": "OKP", "crv": "Ed25519", "x": x}, "kid": public.kid}


def _payloads() -> list[tuple[str, str, Json]]:
    chain = [record for record, _ in _chain()]
    place = {"panel": PANEL, "journal": JOURNAL}
    command = {"panel": PANEL, "counter": 42, "nonce": NONCE, "args": {"areas": ["hall"], "zone": ""}}
    beat = {
        **place,
        "session": 7,
        "beat": 3,
        "time": "2026-03-14T23:09:30.000Z",
        "clock": "synchronised",
        "monotonic_ms": 109_000,
        "seq": 5,
        "hash": chain[4].hash,
        "lanes": {"alarm": 1, "status": 3, "evidence": 1},
        "troubles": ["camera:hall-cam"],
        "keys_serial": 3,
        "nonce": NONCE,
    }
    rotation = {
        "panel": "*",
        "serial": 3,
        "receipt_keys": [_key(CENTER_SEED)["jwk"]["x"]],
        "command_keys": [_key(CENTER_SEED)["jwk"]["x"]],
        "authorities": [],
    }
    reply = {"panel": PANEL, "counter": 42, "key": signer(CENTER_SEED).kid, "time": "2026-03-14T23:09:31.500Z"}
    return [
        ("panel", HEARTBEAT, beat),
        ("center", RECEIPT, place | {"lane": "status", "ranges": [_range(1, 3, chain[4].hash)]}),
        ("center", COMMAND, command | {"command": "silence", "operator": "王芳 (desk 3)"}),
        ("panel", REPLY, reply | {"result": "done", "reason": "", "detail": {}}),
        ("root", KEYS, rotation),
        ("center", TIME, {"panel": PANEL, "nonce": NONCE, "time": "2026-03-14T23:09:30.250Z"}),
        ("panel", CHECKPOINT, _checkpoint(chain[3])),
        (
            "panel",
            BASE,
            _checkpoint(chain[1]) | {"lanes": {"alarm": 1, "evidence": 0, "status": 1}, "expired": 0},
        ),
        ("panel", TICK, _tick(chain[4])),
        ("panel", RENEWAL, _renewal()),
        (
            "panel",
            BUNDLE,
            place
            | {"incident": 1, "index": sha256_hex(b"{}"), "by": "李伟 Li Wei", "time": "2026-03-15T08:00:00.000Z"},
        ),
        ("panel", ACCEPTANCE, _report()),
    ]


def _report() -> Json:
    told = {"what": "acceptance", "run": "0123456789abcdef" * 2, "user": "fitter", "by": "王工 Wang"}
    return {"panel": PANEL, **told, "manifest": sha256_hex(b"{}"), "time": "2026-03-15T08:00:00.000Z"}


def _uplink_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(sha256(b"fenghuo test vector: uplink").digest())


def _transfer() -> str:
    return f"{signer(CENTER_SEED).kid}.44"


def _chunk() -> Json:
    """The last part of a picture whose last part is the thumbnail of the vectors."""
    picture = bytes(24_576) + THUMBNAIL
    return {
        "panel": PANEL,
        "transfer": _transfer(),
        "offset": 24_576,
        "total": len(picture),
        "sha256": sha256_hex(picture),
        "data": base64.b64encode(THUMBNAIL).decode(),
    }


def _certificate() -> str:
    """What an authority issues for the request below; Ed25519 signatures are always the same."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    authority = Ed25519PrivateKey.from_private_bytes(sha256(b"fenghuo test vector: authority").digest())
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (PANEL, "panel ca")]
    builder = x509.CertificateBuilder().subject_name(names[0]).issuer_name(names[1]).serial_number(1)
    builder = builder.public_key(_uplink_key().public_key())
    builder = builder.not_valid_before(datetime(2026, 3, 14, tzinfo=UTC)).not_valid_after(
        datetime(2027, 3, 14, tzinfo=UTC)
    )
    builder = builder.add_extension(x509.BasicConstraints(False, None), True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)
    return builder.sign(authority, None).public_bytes(Encoding.PEM).decode()


def _renewal() -> Json:
    """With a request of an Ed25519 key, whose signature is always the same."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import NameOID

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, PANEL)])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(_uplink_key(), None)
    return {
        "panel": PANEL,
        "path": "center-1",
        "csr": request.public_bytes(Encoding.PEM).decode(),
        "replaces": sha256(b"fenghuo test vector: certificate").hexdigest(),
        "time": "2026-03-14T23:09:32.000Z",
    }


def _range(first: int, last: int, last_hash: str) -> Json:
    return {"first": first, "last": last, "hash": last_hash}


def _tick(record: Record) -> Json:
    header = record.header
    place = {"panel": PANEL, "journal": JOURNAL, "boot": BOOT, "monotonic_ms": 119_000}
    return place | {"seq": header.seq, "state_hash": header.state_hash}


def _token(who: str, typ: str, payload: Json) -> Json:
    token = signer({"panel": PANEL_SEED, "center": CENTER_SEED, "root": ROOT_SEED}[who]).sign(typ, payload)
    head, body, signature = token.split(".")
    return {
        "signed_by": who,
        "typ": typ,
        "payload": payload,
        "header_canonical": _unb64(head).decode(),
        "payload_canonical": _unb64(body).decode(),
        "signing_input": f"{head}.{body}",
        "signature_hex": _unb64(signature).hex(),
        "token": token,
    }


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def forge(header: bytes, payload: bytes, seed: bytes = CENTER_SEED) -> str:
    """A token of any bytes, with a signature that fits them."""
    body = f"{b64url(header)}.{b64url(payload)}"
    return f"{body}.{b64url(Ed25519PrivateKey.from_private_bytes(seed).sign(body.encode()))}"


def _refused() -> list[Json]:
    """Tokens for a verifier that trusts the center's key and expects a receipt."""
    kid = signer(CENTER_SEED).kid
    good = {"alg": "EdDSA", "kid": kid, "typ": RECEIPT}
    payload = next(value for _, typ, value in _payloads() if typ == RECEIPT)
    body = canonical(payload)
    token = forge(canonical(good), body)
    head, middle, signature = token.split(".")
    other = signer(STRANGER_SEED)

    def headed(change: Mapping[str, Any], drop: str = "") -> str:
        return forge(canonical({k: v for k, v in (good | dict(change)).items() if k != drop}), body)

    flipped = bytearray(_unb64(signature))
    flipped[0] ^= 1
    backwards = payload | {"ranges": [_range(2, 1, GENESIS)]}
    unsigned = f"{b64url(canonical(good | {'alg': 'none'}))}.{middle}."
    cases: list[tuple[str, str, str]] = [
        ("alg none, no signature", "unsigned", unsigned),
        ("alg none with a signature", "unsigned", headed({"alg": "none"})),
        ("alg HS256, keyed with the public key", "unsigned", _hs256(good, body)),
        ("no signature", "unsigned", f"{head}.{middle}."),
        ("no kid", "malformed", headed({}, drop="kid")),
        ("no typ", "malformed", headed({}, drop="typ")),
        ("an extension that must be understood", "malformed", headed({"crit": ["exp"], "exp": 1})),
        ("its own key in the header", "malformed", headed({"jwk": _key(STRANGER_SEED)["jwk"]})),
        ("a header member twice", "malformed", forge(canonical(good)[:-1] + b',"alg":"EdDSA"}', body)),
        ("a payload member twice", "malformed", forge(canonical(good), body[:-1] + b',"lane":"alarm"}')),
        ("a fraction in the payload", "malformed", forge(canonical(good), body[:-1] + b',"more":1.5}')),
        ("a payload that is a list", "malformed", forge(canonical(good), b"[]")),
        ("a payload in UTF-16", "malformed", forge(canonical(good), body.decode().encode("utf-16"))),
        ("a header that is no JSON", "malformed", forge(b"{", body)),
        ("another typ", "wrong-type", headed({"typ": COMMAND})),
        ("a key that is not trusted", "unknown-key", other.sign(RECEIPT, payload)),
        ("a stranger's signature under a trusted kid", "bad-signature", forge(canonical(good), body, STRANGER_SEED)),
        ("one bit of the signature", "bad-signature", f"{head}.{middle}.{b64url(bytes(flipped))}"),
        ("a signature of 63 bytes", "bad-signature", f"{head}.{middle}.{b64url(_unb64(signature)[:-1])}"),
        ("another payload under the signature", "bad-signature", f"{head}.{b64url(canonical(backwards))}.{signature}"),
        ("padding", "malformed", f"{token}=="),
        ("spare bits in the last character", "malformed", _spare_bits(token)),
        ("a line break", "malformed", token + "\n"),
        ("two parts", "malformed", f"{head}.{middle}"),
        ("four parts", "malformed", f"{token}."),
        ("nothing", "malformed", ""),
        ("a member that the receipt does not have", "malformed", forge(canonical(good), canonical(payload | {"a": 1}))),
        ("a range that runs backwards", "malformed", forge(canonical(good), canonical(backwards))),
    ]
    return [{"what": what, "reason": reason, "token": text} for what, reason, text in cases]


def _hs256(header: Json, body: bytes) -> str:
    text = f"{b64url(canonical(header | {'alg': 'HS256'}))}.{b64url(body)}"
    key = signer(CENTER_SEED).public.public_bytes_raw()
    return f"{text}.{b64url(hmac.digest(key, text.encode(), 'sha256'))}"


def _spare_bits(token: str) -> str:
    """The same 64 signature bytes in another spelling: base64url of 64 bytes leaves four bits unused."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + letters[letters.index(token[-1]) + 1]


def envelopes() -> Json:
    """`envelope.json`: what stands on each topic that is not a signed token."""
    chain = [record for record, _ in _chain()]
    messages = {
        "event": ("event/alarm", 1, False, envelope.event(chain[1], stored=False)),
        "event with a thumbnail": ("event/evidence", 1, False, envelope.event(chain[2], True, THUMBNAIL)),
        "batch": ("batch/status", 1, False, [envelope.event(chain[i], stored=True) for i in (0, 3, 4)]),
        "telemetry": ("event/telemetry", 1, False, _telemetry(12)),
        "telemetry batch": ("batch/telemetry", 1, False, [_telemetry(13), _telemetry(14)]),
        "link, online": ("link", 1, True, _link(True, "2026-03-14T23:00:00.000Z")),
        "link, last will": ("link", 1, True, _link(False, None)),
        "state": ("state", 1, True, _state()),
        "part of a picture": ("picture", 1, False, _chunk()),
        "no picture": ("picture", 1, False, {"panel": PANEL, "transfer": _transfer(), "fault": "gone"}),
        "fetch": ("fetch", 1, False, {"transfer": _transfer(), "offset": 24_576, "bytes": 262_144}),
        "certificate": ("certificate", 1, False, {"panel": PANEL, "chain": [_certificate()]}),
    }
    return {
        "about": "`body` is the canonical form of `value`; senders may write the same JSON in another form.",
        "messages": [
            {
                "what": what,
                "topic": topic(PANEL, *words.split("/")),
                "qos": qos,
                "retain": retain,
                "value": value,
                "body": canonical(value).decode(),
            }
            for what, (words, qos, retain, value) in messages.items()
        ],
    }


def _telemetry(number: int) -> Json:
    data = {"steps": 123, "max_rss_kib": 41_210}
    return envelope.telemetry(PANEL, 7, 1_000_000_000 + number, "telemetry.health", "2026-03-14T23:09:00.000Z", data)


def _link(online: bool, time: str | None) -> Json:
    return {"panel": PANEL, "online": online, "order": [7, 1, 2], "time": time}


def _state() -> Json:
    return {
        "panel": PANEL,
        "journal": JOURNAL,
        "seq": 5,
        "time": "2026-03-14T23:09:25.005Z",
        "areas": {
            "hall": {
                "mode": "alarm",
                "part": "",
                "instant": False,
                "alarm": True,
                "exit_error": False,
                "memory": ["front-door"],
            }
        },
        "zones": {
            "front-door": {
                "condition": "active",
                "bypassed": False,
                "isolated": False,
                "alarm": True,
                "shut_down": False,
            }
        },
        "troubles": ["camera:hall-cam"],
        "indications": [{"kind": "alarm.entry", "zone": "front-door", "areas": ["hall"]}],
        "trouble_memory": ["camera:hall-cam"],
        "walk_test": False,
        "installer": False,
    }


def enrolment() -> Json:
    """`enrolment.json`: a code and what follows from it, a request and its answer."""
    from firmware.protocol.enrolment_vectors import enrolment as made

    return made(PANEL, signer(PANEL_SEED), signer(CENTER_SEED), signer(ROOT_SEED), NONCE)


FILES: dict[str, Callable[[], Json]] = {
    "records.json": records,
    "jws.json": jws,
    "envelope.json": envelopes,
    "enrolment.json": enrolment,
}


def text(value: Json) -> str:
    """A file's text."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def main(folder: Path) -> None:
    """Write the files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in FILES.items():
        (folder / name).write_text(text(make()), encoding="utf-8")


if __name__ == "__main__":
    for place in places(sys.argv[1:], __doc__):
        main(place)
