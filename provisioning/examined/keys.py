"""The keys and certificates that a panel file names, and core's own: there, whose, who else may read them, until when.

Nothing of a key is read or told but its owner and rights; a certificate is read for its days.
"""

import pwd
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509

from firmware.config import Loaded
from firmware.language import Text, pick
from provisioning.diagnosis import Finding
from provisioning.examined.remedies import OF_BOARD

SOON = timedelta(days=30)
_MAX_CERTIFICATE = 256 * 1024
_USERS = "fenghuo-"
_CLOSED = 0o077


@dataclass(frozen=True)
class Secret:
    """A file that only the panel's process `user` may read. `about`: whose it is. `made`: the panel makes it itself."""

    path: Path
    about: str
    user: str
    enrolled: bool = False
    made: bool = False


def secrets(loaded: Loaded) -> list[Secret]:
    """All that this panel has."""
    folder, keys = loaded.folder, loaded.data / "keys"
    found = [Secret(keys / name, f"core/{name}", "core", made=True) for name in ("core.pem", "pepper")]
    for path in loaded.file.path:
        if path.kind != "sms" and path.tls is not None:
            found.append(Secret(folder / path.tls.key, f"{path.id}/key", "uplink", enrolled=True))
        if path.kind == "dc09" and path.key_file:
            found.append(Secret(folder / path.key_file, f"{path.id}/key_file", "uplink"))
        if path.kind == "sms" and path.pin_file:
            found.append(Secret(folder / path.pin_file, f"{path.id}/pin_file", "uplink"))
    for camera in loaded.file.camera:
        if camera.secret_file:
            found.append(Secret(folder / camera.secret_file, f"{camera.id}/secret_file", "camera"))
    return found


def findings(loaded: Loaded, now: datetime | None = None) -> list[Finding]:
    """All there is to do about them, at this moment (UTC)."""
    found = [finding for secret in secrets(loaded) for finding in _secret(secret)]
    for path in loaded.file.path:
        if path.kind != "sms" and path.tls is not None:
            for name, file in (("certificate", path.tls.certificate), ("ca", path.tls.ca)):
                found += _certificate(loaded.folder / file, f"{path.id}/{name}", now or datetime.now(UTC))
    return found


def _secret(secret: Secret) -> Iterator[Finding]:
    about = f"keys/{secret.about}"
    try:
        found = secret.path.stat()
    except FileNotFoundError:
        if not secret.made:  # core makes its own at its first start
            do = OF_BOARD["key-missing" if secret.enrolled else "secret-missing"]
            yield Finding(about, "fault", _no_file(secret.path), do)
        return
    except OSError as error:
        yield Finding(about, "warning", _said(secret.path, error), OF_BOARD["key-unread"])
        return
    mode = stat.S_IMODE(found.st_mode)
    if mode & _CLOSED:
        what = (
            f"{secret.path.name}: rights {mode:04o}, expected 0600",
            f"{secret.path.name}：权限 {mode:04o}，应为 0600",
        )
        yield Finding(about, "fault", what, _filled("key-open", file=secret.path))
    owner, expected = _name(found.st_uid), _USERS + secret.user
    if _exists(expected) and owner != expected:
        what = (
            f"{secret.path.name}: of {owner}, expected {expected}",
            f"{secret.path.name}：属主 {owner}，应为 {expected}",
        )
        yield Finding(about, "fault", what, _filled("key-owner", owner=expected, file=secret.path))


def _certificate(path: Path, about: str, now: datetime) -> Iterator[Finding]:
    about = f"keys/{about}"
    try:
        with path.open("rb") as file:
            certificates = x509.load_pem_x509_certificates(file.read(_MAX_CERTIFICATE))
    except FileNotFoundError:
        yield Finding(about, "fault", _no_file(path), OF_BOARD["key-missing"])
        return
    except OSError as error:
        yield Finding(about, "warning", _said(path, error), OF_BOARD["key-unread"])
        return
    except ValueError:
        what = (f"{path.name}: no certificate in PEM form", f"{path.name}：不是 PEM 格式证书")
        yield Finding(about, "fault", what, OF_BOARD["key-broken"])
        return
    end = min(certificate.not_valid_after_utc for certificate in certificates)
    begin = max(certificate.not_valid_before_utc for certificate in certificates)
    if now < begin:
        what = (
            f"it counts from {begin:%Y-%m-%d} on only: look at the clock",
            f"自 {begin:%Y-%m-%d} 起生效：请检查时钟",
        )
        yield Finding(about, "fault", what, OF_BOARD["clock"])
    elif end < now + SOON:
        what = (
            (f"ended on {end:%Y-%m-%d}", f"已于 {end:%Y-%m-%d} 到期")
            if end < now
            else (f"ends on {end:%Y-%m-%d}", f"将于 {end:%Y-%m-%d} 到期")
        )
        yield Finding(about, "fault" if end < now else "warning", what, OF_BOARD["certificate"])


def _no_file(path: Path) -> Text:
    return (f"there is no {path}", f"没有文件 {path}")


def _said(path: Path, error: OSError) -> Text:
    return (f"{path}: {error.strerror}", f"{path}：{error.strerror}")


def _filled(name: str, **values: object) -> Text:
    return (pick(OF_BOARD[name], "en", **values), pick(OF_BOARD[name], "zh", **values))


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
