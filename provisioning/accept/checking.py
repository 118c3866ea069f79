"""Checks a report and names everything that is wrong with it: signature, files, and that its pages tell what its data
tell. A report comes from anywhere: names, sizes and counts are bounded before anything is read.
"""

import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import IO, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from firmware.language import Language, Text, pick, speaking
from firmware.protocol.canonical import sha256_hex
from firmware.protocol.jws import KeyRing, Refused, key_id, load_public
from firmware.protocol.signed import SignedReport, read_report
from provisioning.accept.account import ACCOUNT, Account, software
from provisioning.accept.bundle import DATA, KEYS, MANIFEST, MAX_FILE, MAX_FILES, PICTURES, SIGNATURE, Manifest
from provisioning.accept.judging import Failed, judged
from provisioning.accept.page import cells, fact_name, fact_values, response_rows, verdict
from provisioning.accept.trial_account import TRIAL, Trial
from provisioning.accept.trial_page import rows as trial_rows

MAX_KEYS = 32
Rows = Mapping[str, list[str]]
"""The cells of a page's rows by their ids."""

SAYS: dict[str, Text] = {
    "not-a-report": ("not a report: {found}", "不是报告：{found}"),
    "missing": ("{place}: missing", "{place}：缺失"),
    "extra": ("{place}: not named by the manifest", "{place}：清单未列出"),
    "altered": ("{place}: altered", "{place}：被改动"),
    "unreadable": ("{place}: can't be read: {found}", "{place}：无法读取：{found}"),
    "signature": ("{place}: not signed by the panel: {found}", "{place}：主机签名无效：{found}"),
    "key": ("the report is not signed by the panel's key", "报告并非由该主机密钥签名"),
    "other": ("{place}: of another panel or run than the signature tells", "{place}：与签名所述主机或测试不符"),
    "page": ("{place}: tells something else than the data: {found}", "{place}：与数据不一致：{found}"),
    "verdict": ("{place}: the verdict does not follow from the results", "{place}：结论与测试结果不符"),
    "figures": ("{place}: the figures do not follow from the samples: {found}", "{place}：数据与样本不符：{found}"),
    "picture": ("{place}: not the picture that the data name", "{place}：与数据所列图像不符"),
    "record": ("the panel's journal does not tell of this report", "主机日志中没有该报告的签名记录"),
}
NOTES: dict[str, Text] = {
    "unpinned": (
        "the key was not compared with the panel's own: give --key or --config; its id is {kid}",
        "未与主机公钥比对：请给出 --key 或 --config；密钥标识 {kid}",
    ),
    "version": (
        "made by another build ({version}): its pages are signed, but not compared with its data; that build can",
        "由其他版本（{version}）生成：页面已签名，但未与数据比对；可用该版本比对",
    ),
}


@dataclass
class Checked:
    """What the check gave; the report is genuine where nothing was found. `codes`: what was found, for programs."""

    found: list[str] = field(default_factory=list)
    codes: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    claim: SignedReport | None = None
    data: Any = None
    files: int = 0
    kid: str = ""

    def wrong(self, code: str, place: str = "", found: object = "") -> None:
        """Add a finding."""
        self.codes.append((code, place))
        self.found.append(pick(SAYS[code], place=place, found=str(found)[:200]))


class _Stop(Exception):
    """Nothing more can be checked."""


