"""A sound acceptance report without a panel: of the demo's bank, with made-up results, signed by a key of ours.

For the fuzzer and for the tests of what checks a report.
"""

import io
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from firmware.config import Loaded
from firmware.config.reading import checked
from firmware.language import Language
from firmware.protocol.canonical import sha256_hex
from firmware.protocol.jws import Signer, b64url
from firmware.protocol.typ import ACCEPTANCE
from provisioning.accept import bundle
from provisioning.accept.account import ACCOUNT, Account, Who, account
from provisioning.accept.judging import judged
from provisioning.accept.page import page
from provisioning.accept.plan import Act, plan
from provisioning.accept.results import Figure, PictureOf, Place, Result, Run, Sample


def _picture() -> bytes:
    """A small grey JPEG."""
    from PIL import Image

    out = io.BytesIO()
    Image.new("L", (64, 48), 128).save(out, "JPEG")
    return out.getvalue()


RUN = "0123456789abcdef" * 2
SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(sha256(b"fenghuo fuzz: report").digest()))
TIME = "2026-03-15T08:00:00.000Z"
MADE = 1_773_561_600.0
PICTURE = _picture()
JOURNAL = "8f14e45f-ceea-4e7a-9c0d-5b2f1a6d3e47"


def site() -> Loaded:
    """The demo's bank."""
    text = (files("hil") / "demo.toml").read_text()
    x = b64url(SIGNER.public.public_bytes_raw())
    for name, value in (("HOST", "127.0.0.1"), ("PORT", "1883"), ("RECEIPT_KEY", x), ("COMMAND_KEY", x)):
        text = text.replace(f"@{name}@", value)
    return checked(Path("panel.toml"), text.encode())


def place(seq: int, kind: str) -> Place:
    """A record."""
    return Place(JOURNAL, seq, sha256_hex(str(seq).encode()), kind, TIME)


def run_of(loaded: Loaded, bad: Mapping[str, Result] | None = None) -> Run:
    """A run in which all passed, but for these."""
    samples = tuple(
        Sample(
            "box-tamper", 20 + n, 21 + n * 7 % 40, "siren-inside" if n % 2 else "record", 80 + n * 13 % 90, "c", "edge"
        )
        for n in range(30)
    )
    figures: dict[Act, dict[str, Figure]] = {
        Act.RESPONSE: judged(list(samples), True),
        Act.TRIP: {"local_ms": 301, "at": "record", "center_ms": 364, "path": "center-1"},
        Act.STANDBY: {"hours": 9.5, "basis": "typed", "least_h": 8.0},
    }
    results = tuple(
        (bad or {}).get(step.id)
        or Result(step.id, "passed", TIME, "王工", figures=dict(figures.get(step.act, {})), record=place(n, "test.x"))
        for n, step in enumerate(plan(loaded.file), 2)
    )
    taken = PictureOf("lobby", "lobby.jpg", sha256_hex(PICTURE), 640, 480, TIME, "person")
    begun, ended = place(1, "acceptance.begun"), place(99, "acceptance.ended")
    panel = loaded.file.panel.id
    return Run(panel, RUN, loaded.sha256, (begun,), ended, results, samples, (taken,), 97, 97)


@lru_cache(maxsize=4)
def sound() -> Account:
    """The account of that run."""
    loaded = site()
    run = run_of(loaded)
    return account(loaded, run, place(99, "acceptance.ended"), "王工 Wang", Who("李伟", "王工", ""), MADE)


def small() -> Account:
    """The same with few steps and no wiring, and without samples: quick to check."""
    whole = sound()
    header = {"zh": (), "en": ()}
    return replace(whole, steps=whole.steps[:2], samples=(), wiring=header, zones=header)  # type: ignore[arg-type]


def parts(found: Account) -> dict[str, bytes]:
    """The files of its report, without PDF."""
    languages: tuple[Language, Language] = ("zh", "en")
    made = {f"report.{lang}.html": page(found, {"lobby.jpg": PICTURE}, lang).encode() for lang in languages}
    data = {bundle.DATA["acceptance"]: ACCOUNT.dump_json(found, indent=1), "pictures/lobby.jpg": PICTURE}
    return {**data, **made, bundle.KEYS: bundle.keys_file([SIGNER.public])}


def token(listed: bytes, signer: Signer = SIGNER, **other: str) -> str:
    """The signature over a manifest."""
    claim = {"panel": "bank-demo", "what": "acceptance", "run": RUN, "user": "fitter", "by": "王工", "time": TIME}
    return signer.sign(ACCEPTANCE, {**claim, "manifest": sha256_hex(listed), **other})


def zipped(made: Mapping[str, bytes], listed: bytes | None = None, jws: str = "", **extra: bytes) -> bytes:
    """The report as a ZIP; what is given takes the place of what would be right."""
    listed = bundle.manifest("acceptance", "bank-demo", RUN, made) if listed is None else listed
    whole = {**made, bundle.MANIFEST: listed, bundle.SIGNATURE: (jws or token(listed)).encode(), **extra}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in whole.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return out.getvalue()
