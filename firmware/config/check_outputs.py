"""Whether each output has what its kind needs, and a relay follows something that is there and not silent."""

from collections.abc import Callable, Iterator

from firmware.config.check_zones import zone_type
from firmware.config.findings import unknown, wrong
from firmware.config.mistakes import Finding, show
from firmware.config.rows import Document, Row
from firmware.language import Text
from rules.vocabulary import KINDS, Lane
from rules.zones import SILENT

# What the rules never record themselves; telemetry of a silent zone, and pictures of one, would show it.
_NOT_FOLLOWED = (Lane.EVIDENCE, Lane.TELEMETRY)
_SIREN_KEYS = ("delay_s", "limit_s")
_RELAY_KEYS = ("follows", "pulse_s")
_SILENT: Text = ("nothing silent may be shown by a relay", "继电器不得显示任何无声报警")


def _keys(document: Document) -> Iterator[Finding]:
    for output in document.rows("output"):
        kind = output.text("kind")
        for key in _SIREN_KEYS:
            if kind not in ("siren", "") and output.number(key):
                yield _only(output, key, "siren", "警号")
        for key in _RELAY_KEYS:
            if kind not in ("relay", "") and output.has(key):
                yield _only(output, key, "relay", "继电器")
        if kind not in ("relay", "") and output.values.get("areas", []) == []:
            yield wrong(
                output,
                "areas",
                ("the areas that it serves: [ … ]", "其服务的区域：[ … ]"),
                ("an output serves at least one area", "输出至少服务一个区域"),
            )


def _only(output: Row, key: str, kind: str, zh: str) -> Finding:
    return wrong(
        output,
        key,
        (f'no such key, or kind = "{kind}"', f'删除此键，或 kind = "{kind}"'),
        (f"{key} is for a {kind} only", f"{key} 仅用于{zh}"),
    )


def _delay(document: Document) -> Iterator[Finding]:
    siren = document.table("timings").number("siren_s")
    for output in document.rows("output"):
        delay = output.number("delay_s")
        if delay is not None and siren is not None and output.text("kind") == "siren" and delay >= siren:
            yield wrong(
                output,
                "delay_s",
                (f"less than siren_s ({siren})", f"小于 siren_s({siren})"),
                ("the alarm is over before this siren sounds", "该警号鸣响之前报警已结束"),
            )


def _follows(document: Document) -> Iterator[Finding]:
    silent = {z.text("id") for z in document.rows("zone") if zone_type(z) in SILENT}
    for output in document.rows("output"):
        if output.text("kind") != "relay":
            continue
        follows = output.text("follows")
        if not output.has("follows"):
            yield wrong(
                output,
                "follows",
                ("zone:ID, area:ID, alarm:ID or event:KIND", "zone:ID、area:ID、alarm:ID 或 event:KIND"),
                ("a relay needs something to follow", "继电器需要跟随对象"),
            )
        what, _, name = follows.partition(":")
        at = output.at("follows")
        if what == "zone":
            yield from unknown([(at, name)], "zone", document.ids("zone"))
            if name in silent:
                yield wrong(output, "follows", ("a zone that is not silent", "非无声防区"), _SILENT)
        elif what in ("area", "alarm"):
            yield from unknown([(at, name)], "area", document.ids("area"))
        elif what == "event":
            yield from _event(output, name)
        if what != "event" and output.has("pulse_s"):
            yield wrong(
                output,
                "pulse_s",
                ('no such key, or follows = "event:KIND"', '删除此键，或 follows = "event:KIND"'),
                ("only an event makes a pulse", "只有事件产生脉冲"),
            )


def _event(output: Row, name: str) -> Iterator[Finding]:
    kind = KINDS.get(name)
    if kind is None:
        expected: Text = (
            "an event of docs/alarm-center.md, as trouble.mains",
            "docs/alarm-center.md 中的事件，如 trouble.mains",
        )
        yield Finding(output.at("follows"), show(name), expected, ("there is no such event", "没有这种事件"))
    elif kind.silent or kind.lane in _NOT_FOLLOWED:
        yield Finding(output.at("follows"), show(name), ("an event that is not silent", "非无声事件"), _SILENT)


CHECKS: tuple[Callable[[Document], Iterator[Finding]], ...] = (_keys, _delay, _follows)
