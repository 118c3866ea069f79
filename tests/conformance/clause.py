"""What a clause is: one thing that a standard asks of the panel, in our own words, and where the digest has it from."""

from dataclasses import dataclass
from enum import Enum

PROFILES = ("cn", "eu-g2", "eu-g3", "us-cp01")
"""The timing profiles of DESIGN §4."""
MARKS = ("S", "M-h", "M-m", "M-l", "D")
"""The digest's marks: found in a source; from memory with high, medium or low confidence; our own advice."""

ALL = PROFILES
CN = ("cn",)
EN = ("cn", "eu-g2", "eu-g3")
G3 = ("cn", "eu-g3")
US = ("us-cp01",)


class Gap(Enum):
    """Why no test shows a clause: in English, in Chinese."""

    WIRING = ("field wiring: drivers, sensors and power supply come with issue 4", "现场接线:驱动、传感与电源,见工单4")
    TECHNICIAN = ("the technician's command line comes with issue 7", "技术员命令行,见工单7")
    IMAGE = ("the system image and its updates come with issue 8", "系统镜像与升级,见工单8")
    KEYPAD = ("keypads with a display come with issue 4", "带显示的键盘,见工单4")
    HARDWARE = ("a matter of cabinet, board and battery, shown on the built panel", "机箱、主板与电池,在整机上检验")
    SITE = ("a matter of the site: its design, contract and papers", "工程设计、合同与文件")
    NOT_BUILT = ("not built", "未实现")
    NOT_FITTED = ("the panel has no such part", "本产品无此部件")
    GRADE_4 = ("asked of grade 4 only; the target is grade 3", "仅4级要求,本产品目标为3级")
    NO_TEXT = ("the text of the standard was not found", "未查到标准正文")

    @property
    def en(self) -> str:
        """The reason in English."""
        return self.value[0]

    @property
    def zh(self) -> str:
        """The reason in Chinese."""
        return self.value[1]


@dataclass(frozen=True)
class Clause:
    """One demand. `digest`: its section there; `mark`: one of `MARKS`; `gap`: why nothing shows it, where known."""

    id: str
    en: str
    zh: str
    digest: str
    mark: str
    profiles: tuple[str, ...]
    gap: Gap | None = None


@dataclass(frozen=True)
class Standard:
    """The clauses of one standard, in the order of the page. Every clause's id begins with `prefix` and a space."""

    prefix: str
    en: str
    zh: str
    clauses: tuple[Clause, ...]


def clauses(
    section: str, prefix: str, *rows: tuple[str, str, str, str, tuple[str, ...], Gap | None]
) -> tuple[Clause, ...]:
    """A row each: point, English, Chinese, mark, profiles, gap."""
    return tuple(Clause(f"{prefix} {point}", en, zh, section, mark, who, gap) for point, en, zh, mark, who, gap in rows)
