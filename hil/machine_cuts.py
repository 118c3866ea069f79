"""`python -m hil.machine_cuts`: the machine's power goes at random moments of traffic, and it boots; what was lost.

Each round goes on from the rig's snapshot, moves detectors and types codes, ends QEMU by SIGKILL, boots what the disk
holds, and judges journal and center as every scenario does. Slower and truer than block-level replay
(`hil.power_cut`): a real kernel, systemd, core and its sandbox come back. The host's cache survives a kill, so a disk's
lost write cache is not shown here.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

from hil.rigs.machine.made import machine_rig
from hil.rigs.machine.rig import MachineRig
from hil.rigs.protocol import NotSeen, RigFault
from hil.rigs.site import CODE, Wanted
from hil.verdict import Verdict

LONGEST_S = 6.0
DOORS = ("front-door", "hall-pir", "office-pir", "back-door", "side-exit", "vault-vibration")
COUNTS = ("records", "lost", "receipted_lost", "doubled", "altered", "out_of_order", "unsound")


@dataclass
class Report:
    """What came of it. `did_not_come_back`: boots after which the panel did not run."""

    seed: int
    cuts: int = 0
    did_not_come_back: int = 0
    not_drained: int = 0
    rig_faults: int = 0
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    texts: list[str] = field(default_factory=list)
    boot_s: list[float] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Nothing was lost, and every boot brought a panel."""
        bad = [self.counts[name] for name in COUNTS if name != "records"]
        return not any((*bad, self.did_not_come_back, self.not_drained)) and self.cuts > 0

    def add(self, verdict: Verdict) -> None:
        """The verdict of one round."""
        for name in COUNTS:
            self.counts[name] += getattr(verdict, name)
        self.texts += verdict.texts[:3]


def cuts(count: int, seed: int) -> Report:
    """So many cuts, each on a machine of its own."""
    report, chance = Report(seed), Random(seed)  # noqa: S311  # moments, not secrets
    for _ in range(count):
        with tempfile.TemporaryDirectory(prefix="fh-", dir="/tmp") as folder:
            rig = machine_rig(Path(folder), Wanted())
            try:
                _round(rig, chance, report)
            except RigFault as error:
                report.rig_faults += 1
                report.texts.append(f"rig fault: {error}"[:500])
            finally:
                rig.end()
    return report


def _round(rig: MachineRig, chance: Random, report: Report) -> None:
    rig.begin()
    end = time.monotonic() + chance.uniform(0.5, LONGEST_S)
    while time.monotonic() < end:
        match chance.randrange(4):
            case 0:
                rig.code(CODE, chance.choice(("arm", "disarm")))
            case 1:
                rig.press("holdup-1", 200)
            case _:
                (rig.open if chance.random() < 0.5 else rig.close)(chance.choice(DOORS))
        time.sleep(chance.uniform(0, 0.4))
    rig.power_cut()
    report.cuts += 1
    began = time.monotonic()
    try:
        rig.power_on()
    except NotSeen as error:
        report.did_not_come_back += 1
        report.texts.append(str(error)[:500])
        return
    report.boot_s.append(round(time.monotonic() - began, 1))
    try:
        report.add(rig.finish())
    except NotSeen as error:
        report.not_drained += 1
        report.texts.append(str(error)[:500])


def main(argv: Sequence[str]) -> int:
    """Cut as often as asked; 0: nothing was lost."""
    parser = argparse.ArgumentParser(prog="python -m hil.machine_cuts", description=__doc__)
    parser.add_argument("--cuts", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    words = parser.parse_args(argv)
    report = cuts(words.cuts, words.seed)
    print(json.dumps({**asdict(report), "good": report.good}, indent=1))
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
