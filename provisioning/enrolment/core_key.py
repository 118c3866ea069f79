"""Core's signature under a request: over the technician's socket, or by its key on disk where core does not run."""

import socket
from contextlib import suppress
from pathlib import Path

from firmware.clock import SystemClock, utc_text
from firmware.config import Loaded
from firmware.core.keys import BadKey, Keys, load_or_make
from firmware.core.lock import NAME as LOCK
from firmware.core.lock import AlreadyRunning, DataLock
from firmware.language import pick
from firmware.protocol.jws import b64url
from firmware.protocol.messages import Enrolled, SignEnrolment
from firmware.protocol.typ import ENROLMENT
from provisioning.enrolment.owner import CORE, Owner
from provisioning.enrolment.trouble import Trouble
from provisioning.technician import SOCKET, NoAnswer, connected


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
    time = utc_text(SystemClock().utc())
    payload = {"panel": loaded.file.panel.id, "csr": csr, "key": key, "nonce": nonce, "time": time}
    return signer.sign(ENROLMENT, payload)


def recorded(loaded: Loaded, told: list[Enrolled]) -> bool:
    """Have it recorded, where core runs; whether it was."""
    if not runs(loaded):
        return False
    with suppress(NoAnswer), connected(loaded) as technician:
        for each in told:
            technician.ask(each)
        return True
    return False


def _keys(data: Path) -> Keys:
    """As core would make them, while nobody else may; they belong to core's user."""
    owner = Owner.of(CORE, data)
    owner.folder(data, 0o755)
    lock = DataLock(data)
    try:
        keys = load_or_make(data / "keys")
        for name in (LOCK, "keys", "keys/core.pem", "keys/core.jwk", "keys/pepper"):
            owner.give(data / name)
        return keys
    finally:
        lock.release()
