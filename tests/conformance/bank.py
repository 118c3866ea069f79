"""The shop of `tests.rules.shop` with every kind of output, for the tests of this folder."""

from dataclasses import replace
from typing import Any

from rules import Effect, Output, OutputKind, PanelStarted, Place, Record, Site, decode, encode, rebase
from tests.rules.branch import Panel, kinds
from tests.rules.shop import SITE, fresh

AREAS = ("hall", "vault")
BANK = replace(
    SITE,
    outputs={
        "horn": Output("horn", OutputKind.SIREN, AREAS, Place.EXTERNAL),
        "bell": Output("bell", OutputKind.SIREN, AREAS, Place.INTERNAL),
        "strobe": Output("strobe", OutputKind.STROBE, AREAS),
        "armed": Output("armed", OutputKind.ARMED, ("hall",)),
        "alarm": Output("alarm", OutputKind.ALARM, AREAS),
        "buzzer": Output("buzzer", OutputKind.BUZZER, ("hall",)),
    },
)
SIRENS = {"horn", "bell"}


def timed(**timings: Any) -> Site:
    """With other timings."""
    return replace(BANK, timings=replace(BANK.timings, **timings))


def with_zone(id_: str, site: Site = BANK, **changes: Any) -> Site:
    """With another wiring or choice of one zone."""
    return replace(site, zones={**site.zones, id_: replace(site.zones[id_], **changes)})


def bank(site: Site = BANK) -> Panel:
    return fresh(site)


def heard(panel: Panel) -> set[str]:
    """The sirens that sound."""
    return panel.on() & SIRENS


def recorded(panel: Panel) -> list[str]:
    """All kinds so far, in order."""
    return kinds(effect for _, effect in panel.log)


def reported_at(panel: Panel, kind: str) -> int:
    """When the only record of a kind was made."""
    (moment,) = [at for at, effect in panel.log if isinstance(effect, Record) and effect.kind == kind]
    return moment


def shown(panel: Panel) -> list[str]:
    """What keypads show of alarms, in order."""
    return [f"{i.kind}:{i.zone}" for i in panel.state.durable.indications]


def power_cut(panel: Panel) -> tuple[Effect, ...]:
    """All power is lost, and another boot comes up with what was kept."""
    panel.state = rebase(decode(encode(panel.state)), 500 - panel.now)
    panel.now = 500
    return panel.play(PanelStarted("power-up", -1, "1.0", "c0"))
