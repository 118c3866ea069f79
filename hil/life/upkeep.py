"""What is done to the panel on purpose: users, installers, tests, keys, and the center's operators."""

from dataclasses import replace

from hil.life.people import CLERK, Human, human, key_of, near_keys
from hil.life.staff import disarm, walk_in, walk_out
from hil.life.world import Script, World
from rules.site import Condition, ZoneType
from rules.stimuli import Right, UserRemoved, UserSet, Wish

_TESTED = (ZoneType.ENTRY_EXIT, ZoneType.FOLLOWER, ZoneType.INSTANT, ZoneType.DAY, ZoneType.TWENTY_FOUR_HOUR)


# --- users -------------------------------------------------------------------------------------------


def set_user(w: World, who: Human, actor: str = "technician") -> Script:
    """An authorised person adds or changes a user, and waits until the panel has it on disk."""
    if not w.hands.awake or who.id in w.book.changing:
        return
    w.book.changing[who.id] = w.book.asked[who.user] = who
    w.hands.feed(UserSet(actor, who.user, near_keys(who.code, who.duress)))
    yield w.minutes(1.5, 3)
    # Refused, or lost in a crash: what was before counts.
    w.book.changing.pop(who.id, None)


def remove_user(w: World, id_: str) -> Script:
    """An authorised person removes a user."""
    if not w.hands.awake or id_ not in w.book.known or id_ in w.book.changing:
        return
    w.book.changing[id_] = None
    w.hands.feed(UserRemoved("technician", id_))
    yield w.minutes(1.5, 3)
    w.book.changing.pop(id_, None)


def _next_id(w: World, role: str) -> str:
    number = 1 + sum(w.counts.get(kind, 0) for kind in ("user-added", "dated-user", "one-time-user", "bad-user"))
    return f"{role}-{number}"


def user_added(w: World, area: str) -> Script:
    """A new colleague."""
    rights = w.random.choice((None, CLERK, (Right.ARM,), (Right.ARM, Right.DISARM)))
    yield from set_user(w, human(w.random, w.book, _next_id(w, "clerk"), "newcomer", (area,), rights=rights))


def user_changed(w: World, area: str) -> Script:
    """A clerk gets new codes, or another area."""
    found = w.book.of_role("clerk", area)
    if not found:
        return
    before = w.random.choice(found)
    areas = before.user.areas if w.chance(0.6) else (area, w.random.choice(tuple(w.site.areas)))
    after = human(w.random, w.book, before.id, "clerk", tuple(dict.fromkeys(areas)), rights=before.user.rights)
    yield from set_user(w, after)


def user_removed(w: World, area: str) -> Script:
    """A newcomer leaves; his code is tried once more."""
    gone = w.book.able(w.random, "", "newcomer", "visitor")
    if gone is None:
        return
    yield from remove_user(w, gone.id)
    yield w.minutes(1, 3_000)
    w.type(w.keypad(area), gone.code, Wish.DISARM, areas=(area,))


def dated_user(w: World, area: str) -> Script:
    """A code for some days; tried before, in and after them."""
    today = w.calendar.day_at(w.now)
    first, last = today + w.between(0, 2), today + w.between(2, 5)
    who = human(w.random, w.book, _next_id(w, "visitor"), "visitor", (area,), first_day=first, last_day=last)
    yield from set_user(w, who)
    for _ in range(w.between(3, 6)):
        yield w.minutes(300, 2_500)
        if who.id in w.book.known:
            if w.is_set(area) and area not in w.staffed:
                yield from walk_in(w, area)
            code = who.duress if w.chance(0.05) else who.code
            w.type(w.keypad(area), code, Wish.DISARM, areas=(area,))
            yield w.seconds(20, 300)
            if area not in w.staffed:
                yield from w.ask(w.keypad(area), who, Wish.ARM, areas=(area,))
                yield from walk_out(w, area)


