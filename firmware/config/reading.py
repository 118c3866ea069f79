"""Reading a panel file: bytes, TOML, models, the whole; every mistake at once, and never a traceback.

What is loaded stays as it was read, with the hash that goes into the journal.
"""

import hashlib
import tomllib
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from firmware.config.checks import mistakes
from firmware.config.defaults import filled
from firmware.config.loaded import Loaded
from firmware.config.mistakes import BadPanelFile, Finding, Mistake, name_key, shorten
from firmware.config.models import PanelFile
from firmware.config.rows import Document
from firmware.language import Text

MAX_BYTES = 1024 * 1024
MAX_MISTAKES = 200
"""More are counted, not listed."""


def warnings_of(name: str, text: str) -> list[Mistake]:
    """What is allowed in this file's text but seldom meant."""
    from firmware.config.warnings import warnings

    data = plain_days(tomllib.loads(text))
    return _place(name, warnings(Document(data)), text, data)


def load(path: Path) -> Loaded:
    """Read and check a panel file; raises `BadPanelFile` with every mistake."""
    return checked(path, _read(path))


def checked(path: Path, raw: bytes) -> Loaded:
    """These bytes as the panel file of this path, which need not exist yet. Raises `BadPanelFile`."""
    text = _decode(path, raw)
    data = plain_days(_parse(path, text))
    document = Document(data)
    findings: list[Finding] = []
    file = None
    try:
        file = PanelFile.model_validate(filled(data, document.defaults))
    except ValidationError as error:
        from firmware.config.shape import shape  # only a bad file pays for the words

        findings.extend(shape(error))
    findings.extend(mistakes(document))
    if file is None or findings:
        listed = _place(path.name, findings[: 10 * MAX_MISTAKES], text, data)
        raise BadPanelFile(listed[:MAX_MISTAKES], max(0, len(findings) - MAX_MISTAKES))
    return Loaded(path, path.absolute().parent, file, hashlib.sha256(raw).hexdigest(), text)


def plain_days(data: dict[str, Any]) -> dict[str, Any]:
    """Dates of special days are texts; TOML has a type of its own for those that stand without quotes."""
    days = data.get("day")
    if not isinstance(days, list):
        return data

    def plain(value: object) -> object:
        return value.isoformat() if isinstance(value, date) and not isinstance(value, datetime) else value

    rows = [{key: plain(v) for key, v in row.items()} if isinstance(row, dict) else row for row in days]
    return {**data, "day": rows}


def _read(path: Path) -> bytes:
    expected: Text = ("a TOML file that this user can read", "当前用户可读的 TOML 文件")
    try:
        if path.is_dir():
            raise _bad(path, "", expected, ("this is a directory", "这是一个目录"))
        if not path.is_file() and path.exists():
            raise _bad(path, "", expected, ("this is not a plain file", "这不是普通文件"))
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise _bad(path, "", expected, ("there is no such file", "文件不存在")) from None
    except (OSError, ValueError) as error:
        reason = shorten(getattr(error, "strerror", None) or str(error))
        raise _bad(path, reason, expected, ("the file can't be read", "无法读取文件")) from None
    if len(raw) > MAX_BYTES:
        found = f"> {MAX_BYTES} B"
        raise _bad(path, found, (f"at most {MAX_BYTES} bytes", f"至多 {MAX_BYTES} 字节"), ("too large", "文件过大"))
    if not raw.strip():
        raise _bad(path, "", ("[panel], [[area]], [[zone]] …",) * 2, ("the file is empty", "文件为空"))
    return raw


def _decode(path: Path, raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        expected: Text = ("UTF-8 (not GBK or UTF-16)", "UTF-8 编码（不是 GBK 或 UTF-16）")
        found = f"0x{raw[error.start]:02x}"
        raise _bad(path, found, expected, ("a byte that is not UTF-8", "含有非 UTF-8 字节"), line) from None


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        from firmware.config.syntax import syntax

        raise _bad(path, *syntax(str(error), text)) from None
    except (ValueError, RecursionError) as error:
        deep = isinstance(error, RecursionError)
        said: Text = ("nested too deeply", "嵌套过深") if deep else ("a number has too many digits", "数字位数过多")
        raise _bad(path, "", ("TOML of a sane size", "正常规模的 TOML"), said) from None


def _bad(path: Path, found: str, expected: Text, text: Text, line: int | None = None) -> BadPanelFile:
    return BadPanelFile([Mistake(path.name or str(path), line, "", found, expected, text)])


def _place(file: str, findings: Iterable[Finding], text: str, data: dict[str, Any]) -> list[Mistake]:
    from firmware.config.places import line_of, places  # only where there is something to say

    lines = places(text)
    placed = [
        Mistake(file, line_of(f.loc, lines), name_key(f.loc, data), f.found, f.expected, f.text) for f in findings
    ]
    return sorted(placed, key=lambda m: (m.line is None, m.line or 0))
