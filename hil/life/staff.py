"""The people who work on the site: they come, disarm, set detectors off all day, arm and leave, with their mistakes.

How often each mistake is made stands in `hil.life.rates.HABITS`.
"""

from hil.life.people import Human
from hil.life.rates import HABITS, ON_TRIAL, TRIPS_A_DAY
from hil.life.world import Script, World
from rules.site import Condition, ZoneType
from rules.stimuli import Wish

_WORKERS = ("clerk", "manager", "keyholder")


def working_day(w: World, area: str, opens: int, closes: int) -> Script:
    """One day of an area, from its first person to its last. Begun at midnight; minutes of the day."""
    yield w.until(opens - w.between(2, 25) + (w.between(30, 90) if w.chance(HABITS["late"]) else 0))
    yield from arrive(w, area)
    leaves = closes + w.between(-3, 18) + (w.between(30, 150) if w.chance(HABITS["works-late"]) else 0)
    if w.is_set(area) or w.until(leaves) == 0:
        return  # nobody could let them in
    work(w, area, w.until(leaves))
    yield w.until(leaves)
    w.staffed.discard(area)
    if w.tasks.pop(area, ""):
        yield from postpone(w, area)
        yield w.minutes(5, 25)
    if w.chance(HABITS["forgets-to-arm"]):
        yield from walk_out(w, area)
        return
    yield from leave(w, area)


def work(w: World, area: str, span_ms: int, trips: float = TRIPS_A_DAY) -> None:
    """People are in the area for so long, and set its detectors off."""
    w.staffed.add(area)
    random = w.random
    share = span_ms / 36_000_000
    for zone in w.ground.worked(area):
        # What several areas share is walked by all of them; a detector on trial hangs where few pass.
        place = w.site.zones[zone]
        mean = trips * share / len(place.areas) * (ON_TRIAL if place.soak else 1)
        for _ in range(int(random.expovariate(1 / mean)) if mean else 0):
            w.at(w.now + int(random.random() * span_ms), _step, (w, area, zone))


def _step(what: tuple[World, str, str]) -> None:
    w, area, zone = what
    if area in w.staffed:
        w.trip(zone, w.between(1_500, 7_000))


# --- coming ------------------------------------------------------------------------------------------


def arrive(w: World, area: str, *roles: str) -> Script:
    """Somebody comes in and disarms, if need be."""
    who = w.book.able(w.random, area, *(roles or _WORKERS))
    yield from walk_in(w, area)
    if who is not None and w.is_set(area):
        yield from disarm(w, area, who)


def walk_in(w: World, area: str) -> Script:
    """In at a door, along the entry route, to the keypad."""
    doors = w.ground.doors(area)
    if doors:
        door = doors[0] if w.chance(0.75) else w.random.choice(doors)
        w.trip(door, w.between(2_500, 9_000))
        yield w.seconds(1.5, 4)
    if w.chance(HABITS["off-the-route"]) and (inner := w.ground.zones(area, ZoneType.INSTANT)):
        w.trip(w.random.choice(inner), 3_000)
    for zone in w.ground.zones(area, ZoneType.FOLLOWER):
        w.trip(zone, w.between(2_000, 5_000))
        yield w.seconds(0.8, 3)
    yield w.seconds(30, 80) if w.chance(HABITS["slow"]) else w.seconds(2, 7)


def disarm(w: World, area: str, who: Human) -> Script:
    """Type the code, wrong ones first now and then, until the area is disarmed or patience ends."""
    source = w.keypad(area)
    if w.chance(HABITS["wrong-code"]):
        yield from _fumble(w, source, w.between(1, 3))
    if w.chance(HABITS["forgets-code"]):
        yield from _fumble(w, source, w.between(5, 8))
    areas = () if w.chance(HABITS["all-at-once"]) else (area,)
    for _ in range(3):
        wish = Wish.TOGGLE if w.chance(HABITS["toggle"]) and w.is_set(area) and areas else Wish.DISARM
        notice = yield from w.ask(source, who, wish, areas=areas)
        if not w.is_set(area) or notice == "not-allowed":
            return
        yield w.seconds(20, 100)


def _fumble(w: World, source: str, times: int) -> Script:
    for _ in range(times):
        w.type(source, f"{w.random.randrange(10**6):06}", w.random.choice((Wish.TOGGLE, Wish.DISARM)))
        yield w.seconds(1.5, 5)


# --- leaving -----------------------------------------------------------------------------------------


