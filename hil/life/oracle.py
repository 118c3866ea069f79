"""An oracle that shares no code with the rules: it watches the world, the pins, the views, the journal and the center,
and knows from docs/rules.md what must be and what must not.

It expects the order of cause and effect: what the world does first, then the pins and the view of that step, then, when
the commit is durable, its records, and after them what is shown. Several happenings may share a moment.
Where the panel goes dark, whatever was not recorded may be forgotten or not: both are accepted, and nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hil.life import happenings as h
from hil.life.oracle_areas import Areas
from hil.life.oracle_authority import Authority
from hil.life.oracle_books import Books
from hil.life.oracle_causes import Causes
from hil.life.oracle_facts import Facts
from hil.life.oracle_filters import Filters
from hil.life.oracle_group import Group
from hil.life.oracle_held import HeldReports
from hil.life.oracle_indications import Indications
from hil.life.oracle_intrusion import Intrusion
from hil.life.oracle_lamps import Lamps
from hil.life.oracle_reports import Reports
from hil.life.oracle_schedule import Schedules
from hil.life.oracle_silent import Silence
from hil.life.oracle_sirens import Sirens
from hil.life.oracle_tests import Tests
from hil.life.oracle_tours import Tours
from hil.life.oracle_troubles import Troubles
from hil.life.violation import Violation
from rules.site import Site

GROUPS: tuple[type[Group], ...] = (
    Silence,
    Authority,
    Causes,
    Intrusion,
    Filters,
    Areas,
    Sirens,
    Lamps,
    HeldReports,
    Indications,
    Schedules,
    Tours,
    Tests,
    Troubles,
    Reports,
)


class Oracle:
    """Watches one panel's life. `violations` grows; who drives decides what to do about it."""

    def __init__(self, site: Site) -> None:
        self.books = Books(site)
        self.groups = tuple(group(self.books) for group in GROUPS)
        self._facts = Facts(self.books, self.groups)
        facts = self._facts
        self._handlers: Mapping[type, Callable[[Any], None]] = {
            h.Wired: facts.wired,
            h.Typed: facts.typed,
            h.Commanded: facts.commanded,
            h.Person: facts.person,
            h.Gone: facts.gone,
            h.WallClock: facts.clock,
            h.Troubled: facts.troubled,
            h.Dark: facts.dark,
            h.Awake: facts.awake,
            h.Pin: facts.pin,
            h.Shown: facts.shown,
            h.Viewed: facts.viewed,
            h.Recorded: facts.recorded,
            h.Held: facts.held,
            h.Linked: facts.linked,
        }

    @property
    def violations(self) -> list[Violation]:
        """What was objected to so far, in order."""
        return self.books.violations

    def watch(self, happening: h.Happening) -> None:
        """Something happened; in order of time."""
        books, at = self.books, happening.at
        if at > books.next_due:
            books.run(at)
        books.now = at
        self._handlers[type(happening)](happening)

    def finish(self, at: int, journal: Sequence[h.Recorded], center: Sequence[h.Held]) -> None:
        """The life ends here: compare what the panel's journals hold with what the center holds."""
        self.books.run(at)
        self.books.now = at
        for group in self.groups:
            if isinstance(group, Reports):
                group.compare(journal, center)
