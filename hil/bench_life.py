"""How many panel-years of a busy site one core lives in 30 seconds: rules, journal, delivery, world and oracle."""

import logging
import time

from hil.life.life import Life, Terms
from hil.life.lives import default_makers
from hil.life.sites import ground

DAYS = 60
SEED = 1
SECONDS = 30.0


def measure(days: int = DAYS) -> dict[str, float]:
    """`years` in 30 s of one core; `steps` and `records` of a year; `us_a_step`: µs a step with all it brings."""
    logging.getLogger("fenghuo").setLevel(logging.CRITICAL)  # a life refuses much
    life = Life(Terms(ground("crowded"), SEED, days), default_makers())
    begin = time.process_time()
    life.run()
    spent = time.process_time() - begin
    outcome = life.outcome
    return {
        "years": days / 365 / spent * SECONDS,
        "steps": outcome.steps / days * 365,
        "records": outcome.records / days * 365,
        "us_a_step": spent / outcome.steps * 1e6,
    }


if __name__ == "__main__":
    for name, value in measure().items():
        print(f"{value:12.2f}  {name}")
