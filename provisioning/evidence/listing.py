"""`fenghuo evidence list` and `show`: which events have pictures, and what is known of one.

The list shows no picture and is not recorded; `show` opens the way to them, so it is a viewing and recorded as one.
"""

import json
import sys
from typing import Annotated

import typer

from firmware.language import Text, pick
from firmware.protocol.evidence import HOLD
from firmware.protocol.messages import EvidenceAct, Manifest
from provisioning.evidence.commands import (
    NOT_RECORDED,
    By,
    Config,
    EventWord,
    Place,
    Reason,
    ask,
    in_words,
    panel_of,
    shelf_of,
)
from provisioning.evidence.events import Event, Shelf
from rules.vocabulary import KINDS

AsJson = Annotated[bool, typer.Option("--json", help="JSON lines. 输出 JSON 行。")]
NONE: Text = ("no event has pictures", "没有带图像的警情")
HELD: Text = ("held", "已保全")
GONE: Text = ("deleted", "已删除")
NO_FILES: Text = ("no files", "无文件")


def list_events(data: Place = None, config: Config = None, as_json: AsJson = False) -> None:
    """List the events that have pictures, oldest first. 列出有图像的警情。

    Example: fenghuo evidence list --config panel.toml
    """
    with in_words():
        shelf = shelf_of(data, config)
        rows = [_row(shelf, event) for event in shelf.events()]
        for row in rows:
            print(json.dumps(row, ensure_ascii=False) if as_json else _line(row))
        if not rows and not as_json:
            print(pick(NONE))


def show(
    event: EventWord,
    by: By,
    reason: Reason = "",
    data: Place = None,
    config: Config = None,
    as_json: AsJson = False,
) -> None:
    """Show what an event's pictures are and where; that you looked is recorded. 查看警情图像，查看将被记录。

    Example: fenghuo evidence show 7 --by "Li Wei"
    """
    with in_words():
        shelf = shelf_of(data, config)
        found = shelf.event(event)
        if shelf.source.running:
            with panel_of(shelf) as panel:
                ask(
                    panel,
                    EvidenceAct,
                    act="viewed",
                    journal=found.journal,
                    incident=found.incident,
                    by=by,
                    reason=reason,
                )
        else:
            print(pick(NOT_RECORDED), file=sys.stderr)
        for _, part in found.parts():
            _show(shelf, part, as_json)


def _show(shelf: Shelf, part: Manifest, as_json: bool) -> None:
    if as_json:
        print(part.model_dump_json())
        return
    print(f"{part.camera}  {part.verdict} {part.score}  {part.model}  {part.fault}".rstrip())
    for picture in part.pictures:
        boxes = " ".join(f"{b.left},{b.top}-{b.right},{b.bottom}:{b.score}" for b in picture.boxes)
        print(f"  {picture.offset_ms / 1000:+8.1f} s  {shelf.folder / picture.file}  {boxes}".rstrip())


def _row(shelf: Shelf, event: Event) -> dict[str, str | int]:
    parts = [part for _, part in event.parts()]
    folders = [shelf.folder / folder for folder in event.folders()]
    state = "gone" if folders and not any(folder.exists() for folder in folders) else "kept"
    return {
        "event": event.name,
        "time": event.time,
        "kind": event.kind,
        "cameras": ",".join(dict.fromkeys(part.camera for part in parts)),
        "pictures": sum(len(part.pictures) for part in parts),
        "verdict": "person" if any(part.verdict == "person" for part in parts) else "unverified",
        "state": "held" if any((folder / HOLD).exists() for folder in folders) else state if folders else "none",
    }


def _line(row: dict[str, str | int]) -> str:
    kind = KINDS.get(str(row["kind"]))
    said = pick((kind.en, kind.zh)) if kind else row["kind"]
    states = {"held": HELD, "gone": GONE, "none": NO_FILES}
    state = pick(states[str(row["state"])]) if row["state"] in states else ""
    return (
        f"{row['event']:>14}  {row['time']}  {said}  {row['cameras']}  {row['pictures']}  {row['verdict']}  {state}"
    ).rstrip()