class _Files:
    """The files of a report, each read once, bounded. Raises `_Stop` where it is none."""

    def __init__(self, place: Path | IO[bytes], checked: Checked) -> None:
        self._checked = checked
        self._read: dict[str, bytes] = {}
        if isinstance(place, Path) and place.is_dir():
            self._of_folder(place)
        else:
            self._of_zip(place)

    def _of_folder(self, folder: Path) -> None:
        found = sorted(path for path in folder.rglob("*") if not path.is_dir())
        if len(found) > MAX_FILES:
            self.stop("not-a-report", found=f"{len(found)} files")
        for path in found:
            name = str(path.relative_to(folder))
            if path.is_symlink() or path.stat().st_size > MAX_FILE:
                self.stop("unreadable", name, "a link, or too large")
            self._read[name] = path.read_bytes()

    def _of_zip(self, place: Path | IO[bytes]) -> None:
        try:
            with zipfile.ZipFile(place) as archive:
                entries = archive.infolist()
                if len(entries) > MAX_FILES or len({e.filename for e in entries}) != len(entries):
                    self.stop("not-a-report", found=f"{len(entries)} entries")
                if any(entry.file_size > MAX_FILE for entry in entries):
                    self.stop("not-a-report", found="too large")
                for entry in entries:
                    self._one(archive, entry)
        except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError, ValueError) as error:
            self.stop("not-a-report", found=error)

    def _one(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
        try:
            self._read[entry.filename] = archive.read(entry)
        except zipfile.BadZipFile:
            self._checked.wrong("altered", entry.filename)

    def stop(self, code: str, place: str = "", found: object = "") -> None:
        """Add a finding behind which nothing can be checked. Raises `_Stop`."""
        self._checked.wrong(code, place, found)
        raise _Stop

    def names(self) -> set[str]:
        """All names."""
        return set(self._read)

    def get(self, name: str) -> bytes | None:
        """The bytes of a file."""
        return self._read.get(name)

    def need(self, name: str) -> bytes:
        """The bytes of a file that has to be there. Raises `_Stop`."""
        data = self._read.get(name)
        if data is None:
            self.stop("missing", name)
        return data or b""


def check(place: Path | IO[bytes], key: Ed25519PublicKey | None = None) -> Checked:
    """Check a report; `key`: the panel's, as it is known from elsewhere. Raises `OSError` where it can't be read."""
    checked = Checked()
    with suppress(_Stop):
        _check(_Files(place, checked), key, checked)
    return checked


def _check(files: _Files, key: Ed25519PublicKey | None, checked: Checked) -> None:
    ring = _keys(files, checked)
    listed = files.need(MANIFEST)
    try:
        claim = checked.claim = read_report(ring, files.need(SIGNATURE).decode("ascii", "replace"))
    except Refused as refused:
        files.stop("signature", SIGNATURE, refused)
        return
    if key is not None and key_id(key) != checked.kid:
        checked.wrong("key")
    if key is None:
        checked.notes.append(pick(NOTES["unpinned"], kid=checked.kid))
    if claim.manifest != sha256_hex(listed):
        files.stop("altered", MANIFEST)
    try:
        told = Manifest.model_validate_json(listed)
    except ValidationError as error:
        files.stop("unreadable", MANIFEST, error.errors()[0]["msg"])
        return
    if (told.panel, told.run, told.what) != (claim.panel, claim.run, claim.what):
        checked.wrong("other", MANIFEST)
    _hashes(files, told.files, checked)
    _inside(files, claim, checked)


def _keys(files: _Files, checked: Checked) -> KeyRing:
    """The panel's public keys as the report names them; the first is the one that signs."""
    try:
        rows = json.loads(files.need(KEYS))["keys"][:MAX_KEYS]
        publics = [load_public(row["x"]) for row in rows]
        checked.kid = key_id(publics[0])
        return KeyRing(publics[:1])
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        files.stop("unreadable", KEYS, type(error).__name__)
        raise


def _hashes(files: _Files, listed: Mapping[str, str], checked: Checked) -> None:
    for name in sorted(files.names() - listed.keys() - {MANIFEST, SIGNATURE}):
        checked.wrong("extra", name)
    known = {place for _, place in checked.codes}
    for name, expected in listed.items():
        data = files.get(name)
        if data is None and name not in known:
            checked.wrong("missing", name)
        elif data is not None and sha256_hex(data) != expected:
            checked.wrong("altered", name)
    checked.files = len(listed)


def _inside(files: _Files, claim: SignedReport, checked: Checked) -> None:
    """The data by themselves, and what the pages tell of them."""
    name = DATA[claim.what]
    try:
        found = _READ[claim.what](files.need(name))
    except ValidationError as error:
        files.stop("unreadable", name, error.errors()[0]["msg"])
        return
    checked.data = found
    if (found.panel, found.run) != (claim.panel, claim.run):
        checked.wrong("other", name)
    _JUDGE[claim.what](found, files, checked)
    if found.software.tree != software().tree:
        # Another build may say the same in other words; the signature over the pages holds all the same.
        checked.notes.append(pick(NOTES["version"], version=found.software.version))
        return
    try:
        for lang in ("zh", "en"):
            _page(files, f"report.{lang}.html", _ROWS[claim.what](found, lang), checked)
    except (KeyError, ValueError, TypeError, IndexError) as error:  # names that this version does not know
        checked.wrong("unreadable", name, error)


def _page(files: _Files, name: str, expected: Rows, checked: Checked) -> None:
    data = files.get(name)
    if data is None:
        return  # named as missing already, where the manifest lists it
    told = rows_of(data.decode("utf-8", "replace"))
    for id_ in sorted(expected.keys() | told.keys()):
        if expected.get(id_) != told.get(id_):
            checked.wrong("page", name, id_.partition("-")[2])


def rows_of(page: str) -> dict[str, list[str]]:
    """The cells of the rows that have ids; of what is no HTML those before that."""
    parser = _Rows()
    with suppress(AssertionError):  # what Python's parser says of a declaration that it does not know
        parser.feed(page)
        parser.close()
    return parser.found


class _Rows(HTMLParser):
    """Collects the visible text of `<tr id=…>` and of the verdict."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, list[str]] = {}
        self._row = ""
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        id_ = dict(attrs).get("id") or ""
        if tag == "tr":
            self._row = id_
            if id_:
                self.found[id_] = [] if id_ not in self.found else [*self.found[id_], "?"]
        elif tag == "p" and id_:
            self._row, self._cell, self.found[id_] = id_, [], []
        elif tag in ("td", "th") and self._row:
            self._cell = []

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "p") and self._cell is not None and self._row:
            self.found[self._row].append("".join(self._cell))
            self._cell = None
        if tag in ("tr", "p"):
            self._row, self._cell = "", None

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)


def _account_rows(found: Account, lang: Language) -> Rows:
    with speaking(lang):
        return {
            "f-verdict": [verdict(found)],
            **{f"f-{id_}": [fact_name(id_), value] for id_, value in fact_values(found).items()},
            **{f"r-{did.step.id}": cells(did) for did in found.steps},
            **{f"s-{name}": row for name, row in response_rows(found.samples)},
        }


def _judge_account(found: Account, files: _Files, checked: Checked) -> None:
    name = DATA["acceptance"]
    failed = any(did.result is None or did.result.outcome == "failed" for did in found.steps)
    if (found.verdict == "failed") is not failed:
        checked.wrong("verdict", name)
    for did in found.steps:
        if did.step.act == "response" and did.result is not None and did.result.outcome == "passed":
            _response(found, did.result.figures, checked)
    for picture in found.pictures:
        data = files.get(f"{PICTURES}{picture.file}")
        if data is not None and sha256_hex(data) != picture.sha256:
            checked.wrong("picture", f"{PICTURES}{picture.file}")


def _response(found: Account, figures: Mapping[str, object], checked: Checked) -> None:
    try:
        right = judged(list(found.samples), any(name.startswith("center_") for name in figures))
    except Failed as failed:
        checked.wrong("figures", DATA["acceptance"], failed.why)
        return
    for name in sorted(right.keys() | figures.keys()):
        if right.get(name) != figures.get(name):
            checked.wrong("figures", DATA["acceptance"], name)


def _trial_rows(found: Trial, lang: Language) -> Rows:
    with speaking(lang):
        return trial_rows(found)


def _judge_trial(found: Trial, _files: _Files, checked: Checked) -> None:
    if (found.verdict == "passed") is not all(row.ok for row in found.checks):
        checked.wrong("verdict", DATA["trial"])


_READ: dict[str, Callable[[bytes], Any]] = {"acceptance": ACCOUNT.validate_json, "trial": TRIAL.validate_json}
_ROWS: dict[str, Callable[[Any, Language], Rows]] = {"acceptance": _account_rows, "trial": _trial_rows}
_JUDGE: dict[str, Callable[[Any, _Files, Checked], None]] = {"acceptance": _judge_account, "trial": _judge_trial}
