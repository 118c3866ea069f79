"""Weather, animals, fire and water, and detectors and lines that wear out and are mended."""

from hil.life.ground import HOLD_UPS
from hil.life.world import Script, World
from rules.site import Condition, ZoneType
from rules.vocabulary import TROUBLES

_MOTION = (ZoneType.INSTANT, ZoneType.FOLLOWER)
_LINES = (
    ZoneType.ENTRY_EXIT,
    ZoneType.FOLLOWER,
    ZoneType.INSTANT,
    ZoneType.DAY,
    ZoneType.TWENTY_FOUR_HOUR,
    ZoneType.TAMPER,
    ZoneType.WATER,
    ZoneType.TECHNICAL,
    ZoneType.MEDICAL,
    ZoneType.GAS,
    ZoneType.KEYSWITCH,
    ZoneType.MAINTAINED_KEYSWITCH,
    ZoneType.CHECKPOINT,
    ZoneType.MONITOR,
    *HOLD_UPS,
    ZoneType.FIRE,
)


def _one(w: World, area: str, *types: ZoneType) -> str:
    """A zone of these types in the area, else anywhere, else none (empty)."""
    found = w.ground.zones(area, *types) or w.ground.zones("", *types)
    return w.random.choice(found) if found else ""


def storm(w: World, area: str) -> Script:
    """Wind and lightning: detectors trip all over the site, the mains dip, the network goes."""
    everywhere = w.ground.zones("", *_MOTION, ZoneType.ENTRY_EXIT, ZoneType.DAY)
    for _ in range(w.between(10, 80)):
        if everywhere:
            w.trip(w.random.choice(everywhere), w.between(300, 4_000))
        if w.chance(0.03) and "mains" not in w.restless:
            w.play(mains_dip(w, area))
        if w.chance(0.01):
            w.play(_short_link_loss(w))
        yield w.seconds(1, 120)


def _short_link_loss(w: World) -> Script:
    w.hands.network("link", False)
    yield w.minutes(0.2, 10)
    w.hands.network("link", True)


def draught(w: World, area: str) -> Script:
    """A curtain moves before a detector."""
    if zone := _one(w, area, *_MOTION):
        for _ in range(w.between(1, 3)):
            w.trip(zone, w.between(400, 2_500))
            yield w.seconds(3, 200)


def pet(w: World, area: str) -> Script:
    """A cat walks through the area."""
    zones = w.ground.zones(area, *_MOTION)
    for _ in range(w.between(1, 6)):
        if zones:
            w.trip(w.random.choice(zones), w.between(600, 3_000))
        yield w.seconds(5, 300)


def chatter(w: World, area: str) -> Script:
    """A detector that is ill trips some hundred times."""
    if zone := _one(w, area, *_MOTION, ZoneType.ENTRY_EXIT, ZoneType.TWENTY_FOUR_HOUR):
        for _ in range(w.between(40, 250)):
            w.trip(zone, w.between(300, 1_500))
            yield w.seconds(1, 25)


def rattle(w: World, area: str) -> Script:
    """A door or shutter rattles in the wind, each time for a moment."""
    if zone := _one(w, area, ZoneType.INSTANT, ZoneType.ENTRY_EXIT, ZoneType.DAY):
        for _ in range(w.between(1, 5)):
            w.trip(zone, w.between(400, 900))
            yield w.seconds(0.5, 20)


def crowd(w: World, area: str) -> Script:
    """A hundred visitors at once."""
    zones = w.ground.worked(area)
    for _ in range(w.between(40, 120)):
        if area not in w.staffed or not zones:
            return
        w.trip(w.random.choice(zones), w.between(800, 4_000))
        yield w.seconds(0.3, 12)


def day_window(w: World, area: str) -> Script:
    """Somebody opens a window that should stay shut by day, and may forget to shut it."""
    if zone := _one(w, area, ZoneType.DAY):
        w.hold(zone)
        yield w.minutes(2, 600) if w.chance(0.2) else w.minutes(2, 40)
        w.release(zone)


def vault_opened(w: World, area: str) -> Script:
    """A zone that is watched day and night is opened by somebody who forgot that."""
    if zone := _one(w, area, ZoneType.TWENTY_FOUR_HOUR):
        w.trip(zone, w.minutes(0.1, 20))
    yield 0


def fire(w: World, area: str) -> Script:
    """Smoke, from a kitchen mostly; the head goes on for a while, and may come again."""
    if zone := _one(w, area, ZoneType.FIRE):
        for _ in range(w.between(1, 3)):
            w.trip(zone, w.minutes(0.2, 15))
            yield w.minutes(16, 30)


def gas(w: World, area: str) -> Script:
    """Gas in the kitchen."""
    if zone := _one(w, area, ZoneType.GAS):
        w.trip(zone, w.minutes(0.5, 30))
    yield 0


def water(w: World, area: str) -> Script:
    """A pipe leaks."""
    if zone := _one(w, area, ZoneType.WATER):
        w.trip(zone, w.minutes(5, 600))
    yield 0


def technical(w: World, area: str) -> Script:
    """Too warm, or a pump stands."""
    if zone := _one(w, area, ZoneType.TECHNICAL):
        w.trip(zone, w.minutes(1, 300))
    yield 0


# --- what wears out --------------------------------------------------------------------------------------


