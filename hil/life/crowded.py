"""A busy site of 64 zones in 8 areas, with every zone type and attribute, part sets, schedules and tours.

A bank's head office above a shopping floor, with everything that a single panel may have to do in one place. Code, not
a panel file: the lines of one board would not reach for it.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from rules.site import (
    Area,
    Hours,
    Output,
    OutputKind,
    Part,
    Place,
    Schedule,
    Site,
    Stop,
    Timings,
    Tour,
    Zone,
    ZoneType,
)

_T = ZoneType
_WORKDAY = Hours(8 * 60, 18 * 60)
_SATURDAY = Hours(9 * 60, 17 * 60)
_SHOP = Hours(9 * 60, 21 * 60)

_AREAS = (
    Area("hall", 1, "Banking hall 营业厅", 30_000, 60_000, 45_000, "bank"),
    Area("offices", 2, "Offices 办公区", 30_000, 60_000, schedule="offices"),
    Area("vault", 3, "Vault 金库", 15_000, 30_000),
    Area("server-room", 4, "Server room 机房", 20_000, 30_000),
    Area("shop", 5, "Shop 商店", 30_000, 90_000, schedule="shop"),
    Area("storage", 6, "Storage 库房", 45_000, 120_000, 45_000),
    Area("garage", 7, "Garage 车库", 40_000, 90_000, schedule="offices"),
    Area("roof", 8, "Roof and fence 屋顶与围栏", 0, 0),
)


def crowded_site(holidays: dict[int, Hours | None]) -> Site:
    """The site; `holidays` are days (ordinals) that differ from the week."""
    zones = [replace(zone, number=number) for number, zone in enumerate(_zones(), 1)]
    return Site(
        areas={area.id: area for area in _AREAS},
        zones={zone.id: zone for zone in zones},
        outputs={output.id: output for output in _outputs()},
        timings=Timings(abort_ms=15_000, report_minute=607),
        parts={part.id: part for part in _parts()},
        schedules={schedule.id: schedule for schedule in _schedules()},
        days=holidays,
        tours={tour.id: tour for tour in _tours()},
        paths=("lan", "cellular"),
    )


def _zone(id_: str, kind: ZoneType, areas: str, name: str = "", **more: Any) -> Zone:
    zone = Zone(id_, 0, name or id_.replace("-", " "), kind, tuple(areas.split()))
    return replace(zone, **more)


def _zones() -> Iterable[Zone]:
    yield from _hall()
    yield from _offices()
    yield from _strong_rooms()
    yield from _shop()
    yield from _storage()
    yield from _garage_and_roof()
    yield from _everywhere()


def _pir(id_: str, areas: str, kind: ZoneType = _T.INSTANT, **more: Any) -> Zone:
    return _zone(id_, kind, areas, settle_ms=60_000, **more)


def _hall() -> Iterable[Zone]:
    yield _zone("hall-front-door", _T.ENTRY_EXIT, "hall", chime=True, final_door=True, cameras=("lobby",))
    yield _zone("hall-side-door", _T.ENTRY_EXIT, "hall", second_entry=True, forceable=True)
    yield _pir("hall-pir-door", "hall", _T.FOLLOWER, cameras=("lobby",), detector="hall-dual")
    yield _pir("hall-pir-counter", "hall", _T.FOLLOWER, pulses=2, pulse_window_ms=20_000)
    yield _pir("hall-pir-back", "hall", supply_cut=True)
    yield _pir("hall-glass-1", "hall", cross_group="hall-glass", forceable=True)
    yield _pir("hall-glass-2", "hall", cross_group="hall-glass")
    yield _zone("hall-window", _T.DAY, "hall", forceable=True)
    yield _zone("hall-up-1", _T.HOLD_UP, "hall", cameras=("lobby",))
    yield _zone("hall-up-2", _T.HOLD_UP, "hall", cameras=("lobby",))
    yield _zone("hall-duress", _T.DURESS, "hall")
    yield _zone("hall-key", _T.KEYSWITCH, "hall", bypassable=False)


def _offices() -> Iterable[Zone]:
    yield _zone("office-door", _T.ENTRY_EXIT, "offices", forceable=True)
    # The stairs serve both: armed only when all of them are.
    yield _zone("stairs-door", _T.ENTRY_EXIT, "hall offices", entry_delay_ms=40_000)
    yield _pir("office-pir-1", "offices", _T.FOLLOWER)
    yield _pir("office-pir-2", "offices")
    yield _pir("office-pir-3", "offices", double_knock=True, pulse_window_ms=15_000)
    yield _pir("office-pir-new", "offices", soak=True)
    yield _zone("office-window-1", _T.INSTANT, "offices", forceable=True, swinger_trips=1, report_restore=False)
    yield _zone("office-window-2", _T.INSTANT, "offices", forceable=True, swinger_trips=0)
    yield _zone("office-up", _T.AUDIBLE_HOLD_UP, "offices")
    yield _zone("office-nurse", _T.MEDICAL, "offices")


def _strong_rooms() -> Iterable[Zone]:
    yield _zone("vault-day-gate", _T.ENTRY_EXIT, "vault", bypassable=False)
    yield _zone("vault-door", _T.TWENTY_FOUR_HOUR, "vault", bypassable=False, cameras=("vault",))
    yield _pir("vault-vibration", "vault", abort=False, detector="vault-wall")
    yield _pir("vault-pir", "vault", abort=False, cameras=("vault",))
    yield _pir("vault-acoustic", "vault", abort=False, detector="vault-wall")
    yield _zone("vault-up", _T.HOLD_UP, "vault")
    yield _zone("server-door", _T.ENTRY_EXIT, "server-room", final_door=True)
    yield _pir("server-pir", "server-room", _T.FOLLOWER)
    yield _zone("server-smoke", _T.FIRE, "server-room", bypassable=False)
    yield _zone("server-water", _T.WATER, "server-room", report_restore=False)
    yield _zone("server-heat", _T.TECHNICAL, "server-room")
    yield _zone("server-key", _T.MAINTAINED_KEYSWITCH, "server-room", bypassable=False)


def _shop() -> Iterable[Zone]:
    yield _zone("shop-door", _T.ENTRY_EXIT, "shop", final_door=True, driver="bus-1")
    yield _pir("shop-pir-1", "shop", _T.FOLLOWER, driver="bus-1", supply_cut=True)
    yield _pir("shop-pir-2", "shop", driver="bus-1")
    yield _pir("shop-shutter", "shop", pulses=3, pulse_window_ms=30_000, driver="bus-1", forceable=True)
    yield _zone("shop-case", _T.TWENTY_FOUR_HOUR, "shop", driver="bus-1")
    yield _zone("shop-up", _T.HOLD_UP, "shop", driver="bus-1")
    yield _zone("shop-smoke", _T.FIRE, "shop", bypassable=False, driver="bus-1")
    yield _zone("shop-gas", _T.GAS, "shop", bypassable=False, driver="bus-1")


def _storage() -> Iterable[Zone]:
    yield _zone("storage-door", _T.ENTRY_EXIT, "storage", driver="bus-2")
    yield _zone("storage-gate", _T.ENTRY_EXIT, "storage", second_entry=True, final_door=True, driver="bus-2")
    yield _pir("storage-aisle-1", "storage", _T.FOLLOWER, driver="bus-2")
    yield _pir("storage-aisle-2", "storage", driver="bus-2", cross_group="aisles")
    yield _pir("storage-aisle-3", "storage", driver="bus-2", cross_group="aisles")
    yield _zone("storage-cold", _T.TECHNICAL, "storage", driver="bus-2", report_restore=False)
    yield _zone("storage-water", _T.WATER, "storage", driver="bus-2")


def _garage_and_roof() -> Iterable[Zone]:
    yield _zone("garage-gate", _T.ENTRY_EXIT, "garage", entry_delay_ms=45_000, driver="bus-2")
    yield _pir("garage-pir", "garage", _T.FOLLOWER, driver="bus-2")
    yield _pir("garage-pir-2", "garage", driver="bus-2", double_knock=True, pulse_window_ms=20_000)
    yield _zone("garage-up", _T.DURESS, "garage", driver="bus-2")
    yield _pir("roof-pir", "roof", forceable=True)
    yield _pir("fence-beam-north", "roof", cross_group="fence", forceable=True)
    yield _pir("fence-beam-south", "roof", cross_group="fence", forceable=True)
    yield _zone("roof-hatch", _T.INSTANT, "roof offices")


def _everywhere() -> Iterable[Zone]:
    places = ("hall", "offices", "storage", "garage")
    for number, place in enumerate(places, 1):
        yield _zone(f"tour-{number}", _T.CHECKPOINT, place)
    every = " ".join(area.id for area in _AREAS)
    yield _zone("siren-cover", _T.TAMPER, every, bypassable=False)
    yield _zone("bus-box-tamper", _T.TAMPER, "shop storage", bypassable=False, driver="bus-1")
    yield _zone("lift-door", _T.MONITOR, "offices")


def _outputs() -> Iterable[Output]:
    every = tuple(area.id for area in _AREAS)
    yield Output("siren-outside", OutputKind.SIREN, every, Place.EXTERNAL, limit_ms=180_000)
    yield Output("siren-back", OutputKind.SIREN, ("storage", "garage", "roof"), Place.EXTERNAL, delay_ms=120_000)
    yield Output("siren-inside", OutputKind.SIREN, every, Place.INTERNAL)
    yield Output("sounder-shop", OutputKind.SIREN, ("shop",), Place.INTERNAL, delay_ms=10_000, limit_ms=240_000)
    yield Output("strobe", OutputKind.STROBE, every)
    yield Output("strobe-shop", OutputKind.STROBE, ("shop",))
    yield Output("armed-lamp", OutputKind.ARMED, ("hall", "offices"))
    yield Output("vault-lamp", OutputKind.ARMED, ("vault",))
    yield Output("alarm-lamp", OutputKind.ALARM, every)
    yield Output("buzzer-hall", OutputKind.BUZZER, ("hall", "offices"))
    yield Output("buzzer-shop", OutputKind.BUZZER, ("shop",))
    yield Output("chime-hall", OutputKind.CHIME, ("hall", "offices"))
    yield Output("relay-door", OutputKind.RELAY, ("hall",), follows="zone:hall-front-door")
    yield Output("relay-lift", OutputKind.RELAY, ("offices",), follows="zone:lift-door")
    yield Output("relay-set", OutputKind.RELAY, ("shop",), follows="area:shop")
    yield Output("relay-alarm", OutputKind.RELAY, ("hall",), follows="alarm:hall")
    yield Output("relay-pulse", OutputKind.RELAY, ("hall",), follows="event:area.armed", pulse_ms=2_000)


def _parts() -> Iterable[Part]:
    yield Part("night", "Night, guard inside 夜间留守", ("hall-pir-back", "hall-pir-counter"), ("hall",))
    yield Part(
        "cleaning", "Cleaning 保洁", ("office-pir-1", "office-pir-2", "office-pir-3", "office-door"), ("offices",)
    )
    yield Part("stock", "Stock taking 盘点", ("storage-aisle-1", "storage-aisle-2", "storage-aisle-3"), ("storage",))
    yield Part("inside", "Perimeter only 仅周界", ("shop-pir-1", "shop-pir-2", "garage-pir", "garage-pir-2"))


def _schedules() -> Iterable[Schedule]:
    yield Schedule("bank", (_WORKDAY,) * 5 + (_SATURDAY, None), late_after_min=30, auto_after_min=60)
    yield Schedule("offices", (_WORKDAY,) * 5 + (None, None), late_after_min=45)
    yield Schedule("shop", (_SHOP,) * 7, late_after_min=20, auto_after_min=40, postpones=2)


def _tours() -> Iterable[Tour]:
    round_ = (Stop("tour-1", 0, 10), Stop("tour-2", 5, 20), Stop("tour-3", 12, 30), Stop("tour-4", 20, 40))
    short = (Stop("tour-1", 0, 8), Stop("tour-4", 4, 20))
    yield Tour("night-round", "Night round 夜间巡更", round_, tuple((day, 60) for day in range(7)))
    yield Tour("evening-round", "Evening round 傍晚巡更", short, tuple((day, 22 * 60) for day in range(0, 7, 2)))
