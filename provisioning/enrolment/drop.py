"""`enrol.json`: what a flashed card brings for an enrolment that nobody attends (docs/enrolment.md)."""

from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from firmware.durable import sync_folder
from firmware.language import Text, pick
from firmware.protocol.one_time_code import BadCode, printed, read_code

MAX_BYTES = 64 * 1024
PEM = r"^(-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)*$"
_BAD: Text = ("{file}: {where}: {why}", "{file}：{where}：{why}")


class BadDrop(ValueError):
    """A file that can't be used; the text never holds its code."""


def center_url(text: str) -> str:
    """`https://HOST[:PORT]`, nothing else. Raises `ValueError`."""
    parts = urlsplit(text)
    if parts.port == 0 or parts.scheme != "https" or not parts.hostname:
        raise ValueError("expected https://HOST:PORT")
    if parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc or not text.isascii():
        raise ValueError("expected https://HOST:PORT and nothing behind it")
    return text.rstrip("/")


def _code(text: str) -> str:
    try:
        return printed(read_code(text))
    except BadCode as bad:
        raise ValueError(f"no one-time code ({bad.reason})") from None


class Drop(BaseModel):
    """The file. `ca`: PEM of the CA of the center's HTTPS server, may be empty: the code binds both directions."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    center: Annotated[str, Field(max_length=300), AfterValidator(center_url)]
    code: Annotated[str, Field(max_length=64, repr=False), AfterValidator(_code)]
    ca: str = Field(default="", max_length=32 * 1024, pattern=PEM)
    path: str = Field(default="", pattern=r"^([a-z0-9][a-z0-9-]{0,47})?$", description="empty: the first one with TLS")
    take_keys: bool = False


def read_drop(file: Path) -> Drop:
    """The file. Raises `BadDrop`."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise BadDrop(pick(_BAD, file=file, where="-", why=f"> {MAX_BYTES} B"))
        return Drop.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"])) or "JSON"
        raise BadDrop(pick(_BAD, file=file, where=where, why=first["msg"])) from None
    except OSError as error:
        raise BadDrop(pick(_BAD, file=file, where="-", why=error.strerror)) from None


def forget(file: Path) -> None:
    """The code has done its work: the file goes, durably. Raises `OSError`."""
    file.unlink(missing_ok=True)
    sync_folder(file.parent)