def one_time_user(w: World, area: str) -> Script:
    """A code that counts once; tried a second time."""
    who = human(w.random, w.book, _next_id(w, "visitor"), "visitor", (area,), once=True)
    yield from set_user(w, who)
    for _ in range(w.between(1, 3)):
        yield w.minutes(100, 3_000)
        code = who.duress if w.chance(0.1) else who.code
        w.type(w.keypad(area), code, w.random.choice((Wish.DISARM, Wish.ARM, Wish.TOGGLE)), areas=(area,))
        yield w.minutes(1, 3)
        if keeper := w.book.able(w.random, area, "keyholder"):
            if area in w.staffed:
                yield from disarm(w, area, keeper)
            elif not w.is_set(area):
                yield from w.ask(w.keypad(area), keeper, Wish.ARM, areas=(area,))


def bad_user(w: World, area: str) -> Script:
    """Codes that the panel must refuse: somebody's, or one beside somebody's, or both the same."""
    who = human(w.random, w.book, _next_id(w, "clerk"), "newcomer", (area,))
    others = w.book.of_role("clerk")
    code = w.random.choice(others).code if others else who.code
    if w.chance(0.6):
        code = f"{(int(code) + w.between(1, 2)) % 10**6:06}"
    if w.chance(0.7):
        yield from set_user(w, replace(who, user=replace(who.user, key=key_of(code)), code=code))
    else:
        yield from set_user(w, replace(who, user=replace(who.user, duress_key=who.user.key), duress=""))


# --- tests and installers -------------------------------------------------------------------------------


def _walk(w: World, areas: tuple[str, ...]) -> Script:
    for area in areas:
        for zone in w.ground.zones(area, *_TESTED):
            if w.chance(0.85):
                w.trip(zone, w.between(800, 3_000))
                yield w.seconds(2, 30)


def walk_test(w: World, area: str) -> Script:
    """Somebody of the site walks the detectors of an area, quietly now and then."""
    who = w.book.able(w.random, area, "manager")
    if who is None or w.is_set(area):
        return
    yield from w.ask(w.keypad(area), who, Wish.WALK_TEST, areas=(area,), quiet=w.chance(0.3))
    yield from _walk(w, (area,))
    if w.chance(0.7):
        yield from w.ask(w.keypad(area), who, Wish.END_TEST, areas=(area,))


def _let_in(w: World, boss: Human, source: str) -> Script:
    """Installers enter only while everything is disarmed: then the boss grants."""
    if any(w.is_set(area) for area in w.site.areas):
        yield from w.ask(source, boss, Wish.DISARM)
    yield from w.ask(source, boss, Wish.GRANT)


def _lock_up(w: World, boss: Human, before: list[str]) -> Script:
    """What was armed before is armed again, but where people work."""
    for area in before:
        if area not in w.staffed and not w.is_set(area):
            yield from w.ask(w.keypad(area), boss, Wish.ARM, areas=(area,))


def installer_visit(w: World, area: str) -> Script:
    """Granted by a user, the installer isolates and mends, tests hold-up buttons, and leaves, or forgets to."""
    boss, fitter = w.book.able(w.random, area, "manager"), w.book.able(w.random, area, "installer")
    if boss is None or fitter is None:
        return
    source, before = w.keypad(area), [place for place in w.site.areas if w.is_set(place)]
    yield from _let_in(w, boss, source)
    yield w.minutes(0.2, 6)
    zone = w.random.choice(w.ground.zones(area, *_TESTED) or tuple(w.site.zones))
    yield from w.ask(source, fitter, w.random.choice((Wish.RESET, Wish.ISOLATE)), zone=zone)
    for wish in w.random.sample((Wish.ISOLATE, Wish.BYPASS, Wish.RESET, Wish.SIREN_TEST, Wish.WALK_TEST), 3):
        yield w.minutes(0.3, 4)
        terms = {"zone": zone} if wish in (Wish.ISOLATE, Wish.BYPASS) else {}
        if wish is Wish.WALK_TEST:
            yield from w.ask(source, fitter, wish, areas=(area,), hold_up=True, quiet=w.chance(0.5))
            for button in w.ground.zones(area, ZoneType.HOLD_UP, ZoneType.DURESS):
                w.trip(button, w.between(700, 3_000))
                yield w.seconds(2, 10)
            yield from _walk(w, (area,))
            yield from w.ask(source, fitter, Wish.END_TEST)
        else:
            yield from w.ask(source, fitter, wish, **terms)
    if w.chance(0.5):
        w.line(zone, Condition.OPEN)
        yield w.minutes(1, 10)
        w.line(zone, Condition.NORMAL)
    if w.chance(0.8):
        yield from w.ask(source, fitter, Wish.UNISOLATE, zone=zone)
    if w.chance(0.6):
        yield from w.ask(source, fitter, Wish.LEAVE)
        yield from _lock_up(w, boss, before)
    else:
        # The clerks arm at closing time, or the hour ends it; then the zone is forgotten until the next visit.
        yield w.minutes(70, 200)
        yield from _let_in(w, boss, source)
        yield from w.ask(source, fitter, Wish.UNISOLATE, zone=zone)
        yield from w.ask(source, fitter, Wish.LEAVE)
        yield from _lock_up(w, boss, before)


