"""Who may do what, as the oracle reckons it: users, their days, keypads that are locked, installers' sessions.

Every answer is True, False or None where the words of docs/rules.md, or a power cut, leave both open.
"""

from dataclasses import dataclass, field

from hil.life.happenings import Person, Typed
from hil.life.oracle_books import Books, Span
from rules.stimuli import Right, Wish

RIGHT_OF = {
    Wish.ARM: Right.ARM,
    Wish.REARM: Right.ARM,
    Wish.POSTPONE: Right.ARM,
    Wish.DISARM: Right.DISARM,
    Wish.SILENCE: Right.DISARM,
    Wish.RESET: Right.RESET,
    Wish.BYPASS: Right.BYPASS,
    Wish.UNBYPASS: Right.BYPASS,
    Wish.WALK_TEST: Right.TEST,
    Wish.SIREN_TEST: Right.TEST,
    Wish.BATTERY_TEST: Right.TEST,
    Wish.END_TEST: Right.TEST,
    Wish.GRANT: Right.GRANT,
}
"""Which right each wish needs (docs/rules.md, Levels: silence goes with disarm)."""


@dataclass
class Keypad:
    """What a keypad has counted: at least and at most so many wrong codes; locked until within `lock`."""

    fewest: int = 0
    most: int = 0
    lock: Span | None = None
    recorded: bool = True

    def locked(self, at: int) -> bool | None:
        """Whether it takes no code now."""
        if self.lock is None or at > self.lock.high:
            return False
        return True if at < self.lock.low and self.recorded else None


@dataclass
class Someone:
    """A user as the world set him. `sure`: his record is durable; `spent`: his one-time code was used."""

    facts: Person
    sure: bool = False
    used_at: int = -1
    spent: bool | None = False


@dataclass
class People:
    """Users, keypads, and the installers' door."""

    books: Books
    users: dict[str, Someone] = field(default_factory=dict)
    keypads: dict[str, Keypad] = field(default_factory=dict)
    granted_until: int = -1
    session_until: int = -1
    entered_at: int = -1
    crowded: bool = False
    """More than 64 keypads: some share a count, and which ones the words leave open."""

    def right(self, person: Person, wish: Wish) -> bool:
        """Whether his rights have this wish."""
        if wish is Wish.TOGGLE:
            return self.right(person, Wish.ARM) or self.right(person, Wish.DISARM)
        needed = RIGHT_OF.get(wish)
        return needed is None or person.rights is None or needed in person.rights

    def in_days(self, person: Person) -> bool:
        """A dated code counts only on its days, by a clock that is sure (Codes)."""
        if person.first_day is None and person.last_day is None:
            return True
        books = self.books
        early = person.first_day is not None and books.day < person.first_day
        late = person.last_day is not None and books.day > person.last_day
        return books.sure and not early and not late

    def accepted(self, typed: Typed, someone: Someone) -> bool | None:
        """Whether the panel takes this code for what it asks, at a keypad that is not locked."""
        person = someone.facts
        if not self.in_days(person):
            return False
        if person.level >= 3:
            return self._installer(typed.at, person)
        if someone.spent is None or not someone.sure:
            return None
        return not someone.spent

    def _installer(self, at: int, person: Person) -> bool | None:
        """Only with a grant or in a session; while nobody of level 2 exists he needs none (Codes, Installers)."""
        if not any(s.facts.level == 2 for s in self.users.values()):
            return None
        if at <= self.granted_until or at <= self.session_until:
            return None
        return False if person.level >= 3 else None

    def counted(self, source: str, verdict: bool | None, wrong: bool) -> Keypad:
        """Write down that a code was tried: right, wrong, or perhaps unknown to the panel."""
        books, limits = self.books, self.books.site.timings
        if len(self.keypads) >= 64 and source not in self.keypads:
            self.crowded = True
        pad = self.keypads.setdefault(source, Keypad())
        locked = pad.locked(books.now)
        if locked is True:
            return pad
        if not wrong:
            # A code that is refused for its day or for want of a grant is a right one.
            pad.fewest = 0
            pad.most = pad.most + 1 if verdict is None or locked is None else 0
            return pad
        pad.most += 1
        pad.fewest += locked is False
        end = books.now + limits.lockout_ms
        if pad.fewest >= limits.code_attempts and locked is False:
            pad.lock, pad.recorded = Span(end, end), True
            pad.fewest = limits.code_attempts
        elif pad.most >= limits.code_attempts:
            pad.lock = Span(pad.lock.low if pad.lock else books.now, end)
            pad.recorded = False
        return pad

    def went_dark(self) -> None:
        """Attempts are forgotten at a restart; a lock-out only where its record was not durable yet."""
        books = self.books
        for source, pad in self.keypads.items():
            pad.fewest = pad.most = 0
            if pad.lock is not None and not self._durable(source, pad.lock):
                pad.recorded = False
        for someone in self.users.values():
            spent_at = books.last.get(("user.spent", someone.facts.user), -1)
            if someone.spent and spent_at < 0:
                someone.spent = None

    def forgot(self) -> None:
        """Locks and used codes may be forgotten."""
        for pad in self.keypads.values():
            pad.recorded = False
        for someone in self.users.values():
            if someone.facts.once:
                someone.spent, someone.used_at = None, -1

    def _durable(self, source: str, lock: Span) -> bool:
        locked_at = lock.high - self.books.site.timings.lockout_ms
        return self.books.last.get(("code.locked-out", f"keypad:{source}"), -1) >= locked_at

    def woke(self, dark_at: int, at: int, cause: str) -> None:
        """Lock-outs and sessions go on."""
        for pad in self.keypads.values():
            if pad.lock is not None:
                pad.lock.after_dark(dark_at, at, cause)
        dark = at - dark_at
        self.granted_until += dark
        self.session_until += dark
