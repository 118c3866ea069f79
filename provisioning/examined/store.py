"""The journal's files and its mirror, as they lie; with `deep` the whole journal is verified on a snapshot."""

from collections.abc import Iterator
from pathlib import Path

from firmware.config import Loaded
from provisioning.diagnosis import Finding
from provisioning.examined.remedies import OF_BOARD

JOURNAL = "journal.sqlite"
MOST_FINDINGS = 10
LARGE_WAL = 64 * 2**20
"""Core checkpoints far below it: a log that grows so is held open by a reader."""


def findings(loaded: Loaded, running: bool) -> list[Finding]:
    """`running`: core answers, so its journal must be there."""
    return [*_journal(loaded.data / JOURNAL, running), *_mirror(loaded)]


def _journal(path: Path, running: bool) -> Iterator[Finding]:
    try:
        there = path.exists()
        wal = path.with_name(path.name + "-wal")
        size = wal.stat().st_size if wal.exists() else 0
    except OSError as error:
        what = (f"{path}: {error.strerror}", f"{path}：{error.strerror}")
        yield Finding("journal", "warning", what, OF_BOARD["key-unread"])
        return
    if running and not there:
        what = (f"there is no {path}: records are in memory alone", f"没有 {path}：记录仅在内存中")
        yield Finding("journal", "fault", what, OF_BOARD["journal"])
    if size > LARGE_WAL:
        what = (f"its log has grown to {size // 2**20} MiB", f"其预写日志已达 {size // 2**20} MiB")
        yield Finding("journal", "warning", what, OF_BOARD["wal"])


def _mirror(loaded: Loaded) -> Iterator[Finding]:
    mirror = loaded.mirror
    if mirror is None:
        return
    try:
        same = mirror.stat().st_dev == loaded.data.stat().st_dev
    except OSError as error:
        what = (f"{mirror}: {error.strerror}", f"{mirror}：{error.strerror}")
        yield Finding("mirror", "warning", what, OF_BOARD["mirror"])
        return
    if same and loaded.file.panel.pins == "board":
        what = (f"{mirror} lies on the same medium as the data", f"{mirror} 与数据位于同一介质")
        yield Finding("mirror", "warning", what, OF_BOARD["mirror"])


def verified(loaded: Loaded) -> list[Finding]:
    """What `fenghuo journal verify` finds. Each file is told of with its first findings."""
    from firmware.journal.verify import verify  # only who asks for it pays for its load
    from provisioning.journal_source import BadUse, receipt_keys, sources

    try:
        source = sources(None, loaded.path, None)
        key, former = source.public_key(), source.former_keys()
    except BadUse as why:
        return [Finding("journal/verify", "warning", (str(why), str(why)), OF_BOARD["journal"])]
    reports = [verify(path, key, receipt_keys(loaded), [], former) for path in source.files]
    return [
        Finding(f"journal/{found.code}", "fault", found.text, OF_BOARD["journal"])
        for report in reports
        for found in report.findings[:MOST_FINDINGS]
    ]
