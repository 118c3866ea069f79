"""Whether a new slot has proven itself: decided here, free of I/O, from what core tells and how long the trial lasts.

It counts as good only after the panel came back as it was, has read its inputs, goes on in its journal, and has had the
alarm center's signed receipt for a test record. What the panel could not do before the update is not asked of it: the
receipt is waived only where the way to the center was down before already.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from firmware.language import Text


@dataclass(frozen=True)
class Facts:
    """What core tells in a trial. `up_ms`: since its start. `read`: every input was read. `failing`: inputs and
    outputs that do not work. `restored`: the state of before was read. `stored`: the journal can be written."""

    up_ms: int
    read: bool
    failing: int
    restored: bool
    journal: str
    stored: bool
    receipt: bool


@dataclass(frozen=True)
class Before:
    """How the panel was before the restart. `linked`: there was a way to the center that worked."""

    failing: int = 0
    journal: str = ""
    stored: bool = True
    linked: bool = True


class Verdict(StrEnum):
    """`wait` ends by itself within `LONGEST_MS`."""

    WAIT = "wait"
    GOOD = "good"
    BACK = "back"


@dataclass(frozen=True)
class Judgement:
    """`why`: of a way back, a name of `REASONS`; of a wait, what is awaited."""

    verdict: Verdict
    why: str = ""


CORE_MS = 180_000
"""Core answers within this, of the updater's start on, which waits for no core; a small board is up in a minute."""
INPUTS_MS = 240_000
RECEIPT_MS = 600_000
"""The center's receipt: an uplink begins anew with at most 2 min of pause, and a modem takes 2 min to register."""
LONGEST_MS = RECEIPT_MS
"""No trial lasts longer."""
STEADY_MS = 20_000
"""Core must have lived so long: one that dies again and again is not good."""

REASONS: Mapping[str, Text] = MappingProxyType(
    {
        "did-not-start": ("the new slot did not start", "新系统未能启动"),
        "core-silent": ("core did not run", "core 未运行"),
        "state-lost": ("the panel did not come back as it was", "主机未恢复到之前的状态"),
        "journal-new": ("the journal could not be gone on with", "日志无法继续"),
        "journal-unwritable": ("the journal could not be written", "日志无法写入"),
        "inputs-unread": ("not all inputs were read", "输入未全部读取"),
        "inputs-failing": ("more inputs or outputs fail than before", "故障的输入输出多于之前"),
        "unsteady": ("core did not keep running", "core 运行不稳定"),
        "no-receipt": ("no receipt of the alarm center", "未收到报警中心回执"),
        "asked": ("somebody who may asked for it", "应授权人员要求"),
        "receipt-waived": (
            "without a receipt: there was no way to the center before the update either",
            "免除回执：更新前与中心的通道已中断",
        ),
        "interrupted": ("it was interrupted, and goes on from here", "曾中断，由此处继续"),
        "slot-lost": ("the accepted slot does not start any more", "已确认的系统无法再启动"),
    }
)
"""Why a panel went back, and what else is told of a step, in words."""


def judge(facts: Facts | None, before: Before, waited_ms: int) -> Judgement:
    """Good, back, or wait on. `facts`: None while core does not answer. `waited_ms`: since the updater of the
    new slot came up."""
    if facts is None:
        return _until(CORE_MS, waited_ms, "core-silent")
    if not facts.restored:
        return Judgement(Verdict.BACK, "state-lost")
    if before.journal and before.stored and facts.journal != before.journal:
        return Judgement(Verdict.BACK, "journal-new")
    if before.stored and not facts.stored:
        return _until(INPUTS_MS, waited_ms, "journal-unwritable")
    if not facts.read:
        return _until(INPUTS_MS, waited_ms, "inputs-unread")
    if facts.failing > before.failing:
        return _until(INPUTS_MS, waited_ms, "inputs-failing")
    if facts.up_ms < STEADY_MS:
        return _until(RECEIPT_MS, waited_ms, "unsteady")
    if before.linked and not facts.receipt:
        return _until(RECEIPT_MS, waited_ms, "no-receipt")
    return Judgement(Verdict.GOOD)


def _until(limit_ms: int, waited_ms: int, why: str) -> Judgement:
    return Judgement(Verdict.BACK if waited_ms >= limit_ms else Verdict.WAIT, why)
