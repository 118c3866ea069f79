"""What a life has shown: kinds of records, zone types and their conditions, steps of the areas' table, wishes, rates.

A simulation that never reaches something proves nothing about it.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rules.vocabulary import KINDS


@dataclass
class Coverage:
    """Counts, by name.

    `kinds`: records; `zones`: `type:condition` of wires; `steps`: `mode>mode` of areas; `wishes`: what was typed or
    commanded; `happenings`: kinds of `hil.life.rates.RATES`; `notices`: what keypads showed.
    """

    kinds: Counter[str] = field(default_factory=Counter)
    zones: Counter[str] = field(default_factory=Counter)
    steps: Counter[str] = field(default_factory=Counter)
    wishes: Counter[str] = field(default_factory=Counter)
    happenings: Counter[str] = field(default_factory=Counter)
    notices: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Coverage") -> None:
        """Take another life's counts in."""
        for name, counts in vars(other).items():
            getattr(self, name).update(counts)

    def unseen_kinds(self) -> list[str]:
        """Kinds of records that the rules decide and that never came."""
        return sorted(name for name, kind in KINDS.items() if not kind.noted and name not in self.kinds)

    def as_json(self) -> Mapping[str, Any]:
        """Sorted by name."""
        found: dict[str, Any] = {name: dict(sorted(counts.items())) for name, counts in vars(self).items()}
        return {**found, "unseen": self.unseen_kinds()}