def leave(w: World, area: str, part: str = "") -> Script:
    """Arm the area and go out, with all that people do wrong there."""
    w.staffed.discard(area)
    who = w.book.able(w.random, area, *_WORKERS)
    if who is None:
        return
    yield w.seconds(5, 40)
    if not part and w.chance(HABITS["part"]):
        part = some_part(w, area)
    yield from arm(w, area, who, part=part, instant=w.chance(HABITS["instant"]))
    if w.hands.mode(area) == "disarmed":
        return  # left unarmed, or somebody else sees to it
    if w.chance(HABITS["stays-behind"]):
        inside = w.ground.zones(area, ZoneType.FOLLOWER, ZoneType.INSTANT)
        w.play(_stay(w, area, inside, who), w.minutes(2, 20))
    if not w.chance(HABITS["nobody-leaves"]):
        yield from walk_out(w, area)
    if w.chance(HABITS["comes-back"]):
        yield w.minutes(1, 4)
        yield from come_back(w, area)


def arm(w: World, area: str, who: Human, part: str = "", instant: bool = False) -> Script:
    """Ask for arming; read the reasons, bypass or override what may be, or give up."""
    source = w.keypad(area)
    wish = Wish.TOGGLE if not part and not instant and w.chance(HABITS["toggle"]) else Wish.ARM
    areas = () if w.chance(HABITS["all-at-once"]) and wish is Wish.ARM and not part else (area,)
    notice = yield from w.ask(source, who, wish, areas=areas, part=part, instant=instant)
    if notice != "arming-refused":
        return
    if w.chance(HABITS["bypasses"]):
        for zone in [reason.split(":")[1] for reason in w.reasons(source)[:3] if ":" in reason]:
            if zone in w.site.zones:
                yield from w.ask(source, who, Wish.BYPASS, zone=zone)
        notice = yield from w.ask(source, who, Wish.ARM, areas=(area,), part=part)
    if notice == "arming-refused" and w.chance(HABITS["overrides"]):
        yield from w.ask(source, who, Wish.ARM, areas=(area,), part=part, override=True)


def walk_out(w: World, area: str) -> Script:
    """To the door and out; the door may stay open, or be opened once more."""
    for zone in w.ground.zones(area, ZoneType.FOLLOWER):
        w.trip(zone, w.between(2_000, 5_000))
        yield w.seconds(1, 4)
    doors = w.ground.doors(area)
    if not doors:
        return
    door = doors[0]
    delay = w.site.areas[area].exit_delay_ms / 1000
    yield w.seconds(delay, delay + 60) if w.chance(HABITS["slow"]) else w.seconds(2, min(12, max(3, delay / 2)))
    if w.chance(HABITS["door-left-open"]):
        w.hold(door)
        w.play(_close(w, door), w.minutes(0.3, 15))
        return
    w.trip(door, w.between(2_500, 8_000))
    if w.chance(HABITS["forgot-phone"]):
        yield w.seconds(9, 20)
        w.trip(door, w.between(2_500, 5_000))
        yield w.seconds(5, 15)
        w.trip(door, w.between(2_500, 5_000))


def _close(w: World, door: str) -> Script:
    w.release(door)
    yield 0


def _stay(w: World, area: str, inside: tuple[str, ...], who: Human) -> Script:
    """Somebody was overlooked in the area; sooner or later he runs to the keypad."""
    for _ in range(w.between(1, 4)):
        if not inside or not w.is_set(area):
            return
        w.trip(w.random.choice(inside), w.between(2_000, 6_000))
        yield w.seconds(5, 40)
    yield from disarm(w, area, who)
    yield w.minutes(1, 5)
    if not w.is_set(area):
        yield from leave(w, area)


def come_back(w: World, area: str) -> Script:
    """Back for the umbrella: in, disarm, a minute, arm again (as it was, or anew)."""
    yield from arrive(w, area)
    if w.is_set(area):
        return
    yield w.minutes(0.5, 3)
    who = w.book.able(w.random, area, *_WORKERS)
    if who is not None and w.chance(HABITS["rearms"]):
        yield from w.ask(w.keypad(area), who, Wish.REARM, areas=(area,))
        yield from walk_out(w, area)
    else:
        yield from leave(w, area)


def some_part(w: World, area: str) -> str:
    """A part set that fits the area, empty where there is none."""
    fitting = [part.id for part in w.site.parts.values() if not part.areas or area in part.areas]
    return w.random.choice(fitting) if fitting else ""


def postpone(w: World, area: str) -> Script:
    """The keypad warns of the automatic arming, and people still work."""
    who = w.book.able(w.random, area, *_WORKERS)
    if who is not None:
        yield from w.ask(w.keypad(area), who, Wish.POSTPONE, areas=(area,))


def keep_armed(w: World, area: str) -> Script:
    """Where nobody works somebody arms in the evening what was left disarmed. Begun at midnight."""
    yield w.until(20 * 60 + w.between(0, 90))
    who = w.book.able(w.random, area, "keyholder", "manager")
    if who is not None and not w.is_set(area):
        yield from arm(w, area, who)


