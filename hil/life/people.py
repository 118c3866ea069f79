"""Who may operate the panel, as the world knows it: people, their codes, and what has become of them.

The panel keeps keys of codes (scrypt). Here a key is a hash of the code: the rules compare keys, and never see how they
came about.
"""

from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from random import Random

from rules.site import Site
from rules.stimuli import Right, User

CODE_DIGITS = 6


@cache
def key_of(code: str) -> str:
    """The key of a code."""
    return sha256(b"life-code:" + code.encode()).hexdigest()


def near_keys(*codes: str) -> tuple[str, ...]:
    """The keys of the codes that differ by 1 or 2 from these, as the technician's port computes them."""
    numbers = [int(code) + step for code in codes if code for step in (-2, -1, 1, 2)]
    return tuple(key_of(f"{number:0{CODE_DIGITS}}") for number in numbers if 0 <= number < 10**CODE_DIGITS)


@dataclass(frozen=True)
class Human:
    """A user and the codes that he knows. `role`: what he does on the site."""

    user: User
    role: str
    code: str
    duress: str = ""

    @property
    def id(self) -> str:
        """The id of the user."""
        return self.user.id


@dataclass
class Book:
    """All people: those whom the panel knows (`known`), and those whose change is under way (`changing`).

    `spent`: one-time codes that were used; nobody tries them by mistake. `asked`: everybody whom the panel was ever
    asked to take, as he was to be: it may have him on disk long after the one who asked has gone.
    """

    known: dict[str, Human] = field(default_factory=dict)
    changing: dict[str, Human | None] = field(default_factory=dict)
    spent: set[str] = field(default_factory=set)
    asked: dict[User, Human] = field(default_factory=dict)
    _codes: set[int] = field(default_factory=set)

    def of_role(self, role: str, area: str = "") -> list[Human]:
        """Those of this role who may operate the area (any, when it is empty), and can now."""
        return [
            human
            for human in self.known.values()
            if human.role == role
            and (not area or area in human.user.areas)
            and human.id not in self.changing
            and human.id not in self.spent
        ]

    def able(self, random: Random, area: str, *roles: str) -> Human | None:
        """Somebody of the first of these roles that has anybody for the area."""
        for role in roles:
            if found := self.of_role(role, area):
                return random.choice(found)
        return None

    def whose(self, code: str) -> tuple[str, bool]:
        """Whose code this is as of now, and whether it is his duress code; empty when nobody's."""
        for human in self.known.values():
            if code in (human.code, human.duress) and code and human.id not in self.spent:
                return human.id, code == human.duress
        return "", False

    def new_code(self, random: Random) -> str:
        """A code that nobody has or had, and none that differs by 1 or 2 from such a one."""
        while True:
            number = random.randrange(10**CODE_DIGITS)
            if not any(number + step in self._codes for step in (-2, -1, 0, 1, 2)):
                self._codes.add(number)
                return f"{number:0{CODE_DIGITS}}"


def human(
    random: Random, book: Book, id_: str, role: str, areas: tuple[str, ...], level: int = 2, **terms: object
) -> Human:
    """A person with new codes; `terms` are further members of `rules.stimuli.User`, `duress=False` for no such code."""
    with_duress = bool(terms.pop("duress", True)) and level == 2
    code = book.new_code(random)
    duress = book.new_code(random) if with_duress else ""
    keys = {"key": key_of(code), "duress_key": key_of(duress) if duress else ""}
    user = User(id=id_, name=f"{role} {id_}", level=level, areas=areas, **keys, **terms)  # type: ignore[arg-type]
    return Human(user, role, code, duress)


CLERK = (Right.ARM, Right.DISARM, Right.BYPASS, Right.OVERRIDE, Right.RESET)
CLEANER = (Right.ARM, Right.DISARM)


def first_staff(site: Site, random: Random, book: Book) -> list[Human]:
    """Whom the installer sets up: managers, keyholder, clerks of each area, cleaners, guards, installer, maker."""
    every = tuple(site.areas)
    staff = [
        human(random, book, "installer", "installer", every, 3),
        human(random, book, "maker", "maker", every, 4),
        human(random, book, "manager", "manager", every),
        human(random, book, "deputy", "manager", every, duress=False),
        human(random, book, "keyholder", "keyholder", every),
        human(random, book, "guard", "guard", every, rights=(*CLERK, Right.TEST)),
    ]
    for area in every:
        staff += [human(random, book, f"clerk-{area}-{n}", "clerk", (area,), rights=CLERK) for n in (1, 2)]
        staff.append(human(random, book, f"cleaner-{area}", "cleaner", (area,), rights=CLEANER, duress=False))
    return staff
