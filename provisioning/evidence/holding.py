"""`fenghuo evidence hold` and `release`: a legal hold keeps an event's pictures beyond every retention."""

from firmware.language import Text, pick
from firmware.protocol.messages import EvidenceHold
from provisioning.evidence.commands import By, Config, EventWord, Reason, ask, in_words, panel_of, shelf_of
from provisioning.evidence.exporting import EMPTY
from provisioning.journal_source import BadUse

HELD: Text = ("event {event} is kept until it is released", "警情 {event} 已保全，解除前不会删除")
RELEASED: Text = ("event {event} is released: its retention counts again", "警情 {event} 已解除保全，恢复按期限保存")


def hold(event: EventWord, by: By, reason: Reason, config: Config = None) -> None:
    """Keep an event's pictures until they are released; recorded. 保全警情图像，将被记录。

    Example: fenghuo evidence hold 7 --by "Li Wei" --reason "case 2026-114"
    """
    _change(event, True, by, reason, config)


def release(event: EventWord, by: By, reason: Reason, config: Config = None) -> None:
    """End a legal hold; recorded. 解除保全，将被记录。

    Example: fenghuo evidence release 7 --by "Li Wei" --reason "case closed"
    """
    _change(event, False, by, reason, config)


def _change(word: str, held: bool, by: str, reason: str, config: Config) -> None:
    with in_words():
        shelf = shelf_of(None, config)
        event = shelf.event(word)
        folders = [folder for folder in event.folders() if (shelf.folder / folder).is_dir()]
        if not folders:
            raise BadUse(pick(EMPTY, event=event.name))
        with panel_of(shelf) as panel:
            ask(
                panel,
                EvidenceHold,
                held=held,
                journal=event.journal,
                incident=event.incident,
                folders=folders,
                by=by,
                reason=reason,
            )
    print(pick(HELD if held else RELEASED, event=event.name))