def installer_alone(w: World, area: str) -> Script:
    """An installer's code without a grant."""
    if fitter := w.book.able(w.random, area, "installer"):
        wish = w.random.choice((Wish.DISARM, Wish.WALK_TEST, Wish.ISOLATE, Wish.SILENCE))
        yield from w.ask(w.keypad(area), fitter, wish, zone=w.random.choice(tuple(w.site.zones)))


def maker_visit(w: World, area: str) -> Script:
    """The maker's engineer, after grant and installer; or without."""
    boss, fitter = w.book.able(w.random, area, "manager"), w.book.able(w.random, area, "installer")
    maker = w.book.able(w.random, area, "maker")
    if boss is None or fitter is None or maker is None:
        return
    source, before = w.keypad(area), [place for place in w.site.areas if w.is_set(place)]
    if w.chance(0.7):
        yield from _let_in(w, boss, source)
        yield from w.ask(source, fitter, Wish.RESET)
        yield from w.ask(source, boss, Wish.GRANT)
    yield from w.ask(source, maker, w.random.choice((Wish.RESET, Wish.BATTERY_TEST)))
    yield w.minutes(1, 20)
    yield from w.ask(source, maker, Wish.LEAVE)
    yield from w.ask(source, fitter, Wish.LEAVE)
    yield from _lock_up(w, boss, before)


def siren_test(w: World, area: str) -> Script:
    """Somebody of the site tries the sirens."""
    if who := w.book.able(w.random, area, "manager", "guard"):
        yield from w.ask(w.keypad(area), who, Wish.SIREN_TEST)
        if w.chance(0.2):
            yield w.seconds(0.2, 2)
            yield from w.ask(w.keypad(area), who, Wish.END_TEST)


def battery_test(w: World, area: str) -> Script:
    """Somebody of the site has the battery tested, again and again until it passes."""
    who, source = w.book.able(w.random, area, "manager"), w.keypad(area)
    for _ in range(6):
        if who is None:
            return
        began = w.now
        yield from w.ask(source, who, Wish.BATTERY_TEST)
        yield w.minutes(1.2, 2)
        if w.told("", began) == "battery-test-passed":
            return
        yield w.minutes(20, 400)


# --- keypads and keys ----------------------------------------------------------------------------------


def bypass_early(w: World, area: str) -> Script:
    """Somebody bypasses a zone hours before arming, and changes his mind now and then."""
    who, zones = w.book.able(w.random, area, "clerk"), w.ground.worked(area)
    if who is None or not zones:
        return
    zone = w.random.choice(zones)
    yield from w.ask(w.keypad(area), who, Wish.BYPASS, zone=zone)
    yield w.minutes(1, 60)
    if w.chance(0.5):
        yield from w.ask(w.keypad(area), who, Wish.UNBYPASS, zone=zone)


