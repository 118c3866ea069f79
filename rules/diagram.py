"""The tables as people read them: a Mermaid state diagram and two Markdown tables, written into docs/rules.md.

`python -m rules.diagram docs/rules.md` rewrites what stands between the markers; a test fails when it has drifted.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from rules.site import Condition, ZoneType
from rules.table import FOLLOWING, AreaEvent, AreaMode
from rules.zones import ALARM_KINDS, REACTIONS, Reaction, fault_kind, tamper_kind


def state_diagram() -> str:
    """Mermaid: every change of mode, events that lead the same way on one arrow."""
    lines = ["```mermaid", "stateDiagram-v2", "    [*] --> disarmed"]
    for mode in AreaMode:
        for target in AreaMode:
            events = [e.value for e in AreaEvent if target is not mode and FOLLOWING[mode, e] is target]
            if events:
                lines.append(f"    {_name(mode)} --> {_name(target)}: {', '.join(events)}")
    return "\n".join([*lines, "```"])


def _name(mode: AreaMode) -> str:
    return mode.value.replace("-", "_")


def area_table() -> str:
    """Markdown: a row for each event, a column for each mode; a dot where the mode stays."""
    rows = [["event", *(mode.value for mode in AreaMode)]]
    for event in AreaEvent:
        following = [(mode, FOLLOWING[mode, event]) for mode in AreaMode]
        rows.append([event.value, *("·" if after is mode else after.value for mode, after in following)])
    return _markdown(rows)


def zone_table() -> str:
    """Markdown: a row for each zone type and condition, a column for each mode."""
    rows = [["zone type", "condition", *(mode.value for mode in AreaMode), "recorded as"]]
    for zone_type in ZoneType:
        for condition in Condition:
            if condition is not Condition.NORMAL:
                reactions = [REACTIONS[zone_type, condition, mode] for mode in AreaMode]
                rows.append([zone_type.value, condition.value, *map(_shown, reactions), _kinds(zone_type, reactions)])
    return _markdown(rows)


def _shown(reaction: Reaction) -> str:
    return "·" if reaction is Reaction.NOTHING else reaction.value


def _kinds(zone_type: ZoneType, reactions: Sequence[Reaction]) -> str:
    kinds = {
        Reaction.ALARM: ALARM_KINDS[zone_type],
        Reaction.SILENT: ALARM_KINDS[zone_type],
        Reaction.TAMPER: tamper_kind(zone_type),
        Reaction.NOTIFY: ALARM_KINDS[zone_type],
        Reaction.DAY: "zone.day-trouble",
        Reaction.FAULT: fault_kind(zone_type),
        Reaction.ENTRY: "area.entry-started",
        Reaction.ROUTE: "area.entry-route",
    }
    return ", ".join(f"`{kinds[r]}`" for r in dict.fromkeys(reactions) if r in kinds)


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    head, *body = rows
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


_PARTS = {"states": state_diagram, "areas": area_table, "zones": zone_table}


def rewritten(text: str) -> str:
    """The text with all generated parts as they must be; ValueError when a marker is missing."""
    for name, generate in _PARTS.items():
        begin, end = f"<!-- generated: {name} -->", f"<!-- end: {name} -->"
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not (found and closed):
            raise ValueError(f"found no {begin} … {end}, expected both markers, in this order")
        text = f"{before}{begin}\n{generate()}\n{end}{after}"
    return text


def main(words: Sequence[str]) -> int:
    """Rewrite the files named; 2 when one can't be."""
    for word in words:
        path = Path(word)
        try:
            path.write_text(rewritten(path.read_text(encoding="utf-8")), encoding="utf-8")
        except (OSError, ValueError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
