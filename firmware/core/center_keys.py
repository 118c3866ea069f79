"""The alarm center's keys as they count now: those of the panel file, or of the newest exchange that the center made.

The center exchanges its keys from afar by a numbered list that a root key has signed; the root's private part is kept
offline. Of the file's list and the newest exchanged one that with the greater number counts, so an older panel file
never brings a revoked key back. An exchange whose root key is no longer in the file does not count.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from firmware.config.keys import is_public_key
from firmware.core.refusals import Refusals
from firmware.protocol.canonical import canonical
from firmware.protocol.jws import KeyRing, Refused, key_id, kid_of, load_public
from rules.stimuli import KeysTold

if TYPE_CHECKING:
    from firmware.config import Center
    from firmware.protocol.signed import KeyRotation

log = logging.getLogger("fenghuo.core.center-keys")


@dataclass(frozen=True)
class CenterKeys:
    """One list. `by`: `file` or `center`; `root`: id of the key that signed it; `authorities`: PEM certificates."""

    by: str
    serial: int
    receipt: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    root: str = ""
    authorities: tuple[str, ...] = ()

    def kept(self) -> str:
        """As the state keeps it; `in_force` reads it."""
        members = {
            "serial": self.serial,
            "root": self.root,
            "receipt": list(self.receipt),
            "command": list(self.command),
            "authorities": list(self.authorities),
        }
        return canonical(members).decode()


def in_force(center: "Center | None", kept: str) -> CenterKeys:
    """The list that counts. `kept`: the newest exchange of the state, empty for none."""
    if center is None:
        return CenterKeys("file", 0)
    file = CenterKeys("file", center.keys_serial, tuple(center.receipt_keys), tuple(center.command_keys))
    exchanged = _read(kept)
    if exchanged is None or exchanged.serial <= file.serial or exchanged.root not in _kids(center.root_keys):
        return file
    return exchanged


def told(keys: CenterKeys, kept: str | None = None) -> KeysTold:
    """What the rules hear of it; with `kept` it is a new exchange."""
    prints = tuple(sha256(pem.encode()).hexdigest() for pem in keys.authorities)
    receipt, command = _kids(keys.receipt), _kids(keys.command)
    return KeysTold(keys.by, keys.serial, receipt, command, keys.root, prints, kept)


def _read(kept: str) -> CenterKeys | None:
    if not kept:
        return None
    try:
        members = json.loads(kept)
        lists = (tuple(members[name]) for name in ("receipt", "command", "authorities"))
        receipt, command, authorities = lists
        return CenterKeys("center", members["serial"], receipt, command, members["root"], authorities)
    except (ValueError, KeyError, TypeError) as error:
        log.error("the kept keys of the center can't be read, the panel file's count: %s", error)
        return None


def _kids(keys: "list[str] | tuple[str, ...]") -> tuple[str, ...]:
    return tuple(key_id(load_public(x)) for x in keys)


class Rings:
    """The keys that receipts and commands are checked with; both change in one call. On the socket thread only."""

    def __init__(self, keys: CenterKeys) -> None:
        self.receipt = KeyRing([])
        self.command = KeyRing([])
        self.keys = keys
        self.use(keys)

    def use(self, keys: CenterKeys) -> None:
        """From now on these count, and no others."""
        receipt, command = ([load_public(x) for x in some] for some in (keys.receipt, keys.command))
        self.receipt.replace(receipt)
        self.command.replace(command)
        self.keys = keys


class Exchanges:
    """Checks the exchanges that come in. On the socket thread only."""

    def __init__(
        self, panel: str, roots: list[str], rings: Rings, refusals: Refusals, submit: Callable[[KeysTold], bool]
    ) -> None:
        """`roots`: the root keys of the panel file; without any no exchange counts."""
        self._panel = panel
        self._roots = KeyRing([load_public(x) for x in roots])
        self._rings = rings
        self._refusals = refusals
        self._submit = submit

    def received(self, token: str) -> None:
        """A token came in on the topic `keys`. The rules decide, and `Rings.use` follows when that is durable.

        The list that counts already is not news: the center sends it until a heartbeat shows its number.
        """
        from firmware.protocol.signed import read_keys

        try:
            rotation = read_keys(self._roots, token)
            keys = self._checked(rotation, kid_of(token))
            if keys != self._rings.keys and not self._submit(told(keys, keys.kept())):
                raise Refused("busy", "too much waits to be decided")
        except Refused as refused:
            self._refusals.note("keys", refused.reason, refused.detail)

    def _checked(self, rotation: "KeyRotation", root: str) -> CenterKeys:
        if rotation.panel not in (self._panel, "*"):
            raise Refused("wrong-panel", f"for {rotation.panel!r}")
        for name in ("receipt_keys", "command_keys"):
            keys = getattr(rotation, name)
            if wrong := next((x for x in keys if not is_public_key(x)), None):
                raise Refused("malformed", f"{name}: {wrong} is no public key")
            if len(set(keys)) < len(keys):
                raise Refused("malformed", f"{name}: a key stands twice")
        for number, pem in enumerate(rotation.authorities):
            _check_authority(number, pem)
        lists = (tuple(rotation.receipt_keys), tuple(rotation.command_keys))
        keys = CenterKeys("center", rotation.serial, *lists, root, tuple(rotation.authorities))
        serial = self._rings.keys.serial
        if keys != self._rings.keys and rotation.serial <= serial:
            raise Refused("replayed", f"serial {rotation.serial}, expected more than {serial}")
        return keys


def _check_authority(number: int, pem: str) -> None:
    from cryptography import x509  # few exchanges bring certificates, and a start must not wait for it

    try:
        found = x509.load_pem_x509_certificate(pem.encode())
        is_authority = found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (ValueError, x509.ExtensionNotFound) as error:
        raise Refused("malformed", f"authorities.{number}: {error}") from None
    if not is_authority:
        raise Refused("malformed", f"authorities.{number}: not the certificate of an authority")
