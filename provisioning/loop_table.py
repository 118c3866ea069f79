"""The resistor plans and their thresholds as a Markdown table, written into docs/wiring.md.

`python -m provisioning.loop_table docs/wiring.md` rewrites what stands between the markers; a test fails when it has
drifted.
"""

import sys
from collections.abc import Sequence

from drivers.loop_plan import LoopPlan, Resistors, State, Thresholds, between, count_of, ohm_of
from drivers.wiring import Wiring
from firmware.places import places
from rules.site import Condition

BEGIN, END = "<!-- generated: loops -->", "<!-- end: loops -->"
PULL_OHM = 2_200
_PLANS = (
    LoopPlan(Resistors.LINE),
    LoopPlan(Resistors.SINGLE, Wiring.NC),
    LoopPlan(Resistors.SINGLE, Wiring.NO),
    LoopPlan(Resistors.DOUBLE, Wiring.NC),
    LoopPlan(Resistors.DOUBLE, Wiring.NO),
    LoopPlan(Resistors.TRIPLE, Wiring.NC, fault_means=Condition.MASKED, both_means=Condition.FAULT),
)


def loop_table() -> str:
    """Markdown: a row for each state of each plan, with the default resistors."""
    rows = [["plan", "reads", "expected", "left below", "left above", "MCP3008", "MCP3208"], ["---"] * 7]
    for plan in _PLANS:
        found = Thresholds(plan.states(), 1023, PULL_OHM)
        for index, state in enumerate(found.states):
            low, high = (ohm_of(count, 1023, PULL_OHM) for count in found.edges(index))
            last = len(found.states) - 1
            rows.append(
                [
                    _name(plan) if not index else "",
                    state.condition.value,
                    "0 Ω" if not index else "∞" if index == last else f"{state.ohm:.0f} Ω",
                    f"{low:.0f} Ω" if index else "–",
                    f"{high:.0f} Ω" if index < last else "–",
                    _steps(found.states, index, 1023),
                    _steps(found.states, index, 4095),
                ]
            )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _name(plan: LoopPlan) -> str:
    return "a siren's line" if plan.resistors is Resistors.LINE else f"`{plan.resistors}`, `{plan.wiring}`"


def _steps(states: Sequence[State], index: int, full: int) -> str:
    """Which readings are this state where nothing was known before."""

    def middle(low: int) -> int:
        return round(count_of(between(states[low], states[low + 1], 0.5), full, PULL_OHM))

    first = middle(index - 1) if index else 0
    last = middle(index) - 1 if index < len(states) - 1 else full
    return f"{first}–{last}"


def rewritten(text: str) -> str:
    """The text with the table as it must be; ValueError when a marker is missing."""
    before, found, rest = text.partition(BEGIN)
    _, closed, after = rest.partition(END)
    if not (found and closed):
        raise ValueError(f"found no {BEGIN} … {END}, expected both markers, in this order")
    return f"{before}{BEGIN}\n{loop_table()}\n{END}{after}"


def main(words: Sequence[str]) -> int:
    """Rewrite the files named; 2 when one can't be."""
    for path in places(words, __doc__):
        try:
            path.write_text(rewritten(path.read_text(encoding="utf-8")), encoding="utf-8")
        except (OSError, ValueError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
