"""The machine under the panel: mains and battery, kills and power cuts at any instruction, clocks, card, network."""

from hil.life.clock import DAY_MS
from hil.life.world import Script, World
from rules.site import ZoneType

FUSE = 9
"""A crash comes after at most so many further things that the panel does: effects, commits, words."""


def mains_cut(w: World, _area: str) -> Script:
    """The mains are gone for hours; the battery lasts, or gets low, or gives out."""
    if ("mains", "") in w.troubles or "mains" not in w.ground.supplies:
        return
    w.trouble("mains", True)
    yield w.minutes(5, 240)
    if w.chance(0.5) and "battery" in w.ground.supplies:
        w.trouble("battery", True)
        yield w.minutes(10, 200)
        if w.chance(0.5):
            yield from dark(w, w.minutes(10, 600))
    w.trouble("mains", False)
    yield w.minutes(1, 200)
    w.trouble("battery", False)


def dark(w: World, span_ms: int, fuse: int | None = None) -> Script:
    """All power is gone, then the board comes up and detectors settle."""
    if not w.hands.powered or "dark" in w.restless:
        return
    w.restless.add("dark")
    w.hands.crash(power=True, fuse=fuse)
    if fuse is not None:
        yield w.minutes(1, 30)
        if w.hands.awake:
            w.hands.crash(power=True, fuse=None)
    yield max(1_000, span_ms)
    for zone in w.ground.site.zones.values():
        if zone.settle_ms and w.chance(0.3):
            w.at(w.now + w.between(0, 30_000), _warm_up, (w, zone.id))
    yield w.seconds(12, 40)
    w.hands.start()
    w.restless.discard("dark")


def _warm_up(what: tuple[World, str]) -> None:
    w, zone = what
    w.trip(zone, w.between(1_000, 20_000))


def power_cut(w: World, _area: str) -> Script:
    """Mains and battery are gone at once, at any instruction."""
    yield from dark(w, w.random.choice((w.seconds(2, 60), w.minutes(1, 60), w.minutes(60, 3_000))), w.between(0, FUSE))


def power_flicker(w: World, _area: str) -> Script:
    """Power comes and goes while the board starts."""
    for _ in range(w.between(2, 5)):
        yield from dark(w, w.seconds(1, 10), w.random.choice((None, w.between(0, FUSE))))
        yield w.seconds(0.1, 50)


def kill(w: World, _area: str) -> Script:
    """The process is killed, at any instruction, and started again; several times now and then."""
    for _ in range(1 if w.chance(0.8) else w.between(2, 6)):
        if "dark" in w.restless or not w.hands.awake:
            return
        w.restless.add("dark")
        w.hands.crash(power=False, fuse=w.between(0, FUSE))
        yield w.minutes(0.1, 10)
        if w.hands.awake:
            w.hands.crash(power=False, fuse=None)
        yield w.seconds(0.5, 8) if w.chance(0.9) else w.minutes(1, 30)
        w.hands.start()
        w.restless.discard("dark")
        yield w.seconds(0.1, 100)


def kill_in_alarm(w: World, area: str) -> Script:
    """An alarm, and in its first moments a kill or a power cut."""
    zones = w.ground.zones(area, ZoneType.INSTANT, ZoneType.ENTRY_EXIT, ZoneType.FOLLOWER)
    if not zones or "dark" in w.restless:
        return
    w.restless.add("dark")
    power = w.chance(0.5)
    w.hands.crash(power=power, fuse=w.between(0, FUSE))
    w.trip(w.random.choice(zones), w.between(1_000, 30_000), intruder=True)
    yield w.seconds(0.01, 200)
    if w.hands.awake:
        w.hands.crash(power=power, fuse=None)
    yield w.seconds(1, 120)
    w.hands.start()
    w.restless.discard("dark")


def orderly_restart(w: World, _area: str, version: str = "", config: str = "") -> Script:
    """The service is stopped and started."""
    if "dark" in w.restless or not w.hands.awake:
        return
    w.restless.add("dark")
    w.hands.stop("restart")
    yield w.seconds(1, 60)
    w.hands.start(version, config)
    w.restless.discard("dark")


def new_version(w: World, area: str) -> Script:
    """Other software."""
    yield from orderly_restart(w, area, version=f"1.{w.between(1, 999)}.0")


def new_file(w: World, area: str) -> Script:
    """A panel file that differs in nothing that the rules see."""
    yield from orderly_restart(w, area, config=f"{w.random.getrandbits(256):064x}")


def clock_step(w: World, _area: str) -> Script:
    """Somebody sets the clock wrong, by minutes or years, and right again later."""
    far = w.random.choice((w.minutes(1, 30), w.minutes(60, 1_500), DAY_MS * w.between(1, 400)))
    w.hands.set_clock(far if w.chance(0.5) else -far, w.random.choice(("synchronised", "free-running")))
    yield w.minutes(1, 600)
    w.hands.set_clock(0, "synchronised")


def clock_unsure(w: World, _area: str) -> Script:
    """The time server is gone, and a power cut takes the time along."""
    w.hands.set_clock(w.between(-3_000, 3_000), "free-running")
    yield w.minutes(10, 1_000)
    if w.chance(0.4):
        yield from dark(w, w.seconds(5, 600))
        w.hands.set_clock(-DAY_MS * w.between(100, 9_000), "unset")
        yield w.minutes(1, 200)
    w.hands.set_clock(0, "synchronised")


def disk_full(w: World, _area: str) -> Script:
    """The disk is full for some hours."""
    w.hands.card("full")
    yield w.minutes(1, 600)
    w.hands.card("room")


def disk_stall(w: World, _area: str) -> Script:
    """The card hangs."""
    w.hands.card("stall", w.now + w.seconds(0.5, 45))
    yield 0


def link_down(w: World, _area: str) -> Script:
    """The network is gone for seconds or hours."""
    w.hands.network("link", False)
    yield w.random.choice((w.seconds(1, 90), w.minutes(1, 40), w.minutes(40, 400)))
    w.hands.network("link", True)


def long_link_down(w: World, _area: str) -> Script:
    """The excavator: days without a network."""
    w.hands.network("link", False)
    yield w.minutes(600, 6_000)
    w.hands.network("link", True)


def other_path_down(w: World, _area: str) -> Script:
    """The second way to the center fails."""
    for path in w.ground.other_paths:
        w.trouble("path", True, path)
    yield w.random.choice((w.seconds(5, 90), w.minutes(2, 600)))
    for path in w.ground.other_paths:
        w.trouble("path", False, path)


def all_paths_down(w: World, area: str) -> Script:
    """Every way to the center fails at once, and somebody or something sets an alarm off meanwhile."""
    w.play(other_path_down(w, area))
    w.hands.network("link", False)
    yield w.minutes(2, 60)
    zones = w.ground.zones(area, ZoneType.INSTANT, ZoneType.ENTRY_EXIT)
    if zones and area not in w.staffed:
        w.trip(w.random.choice(zones), w.between(1_000, 9_000))
    yield w.minutes(5, 60)
    w.hands.network("link", True)


def uplink_restart(w: World, _area: str) -> Script:
    """The uplink process dies."""
    w.hands.network("uplink")
    yield 0


def broker_restart(w: World, _area: str) -> Script:
    """The broker restarts, some times in a row."""
    for _ in range(w.between(1, 3)):
        w.hands.network("broker")
        yield w.seconds(1, 200)


def center_restart(w: World, _area: str) -> Script:
    """The center restarts."""
    w.hands.network("center")
    yield 0
