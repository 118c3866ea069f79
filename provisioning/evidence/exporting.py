"""`fenghuo evidence export`: a signed bundle of one event for a court, the police or the insurer.

The export is recorded first, with who and why; that record brings a signed checkpoint, so the bundle's chain always
ends under a signature. Then core signs the bundle's index, once for each recorded export.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from firmware.language import Text, pick
from firmware.protocol.messages import EvidenceAct, SignBundle
from provisioning.evidence.bundle import Export, write
from provisioning.evidence.commands import (
    EXIT_FINDINGS,
    By,
    Config,
    EventWord,
    Reason,
    ask,
    in_words,
    panel_of,
    shelf_of,
)
from provisioning.evidence.proof import prove
from provisioning.journal_source import BadUse

EXISTS: Text = ("{out}: exists already; give another name", "{out}：已存在，请另取文件名")
NOT_SOUND: Text = (
    "event {event} is not sound: nothing is exported. fenghuo evidence verify {event} names what is wrong",
    "警情 {event} 不完好：未导出。详见 fenghuo evidence verify {event}",
)
DONE: Text = (
    "{out}: {files} files of event {event}; check it: fenghuo evidence verify-bundle {out}, or the verify.py in it",
    "{out}：警情 {event} 的 {files} 个文件；校验：fenghuo evidence verify-bundle {out}，或用包内 verify.py",
)
EMPTY: Text = ("event {event}: no file of it is left", "警情 {event}：已无任何文件")
_ABSENT = ("missing",)


def export(
    event: EventWord,
    out: Annotated[Path, typer.Argument(metavar="OUT.zip", help="The bundle to make. 输出文件。")],
    by: By,
    reason: Reason,
    config: Config = None,
) -> None:
    """Make a signed bundle that a third party can check; who and why is recorded. 导出签名证据包，导出将被记录。

    Exit code 0: made. 1: the event is not sound, or the panel said no. 2: not understood.
    Example: fenghuo evidence export 7 event-7.zip --by "Li Wei" --reason "case 2026-114"
    """
    with in_words():
        if out.exists():
            raise BadUse(pick(EXISTS, out=out))
        shelf = shelf_of(None, config)
        found = shelf.event(event)
        with panel_of(shelf) as panel:
            ask(
                panel, EvidenceAct, act="exported", journal=found.journal, incident=found.incident, by=by, reason=reason
            )
            # Anew: a snapshot that has the record of this export, and its checkpoint.
            shelf = shelf_of(None, config)
            found = shelf.event(found.name.split(":")[0] + f":{found.incident}")
            proof = prove(shelf, found)
            if any(finding.code not in _ABSENT for finding in proof.findings):
                print(pick(NOT_SOUND, event=found.name))
                raise typer.Exit(EXIT_FINDINGS)
            if not proof.files:
                print(pick(EMPTY, event=found.name))
                raise typer.Exit(EXIT_FINDINGS)
            time = datetime.now(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
            keys = [shelf.source.public_key(), *shelf.source.former_keys()]
            write(
                out,
                shelf.folder,
                found,
                proof,
                keys,
                Export(by, time, reason),
                lambda index: str(ask(panel, SignBundle, index=index).detail["jws"]),
            )
    print(pick(DONE, out=out, files=len(proof.files), event=found.name))
