"""Remote commands, whose signature, panel and freshness core has checked; here their counter and their content.

A counter counts once, whether the command is carried out or refused, so nothing that was said once can be said again
later. Each command key has a counter of its own: two centers need not know of each other. Operators act at level 2
(digest §1.1).
"""

from rules import operations
from rules.draft import Draft, clean
from rules.effects import Answer, JsonValue
from rules.index import site_index
from rules.operations import Order, Outcome
from rules.stimuli import RemoteCommand, Wish
from rules.who import Who

MAX_COUNTER = 2**53 - 1
MAX_KEYS = 16
"""Counters that are kept: twice as many as there may be command keys. The lowest one gives way."""
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
        Wish.PICTURE,
    }
)
"""What an operator may ask for. Not TOGGLE: he can't see what it would do by the time it arrives."""


def remote_command(d: Draft, command: RemoteCommand) -> None:
    """Carry out or refuse; always records and always answers."""
    operator = clean(command.operator)
    last = d.durable.counters.get(command.key, d.durable.counter)
    if last < command.counter <= MAX_COUNTER:
        _count(d, command)
        outcome = _carry_out(d, command, operator)
    else:
        outcome = Outcome(False, "replayed" if command.counter <= last else "bad-counter")
    said: dict[str, JsonValue] = {
        "counter": min(command.counter, MAX_COUNTER),
        "command": command.wish.value,
        "by": f"remote:{operator}",
        "areas": [clean(area) for area in command.areas[:64]],
    }
    if command.key:
        said["key"] = clean(command.key)
    if command.zone:
        said["zone"] = clean(command.zone)
    if command.part:
        said["part"] = clean(command.part)
    if command.about:
        said["about"] = clean(command.about)
    if outcome.done:
        d.record("command.done", said)
    else:
        d.record("command.refused", {**said, "reason": outcome.notice})
    reason = "" if outcome.done else outcome.notice
    d.answers.append(Answer(command.counter, outcome.done, reason, outcome.detail, command.key))


def _count(d: Draft, command: RemoteCommand) -> None:
    counters = {**d.durable.counters, command.key: command.counter}
    if len(counters) > MAX_KEYS:
        # What comes back of a key that was forgotten is stale: core checks the nonce of a heartbeat besides.
        del counters[min((key for key in counters if key != command.key), key=lambda key: (counters[key], key))]
    d.keep(counters=counters)


def _carry_out(d: Draft, command: RemoteCommand, operator: str) -> Outcome:
    if command.wish not in WISHES:
        return Outcome(False, "unknown-wish")
    order = Order(command.wish, command.areas, command.zone, command.part, command.instant, command.override)
    return operations.carry_out(d, order, Who(f"remote:{operator}", "", "remote"), site_index(d.site).area_ids)
