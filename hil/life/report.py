"""What many lives come to: as lines for a person, and as one JSON object."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from firmware.language import pick
from hil.life import texts
from hil.life.clock import DAY_MS, Calendar
from hil.life.coverage import Coverage
from hil.life.life import Finding, Outcome
from hil.life.oracle_rules import RULES
from hil.life.replay import short
from rules.vocabulary import KINDS


@dataclass
class Report:
    """All outcomes of one call. `days` is given when lives are not of a year; `jobs` when there was more than one."""

    site: str
    days: int
    seconds: float = 0.0
    jobs: int = 1
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def years(self) -> float:
        """Lived so far."""
        return sum(outcome.lived_ms for outcome in self.outcomes) / (365 * DAY_MS)

    @property
    def findings(self) -> list[tuple[Outcome, Finding]]:
        """Of all lives."""
        return [(outcome, finding) for outcome in self.outcomes for finding in outcome.findings]

    def coverage(self) -> Coverage:
        """Of all lives together."""
        whole = Coverage()
        for outcome in self.outcomes:
            whole.add(outcome.coverage)
        return whole

    def command(self, outcome: Outcome) -> str:
        """What shows a life again."""
        words = ["fenghuo", "simulate", "--site", self.site, "--seed", str(outcome.seed)]
        return shlex.join([*words, *([] if self.days == 365 else ["--days", str(self.days)]), "--replay"])

    def lines(self) -> Iterator[str]:
        """For a person."""
        for outcome, finding in self.findings:
            yield from self.finding(outcome, finding)
        for outcome in self.outcomes:
            day = date.fromordinal(outcome.first_day).isoformat()
            days = outcome.lived_ms // DAY_MS
            yield pick(texts.DIGEST, seed=outcome.seed, day=day, days=days, digest=outcome.digest[:32])
        yield from self._totals()

    def _totals(self) -> Iterator[str]:
        years = self.years
        pace = f"{self.seconds * self.jobs / years:.1f}" if years else "-"
        known = {"years": f"{years:.2f}", "lives": len(self.outcomes), "seconds": f"{self.seconds:.1f}", "pace": pace}
        yield pick(texts.SUMMARY, site=self.site, **known)
        yield pick(texts.COUNTS, **self._sums())
        unseen = self.coverage().unseen_kinds()
        decided = sum(not kind.noted for kind in KINDS.values())
        names = pick(texts.UNSEEN, names=", ".join(unseen)) if unseen else ""
        yield pick(texts.COVERED, seen=decided - len(unseen), all=decided, unseen=names)
        yield pick(texts.FOUND, count=len(self.findings)) if self.findings else pick(texts.NONE)

    def _sums(self) -> dict[str, int]:
        names = ("steps", "wired", "records", "held", "crashes")
        return {name: sum(getattr(outcome, name) for outcome in self.outcomes) for name in names}

    def finding(self, outcome: Outcome, finding: Finding, last: bool = True) -> Iterator[str]:
        """One violation, with what came before it."""
        calendar, violation = Calendar(outcome.first_day), finding.violation
        at = calendar.text(violation.at)
        known = {"rule": violation.rule, "text": violation.text, "promise": RULES.get(violation.rule, violation.rule)}
        yield pick(texts.VIOLATION, seed=outcome.seed, at=at, **known)
        if last:
            yield pick(texts.LAST, count=len(finding.stimuli))
            yield from (f"    {calendar.text(at)}  {short(stimulus)}" for at, stimulus in finding.stimuli)
            yield pick(texts.AGAIN, command=self.command(outcome))

    def as_json(self) -> dict[str, Any]:
        """For a machine."""
        return {
            "site": self.site,
            "years": round(self.years, 3),
            "seconds": round(self.seconds, 3),
            "jobs": self.jobs,
            **self._sums(),
            "violations": [self._finding_json(*found) for found in self.findings],
            "lives": [_life_json(outcome) for outcome in self.outcomes],
            "coverage": self.coverage().as_json(),
        }

    def _finding_json(self, outcome: Outcome, finding: Finding) -> dict[str, Any]:
        calendar, violation = Calendar(outcome.first_day), finding.violation
        return {
            "seed": outcome.seed,
            "at": violation.at,
            "time": calendar.text(violation.at),
            "rule": violation.rule,
            "text": violation.text,
            "replay": self.command(outcome),
            "stimuli": [{"at": at, "stimulus": short(stimulus)} for at, stimulus in finding.stimuli],
        }


def _life_json(outcome: Outcome) -> dict[str, Any]:
    return {
        "seed": outcome.seed,
        "first_day": date.fromordinal(outcome.first_day).isoformat(),
        "days": outcome.lived_ms // DAY_MS,
        "digest": outcome.digest,
        "ended_early": outcome.ended_early,
    }
