"""Those who should not be there: burglars, robbers, people who try codes; and those in need who press a button."""

from hil.life.staff import arrive, leave
from hil.life.world import Script, World
from rules.site import Condition, ZoneType
from rules.stimuli import Wish

_INNER = (ZoneType.FOLLOWER, ZoneType.INSTANT, ZoneType.DAY, ZoneType.TWENTY_FOUR_HOUR)


def burglary(w: World, area: str) -> Script:
    """In through a door, a window or the roof; about; out again, sooner when a siren sounds."""
    ways = (*w.ground.doors(area), *w.ground.zones(area, ZoneType.INSTANT))
    if not ways or area in w.staffed:
        return
    w.trip(w.random.choice(ways), w.between(1_500, 30_000), intruder=True)
    yield w.seconds(2, 15)
    inner = w.ground.zones(area, *_INNER)
    for _ in range(w.between(1, 12)):
        if inner:
            w.trip(w.random.choice(inner), w.between(1_500, 6_000), intruder=True)
        yield w.seconds(2, 20) if w.hands.alarmed(area) else w.seconds(5, 90)
    if w.chance(0.2):
        other = w.random.choice(tuple(w.site.areas))
        for zone in w.ground.zones(other, *_INNER)[:3]:
            w.trip(zone, w.between(1_500, 4_000), intruder=True)
            yield w.seconds(3, 30)


def prepared_burglary(w: World, area: str) -> Script:
    """First the network, the mains, the box, the siren's line or a detector's line; then the burglary."""
    cables = w.ground.zones(area, ZoneType.INSTANT, ZoneType.FOLLOWER, ZoneType.ENTRY_EXIT)
    deed = w.random.choice(("network", "mains", "box", "siren", "cable", "short", "cover"))
    mended = []
    if deed == "network":
        w.hands.network("link", False)
    elif deed == "mains":
        w.trouble("mains", True)
    elif deed in ("box", "siren"):
        w.trouble(deed, True, "" if deed == "box" else _a_siren(w))
    elif deed == "cover" and (tampers := w.ground.zones(area, ZoneType.TAMPER)):
        w.trip(tampers[0], w.minutes(1, 60), intruder=True)
    elif cables:
        mended = w.random.sample(cables, min(len(cables), w.between(1, 2)))
        for zone in mended:
            w.line(zone, Condition.OPEN if deed == "cable" else Condition.SHORT, intruder=True)
    yield w.seconds(5, 400)
    yield from burglary(w, area)
    yield w.minutes(30, 300)
    for zone in mended:
        w.line(zone, Condition.NORMAL)
    if deed == "network":
        w.hands.network("link", True)
    for name, subject in (("mains", ""), ("box", ""), ("siren", _a_siren(w))):
        if deed == name:
            w.trouble(name, False, subject)


def _a_siren(w: World) -> str:
    return next((id_ for id_, output in w.site.outputs.items() if output.kind.value == "siren"), "")


def hold_up(w: World, area: str) -> Script:
    """Somebody presses a button, somebody else another one some minutes later; or a duress code follows."""
    buttons = w.ground.zones(area, ZoneType.HOLD_UP, ZoneType.DURESS) or w.ground.zones(
        "", ZoneType.HOLD_UP, ZoneType.DURESS
    )
    if not buttons:
        return
    w.trip(w.random.choice(buttons), w.between(700, 120_000))
    if w.chance(0.4):
        yield w.minutes(0.3, 12)
        w.trip(w.random.choice(buttons), w.between(700, 600_000))
    if w.chance(0.2):
        yield w.minutes(0.5, 4)
        yield from duress_code(w, area)
    if w.chance(0.15):
        # The robber tears the button's cable out.
        yield w.minutes(0.2, 3)
        button = w.random.choice(buttons)
        w.line(button, Condition.OPEN, intruder=True)
        yield w.minutes(30, 200)
        w.line(button, Condition.NORMAL)


def duress_code(w: World, area: str) -> Script:
    """A clerk is made to type his code, and types the other one."""
    who = next((human for human in w.book.of_role("clerk", area) if human.duress), None)
    if who is None:
        return
    wish = w.random.choice((Wish.DISARM, Wish.TOGGLE, Wish.SILENCE, Wish.ARM))
    if wish in (Wish.TOGGLE, Wish.ARM) and area in w.staffed:
        wish = Wish.DISARM
    w.type(w.keypad(area), who.duress, wish, areas=(area,))
    yield w.minutes(1, 10)


def duress_at_night(w: World, area: str) -> Script:
    """A clerk is brought back at night, and made to disarm; later the area is armed again."""
    who = next((human for human in w.book.of_role("clerk", area) if human.duress), None)
    doors = w.ground.doors(area)
    if who is None or not doors or area in w.staffed or not w.is_set(area):
        return
    w.trip(doors[0], w.between(2_000, 6_000))
    yield w.seconds(6, 14)
    if w.chance(0.2):
        for _ in range(6):  # he is nervous, and locks himself out: his call for help is heard all the same
            w.type(w.keypad(area), f"{w.random.randrange(10**6):06}", Wish.DISARM)
            yield w.seconds(1, 3)
    w.type(w.keypad(area), who.duress, Wish.DISARM, areas=(area,))
    yield w.minutes(3, 20)
    if not w.is_set(area):
        yield from leave(w, area)


def audible_hold_up(w: World, _area: str) -> Script:
    """The button that may be heard."""
    buttons = w.ground.zones("", ZoneType.AUDIBLE_HOLD_UP)
    if buttons:
        w.trip(w.random.choice(buttons), w.between(700, 60_000))
    yield 0


def medical(w: World, _area: str) -> Script:
    """Somebody needs a doctor."""
    buttons = w.ground.zones("", ZoneType.MEDICAL)
    if buttons:
        w.trip(w.random.choice(buttons), w.between(700, 60_000))
    yield 0


def code_guesser(w: World, area: str) -> Script:
    """Somebody tries codes at a keypad until it is locked, and goes on trying."""
    source = w.keypad(area)
    for _ in range(w.between(4, 14)):
        w.type(source, f"{w.random.randrange(10**6):06}", w.random.choice((Wish.DISARM, Wish.TOGGLE, Wish.SILENCE)))
        yield w.seconds(2, 60)
    if w.chance(0.4):
        # Meanwhile another keypad works.
        other = w.random.choice(tuple(w.site.areas))
        if other in w.staffed or not w.is_set(other):
            return
        yield from arrive(w, other)
        if not w.is_set(other):
            yield w.minutes(1, 5)
            yield from leave(w, other)


def many_keypads(w: World, area: str) -> Script:
    """Wrong codes from more keypads than any site has."""
    for number in range(70):
        w.type(f"{w.keypad(area)}-{number}", f"{w.random.randrange(10**6):06}", Wish.DISARM)
        yield w.seconds(0.2, 2)
