"""The bundle as a ZIP file: its parts, what could not be had, and the list of what was taken out.

It is written beside its place and moved there when it is whole, readable for its owner alone.
"""

import hashlib
import json
import os
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from firmware.language import Text
from firmware.version import VERSION
from provisioning.support.parts import MAX_PART, PARTS, Panel
from provisioning.support.scrub import KINDS

_READ_ME: Text = (
    "Support bundle of a Fenghuo panel, version {version}.\n\nParts:\n{parts}\nTaken out:\n{taken}\n{unread}"
    "Read it before you send it on: it still says how the site is built.\n",
    "烽火主机支持包，版本 {version}。\n\n内容：\n{parts}\n已移除：\n{taken}\n{unread}"
    "发送前请查看：其中仍包含现场的构成。\n",
)
_CUT: Text = ("cut, the newest is kept", "已截断，保留最新部分")
_NOTHING: Text = ("nothing", "无")
_UNREAD: Text = (
    "These files hold secrets and could not be read, so their words were not looked for: {files}\n",
    "以下文件含有秘密但无法读取，故未按其内容查找：{files}\n",
)


@dataclass(frozen=True)
class Part:
    """`missing`: why it could not be had. `cut`: its beginning was left out."""

    name: str
    data: bytes
    missing: str = ""
    cut: bool = False

    def row(self) -> dict[str, Any]:
        """For the list of parts."""
        if self.missing:
            return {"name": self.name, "missing": self.missing}
        return {
            "name": self.name,
            "bytes": len(self.data),
            "sha256": hashlib.sha256(self.data).hexdigest(),
            "cut": self.cut,
        }


@dataclass(frozen=True)
class Bundle:
    """All parts, and how many of which kind were taken out of which."""

    parts: list[Part]
    taken: Mapping[tuple[str, str], int]
    unread: list[str]

    def manifest(self) -> dict[str, Any]:
        """As `manifest.json` has it, and `--json` prints it."""
        return {
            "version": VERSION,
            "parts": [part.row() for part in self.parts],
            "taken_out": [
                {"part": part, "kind": kind, "count": count, "en": KINDS[kind][0], "zh": KINDS[kind][1]}
                for (part, kind), count in sorted(self.taken.items())
            ],
            "unread_secret_files": self.unread,
        }


def gather(panel: Panel) -> Bundle:
    """Every part, one after the other; what goes wrong in one is told in its place and stops no other."""
    parts = [_part(name, panel) for name in PARTS]
    return Bundle(parts, dict(panel.scrub.taken), list(panel.known.unread))


def _part(name: str, panel: Panel) -> Part:
    try:
        data = PARTS[name](panel).encode()
    except Exception as error:  # a part for a panel that is broken in any way must not cost the others
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        return Part(name, b"", panel.scrub.text(name, reason)[:300])
    if len(data) <= MAX_PART:
        return Part(name, data)
    end = data[-MAX_PART:]
    return Part(name, end[end.find(b"\n") + 1 :], cut=True)


def write(bundle: Bundle, out: Path) -> None:
    """The ZIP file, whole or not at all. Raises `OSError`."""
    part = out.with_name(f".{out.name}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, data in _members(bundle):
                    archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
            file.flush()
            os.fsync(file.fileno())
        part.replace(out)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise


def _members(bundle: Bundle) -> list[tuple[str, bytes]]:
    manifest = json.dumps(bundle.manifest(), ensure_ascii=False, indent=1).encode()
    read_me = "\n".join(_read_me(bundle, index) for index in (0, 1)).encode()
    there = [(part.name, part.data) for part in bundle.parts if not part.missing]
    return [("README.txt", read_me), ("manifest.json", manifest), *there]


def _read_me(bundle: Bundle, lang: int) -> str:
    parts = "".join(
        f"  {part.name}{': ' + part.missing if part.missing else ''}{' (' + _CUT[lang] + ')' if part.cut else ''}\n"
        for part in bundle.parts
    )
    taken = "".join(f"  {part}: {KINDS[kind][lang]}: {count}\n" for (part, kind), count in sorted(bundle.taken.items()))
    unread = _UNREAD[lang].format(files=", ".join(bundle.unread)) if bundle.unread else ""
    return _READ_ME[lang].format(version=VERSION, parts=parts, taken=taken or f"  {_NOTHING[lang]}\n", unread=unread)
