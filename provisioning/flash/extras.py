"""What else a first boot takes from the card: the installer's SSH keys and the network's settings, checked before."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from firmware.language import pick
from provisioning.flash import texts as t
from provisioning.flash.refusal import said

MAX_BYTES = 64 * 1024
AUTHORIZED_KEYS = "authorized_keys"
_KINDS = ("ssh-", "ecdsa-", "sk-")


class BadExtra(ValueError):
    """A file that can't be used, in words."""


def read_extras(keys: Path | None, networks: Sequence[Path]) -> dict[str, bytes]:
    """The files by their names on the card. Raises `BadExtra`."""
    found: dict[str, bytes] = {}
    if keys is not None:
        text = _text(keys)
        if not list(_public_keys(keys, text)):
            raise BadExtra(pick(t.NO_SSH_KEY, file=keys))
        found[AUTHORIZED_KEYS] = text.encode()
    for file in networks:
        text = _text(file)
        if file.suffix != ".network" or "[Match]" not in text:
            raise BadExtra(pick(t.NO_NETWORK, file=file))
        if file.name in found:
            raise BadExtra(pick(t.TWICE, file=file))
        found[file.name] = text.encode()
    return found


def _public_keys(file: Path, text: str) -> Iterator[str]:
    """The key lines; every other line is a mistake, and a private key never leaves by a card."""
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        words = line.split()
        at = next((i for i, word in enumerate(words) if word.startswith(_KINDS)), len(words))
        try:
            load_ssh_public_key(" ".join(words[at : at + 2]).encode())
        except (ValueError, UnsupportedAlgorithm):
            raise BadExtra(pick(t.BAD_SSH_KEY, file=file, line=number)) from None
        yield line


def _text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise BadExtra(pick(t.TOO_LONG, file=file, most=MAX_BYTES))
        return data.decode()
    except OSError as error:
        raise BadExtra(pick(t.UNREADABLE, file=file, why=said(error))) from None
    except UnicodeDecodeError:
        raise BadExtra(pick(t.NO_TEXT, file=file)) from None