def silence(w: World, area: str) -> Script:
    """An alarm, and a neighbour with a code who only stops the noise."""
    zones, who = w.ground.zones(area, ZoneType.INSTANT), w.book.able(w.random, area, "keyholder")
    if not zones or who is None or area in w.staffed:
        return
    w.trip(w.random.choice(zones), 3_000)
    yield w.seconds(20, 200)
    yield from w.ask(w.keypad(area), who, Wish.SILENCE)
    if w.chance(0.5):
        yield w.seconds(10, 200)
        w.trip(w.random.choice(zones), 3_000)


def postpone(w: World, area: str) -> Script:
    """Somebody postpones an automatic arming, though none may be due."""
    if who := w.book.able(w.random, area, "clerk"):
        yield from w.ask(w.keypad(area), who, Wish.POSTPONE, areas=(area,))


def keyswitch(w: World, _area: str) -> Script:
    """The key at the door is turned for a moment, and again after a while."""
    keys = w.ground.zones("", ZoneType.KEYSWITCH)
    if not keys:
        return
    key = w.random.choice(keys)
    if any(place in w.staffed for place in w.site.zones[key].areas):
        return
    w.trip(key, w.between(400, 2_000))
    yield w.minutes(2, 60)
    w.trip(key, w.between(400, 2_000))


def maintained_key(w: World, _area: str) -> Script:
    """The key is turned on and stays, and is turned back hours later."""
    keys = w.ground.zones("", ZoneType.MAINTAINED_KEYSWITCH)
    if not keys or w.is_active(keys[0]) or any(place in w.staffed for place in w.site.zones[keys[0]].areas):
        return
    w.hold(keys[0])
    yield w.minutes(2, 900)
    w.release(keys[0])


# --- the center's operators ------------------------------------------------------------------------------


def remote_status(w: World, _area: str) -> Script:
    """An operator asks how things stand, and for a picture."""
    w.hands.order(Wish.STATUS, "genuine")
    yield w.minutes(1, 5)
    w.hands.order(Wish.PICTURE, "genuine")


def remote_arm(w: World, area: str) -> Script:
    """An operator arms what was left disarmed, and may disarm it later."""
    if area in w.staffed:
        return
    w.hands.order(Wish.ARM, "genuine", (area,))
    yield w.minutes(1, 30)
    if w.chance(0.3):
        w.hands.order(Wish.DISARM, "genuine", (area,))


def remote_disarm(w: World, area: str) -> Script:
    """An operator disarms, and arms again."""
    w.hands.order(Wish.DISARM, "genuine", (area,))
    yield w.minutes(2, 20)
    if area not in w.staffed:
        w.hands.order(Wish.ARM, "genuine", (area,))


def remote_silence(w: World, area: str) -> Script:
    """An operator silences."""
    w.hands.order(Wish.SILENCE, "genuine", (area,))
    yield 0


def remote_reset(w: World, area: str) -> Script:
    """An operator resets the indications."""
    w.hands.order(Wish.RESET, "genuine", (area,))
    yield 0


def remote_bypass(w: World, area: str) -> Script:
    """An operator bypasses a zone and takes it back."""
    zones = w.ground.worked(area)
    if zones:
        zone = w.random.choice(zones)
        w.hands.order(Wish.BYPASS, "genuine", (), zone)
        yield w.minutes(1, 60)
        w.hands.order(Wish.UNBYPASS, "genuine", (), zone)


def _bad_order(w: World, area: str, deed: str) -> Script:
    w.hands.order(w.random.choice((Wish.DISARM, Wish.SILENCE, Wish.ARM)), deed, (area,))
    yield w.seconds(1, 100)
    if w.chance(0.3):
        w.hands.order(Wish.DISARM, deed, (area,))


def remote_replayed(w: World, area: str) -> Script:
    """Somebody plays a command again that was given before."""
    yield from _bad_order(w, area, "replayed")


def remote_stale(w: World, area: str) -> Script:
    """A command that was held back for minutes."""
    yield from _bad_order(w, area, "stale")


def remote_forged(w: World, area: str) -> Script:
    """A command that no key of the center signed."""
    yield from _bad_order(w, area, "forged")
