"""Remote commands, whose signature, panel and freshness core has checked; here their counter and their content.

A counter counts once, whether the command is carried out or refused, so nothing that was said once can be said again
later.
"""

from rules import operations
from rules.draft import Draft, clean
from rules.effects import Answer, JsonValue
from rules.index import site_index
from rules.operations import Outcome
from rules.stimuli import RemoteCommand, Wish
from rules.who import Who

MAX_COUNTER = 2**53 - 1


def remote_command(d: Draft, command: RemoteCommand) -> None:
    """Carry out or refuse; always records and always answers."""
    operator = clean(command.operator)
    fresh = d.counter < command.counter <= MAX_COUNTER
    if not fresh:
        outcome = Outcome(False, "replayed" if command.counter <= d.counter else "bad-counter")
    else:
        d.counter = command.counter
        outcome = _carry_out(d, command, operator)
    said: dict[str, JsonValue] = {
        "counter": min(command.counter, MAX_COUNTER),
        "command": command.wish.value,
        "by": f"remote:{operator}",
        "areas": [clean(area) for area in command.areas[:64]],
    }
    if command.zone:
        said["zone"] = clean(command.zone)
    if outcome.done:
        d.record("command.done", said)
    else:
        d.record("command.refused", {**said, "reason": outcome.notice})
    reason = "" if outcome.done else outcome.notice
    d.answers.append(Answer(command.counter, outcome.done, reason, outcome.detail))


def _carry_out(d: Draft, command: RemoteCommand, operator: str) -> Outcome:
    if command.wish is Wish.TOGGLE:
        # An operator can't see what it would do by the time it arrives.
        return Outcome(False, "unknown-wish")
    who = Who(f"remote:{operator}", "", "remote")
    areas = site_index(d.site).area_ids
    return operations.carry_out(d, command.wish, command.areas, command.zone, who, areas)
