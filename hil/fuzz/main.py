"""`make fuzz`: so many frames for each parser, and what became of them. Exit code 1 when one broke its parser.

The same seed gives the same frames. A frame that breaks a parser is printed as hex, to become a test.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hil.fuzz.mutate import frames
from hil.fuzz.targets import Target, targets

SLOW_S = 1.0
"""A parser that takes so long for one frame holds up what waits behind it."""


@dataclass
class Outcome:
    """Of one parser: frames taken and refused, the longest time for one, and the first that broke it."""

    name: str
    taken: int = 0
    refused: int = 0
    longest_s: float = 0.0
    broken: str = ""


def attack(target: Target, count: int, seed: int, clock: Callable[[], float] = time.thread_time) -> Outcome:
    """Give the parser its sound frames, which it must take, then `count` others; ends with the first that breaks."""
    outcome = Outcome(target.name)
    rng = random.Random(f"{seed} {target.name}")  # noqa: S311  # the same seed, the same frames
    next_frame = frames(target.corpus, rng)
    for frame in target.corpus:
        _give(target, frame, outcome, clock)
        if outcome.refused:
            outcome.broken = f"a sound frame was refused: {frame.hex()}"
    for _ in range(count):
        if outcome.broken:
            break
        _give(target, next_frame(), outcome, clock)
    return outcome


def _give(target: Target, frame: bytes, outcome: Outcome, clock: Callable[[], float]) -> None:
    began = clock()
    try:
        target.parse(frame)
        outcome.taken += 1
    except target.refusals:
        outcome.refused += 1
    except Exception as error:
        outcome.broken = f"{type(error).__name__}: {error}: {frame.hex()}"
    took = clock() - began
    outcome.longest_s = max(outcome.longest_s, took)
    if took > SLOW_S:
        outcome.broken = outcome.broken or f"{took:.1f} s for one frame: {frame.hex()}"


def main(argv: Sequence[str]) -> int:
    """Attack every parser, or those whose name holds one of the words."""
    parser = argparse.ArgumentParser(prog="python -m hil.fuzz.main", description=main.__doc__)
    parser.add_argument("--frames", type=int, default=1_000_000, help="for each parser")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("names", nargs="*", help="part of a parser's name")
    asked = parser.parse_args(argv)
    broken = False
    for target in targets():
        if asked.names and not any(word in target.name for word in asked.names):
            continue
        began = time.perf_counter()
        outcome = attack(target, asked.frames, asked.seed)
        rate = (outcome.taken + outcome.refused) / (time.perf_counter() - began)
        broken = broken or bool(outcome.broken)
        figures = f"{outcome.taken:>9,} taken {outcome.refused:>9,} refused {rate:>9,.0f}/s"
        print(f"{outcome.name:24} {figures}, longest {outcome.longest_s * 1000:.1f} ms  {outcome.broken or 'sound'}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
