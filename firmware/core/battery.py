"""The battery test where no battery is measured: by what the supply's own contact reads. No load is put on."""

import logging

from rules.effects import Request
from rules.site import Condition
from rules.stimuli import TestDone

log = logging.getLogger("fenghuo.core.battery")


def answer(request: Request, has_line: bool, reads: Condition | None) -> TestDone:
    """The answer to a test that the rules ask for. `reads`: what the battery line read last, None before that."""
    if request.test != "battery":
        log.error("the rules ask for a test that this panel does not know")
        return TestDone(request.test, False, "unknown test")
    if not has_line:
        return TestDone("battery", False, "no battery line", possible=False)
    if reads is None:
        return TestDone("battery", False, "the battery line was not read yet")
    well = reads is Condition.NORMAL
    return TestDone("battery", well, "line only, no load test" if well else f"the battery line reads {reads.value}")
