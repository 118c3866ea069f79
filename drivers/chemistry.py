"""What batteries of a kind do, as data: their limits in millivolts a cell, and how temperature and age change them.

Limits of the charge are those at 25 °C and move with `charge_mv_k` from 5 to 40 °C, as chargers do; limits of the
discharge stay, an open circuit moves by 0.2 mV/K only. Sources stand with each kind.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

REFERENCE_C = 25.0
COLDEST_C, HOTTEST_C = 5.0, 40.0
"""Beyond these chargers compensate no further (Narada Acme manual, table 3-2)."""


@dataclass(frozen=True)
class Chemistry:
    """Millivolts a cell. `low`: the battery is low below it, no more above `low_ends`. `last`: the end of a discharge.
    `missing`: no battery is there. `test`: the least at the end of a load test. `floating`: the least of a charged one
    on its charger. `over`: more than any charge needs.

    `rate_h`: the discharge time in which the capacity is stated; `peukert`: its exponent. `resting`: at rest, full.
    """

    name: str
    low: int
    low_ends: int
    last: int
    missing: int
    test: int
    floating: int
    over: int
    resting: int
    charge_mv_k: int
    rate_h: float
    peukert: float

    def charge_mv(self, mv: int, celsius: float) -> float:
        """A limit of the charge at this temperature."""
        within = min(max(celsius, COLDEST_C), HOTTEST_C)
        return mv + self.charge_mv_k * (within - REFERENCE_C)


CHEMISTRIES: Mapping[str, Chemistry] = MappingProxyType(
    {
        c.name: c
        for c in (
            # Sealed lead (VRLA). Float 2.25 V at 25 °C and -3 mV/K a cell: Narada Acme manual 3.2, Alpha C series 2.2
            # (-18 mV/K a block of six). End of discharge 1.75 V (10.5 V a block) at the 20 h rate: Alpha C series,
            # table 2-2. Low at 1.90 V: about a tenth is left at the loads of a panel (ours). Charge up to 2.45 V.
            Chemistry("lead", 1_900, 2_050, 1_750, 1_000, 1_950, 2_190, 2_500, 2_100, -3, 20, 1.15),
            # LiFePO4: charge to 3.65 V, discharge to 2.5 V a cell by the cells' data sheets; the end here lies above
            # the battery's own protection, which would cut without a record (ours). No compensation.
            Chemistry("lifepo4", 3_100, 3_250, 2_800, 2_000, 3_050, 3_330, 3_700, 3_300, 0, 5, 1.05),
            # Li-ion (18650 and alike): charge to 4.20 V, discharge to 2.75 … 3.0 V a cell by the cells' data sheets;
            # the end lies above the protection (ours). No compensation.
            Chemistry("li-ion", 3_400, 3_650, 3_150, 2_000, 3_300, 4_000, 4_260, 3_850, 0, 5, 1.05),
        )
    }
)

AGED_PART = 0.2
"""So much of its capacity a battery has lost at the end of its design life (IEEE 1188 replaces it at 80 %; digest
§1.11 sizes with x 1.25)."""
COLD_PART_K = 0.01
"""And so much is not to be had per kelvin below 25 °C (IEEE 485 sizes with x 1.30 at 4 °C)."""
LEAST_PART = 0.3
"""No battery counts for less than this part of its capacity: beyond, the estimate means nothing."""


def part_left(years: float, life_years: float, celsius: float) -> float:
    """Which part of its stated capacity a battery of this age gives at this temperature; 0.3 to 1."""
    aged = 1 - AGED_PART * max(0.0, years) / life_years
    cold = 1 - COLD_PART_K * max(0.0, REFERENCE_C - celsius)
    return max(LEAST_PART, aged * cold)


def standby_min(chemistry: Chemistry, capacity_mah: float, load_ma: float, part: float) -> int:
    """Minutes that a full battery carries this load, by Peukert's rule; `part` of the capacity is left."""
    full_ma = capacity_mah * part / chemistry.rate_h
    # The rule holds for loads near and above the stated one; below, the capacity does not grow on.
    hours = chemistry.rate_h * (full_ma / load_ma) ** chemistry.peukert if load_ma >= full_ma else None
    return int(60 * (capacity_mah * part / load_ma if hours is None else hours))
