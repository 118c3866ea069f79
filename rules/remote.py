"""Remote commands, whose signature, panel and freshness core has checked; here their counter and their content.

A counter counts once, whether the command is carried out or refused, so nothing that was said once can be said again
later. Operators act at level 2 (digest §1.1).
"""

from rules import operations
from rules.draft import Draft, clean
from rules.effects import Answer, JsonValue
from rules.index import site_index
from rules.operations import Order, Outcome
from rules.stimuli import RemoteCommand, Wish
from rules.who import Who

MAX_COUNTER = 2**53 - 1
WISHES = frozenset(
    {
        Wish.ARM,
        Wish.DISARM,
        Wish.SILENCE,
        Wish.RESET,
        Wish.BYPASS,
        Wish.UNBYPASS,
        Wish.POSTPONE,
        Wish.STATUS,
    }
)
"""What an operator may ask for. Not TOGGLE: he can't see what it would do by the time it arrives."""


def remote_command(d: Draft, command: RemoteCommand) -> None:
    """Carry out or refuse; always records and always answers."""
    operator = clean(command.operator)
    fresh = d.durable.counter < command.counter <= MAX_COUNTER
    if not fresh:
        outcome = Outcome(False, "replayed" if command.counter <= d.durable.counter else "bad-counter")
    else:
        d.keep(counter=command.counter)
        outcome = _carry_out(d, command, operator)
    said: dict[str, JsonValue] = {
        "counter": min(command.counter, MAX_COUNTER),
        "command": command.wish.value,
        "by": f"remote:{operator}",
        "areas": [clean(area) for area in command.areas[:64]],
    }
    if command.zone:
        said["zone"] = clean(command.zone)
    if command.part:
        said["part"] = clean(command.part)
    if outcome.done:
        d.record("command.done", said)
    else:
        d.record("command.refused", {**said, "reason": outcome.notice})
    reason = "" if outcome.done else outcome.notice
    d.answers.append(Answer(command.counter, outcome.done, reason, outcome.detail))


def _carry_out(d: Draft, command: RemoteCommand, operator: str) -> Outcome:
    if command.wish not in WISHES:
        return Outcome(False, "unknown-wish")
    order = Order(command.wish, command.areas, command.zone, command.part, command.instant, command.override)
    return operations.carry_out(d, order, Who(f"remote:{operator}", "", "remote"), site_index(d.site).area_ids)