# --- alarms ------------------------------------------------------------------------------------------


def watch_alarms(w: World) -> None:
    """An alarm sounds: those who are there see to it, else somebody is called."""
    if "responding" not in w.restless:
        w.restless.add("responding")
        w.play(_respond(w))


def _respond(w: World) -> Script:
    yield w.minutes(0.3, 2) if w.staffed else w.minutes(4, 45)
    for area in w.site.areas:
        if w.hands.alarmed(area):
            yield from see_to(w, area)
    w.restless.discard("responding")


def see_to(w: World, area: str) -> Script:
    """Go to the area of an alarm, silence, disarm, look around, reset, arm again."""
    who = w.book.able(w.random, area, "keyholder", "manager", "clerk")
    if who is None:
        return
    source, inside = w.keypad(area), area in w.staffed
    armed = w.is_set(area)
    if not inside:
        if w.chance(0.3):
            yield from w.ask(source, who, Wish.SILENCE)
        yield from walk_in(w, area)
    yield from w.ask(source, who, Wish.DISARM, areas=(area,))
    yield w.minutes(2, 15)
    yield from w.ask(source, who, Wish.RESET, areas=(area,))
    if armed and not inside and not w.is_set(area):
        yield w.minutes(1, 30)
        if area not in w.staffed:
            yield from leave(w, area)


# --- others ------------------------------------------------------------------------------------------


def cleaning(w: World, area: str) -> Script:
    """A cleaner disarms, arms what he does not clean where there is a part for it, and arms all again."""
    who = w.book.able(w.random, area, "cleaner")
    if who is None or area in w.staffed or not w.is_set(area):
        return
    yield from walk_in(w, area)
    yield from disarm(w, area, who)
    if w.is_set(area):
        return
    part = some_part(w, area)
    if part and w.chance(0.7):
        yield from w.ask(w.keypad(area), who, Wish.ARM, areas=(area,), part=part)
        for zone in w.site.parts[part].omits:
            w.trip(zone, w.between(1_500, 5_000))
            yield w.seconds(20, 240)
        yield from w.ask(w.keypad(area), who, Wish.DISARM, areas=(area,))
    else:
        work(w, area, w.minutes(15, 40), TRIPS_A_DAY * 3)
        yield w.minutes(15, 40)
        w.staffed.discard(area)
    yield from arm(w, area, who)
    yield from walk_out(w, area)


def late_visitor(w: World, area: str) -> Script:
    """Somebody comes at an odd hour, works for a while, and arms."""
    if area in w.staffed:
        return
    yield from arrive(w, area)
    if w.is_set(area):
        return
    span = w.minutes(5, 60)
    work(w, area, span, TRIPS_A_DAY * 2)
    yield span
    yield from leave(w, area)


def part_night(w: World, area: str) -> Script:
    """The guard arms a part and walks about in what rests."""
    part = some_part(w, area)
    who = w.book.able(w.random, area, "guard")
    if not part or who is None or area in w.staffed:
        return
    if w.is_set(area):
        yield from walk_in(w, area)
        yield from disarm(w, area, who)
    yield from w.ask(w.keypad(area), who, Wish.ARM, areas=(area,), part=part)
    for _ in range(w.between(2, 8)):
        yield w.minutes(3, 30)
        for zone in w.site.parts[part].omits:
            if area in w.site.zones[zone].areas:
                w.trip(zone, w.between(1_500, 5_000))
    yield from w.ask(w.keypad(area), who, Wish.DISARM, areas=(area,))
    yield from w.ask(w.keypad(area), who, Wish.ARM, areas=(area,))
    yield from walk_out(w, area)


def tour(w: World, id_: str) -> Script:
    """A guard walks a tour, well or badly; begun at the moment that the plan names."""
    walked = w.site.tours[id_]
    if w.chance(HABITS["tour-skipped"]):
        return
    began = w.now
    stops = list(walked.stops)
    if len(stops) > 1 and w.chance(HABITS["wrong-way"]):
        first = w.between(0, len(stops) - 2)
        stops[first], stops[first + 1] = stops[first + 1], stops[first]
    for stop in stops:
        if w.chance(HABITS["stop-missed"]):
            continue
        late = w.chance(HABITS["stop-late"])
        due = stop.until_min + w.between(1, 20) if late else w.between(stop.after_min, stop.until_min - 1) + 0.5
        yield max(1_000, began + int(due * 60_000) - w.now)
        if w.reading(stop.zone) is Condition.NORMAL:
            w.trip(stop.zone, 1_500)