def wear(w: World, zone: str, condition: Condition, least_min: float, most_min: float) -> Script:
    """A line or a detector is not as it should be until it is mended."""
    if not zone or w.broken(zone):
        return
    w.line(zone, condition)
    yield w.minutes(least_min, most_min)
    if condition is Condition.OPEN and w.chance(0.3):
        w.line(zone, Condition.SHORT)  # somebody tries to mend it
        yield w.seconds(5, 300)
    w.line(zone, Condition.NORMAL)


def cut_line(w: World, area: str) -> Script:
    """A cable breaks, or is drilled through."""
    yield from wear(w, _one(w, area, *_LINES), Condition.OPEN, 1, 2_000)


def short_line(w: World, area: str) -> Script:
    """A cable is squashed."""
    yield from wear(w, _one(w, area, *_LINES), Condition.SHORT, 1, 1_000)


def loose_line(w: World, area: str) -> Script:
    """A clamp is loose: the line opens now and then."""
    zone = _one(w, area, *_LINES)
    for _ in range(w.between(2, 25)):
        yield from wear(w, zone, Condition.OPEN, 0.01, 1)
        yield w.minutes(0.05, 40)


def masked(w: World, area: str) -> Script:
    """Somebody sprays or covers a detector by day."""
    yield from wear(w, _one(w, area, *_MOTION), Condition.MASKED, 1, 900)


def detector_fault(w: World, area: str) -> Script:
    """A detector says that it is ill."""
    yield from wear(w, _one(w, area, *_LINES), Condition.FAULT, 0.2, 1_500)


def supply_cut(w: World, _area: str) -> Script:
    """The supply of a detector is cut."""
    zones = [zone.id for zone in w.site.zones.values() if zone.supply_cut]
    if zones:
        yield from wear(w, w.random.choice(zones), Condition.FAULT, 0.2, 600)


def hold_up_fault(w: World, area: str) -> Script:
    """A hold-up device is ill."""
    yield from wear(w, _one(w, area, *HOLD_UPS), w.random.choice((Condition.FAULT, Condition.MASKED)), 1, 600)


def fire_fault(w: World, area: str) -> Script:
    """A smoke head is dirty."""
    yield from wear(w, _one(w, area, ZoneType.FIRE), Condition.FAULT, 1, 1_000)


def tamper(w: World, area: str) -> Script:
    """A cover comes off."""
    if zone := _one(w, area, ZoneType.TAMPER):
        w.trip(zone, w.minutes(0.1, 60))
    yield 0


def box_opened(w: World, _area: str) -> Script:
    """The cabinet is opened."""
    yield from part_fails(w, "box", "", 0.2, 60)


def siren_line(w: World, _area: str) -> Script:
    """A siren's line fails."""
    sirens = [id_ for id_, output in w.site.outputs.items() if output.kind.value == "siren"]
    if sirens:
        yield from part_fails(w, "siren", w.random.choice(sirens), 1, 1_500)


def all_sirens(w: World, _area: str) -> Script:
    """Every siren line fails, while the network is gone: nobody would hear of anything."""
    sirens = [id_ for id_, output in w.site.outputs.items() if output.kind.value == "siren"]
    for siren in sirens:
        w.trouble("siren", True, siren)
    w.hands.network("link", False)
    yield w.minutes(20, 300)
    for siren in sirens:
        w.trouble("siren", False, siren)
    w.hands.network("link", True)


_PARTS = {
    "battery": "",
    "battery-missing": "",
    "charger": "",
    "overcurrent": "",
    "jamming": "radio",
    "camera": "process",
    "camera-tamper": "lobby",
    "certificate": "center-1",
    "mirror": "",
    "evidence": "",
    "board": "",
    "program": "",
    "maintenance": "",
}


def part_trouble(w: World, _area: str) -> Script:
    """A part of the panel itself fails and is mended: battery, charger, camera, board."""
    name = w.random.choice(tuple(_PARTS))
    if name != "battery" or "battery" in w.ground.supplies:
        yield from part_fails(w, name, _PARTS[name], 0.1, 2_000)


def many_troubles(w: World, _area: str) -> Script:
    """More troubles than the panel has room for, one after another; all end."""
    names = [f"camera-{number}" for number in range(70)]
    for name in names:
        w.trouble("camera", True, name)
        yield w.seconds(0.1, 2)
    yield w.minutes(1, 60)
    for name in names:
        w.trouble("camera", False, name)


def part_fails(w: World, name: str, subject: str, least_min: float, most_min: float) -> Script:
    """A trouble begins, and ends when somebody has seen to it."""
    if (name, subject) in w.troubles or name not in TROUBLES:
        return
    w.trouble(name, True, subject)
    yield w.minutes(least_min, most_min)
    w.trouble(name, False, subject)


def driver_dies(w: World, _area: str) -> Script:
    """A driver or a bus stops working: all its zones read fault, then all again what stands."""
    name = w.random.choice(w.ground.drivers)
    if name in w.down:
        return
    for _ in range(w.between(1, 3)):
        w.driver(name, works=False)
        yield w.seconds(2, 900)
        w.driver(name, works=True)
        yield w.seconds(1, 30)


def repeats(w: World, _area: str) -> Script:
    """A driver says again what stands."""
    for zone in w.random.sample(tuple(w.site.zones), min(5, len(w.site.zones))):
        w.repeat(zone)
        yield w.between(0, 3_000)


def mains_dip(w: World, _area: str) -> Script:
    """The mains are gone for a moment."""
    if ("mains", "") in w.troubles or "mains" not in w.ground.supplies:
        return
    w.trouble("mains", True)
    yield w.seconds(1, 500)
    w.trouble("mains", False)
