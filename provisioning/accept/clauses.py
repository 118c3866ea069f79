"""What an acceptance is held against: each requirement with its source, as data.

Sources: GB 55029-2022 and GB 50394-2007 as the standards digest of the project names them (§3.1, §3.2, §3.4).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from firmware.language import Text

RESPONSE_MS = 2_000
RESPONSE_SAMPLES = 30
STANDBY_H = 8
PICTURE_DAYS = 30
TRIAL_DAYS = 30


@dataclass(frozen=True)
class Clause:
    """A requirement: where it stands and what it says, in our own words."""

    source: str
    says: Text


CLAUSES: Mapping[str, Clause] = MappingProxyType(
    {
        "indication": Clause(
            "GB 55029-2022 3.5.1(1)(6)",
            ("each detector's alarm is indicated as what it is", "各类报警应分别正确指示"),
        ),
        "hold-up": Clause(
            "GB 55029-2022 3.5.1(1), GB 50394-2007 5.2.2",
            ("each hold-up device reports", "紧急报警装置应可靠报警"),
        ),
        "tamper": Clause(
            "GB 55029-2022 3.5.1(2)",
            ("detectors and control equipment have tamper alarms", "探测器与控制设备应有防拆报警"),
        ),
        "line": Clause(
            "GB 55029-2022 3.5.1(3)",
            (
                "a line that is open or shorted, and a detector without supply, alarm",
                "线路断路、短路及探测器断电应报警",
            ),
        ),
        "control": Clause(
            "GB 55029-2022 3.5.1(4)(5)",
            ("arming and disarming by who may", "按权限布防与撤防"),
        ),
        "records": Clause(
            "GB 55029-2022 3.5.1(7)",
            ("records exist and can't be altered", "操作与报警记录完整且不可更改"),
        ),
        "response": Clause(
            "GB 55029-2022 3.5.1(8)",
            ("the controller responds within 2 s", "控制设备响应时间不大于 2 s"),
        ),
        "power": Clause(
            "GB 55029-2022 3.5.1(6)",
            ("loss of the mains is indicated", "市电故障应有指示"),
        ),
        "standby": Clause(
            "GB 55029-2022 3.5.1(9)",
            ("the standby supply lasts 8 h under the real load", "备用电源在实际负载下不少于 8 h"),
        ),
        "siren": Clause(
            "GB 50394-2007 5.2.2",
            ("sound and light at an alarm", "报警时应有声光指示"),
        ),
        "pictures": Clause(
            "GB 55029-2022 3.5.2(5)",
            ("pictures are taken and kept at least 30 days", "图像可靠抓拍并保存不少于 30 天"),
        ),
        "outward": Clause(
            "GB 55029-2022 3.1.9(3), 6.0.4",
            ("alarms reach the alarm center, and their receipt is verified", "报警可送达接警中心并确认收到"),
        ),
        "trial": Clause(
            "GB 55029-2022 4.0.7",
            (
                "a trial run of at least 30 days with operation and fault records",
                "试运行不少于 30 天并有运行与故障记录",
            ),
        ),
    }
)
