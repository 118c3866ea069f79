"""The parts of a support bundle: each is gathered by itself, and one that can't be had says why instead.

A part is what a helpdesk reads first when a panel does something odd; none of them changes anything on the panel.
"""

import json
import os
import platform
import shutil
import subprocess
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import tomlkit

from drivers.board_health import BoardHealth
from firmware.config import BadPanelFile, Loaded, load
from firmware.journal.verify import verify
from firmware.protocol.messages import AskStatus
from firmware.version import BUILT, VERSION
from provisioning.doctor import examine, in_json
from provisioning.journal_lines import Stored, read_file
from provisioning.journal_source import Source, receipt_keys, sources
from provisioning.support.known import Known, known_of, scrubbed_file
from provisioning.support.scrub import Scrubber
from provisioning.technician import connected
from rules.vocabulary import KINDS

MAX_PART = 1 << 20
"""Bytes of one part; the end of a log and the newest records are what counts."""
LOG_LINES = 4000
LOG_S = 20
SHOWN_FINDINGS = 50
HEADER = (
    "panel", "journal", "seq", "lane", "lane_seq", "boot", "time", "clock", "monotonic_ms", "kind",
    "payload_hash", "state_hash", "prev",
)  # fmt: skip
"""Members of a header that leave the panel: those that the design names, and no later one by accident."""


@dataclass
class Panel:
    """What the parts are gathered from. `table`: the panel file as TOML holds it, None where it is none."""

    config: Path
    loaded: Loaded | None
    bad: BadPanelFile | None
    table: Mapping[str, Any] | None
    records: int
    known: Known
    scrub: Scrubber
    found: Source | None = None

    @property
    def ready(self) -> Loaded:
        """The panel file; raises `ValueError` where it has mistakes."""
        if self.loaded is None:
            raise ValueError("the panel file has mistakes")
        return self.loaded

    def source(self) -> Source:
        """The journal, of which a running panel makes one snapshot for all parts."""
        if self.found is None:
            self.found = sources(None, self.ready.path, None)
        return self.found


def open_panel(config: Path, records: int, anonymous: bool) -> Panel:
    """Read the panel file, with or without mistakes, and learn what is secret. Raises `OSError` where there is none."""
    raw = config.read_bytes()
    loaded, bad = None, None
    try:
        loaded = load(config)
    except BadPanelFile as error:
        bad = error
    try:
        table = tomllib.loads(raw.decode())
    except (ValueError, RecursionError):
        table = None
    known = known_of(table or {}, config.absolute().parent, anonymous)
    users = _users(loaded)
    for name in users:
        known.add("person", name)
    return Panel(config, loaded, bad, table, records, known, Scrubber(known.texts))


def _users(loaded: Loaded | None) -> list[str]:
    """Names of users, which a running panel alone can tell."""
    if loaded is None:
        return []
    try:
        with connected(loaded) as technician:
            users = technician.ask(AskStatus()).detail.get("users")
    except Exception:
        return []
    return [str(u.get("name", "")) for u in users.values() if isinstance(u, dict)] if isinstance(users, dict) else []


def _versions(_: Panel) -> str:
    names = sorted({d.metadata["Name"]: d.version for d in metadata.distributions() if d.metadata["Name"]}.items())
    return _json(
        {
            "fenghuo": VERSION,
            "built": BUILT,
            "python": platform.python_version(),
            "kernel": platform.release(),
            "machine": platform.machine(),
            "packages": dict(names),
        }
    )


def _file(panel: Panel) -> str:
    """The values of the file without its comments: nobody knows what people write there."""
    place = "panel.toml"
    if panel.bad is not None or panel.table is None:
        panel.scrub.take(place, "unread")
        return "# The file has mistakes: see mistakes.json. Its text is not included.\n"
    comments = sum("#" in line for line in panel.ready.text.splitlines())
    if comments:
        panel.scrub.take(place, "comment", comments)
    return tomlkit.dumps(scrubbed_file(panel.table, panel.scrub, place))


def _mistakes(panel: Panel) -> str:
    """Where and what was expected; never what was found there."""
    rows = panel.bad.mistakes if panel.bad else panel.ready.warnings
    found = [{"line": r.line, "key": r.key, "expected": r.expected[0], "expected_zh": r.expected[1]} for r in rows]
    return _json({"mistakes": bool(panel.bad), "found": panel.scrub.value("mistakes.json", found, {})})


