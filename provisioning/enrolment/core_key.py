"""Core's part where it may not run: the signature under a request by its key on disk, a record left for its start."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from firmware.clock import SystemClock, utc_text
from firmware.config import Loaded
from firmware.core import enrolled_later
from firmware.core.keys import BadKey, Keys, load_or_make
from firmware.core.lock import NAME as LOCK
from firmware.core.lock import AlreadyRunning, DataLock
from firmware.durable import sync_folder
from firmware.language import pick
from firmware.protocol.jws import b64url
from firmware.protocol.messages import Enrolled, SignEnrolment
from firmware.protocol.typ import ENROLMENT
from provisioning.enrolment.owner import CORE, Owner
from provisioning.enrolment.trouble import Trouble
from provisioning.technician import SOCKET, NoAnswer, connected

STARTS_S = 10.0
"""So long core has from its lock to its socket, or the other way round."""


def runs(loaded: Loaded) -> bool:
    """Whether core answers at its socket."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(5)
            probe.connect(str(loaded.run / SOCKET))
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def signed(loaded: Loaded, csr: str, nonce: str) -> str:
    """The request's JWS. Raises `Trouble`."""
    if runs(loaded):
        try:
            with connected(loaded) as technician:
                return str(technician.ask(SignEnrolment(csr=csr, nonce=nonce)).detail["jws"])
        except (NoAnswer, KeyError) as error:
            raise Trouble("core", again=True, detail=error) from None
    try:
        signer = _keys(loaded.data).signer
    except AlreadyRunning as error:  # it starts or stops just now
        raise Trouble("core", again=True, detail=pick(error.text)) from None
    except (BadKey, OSError) as error:
        raise Trouble("core", detail=error) from None
    key = b64url(signer.public.public_bytes_raw())
    now = utc_text(SystemClock().utc())
    payload = {"panel": loaded.file.panel.id, "csr": csr, "key": key, "nonce": nonce, "time": now}
    return signer.sign(ENROLMENT, payload)


Recording = Literal["recorded", "later", "no"]
"""It is in the journal; core records it at its next start; neither."""


def recorded(loaded: Loaded, told: list[Enrolled]) -> Recording:
    """Have it recorded: by core where it runs, else left for its next start."""
    until = time.monotonic() + STARTS_S
    while not runs(loaded):
        try:
            return _left(loaded.data, told)
        except AlreadyRunning:  # it starts or stops just now
            if time.monotonic() > until:
                return "no"
            time.sleep(0.2)
    with suppress(NoAnswer), connected(loaded) as technician:
        for each in told:
            technician.ask(each)
        return "recorded"
    return "no"


def _left(data: Path, told: list[Enrolled]) -> Recording:
    """Raises `AlreadyRunning`."""
    owner = Owner.of(CORE, data)
    file = data / enrolled_later.NAME
    part = file.with_name(f"{file.name}.part")
    now = utc_text(SystemClock().utc())
    try:
        with _folder(data, owner):
            late = enrolled_later.read(data)
            there = {(one.enrolled.path, one.enrolled.certificate) for one in late}
            late += [
                enrolled_later.Late(time=now, enrolled=each)
                for each in told
                if (each.path, each.certificate) not in there
            ]
            if len(late) > enrolled_later.MOST:
                return "no"
            owner.write(part, enrolled_later.written(late), 0o600)
            part.replace(file)
            sync_folder(data)
    except (enrolled_later.BadLeft, OSError):
        return "no"
    return "later"


@contextmanager
def _folder(data: Path, owner: Owner) -> Iterator[None]:
    """Core's data folder, while nobody else may have it. Raises `AlreadyRunning`, `OSError`."""
    owner.folder(data, 0o755)
    lock = DataLock(data)
    try:
        yield
        owner.give(data / LOCK)
    finally:
        lock.release()


def _keys(data: Path) -> Keys:
    """As core would make them; they belong to core's user."""
    owner = Owner.of(CORE, data)
    with _folder(data, owner):
        keys = load_or_make(data / "keys")
        for name in ("keys", "keys/core.pem", "keys/core.jwk", "keys/pepper"):
            owner.give(data / name)
        return keys
