"""A life once more, step by step around its first violation: what came in, what went out, what changed."""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import rules
from hil.life.clock import Calendar
from hil.life.life import Life, Makers, Outcome, Terms
from rules.effects import Effect
from rules.stimuli import ClockTold, CodeEntered, DeadlinePassed, Stimulus, UserSet

STEPS = 200
"""Steps that are shown before the violation was seen."""
_Seen = tuple[int, Stimulus, "rules.PanelState", "rules.PanelState", tuple[Effect, ...]]


def replay(terms: Terms, makers: Makers) -> tuple[Outcome, list[str]]:
    """Live it until its first violation; the lines to print."""
    steps: deque[_Seen] = deque(maxlen=STEPS)

    def keep(at: int, stimulus: Stimulus, before: Any, after: Any, effects: tuple[Effect, ...]) -> None:
        if effects or not isinstance(stimulus, ClockTold | DeadlinePassed):
            steps.append((at, stimulus, before, after, effects))

    life = Life(terms, makers, keep)
    outcome = life.run()
    return outcome, [line for step in steps for line in _lines(life.calendar, *step)]


def _lines(
    calendar: Calendar,
    at: int,
    stimulus: Stimulus,
    before: "rules.PanelState",
    after: "rules.PanelState",
    effects: tuple[Effect, ...],
) -> Iterator[str]:
    yield f"{calendar.text(at)}  {short(stimulus)}"
    yield from (f"    -> {effect}" for effect in effects)
    yield from (f"    *  {line}" for part in ("durable", "live") for line in _changes(part, before, after))


def short(stimulus: Stimulus) -> str:
    """A stimulus as a line: what is at its rest is left out, and so are keys."""
    shown = [
        f"{f.name}={getattr(stimulus, f.name)!r}"
        for f in fields(stimulus)
        if f.name != "near" and getattr(stimulus, f.name) != f.default
    ]
    if isinstance(stimulus, CodeEntered):
        shown = [f"key={stimulus.key[:6]}..." if text.startswith("key=") else text for text in shown]
    if isinstance(stimulus, UserSet):
        user = stimulus.user
        shown = [f"actor={stimulus.actor!r}", f"user={user.id!r}", f"key={user.key[:6]}...", f"areas={user.areas}"]
    return f"{type(stimulus).__name__}({', '.join(shown)})"


def _changes(part: str, before: "rules.PanelState", after: "rules.PanelState") -> Iterator[str]:
    old, new = getattr(before, part), getattr(after, part)
    if old is new:
        return
    for member in fields(old):
        was, now = getattr(old, member.name), getattr(new, member.name)
        if was is not now and was != now:
            yield from _differences(f"{part}.{member.name}", was, now)


def _differences(place: str, was: Any, now: Any) -> Iterator[str]:
    if isinstance(was, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys((*was, *now)):
            if was.get(key) != now.get(key):
                yield from _differences(f"{place}[{key}]", was.get(key), now.get(key))
    elif is_dataclass(was) and type(was) is type(now) and "People" not in type(was).__name__:
        for member in fields(was):
            one, two = getattr(was, member.name), getattr(now, member.name)
            if one != two:
                yield f"{place}.{member.name}: {one!r} => {two!r}"
    elif "people" not in place:
        yield f"{place}: {was!r} => {now!r}"
    else:
        yield f"{place}: changed"