def _doctor(panel: Panel) -> str:
    return _json(panel.scrub.value("doctor.json", in_json(examine(panel.ready))))


def _status(panel: Panel) -> str:
    with connected(panel.ready) as technician:
        detail = technician.ask(AskStatus()).detail
    users = detail.get("users")
    for user in users.values() if isinstance(users, dict) else ():
        if isinstance(user, dict) and user.pop("name", None):
            panel.scrub.take("status.json", "person")
    return _json(panel.scrub.value("status.json", detail))


def _journal(panel: Panel) -> str:
    """Whether it verifies, and where not. What was found in an altered row may be anything, so it stays here."""
    found = panel.source()
    keys = receipt_keys(found.loaded)
    reports = [verify(path, found.public_key(), keys, [], found.former_keys()) for path in found.files]
    rows = [
        {
            "file": report.path.name,
            "sound": report.sound,
            "journal": report.journal,
            "records": report.records,
            "first": report.first,
            "last": report.last,
            "findings": [{"seq": f.seq, "en": f.text[0], "zh": f.text[1]} for f in report.findings[:SHOWN_FINDINGS]],
            "more": max(0, len(report.findings) - SHOWN_FINDINGS) + report.more,
        }
        for report in reports
    ]
    return _json(panel.scrub.value("journal.json", rows))


def _records(panel: Panel) -> str:
    """Headers of the newest records; of a silent alarm only that there is a record."""
    if not panel.records:
        return ""
    rows = read_file(panel.source().files[-1], last=panel.records)
    return "".join(_json_line(_header(stored, panel.scrub)) + "\n" for stored in rows)


def _header(stored: Stored, scrub: Scrubber) -> dict[str, Any]:
    kind = KINDS.get(str(stored.header.get("kind")))
    if kind is not None and kind.silent:
        scrub.take("records.jsonl", "silent")
        return {"seq": stored.seq, "withheld": True}
    header = {name: stored.header[name] for name in HEADER if name in stored.header}
    return {**dict(scrub.value("records.jsonl", header)), "hash": stored.hash}


def _log(panel: Panel) -> str:
    """What the services said, from systemd's journal."""
    words = ["journalctl", "--no-pager", "-o", "short-iso-precise", "-n", str(LOG_LINES), "-u", "fenghuo*"]
    if shutil.which(words[0]) is None:
        raise ValueError("no journalctl on this system")
    done = subprocess.run(words, capture_output=True, timeout=LOG_S, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise ValueError(f"journalctl: {done.stderr.decode('utf-8', 'replace').strip()[:200] or done.returncode}")
    return panel.scrub.text("log.txt", done.stdout[-4 * MAX_PART :].decode("utf-8", "replace"))


def _board(panel: Panel) -> str:
    place = panel.ready.data if panel.loaded and panel.loaded.data.exists() else panel.config.absolute().parent
    usage, reading = shutil.disk_usage(place), BoardHealth(Path("/sys")).look()
    facts = {
        "model": _first("/proc/device-tree/model"),
        "cores": os.cpu_count(),
        "load": list(os.getloadavg()),
        "uptime_s": int(float((_first("/proc/uptime") or "0").split()[0])),
        "memory": _lines("/proc/meminfo", ("MemTotal", "MemAvailable", "SwapTotal", "SwapFree")),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "disk": {"total": usage.total, "used": usage.used, "free": usage.free},
        "mounts": [mount for mount in _first("/proc/mounts", 65_536).splitlines() if mount.startswith("/dev/")][:32],
        "under_voltage": reading.under_voltage,
        "slowed": reading.slowed,
        "celsius": reading.celsius,
    }
    return _json(panel.scrub.value("board.json", facts))


PARTS: Mapping[str, Callable[[Panel], str]] = {
    "versions.json": _versions,
    "panel.toml": _file,
    "mistakes.json": _mistakes,
    "doctor.json": _doctor,
    "status.json": _status,
    "journal.json": _journal,
    "records.jsonl": _records,
    "log.txt": _log,
    "board.json": _board,
}


def _first(path: str, most: int = 4096) -> str:
    try:
        with Path(path).open("rb") as file:
            return file.read(most).decode("utf-8", "replace").rstrip("\0\n")
    except OSError:
        return ""


def _lines(path: str, names: tuple[str, ...]) -> dict[str, str]:
    rows = (row.partition(":") for row in _first(path, 16_384).splitlines())
    return {name: value.strip() for name, _, value in rows if name in names}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def _json_line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
